use std::time::Duration;

use super::link::*;
use crate::config::{Limits, SessionConfig};
use crate::error::MediaError;
use crate::event::MediaEvent;
use crate::frame::AudioLevel;
use crate::types::{ReceiverId, SenderId, SrtpProfile};

#[test]
fn audio_goes_both_ways_at_once_with_each_way_to_encrypt() {
    for profile in [SrtpProfile::Aes128CmSha1_80, SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm] {
        let configs = [0, 1].map(|end| SessionConfig { keys: keys(end, profile), ..config(end) });
        let mut link = Link::with(configs);
        for end in 0..2 {
            let now = link.now;
            link.ends[end].set_sender(now, AUDIO, audio_sender("a", 10 + end as u32)).unwrap();
            link.ends[end].set_receiver(now, AUDIO_IN, audio_receiver("a")).unwrap();
        }
        for tick in 0..100 {
            for end in 0..2 {
                let now = link.now;
                link.ends[end].send_frame(now, AUDIO, 0, audio_frame(tick)).unwrap();
            }
            link.run(Duration::from_millis(20));
        }
        link.run(Duration::from_secs(1));
        for end in 0..2 {
            let frames = link.frames(end, AUDIO_IN);
            assert_eq!(frames.len(), 100, "{profile:?}");
            for (tick, frame) in frames.iter().enumerate() {
                assert_eq!(frame.data, audio_frame(tick as u32).data);
                assert_eq!(frame.timestamp, 960 * tick as u32);
                assert_eq!(frame.audio_level, Some(AudioLevel { voice: true, level: 30 }));
                assert!(!frame.lost_before);
            }
            assert!(link.events[end].contains(&MediaEvent::Unmute { receiver: AUDIO_IN }));
        }
    }
}

#[test]
fn video_is_whole_over_a_link_that_loses_one_in_twenty_with_and_without_rtx() {
    for rtx in [Some(97), None] {
        let format = crate::Payload { rtx, ..vp8() };
        let mut link = Link::one_way(&format);
        link.lose(5);
        link.call(0, 20, true);
        link.run(Duration::from_secs(2));
        let frames = link.frames(1, VIDEO_IN);
        assert!(frames.len() >= 495, "rtx {rtx:?}: {} of 500 frames", frames.len());
        for frame in &frames {
            let number = frame.timestamp / 3600;
            assert_eq!(frame.data, video_frame(number, frame.key_frame).data, "frame {number}");
        }
        assert!(frames.windows(2).all(|pair| pair[0].timestamp < pair[1].timestamp));
        let stats = link.ends[0].stats();
        let sent = &stats.outbound[1];
        assert!(sent.retransmitted_packets_sent > 20 && sent.nack_count > 10, "{sent:?}");
        let received = &link.ends[1].stats().inbound[1];
        assert_eq!(received.retransmitted_packets_received > 0, rtx.is_some(), "{received:?}");
        assert_eq!(received.rtx_ssrc, rtx.map(|_| 21));
    }
}

#[test]
fn numbers_wrap_in_the_middle_of_a_call_and_nobody_notices() {
    let mut link = Link::one_way(&vp8());
    link.delay = Duration::from_millis(1);
    for tick in 0..2000u32 {
        let packet = crate::RtpPacket {
            payload: 111,
            marker: false,
            sequence: 65_000u16.wrapping_add(tick as u16),
            timestamp: 0xffff_0000u32.wrapping_add(960 * tick),
            ssrc: 0,
            csrcs: vec![5],
            extensions: crate::ExtensionValues::default(),
            data: audio_frame(tick).data,
        };
        let now = link.now;
        link.ends[0].send_packet(now, AUDIO, 0, packet).unwrap();
        link.run(Duration::from_millis(20));
    }
    link.run(Duration::from_secs(1));
    let frames = link.frames(1, AUDIO_IN);
    assert_eq!(frames.len(), 2000);
    assert!(frames.iter().enumerate().all(|(tick, frame)| frame.data == audio_frame(tick as u32).data));
    assert_eq!(link.ends[1].stats().inbound[0].packets_lost, 0);
}

