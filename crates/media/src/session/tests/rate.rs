use std::time::Duration;

use bytes::Bytes;

use super::link::*;
use crate::config::{Payload, SenderConfig};
use crate::event::MediaEvent;

fn format() -> Payload {
    Payload { transport_cc: true, ..vp8() }
}

/// An encoder that makes 25 frames a second of what it is told, for so many seconds; returns what it was told last.
fn encode(link: &mut Link, from: u32, seconds: u32) -> u64 {
    let mut target = 0;
    for number in from..from + seconds * 25 {
        for event in std::mem::take(&mut link.events[0]) {
            if let MediaEvent::TargetBitrate { bps, .. } = event {
                target = bps;
            }
        }
        if target == 0 {
            target = link.ends[0].stats().available_outgoing_bitrate.expect("there is feedback");
        }
        // What the packets themselves take is a part of the target.
        let size = (target / 8 / 25) as usize * 9 / 10;
        let mut frame = video_frame(number, number == 0);
        let mut data = frame.data.to_vec();
        data.resize(size.max(20), 0);
        frame.data = Bytes::from(data);
        let now = link.now;
        link.ends[0].send_frame(now, VIDEO, 0, frame).unwrap();
        link.run(Duration::from_millis(40));
    }
    target
}

#[test]
fn an_encoder_leaves_its_start_rate_and_follows_the_link_up_and_down() {
    let mut link = Link::one_way(&format());
    link.rate = Some(1_000_000);
    let target = encode(&mut link, 0, 15);
    assert!((600_000..1_200_000).contains(&target), "1 Mbit/s: {target}");
    link.rate = Some(400_000);
    let target = encode(&mut link, 375, 15);
    assert!((200_000..500_000).contains(&target), "400 kbit/s: {target}");
    link.rate = Some(4_000_000);
    let target = encode(&mut link, 750, 30);
    assert!(target > 1_500_000, "4 Mbit/s: {target}");
    link.run(Duration::from_secs(2));
    let frames = link.frames(1, VIDEO_IN).len();
    assert!(frames >= 1490, "{frames} of 1500 frames");
}

#[test]
fn the_sum_of_what_encoders_make_at_most_is_the_most_that_is_looked_for() {
    let mut link = Link::one_way(&format());
    let mut sender = video_sender("v", 20, &format());
    sender.encodings[0].max_bitrate = Some(700_000);
    let now = link.now;
    link.ends[0].set_sender(now, VIDEO, sender).unwrap();
    let target = encode(&mut link, 0, 15);
    assert!((600_000..=700_000).contains(&target), "{target}");
}

#[test]
fn without_feedback_packets_leave_as_they_come_and_an_estimate_of_the_receiver_is_told() {
    let mut link = Link::one_way(&vp8());
    assert_eq!(link.ends[0].stats().available_outgoing_bitrate, None);
    for number in 0..10 {
        let now = link.now;
        link.ends[0].send_frame(now, VIDEO, 0, video_frame(number, number == 0)).unwrap();
    }
    link.run(link.delay);
    assert_eq!(link.frames(1, VIDEO_IN).len(), 10);
    let now = link.now;
    link.ends[0].handle_datagram(now, &remb(100_000));
    let Some(MediaEvent::TargetBitrate { bps: 100_000, video }) = link.ends[0].poll_event() else {
        panic!("nothing was told");
    };
    assert!((50_000..100_000).contains(&video), "{video}");
}

#[test]
fn a_sender_that_goes_in_the_middle_of_a_burst_leaves_nothing_that_is_due_all_the_time() {
    let mut link = Link::one_way(&format());
    encode(&mut link, 0, 1);
    let now = link.now;
    let held = SenderConfig { active: false, ..video_sender("v", 20, &format()) };
    link.ends[0].set_sender(now, VIDEO, held).unwrap();
    let mut turns = 0;
    let end = link.now + Duration::from_secs(10);
    while link.now < end {
        let next = link.ends[0].poll_timeout().unwrap_or(end);
        link.run(next.saturating_duration_since(link.now).max(Duration::from_micros(1)));
        turns += 1;
    }
    assert!(turns < 500, "{turns} turns in ten seconds");
}
