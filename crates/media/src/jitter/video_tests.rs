use std::time::{Duration, Instant};

use bytes::Bytes;

use super::testing::*;
use crate::frame::RtpPacket;
use crate::testing::origin;
use crate::types::Codec;

/// A buffer that has handed out a key frame, and the sender of it.
fn started(nack: bool, sequence: u16, now: Instant) -> (super::JitterBuffer, Sender) {
    let (mut buffer, mut sender) = (video(Codec::Vp8, nack), Sender::new(Codec::Vp8, sequence));
    feed(&mut buffer, now, sender.vp8(true, 2_500));
    assert_eq!(frames(&mut buffer, now).len(), 1);
    (buffer, sender)
}

#[test]
fn frames_come_in_order_whatever_happens_to_packets_on_the_way() {
    let now = origin();
    let (mut buffer, mut sender) = (video(Codec::Vp8, true), Sender::new(Codec::Vp8, 65_530));
    let mut packets: Vec<RtpPacket> = (0..20).flat_map(|at| sender.vp8(at == 0, 2_500)).collect();
    let sent = packets.clone();
    for trio in packets.chunks_mut(3) {
        trio.reverse();
    }
    for packet in packets {
        feed(&mut buffer, now, [packet.clone(), packet]);
    }
    let got = frames(&mut buffer, now);
    assert_eq!(got.len(), 20);
    for (frame, packets) in got.iter().zip(sent.chunks(3)) {
        assert_eq!(frame.sequence, packets[0].sequence..=packets[2].sequence);
        assert_eq!((frame.timestamp, frame.data.len()), (packets[0].timestamp, 2_500));
        assert!(frame.marker && frame.contiguous && !frame.lost_before);
    }
    assert_eq!(buffer.stats().duplicates + buffer.stats().discarded, 60);
    assert!(!buffer.poll_key_frame_request(now));
}

#[test]
fn a_lost_packet_is_asked_for_and_its_frame_comes_with_it() {
    let now = origin();
    let (mut buffer, mut sender) = started(true, 65_533, now);
    let mut packets = sender.vp8(false, 2_500);
    let lost = packets.remove(1);
    assert_eq!(lost.sequence, 1);
    feed(&mut buffer, now, packets);
    feed(&mut buffer, now, sender.vp8(false, 500));
    assert!(frames(&mut buffer, now).is_empty());
    let asked_at = buffer.poll_timeout().expect("something to ask for");
    assert_eq!(nacks(&mut buffer, asked_at), [1]);
    assert_eq!(nacks(&mut buffer, asked_at + 50 * MS), [] as [u16; 0], "not twice in a round trip");

    let later = asked_at + 60 * MS;
    buffer.handle_packet(later, lost, true);
    let got = frames(&mut buffer, later);
    assert_eq!(got.len(), 2);
    assert!(got.iter().all(|frame| !frame.lost_before && frame.contiguous));
    assert_eq!(got[0].arrival, later);
    assert_eq!(nacks(&mut buffer, later + 1_000 * MS), [] as [u16; 0]);
    assert!(!buffer.poll_key_frame_request(later));
}

#[test]
fn the_round_trip_says_how_often_to_ask() {
    let now = origin();
    let (mut buffer, mut sender) = started(true, 0, now);
    buffer.set_round_trip(20 * MS);
    feed(&mut buffer, now, sender.vp8(false, 2_500).into_iter().skip(1));
    let first = buffer.poll_timeout().expect("something to ask for");
    assert_eq!(nacks(&mut buffer, first), [3]);
    assert_eq!(nacks(&mut buffer, first + 19 * MS), [] as [u16; 0]);
    assert_eq!(nacks(&mut buffer, first + 20 * MS), [3]);
}

