//! Whether something comes of a layer of simulcast is told of each by itself.

use std::time::Duration;

use super::link::*;
use crate::config::{ReceiverConfig, SenderConfig};
use crate::event::MediaEvent;

/// Two layers from end 0 to end 1.
fn simulcast() -> Link {
    let mut link = Link::new();
    let now = link.now;
    let encodings = vec![encoding(100, Some(101), Some("lo")), encoding(200, Some(201), Some("hi"))];
    let sender = SenderConfig { encodings, ..video_sender("v", 1, &vp8()) };
    let receiver = ReceiverConfig { rids: vec!["lo".into(), "hi".into()], ..video_receiver("v", &vp8()) };
    link.ends[0].set_sender(now, VIDEO, sender).unwrap();
    link.ends[1].set_receiver(now, VIDEO_IN, receiver).unwrap();
    link
}

/// Sends pictures of these layers for so many seconds, and takes what was told of muting.
fn show(link: &mut Link, from: &mut u32, layers: &[usize], seconds: u32) -> Vec<String> {
    for _ in 0..seconds * 25 {
        let now = link.now;
        for layer in layers {
            link.ends[0].send_frame(now, VIDEO, *layer, video_frame(*from, *from == 0)).unwrap();
        }
        *from += 1;
        link.run(Duration::from_millis(40));
    }
    let events = std::mem::take(&mut link.events[1]);
    let told = events.into_iter().filter_map(|event| match event {
        MediaEvent::LayerMute { receiver: VIDEO_IN, rid } => Some(("mute", rid)),
        MediaEvent::LayerUnmute { receiver: VIDEO_IN, rid } => Some(("unmute", rid)),
        MediaEvent::Mute { .. } => Some(("mute", "all".into())),
        MediaEvent::Unmute { .. } => Some(("unmute", "all".into())),
        _ => None,
    });
    told.map(|(what, rid)| format!("{what} {}", String::from_utf8_lossy(&rid))).collect()
}

#[test]
fn a_layer_that_its_sender_stops_is_muted_while_the_others_go_on_and_unmuted_when_it_comes_back() {
    let (mut link, mut from) = (simulcast(), 0);
    assert_eq!(show(&mut link, &mut from, &[0, 1], 2), ["unmute all", "unmute lo", "unmute hi"]);
    assert!(show(&mut link, &mut from, &[0], 2).is_empty(), "a pause is no end");
    assert_eq!(show(&mut link, &mut from, &[0], 4), ["mute hi"]);
    assert_eq!(show(&mut link, &mut from, &[0, 1], 10), ["unmute hi"]);
    let mut ended = show(&mut link, &mut from, &[], 10);
    // Both layers do so in the same moment.
    ended[..2].sort();
    assert_eq!(ended, ["mute hi", "mute lo", "mute all"]);
}

#[test]
fn a_layer_whose_sender_begins_anew_under_another_ssrc_goes_on() {
    let (mut link, mut from) = (simulcast(), 0);
    show(&mut link, &mut from, &[0, 1], 2);
    let now = link.now;
    let encodings = vec![encoding(100, Some(101), Some("lo")), encoding(300, Some(301), Some("hi"))];
    let sender = SenderConfig { encodings, ..video_sender("v", 1, &vp8()) };
    link.ends[0].set_sender(now, VIDEO, sender).unwrap();
    let told = show(&mut link, &mut from, &[0, 1], 10);
    assert_eq!(told.last().map(String::as_str), Some("unmute hi"), "{told:?}");
    assert!(!told.iter().any(|one| one.ends_with("lo")), "{told:?}");
}

#[test]
fn a_receiver_without_simulcast_is_told_of_as_a_whole() {
    let mut link = Link::one_way(&vp8());
    link.call(0, 1, true);
    link.run(Duration::from_secs(10));
    let layers = link.events[1]
        .iter()
        .filter(|event| matches!(event, MediaEvent::LayerMute { .. } | MediaEvent::LayerUnmute { .. }));
    assert_eq!(layers.count(), 0);
}