/// In `phases`, each with other payload types, the call goes on; returns the frames that came of the audio and of the video.
fn frames_of_renumbered(phases: &[(u8, u8)]) -> (usize, usize) {
    let mut link = Link::one_way(&vp8());
    for (phase, &(opus, vp)) in (0..).zip(phases) {
        let (now, video) = (link.now, crate::Payload { number: vp, ..vp8() });
        let audio = vec![crate::Payload { number: opus, ..audio_sender("a", 10).payloads[0].clone() }];
        let sender = crate::SenderConfig { payloads: audio.clone(), ..audio_sender("a", 10) };
        let receiver = crate::ReceiverConfig { payloads: audio, ..audio_receiver("a") };
        link.ends[0].set_sender(now, AUDIO, sender).unwrap();
        link.ends[1].set_receiver(now, AUDIO_IN, receiver).unwrap();
        link.ends[0].set_sender(now, VIDEO, video_sender("v", 20, &video)).unwrap();
        link.ends[1].set_receiver(now, VIDEO_IN, video_receiver("v", &video)).unwrap();
        for tick in 100 * phase..100 * phase + 50 {
            let (now, key) = (link.now, tick % 50 == 0);
            let frame = crate::EncodedFrame { payload: opus, ..audio_frame(tick) };
            link.ends[0].send_frame(now, AUDIO, 0, frame).unwrap();
            if tick % 2 == 0 {
                let frame = crate::EncodedFrame { payload: vp, ..video_frame(tick / 2, key) };
                link.ends[0].send_frame(now, VIDEO, 0, frame).unwrap();
            }
            link.run(Duration::from_millis(20));
        }
        link.run(Duration::from_secs(1));
    }
    (link.frames(1, AUDIO_IN).len(), link.frames(1, VIDEO_IN).len())
}

#[test]
fn a_call_whose_payload_types_change_goes_on() {
    assert_eq!(frames_of_renumbered(&[(111, 96), (96, 111), (96, 98)]), (150, 75));
}

#[test]
fn packets_are_forwarded_to_another_session_as_they_came() {
    let mut near = Link::one_way(&vp8());
    let raw = crate::ReceiverConfig { raw: true, ..video_receiver("v", &vp8()) };
    let now = near.now;
    near.ends[1].set_receiver(now, VIDEO_IN, raw).unwrap();
    near.call(0, 1, true);
    near.run(Duration::from_secs(1));
    let mut far = Link::new();
    let now = far.now;
    far.ends[0].set_sender(now, VIDEO, video_sender("x", 77, &vp8())).unwrap();
    far.ends[1].set_receiver(now, VIDEO_IN, video_receiver("x", &vp8())).unwrap();
    let packets: Vec<_> = std::mem::take(&mut near.events[1])
        .into_iter()
        .filter_map(|event| match event {
            MediaEvent::Packet { packet, .. } => Some(packet),
            _ => None,
        })
        .collect();
    assert_eq!(packets.len(), 75);
    for packet in &packets {
        far.ends[0].send_packet(now, VIDEO, 0, packet.clone()).unwrap();
    }
    // The number of a packet can't be used for another one.
    let again = far.ends[0].send_packet(now, VIDEO, 0, packets[3].clone()).unwrap_err();
    assert!(again.to_string().starts_with(&format!("sequence number {} was used", packets[3].sequence)));
    far.run(Duration::from_secs(1));
    let frames = far.frames(1, VIDEO_IN);
    assert_eq!(frames.len(), 25);
    assert_eq!(frames[7].data, video_frame(7, false).data);
    assert_eq!(*frames[0].sequence.start(), packets[0].sequence);
}

#[test]
fn a_packet_that_libwebrtc_has_filled_is_forwarded_and_fits_every_path() {
    let mut link = Link::one_way(&vp8());
    let now = link.now;
    // 1,200 bytes with a header of 12 and extensions of 16.
    let packet = |len: usize| crate::RtpPacket {
        payload: 96,
        marker: true,
        sequence: 1,
        timestamp: 0,
        ssrc: 0,
        csrcs: Vec::new(),
        extensions: crate::ExtensionValues::default(),
        data: vec![0x10; len].into(),
    };
    assert!(link.ends[0].send_packet(now, VIDEO, 0, packet(1_210)).is_err());
    link.ends[0].send_packet(now, VIDEO, 0, packet(1_172)).unwrap();
    let datagram =
        std::iter::from_fn(|| link.ends[0].poll_transmit(now)).map(|datagram| datagram.len()).max();
    assert!((1_200..=1_232).contains(&datagram.unwrap()), "{datagram:?}");
}