#[test]
fn a_frame_that_never_comes_whole_is_given_up_for_a_key_frame() {
    let mut now = origin();
    let (mut buffer, mut sender) = started(true, 0, now);
    buffer.set_round_trip(20 * MS);
    feed(&mut buffer, now, sender.vp8(false, 2_500).into_iter().skip(1));
    feed(&mut buffer, now, sender.vp8(false, 500));
    let (start, mut asked, mut requests) = (now, 0, Vec::new());
    while now < start + 1_500 * MS {
        now = buffer.poll_timeout().expect("it goes on until a key frame comes");
        assert!(frames(&mut buffer, now).is_empty());
        asked += nacks(&mut buffer, now).len();
        if buffer.poll_key_frame_request(now) {
            requests.push(now);
        }
    }
    assert_eq!(asked, 10);
    assert_eq!(requests[0], start + 200 * MS, "before all hope is gone");
    assert!(requests.windows(2).all(|pair| pair[1] - pair[0] == 300 * MS), "{requests:?}");
    assert_eq!(buffer.stats().frames_dropped, 2);
    assert_eq!(buffer.stats().given_up, 1);

    feed(&mut buffer, now, sender.vp8(false, 500));
    feed(&mut buffer, now, sender.vp8(true, 500));
    feed(&mut buffer, now, sender.vp8(false, 500));
    let got = frames(&mut buffer, now);
    assert_eq!(
        got.iter().map(|frame| (frame.key_frame, frame.lost_before)).collect::<Vec<_>>(),
        [(true, true), (false, false)]
    );
    assert!(!buffer.poll_key_frame_request(now));
    assert_eq!(buffer.poll_timeout(), None);
}

#[test]
fn a_whole_key_frame_ends_a_long_wait() {
    let now = origin();
    let (mut buffer, mut sender) = started(true, 0, now);
    feed(&mut buffer, now, sender.vp8(false, 2_500).into_iter().skip(1));
    feed(&mut buffer, now + 100 * MS, sender.vp8(true, 2_500));
    assert!(frames(&mut buffer, now + 100 * MS).is_empty(), "the lost packet may still come");
    let got = frames(&mut buffer, now + 400 * MS);
    assert_eq!(got.len(), 1);
    assert!(got[0].key_frame && got[0].lost_before);
    assert!(!buffer.poll_key_frame_request(now + 400 * MS));
}

#[test]
fn without_nack_only_reordering_is_waited_for() {
    let now = origin();
    let (mut buffer, mut sender) = started(false, 0, now);
    feed(&mut buffer, now, sender.vp8(false, 2_500).into_iter().skip(1));
    assert_eq!(nacks(&mut buffer, now + 30 * MS), [] as [u16; 0]);
    assert!(!buffer.poll_key_frame_request(now + 30 * MS));
    let gone = buffer.poll_timeout().expect("it is given up");
    assert!(frames(&mut buffer, gone).is_empty());
    assert!(gone < now + 100 * MS);
    assert!(buffer.poll_key_frame_request(gone));
}

#[test]
fn a_stream_that_is_joined_in_the_middle_asks_for_a_key_frame() {
    let now = origin();
    let (mut buffer, mut sender) = (video(Codec::Vp8, true), Sender::new(Codec::Vp8, 7));
    feed(&mut buffer, now, sender.vp8(false, 2_500).into_iter().skip(1));
    assert!(frames(&mut buffer, now).is_empty());
    assert!(buffer.poll_key_frame_request(now));
    assert_eq!(nacks(&mut buffer, now + 50 * MS), [] as [u16; 0], "what was before is not our business");
}

#[test]
fn a_sender_that_begins_anew_is_followed_from_its_next_key_frame() {
    let now = origin();
    let (mut buffer, mut sender) = started(true, 0, now);
    feed(&mut buffer, now, sender.vp8(false, 2_500).into_iter().take(1));
    let mut other = Sender::new(Codec::Vp8, 40_000);
    other.timestamp = 5;
    feed(&mut buffer, now, other.vp8(true, 2_500)); // its first packet is not believed yet
    assert!(frames(&mut buffer, now).is_empty());
    assert!(buffer.poll_key_frame_request(now));
    feed(&mut buffer, now, other.vp8(true, 2_500));
    let got = frames(&mut buffer, now);
    assert_eq!(got.len(), 1);
    assert!(got[0].lost_before);
    assert_eq!((buffer.stats().restarts, buffer.stats().given_up), (1, 0));
}

