use std::time::Duration;

use super::link::*;
use crate::config::{Payload, SenderConfig};
use crate::event::MediaEvent;
use crate::types::{Codec, Extension, ReceiverId, SenderId};

fn started(link: &Link) -> Vec<(ReceiverId, u32, Option<String>)> {
    link.events[1]
        .iter()
        .filter_map(|event| match event {
            MediaEvent::StreamStarted { receiver, ssrc, rid } => {
                let rid = rid.as_ref().map(|rid| String::from_utf8_lossy(rid).into_owned());
                Some((*receiver, *ssrc, rid))
            }
            _ => None,
        })
        .collect()
}

fn without_names(mut config: SenderConfig) -> SenderConfig {
    config.mid = None;
    config
}

#[test]
fn two_sections_with_the_same_payload_types_are_told_apart_by_their_mid() {
    let mut link = Link::new();
    let now = link.now;
    for (number, mid) in [(1, "first"), (2, "second")] {
        link.ends[0].set_sender(now, SenderId(number), audio_sender(mid, 10 * number)).unwrap();
        link.ends[1].set_receiver(now, ReceiverId(number), audio_receiver(mid)).unwrap();
    }
    link.ends[0].send_frame(now, SenderId(2), 0, audio_frame(0)).unwrap();
    link.ends[0].send_frame(now, SenderId(1), 0, audio_frame(0)).unwrap();
    link.run(Duration::from_millis(100));
    assert_eq!(started(&link), [(ReceiverId(2), 20, None), (ReceiverId(1), 10, None)]);
}

#[test]
fn without_a_mid_the_description_or_a_payload_type_of_its_own_tells() {
    let mut link = Link::new();
    let now = link.now;
    link.ends[0].set_sender(now, SenderId(1), without_names(audio_sender("a", 10))).unwrap();
    link.ends[0].set_sender(now, SenderId(2), without_names(audio_sender("b", 20))).unwrap();
    let pcmu = SenderConfig { payloads: vec![payload(0, Codec::Pcmu, 8000)], ..audio_sender("c", 30) };
    link.ends[0].set_sender(now, SenderId(3), without_names(pcmu)).unwrap();
    let hinted = crate::ReceiverConfig { ssrcs: vec![hint(20, None)], ..audio_receiver("b") };
    let of_its_own =
        crate::ReceiverConfig { payloads: vec![payload(0, Codec::Pcmu, 8000)], ..audio_receiver("c") };
    link.ends[1].set_receiver(now, ReceiverId(1), audio_receiver("a")).unwrap();
    link.ends[1].set_receiver(now, ReceiverId(2), hinted).unwrap();
    link.ends[1].set_receiver(now, ReceiverId(3), of_its_own).unwrap();
    let tone = crate::EncodedFrame { payload: 0, ..audio_frame(0) };
    link.ends[0].send_frame(now, SenderId(3), 0, tone).unwrap();
    link.ends[0].send_frame(now, SenderId(2), 0, audio_frame(0)).unwrap();
    // Nothing says whose this one is.
    link.ends[0].send_frame(now, SenderId(1), 0, audio_frame(0)).unwrap();
    link.run(Duration::from_millis(100));
    assert_eq!(started(&link), [(ReceiverId(3), 30, None), (ReceiverId(2), 20, None)]);
    assert_eq!(link.ends[1].stats().dropped.unknown_stream, 1);
}

#[test]
fn an_ssrc_that_moves_to_another_section_is_another_stream() {
    let mut link = Link::one_way(&vp8());
    let now = link.now;
    link.ends[1].set_receiver(now, ReceiverId(7), audio_receiver("later")).unwrap();
    link.call(0, 1, false);
    let now = link.now;
    link.ends[0].set_sender(now, AUDIO, audio_sender("later", 10)).unwrap();
    link.call(0, 1, false);
    link.run(Duration::from_secs(1));
    assert_eq!(started(&link), [(AUDIO_IN, 10, None), (ReceiverId(7), 10, None)]);
    assert_eq!(link.frames(1, ReceiverId(7)).len(), 50);
}

#[test]
fn layers_of_simulcast_and_their_retransmissions_are_told_apart_by_their_rid() {
    let mut link = Link::new();
    let now = link.now;
    let encodings = vec![encoding(100, Some(101), Some("lo")), encoding(200, Some(201), Some("hi"))];
    let sender = SenderConfig { encodings, ..video_sender("v", 1, &vp8()) };
    let receiver =
        crate::ReceiverConfig { rids: vec!["lo".into(), "hi".into()], ..video_receiver("v", &vp8()) };
    link.ends[0].set_sender(now, VIDEO, sender).unwrap();
    link.ends[1].set_receiver(now, VIDEO_IN, receiver).unwrap();
    link.lose(8);
    for number in 0..250 {
        let now = link.now;
        link.ends[0].send_frame(now, VIDEO, 0, video_frame(number, number == 0)).unwrap();
        link.ends[0].send_frame(now, VIDEO, 1, video_frame(number, number == 0)).unwrap();
        link.run(Duration::from_millis(40));
    }
    link.run(Duration::from_secs(1));
    let mut streams = started(&link);
    streams.sort();
    let expected = [(VIDEO_IN, 100, Some("lo".to_owned())), (VIDEO_IN, 200, Some("hi".to_owned()))];
    assert_eq!(streams, expected);
    assert!(link.frames(1, VIDEO_IN).len() > 490, "{}", link.frames(1, VIDEO_IN).len());
    let repaired: Vec<_> = link.ends[1].stats().inbound.iter().map(|stream| stream.rtx_ssrc).collect();
    assert_eq!(repaired, [Some(101), Some(201)]);
}

#[test]
fn a_section_that_may_not_receive_receives_nothing_and_counts_it() {
    let mut link = Link::one_way(&vp8());
    let now = link.now;
    let held = crate::ReceiverConfig { active: false, ..audio_receiver("a") };
    link.ends[1].set_receiver(now, AUDIO_IN, held).unwrap();
    link.call(0, 1, false);
    link.run(Duration::from_secs(1));
    assert!(link.events[1].is_empty(), "{:?}", link.events[1]);
    assert_eq!(link.ends[1].stats().dropped.inactive, 50);
}

#[test]
fn configurations_that_contradict_each_other_are_refused() {
    let mut link = Link::new();
    let now = link.now;
    let end = &mut link.ends[1];
    end.set_receiver(now, ReceiverId(1), audio_receiver("a")).unwrap();
    let mut refused = |config| end.set_receiver(now, ReceiverId(2), config).unwrap_err().to_string();
    assert_eq!(refused(audio_receiver("a")), "receiver 1 has the mid \"a\" already");
    let clash = crate::ReceiverConfig { extensions: vec![(Extension::AudioLevel, 1)], ..audio_receiver("b") };
    assert_eq!(
        refused(clash),
        "the header extension 1 (urn:ietf:params:rtp-hdrext:ssrc-audio-level) stands for another one in receiver 1"
    );
    let twice: Vec<Payload> = vec![vp8(), payload(97, Codec::Opus, 48_000)];
    let twice = crate::ReceiverConfig { payloads: twice, ..audio_receiver("b") };
    assert_eq!(refused(twice), "payload type 97 stands for two formats");
    end.set_receiver(now, ReceiverId(2), audio_receiver("b")).unwrap();
}