#[test]
fn what_can_not_be_sent_is_refused_with_the_reason() {
    let limits = Limits { queued_bytes: 7000, ..Limits::default() };
    let mut link = Link::with([SessionConfig { limits, ..config(0) }, config(1)]);
    let now = link.now;
    let end = &mut link.ends[0];
    assert_eq!(end.send_frame(now, VIDEO, 0, video_frame(0, true)), Err(MediaError::UnknownSender(VIDEO)));
    end.set_sender(now, VIDEO, video_sender("v", 20, &vp8())).unwrap();
    let unknown = end.send_frame(now, VIDEO, 3, video_frame(0, true)).unwrap_err();
    assert_eq!(unknown.to_string(), "sender 2 has 1 encodings, there is no index 3");
    let other = crate::EncodedFrame { payload: 50, ..video_frame(0, true) };
    assert!(matches!(
        end.send_frame(now, VIDEO, 0, other),
        Err(MediaError::UnknownPayload { payload: 50, .. })
    ));
    end.send_frame(now, VIDEO, 0, video_frame(0, true)).unwrap();
    end.send_frame(now, VIDEO, 0, video_frame(1, false)).unwrap();
    let full = end.send_frame(now, VIDEO, 0, video_frame(2, false)).unwrap_err();
    assert!(matches!(full, MediaError::QueueFull { limit: 7000, .. }), "{full}");
    let held = crate::SenderConfig { active: false, ..video_sender("v", 20, &vp8()) };
    end.set_sender(now, VIDEO, held).unwrap();
    assert_eq!(end.send_frame(now, VIDEO, 0, video_frame(3, true)), Err(MediaError::Inactive(VIDEO)));
}

#[test]
fn a_call_on_hold_resumes_where_it_was() {
    let mut link = Link::one_way(&vp8());
    link.call(0, 1, false);
    let now = link.now;
    link.ends[0]
        .set_sender(now, AUDIO, crate::SenderConfig { active: false, ..audio_sender("a", 10) })
        .unwrap();
    link.run(Duration::from_secs(8));
    assert!(link.events[1].contains(&MediaEvent::Mute { receiver: AUDIO_IN }));
    let now = link.now;
    link.ends[0].set_sender(now, AUDIO, audio_sender("a", 10)).unwrap();
    link.events[1].clear();
    link.call(0, 1, false);
    link.run(Duration::from_secs(1));
    assert!(link.events[1].contains(&MediaEvent::Unmute { receiver: AUDIO_IN }));
    assert_eq!(link.frames(1, AUDIO_IN).len(), 50);
    assert_eq!(link.ends[1].stats().inbound.len(), 1);
}

#[test]
fn a_sender_that_is_removed_says_so() {
    let mut link = Link::one_way(&vp8());
    link.call(0, 1, false);
    link.ends[0].remove_sender(AUDIO).unwrap();
    assert_eq!(link.ends[0].remove_sender(AUDIO), Err(MediaError::UnknownSender(AUDIO)));
    link.run(Duration::from_millis(200));
    let bye = MediaEvent::Bye { receiver: AUDIO_IN, ssrc: 10, reason: None };
    let at = link.events[1].iter().position(|event| *event == bye).expect("the stream ends");
    assert_eq!(link.events[1][at + 1], MediaEvent::Mute { receiver: AUDIO_IN });
    assert!(link.ends[1].stats().inbound.is_empty());
}

#[test]
fn a_sender_that_comes_back_with_its_ssrc_is_understood() {
    let mut link = Link::one_way(&vp8());
    for round in 1..=3 {
        link.call(0, 2, false);
        link.run(Duration::from_secs(1));
        assert_eq!(link.frames(1, AUDIO_IN).len(), 100 * round);
        link.ends[0].remove_sender(AUDIO).unwrap();
        link.run(Duration::from_millis(200));
        let now = link.now;
        link.ends[0].set_sender(now, AUDIO, audio_sender("a", 10)).unwrap();
    }
    // Numbers that begin anew would be those of packets that came before: used twice under one key, and refused.
    assert_eq!(link.ends[1].stats().dropped.replayed, 0);
}

#[test]
fn an_ssrc_belongs_to_one_sender_and_a_receiver_has_to_exist() {
    let mut link = Link::one_way(&vp8());
    let now = link.now;
    let taken = link.ends[0].set_sender(now, SenderId(9), audio_sender("b", 21)).unwrap_err();
    assert_eq!(taken.to_string(), "SSRC 21 is that of sender 2 already");
    let unknown = link.ends[1].request_key_frame(now, ReceiverId(9), None).unwrap_err();
    assert_eq!(unknown, MediaError::UnknownReceiver(ReceiverId(9)));
}