#[test]
fn a_lost_frame_of_a_higher_layer_costs_no_key_frame() {
    let now = origin();
    let (mut buffer, mut sender) = (video(Codec::Vp8, false), Sender::new(Codec::Vp8, 0));
    // X, L and T: TL0PICIDX, TID
    let mut frame = |temporal: u8, base: u8, first: u8| {
        sender.timestamp = sender.timestamp.wrapping_add(2_970);
        sender.packet(Bytes::copy_from_slice(&[0x90, 0x60, base, temporal << 6, first, 7]), true)
    };
    feed(&mut buffer, now, [frame(0, 1, 0)]);
    let _lost = frame(1, 1, 1);
    feed(&mut buffer, now, [frame(0, 2, 1), frame(1, 2, 1), frame(0, 3, 1)]);
    assert_eq!(frames(&mut buffer, now).len(), 1);
    let later = now + 100 * MS;
    let got = frames(&mut buffer, later);
    assert_eq!(got.len(), 2, "those of the lowest layer");
    assert!(got[0].lost_before);
    assert!(!buffer.poll_key_frame_request(later));
    let _lost = frame(0, 4, 1);
    feed(&mut buffer, later, [frame(0, 5, 1)]);
    assert!(frames(&mut buffer, later + 100 * MS).is_empty());
    assert!(buffer.poll_key_frame_request(later + 100 * MS));
}

#[test]
fn padding_between_frames_is_no_frame_and_no_loss() {
    let now = origin();
    let (mut buffer, mut sender) = started(true, 0, now);
    let padding: Vec<_> = (0..3).map(|_| sender.packet(Bytes::new(), false)).collect();
    feed(&mut buffer, now, padding);
    feed(&mut buffer, now, sender.vp8(false, 500));
    assert_eq!(frames(&mut buffer, now).len(), 1);
    assert_eq!(buffer.stats().frames_dropped, 0);
    assert_eq!(buffer.poll_timeout(), None);
}

#[test]
fn what_breaks_the_payload_format_costs_its_frame_and_is_not_asked_for_again() {
    let now = origin();
    let (mut buffer, mut sender) = started(true, 0, now);
    let broken = sender.packet(Bytes::from_static(&[0x90, 0xff]), true);
    feed(&mut buffer, now, [broken]);
    feed(&mut buffer, now, sender.vp8(false, 500));
    assert!(frames(&mut buffer, now).is_empty());
    assert_eq!((buffer.stats().malformed, buffer.stats().frames_dropped), (1, 2));
    assert_eq!(nacks(&mut buffer, now + 50 * MS), [] as [u16; 0]);
    assert!(buffer.poll_key_frame_request(now));
}

#[test]
fn frames_of_h264_are_told_apart_although_no_packet_says_where_one_begins() {
    let now = origin();
    let (mut buffer, mut sender) = (video(Codec::H264, false), Sender::new(Codec::H264, 0));
    let key = [&[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 0x88][..], &[9; 2_000]].concat();
    let delta = [&[0, 0, 0, 1, 0x41, 0x88][..], &[9; 2_000]].concat();
    feed(&mut buffer, now, sender.frame(&key, 3_000));
    feed(&mut buffer, now, sender.frame(&delta, 3_000));
    let got = frames(&mut buffer, now);
    assert_eq!(got.iter().map(|frame| frame.data.as_ref()).collect::<Vec<_>>(), [&key[..], &delta]);
    assert_eq!(got.iter().map(|frame| frame.key_frame).collect::<Vec<_>>(), [true, false]);
    // The end of one frame and the begin of the next are lost: what is left of either is no frame.
    let mut packets = sender.frame(&delta, 3_000);
    packets.pop();
    packets.extend(sender.frame(&delta, 3_000).into_iter().skip(1));
    packets.extend(sender.frame(&key, 3_000));
    feed(&mut buffer, now, packets);
    assert!(frames(&mut buffer, now).is_empty());
    let got = frames(&mut buffer, now + 100 * MS);
    assert_eq!(got.iter().map(|frame| frame.data.as_ref()).collect::<Vec<_>>(), [&key[..]]);
}

#[test]
fn a_key_frame_of_h264_whose_parameter_sets_were_missed_is_none() {
    let now = origin();
    let (mut buffer, mut sender) = (video(Codec::H264, true), Sender::new(Codec::H264, 0));
    let key = [&[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 0x88][..], &[9; 2_000]].concat();
    feed(&mut buffer, now, sender.frame(&key, 3_000).into_iter().skip(1));
    assert!(frames(&mut buffer, now).is_empty());
    assert!(buffer.poll_key_frame_request(now));
    feed(&mut buffer, now, sender.frame(&key, 3_000));
    assert_eq!(frames(&mut buffer, now).len(), 1);
}

#[test]
fn what_nobody_takes_is_given_up_from_the_front_and_told() {
    let now = origin();
    let (mut buffer, mut sender) = started(true, 0, now);
    for _ in 0..3_000 {
        feed(&mut buffer, now, sender.vp8(false, 500));
    }
    assert!(buffer.stats().waiting <= 2_048);
    assert!(frames(&mut buffer, now).is_empty(), "nothing goes on from what was lost");
    assert!(buffer.poll_key_frame_request(now));
    assert_eq!(buffer.stats().frames_dropped, 3_000);
}

#[test]
fn at_five_percent_loss_and_fifty_milliseconds_every_frame_comes() {
    let start = origin();
    let (mut buffer, mut sender) = (video(Codec::Vp8, true), Sender::new(Codec::Vp8, 60_000));
    buffer.set_round_trip(100 * MS);
    let mut random = 1_u32;
    let mut lost = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 16 < 65_536 / 20
    };
    let mut sent = std::collections::HashMap::new();
    let mut arriving: Vec<(Instant, RtpPacket, bool)> = Vec::new();
    let (mut got, mut longest) = (0, Duration::ZERO);
    for tick in 0..60_000 {
        let now = start + tick * MS;
        if tick % 33 == 0 && tick < 59_000 {
            for packet in sender.vp8(tick == 0, 6_000) {
                sent.insert(packet.sequence, packet.clone());
                if !lost() {
                    arriving.push((now + 50 * MS, packet, false));
                }
            }
        }
        for (_, packet, recovered) in arriving.extract_if(.., |(at, ..)| *at <= now) {
            buffer.handle_packet(now, packet, recovered);
        }
        for frame in frames(&mut buffer, now) {
            got += 1;
            longest = longest.max(now - frame.arrival);
        }
        for sequence in nacks(&mut buffer, now) {
            if !lost() {
                arriving.push((now + 100 * MS, sent[&sequence].clone(), true));
            }
        }
        assert!(!buffer.poll_key_frame_request(now), "at {tick} ms");
    }
    assert_eq!(got, 59_000_usize.div_ceil(33));
    assert_eq!(buffer.stats().frames_dropped, 0);
}

#[test]
fn video_can_be_kept_back_and_comes_in_order_when_that_is_taken_back() {
    let now = origin();
    let (mut buffer, mut sender) = started(false, 7, now);
    buffer.set_target(100 * MS);
    for at in 0..3 {
        feed(&mut buffer, now + at * 33 * MS, sender.vp8(false, 500));
        assert!(frames(&mut buffer, now + at * 33 * MS).is_empty());
    }
    assert_eq!(buffer.poll_timeout(), Some(now + 100 * MS));
    assert!(frames(&mut buffer, now + 99 * MS).is_empty());
    assert_eq!(frames(&mut buffer, now + 100 * MS).len(), 1);
    assert_eq!(buffer.stats().delay, 100 * MS);
    buffer.set_target(Duration::ZERO);
    assert_eq!(frames(&mut buffer, now + 101 * MS).len(), 2);
    feed(&mut buffer, now + 102 * MS, sender.vp8(false, 500));
    assert_eq!(frames(&mut buffer, now + 102 * MS).len(), 1);
}

#[test]
fn no_frame_is_lost_because_others_are_kept_back() {
    let now = origin();
    let (mut buffer, mut sender) = started(false, 7, now);
    buffer.set_target(4_000 * MS);
    let mut got = 0;
    for _ in 0..1_000 {
        feed(&mut buffer, now, sender.vp8(false, 50));
        got += frames(&mut buffer, now).len();
    }
    assert!((700..1_000).contains(&got), "{got}");
    assert_eq!(got + frames(&mut buffer, now + 4_000 * MS).len(), 1_000);
}
