use std::time::Duration;

use bytes::Bytes;

use super::testing::*;
use super::{JitterBuffer, JitterConfig};
use crate::frame::RtpPacket;
use crate::testing::origin;
use crate::types::{Codec, Kind};

fn config() -> JitterConfig {
    let formats = [Codec::Opus, Codec::Pcmu, Codec::TelephoneEvent].map(|codec| format(codec, false));
    JitterConfig::new(Kind::Audio, formats.into())
}

/// Hands in 20 ms of Opus for each of `late`, that much later than at its time in milliseconds; `None` is lost. Tells
/// when each frame came out, in milliseconds since the start, and whether something was lost before it.
fn run(config: JitterConfig, late: &[Option<u32>]) -> (Vec<(u16, u32, bool)>, JitterBuffer) {
    let start = origin();
    let (mut buffer, mut sender) = (JitterBuffer::new(config), Sender::new(Codec::Opus, 65_500));
    let mut arriving: Vec<(u32, RtpPacket)> = Vec::new();
    for (at, late) in (0..).zip(late) {
        let packet = sender.frame(&[1; 40], 960).remove(0);
        arriving.extend(late.map(|late| (20 * at + late, packet)));
    }
    arriving.sort_by_key(|(at, _)| *at);
    let mut out = Vec::new();
    let mut arriving = arriving.into_iter().peekable();
    for tick in 0..20 * late.len() as u32 + 1_000 {
        let now = start + tick * MS;
        while let Some((_, packet)) = arriving.next_if(|(at, _)| *at == tick) {
            buffer.handle_packet(now, packet, false);
        }
        for frame in frames(&mut buffer, now) {
            assert_eq!(frame.lost_before, !frame.contiguous);
            out.push((*frame.sequence.start(), tick, frame.lost_before));
        }
        assert!(buffer.poll_timeout().is_none_or(|at| at > now));
    }
    (out, buffer)
}

fn times(out: &[(u16, u32, bool)]) -> Vec<u32> {
    out.iter().map(|&(_, at, _)| at).collect()
}

#[test]
fn packets_that_come_unevenly_go_out_at_the_pace_of_their_timestamps() {
    let late: Vec<_> = (0..500).map(|at| Some(at * 13 % 40)).collect();
    let (out, buffer) = run(config(), &late);
    assert_eq!(out.len(), 500);
    assert!(out.windows(2).all(|pair| pair[1].0 == pair[0].0.wrapping_add(1)), "in order");
    let steps: Vec<_> = times(&out[300..]).windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|&step| step == 20), "{steps:?}");
    assert!(
        (35 * MS..=45 * MS).contains(&buffer.stats().current_target),
        "{:?}",
        buffer.stats().current_target
    );
}

#[test]
fn a_steady_path_adds_next_to_no_delay() {
    let (out, buffer) = run(config(), &[Some(0); 600]);
    let (sequence, at, _) = *out.last().expect("frames");
    assert_eq!(sequence, 65_500_u16.wrapping_add(599));
    assert!(at <= 20 * 599 + 5, "{at}");
    let stats = buffer.stats();
    assert_eq!((stats.frames, stats.given_up, stats.waiting), (600, 0, 0));
    assert_eq!(stats.current_target, 5 * MS);
    assert!(stats.target_delay >= 600 * 5 * MS && stats.delay <= stats.target_delay + 600 * MS);
}

#[test]
fn a_lost_packet_is_told_by_the_next_one_which_comes_at_its_time() {
    let mut late = vec![Some(0); 300];
    late[200] = None;
    late[201] = None;
    let (out, buffer) = run(config(), &late);
    assert_eq!(out.len(), 298);
    assert!(out[200].2 && out.iter().filter(|frame| frame.2).count() == 1);
    assert_eq!(out[200].1 - out[199].1, 60);
    assert_eq!(buffer.stats().given_up, 2);
}

#[test]
fn packets_that_overtake_each_other_come_in_order_and_none_is_lost() {
    let mut late = vec![Some(0); 300];
    for at in (100..300).step_by(2) {
        late[at] = Some(25);
    }
    let (out, _) = run(config(), &late);
    assert!(out[200..].iter().all(|frame| !frame.2));
}

#[test]
fn who_wants_no_pace_gets_each_packet_at_once() {
    let mut late: Vec<_> = (0..300).map(|at| Some(at * 13 % 18)).collect();
    late[150] = None;
    let (out, _) = run(JitterConfig { paced: false, ..config() }, &late);
    let arrivals = (0..300).filter(|&at| at != 150).map(|at| 20 * at + at * 13 % 18);
    for (at, ((sequence, out, lost), arrival)) in out.iter().zip(arrivals).enumerate() {
        match at {
            150 => assert!(*lost && *out <= arrival + 40, "{sequence}"),
            151 => {}
            _ => assert_eq!((*out, *lost), (arrival, false), "{sequence}"),
        }
    }
}

#[test]
fn a_stall_of_the_path_ends_with_what_came_meanwhile_and_the_pace_comes_back() {
    let late: Vec<_> =
        (0..600).map(|at| Some(if (200..210).contains(&at) { 200 - 20 * (at - 200) } else { 0 })).collect();
    let (out, _) = run(config(), &late);
    assert_eq!(out.len(), 600);
    assert!(out.iter().all(|frame| !frame.2));
    assert!(times(&out[500..]).windows(2).all(|pair| pair[1] - pair[0] == 20));
}

#[test]
fn silence_is_no_loss() {
    let start = origin();
    let (mut buffer, mut sender) = (JitterBuffer::new(config()), Sender::new(Codec::Opus, 0));
    for (at, step) in [(0, 960), (20, 960), (5_020, 48_000 * 5), (5_040, 960)] {
        feed(&mut buffer, start + at * MS, sender.frame(&[1; 40], step));
        let due = buffer.poll_timeout().expect("a packet waits");
        assert!(due <= start + (at + 25) * MS);
        let got = frames(&mut buffer, due);
        assert_eq!(got.len(), 1);
        assert!(!got[0].lost_before);
    }
}

#[test]
fn tones_of_a_telephone_come_packet_by_packet_and_disturb_no_clock() {
    let start = origin();
    let (mut buffer, mut sender) = (JitterBuffer::new(config()), Sender::new(Codec::Pcmu, 0));
    for at in 0..300 {
        feed(&mut buffer, start + 20 * at * MS, sender.frame(&[1; 160], 160));
        frames(&mut buffer, start + 20 * at * MS + 6 * MS);
    }
    let before = buffer.stats().current_target;
    for at in 300..350 {
        let mut event = sender.packet(Bytes::from_static(&[5, 10, 0, 160]), false);
        event.payload = number(Codec::TelephoneEvent);
        feed(&mut buffer, start + 20 * at * MS, [event]);
        assert_eq!(frames(&mut buffer, start + 20 * at * MS).len(), 1);
    }
    assert_eq!(buffer.stats().current_target, before);
}

#[test]
fn a_sender_that_begins_anew_is_heard_at_once() {
    let start = origin();
    let (mut buffer, mut sender) = (JitterBuffer::new(config()), Sender::new(Codec::Opus, 0));
    feed(&mut buffer, start, sender.frame(&[1; 40], 960));
    let mut other = Sender::new(Codec::Opus, 30_000);
    other.timestamp = 77;
    for at in 1..4 {
        feed(&mut buffer, start + 20 * at * MS, other.frame(&[2; 40], 960));
    }
    let got = frames(&mut buffer, start + 85 * MS);
    assert_eq!(got.len(), 2, "the first one of a new sequence is not believed");
    assert!(got[0].lost_before && !got[1].lost_before);
    assert_eq!(buffer.stats().restarts, 1);
}

#[test]
fn nothing_waits_longer_than_it_may() {
    let start = origin();
    let (mut buffer, mut sender) =
        (JitterBuffer::new(JitterConfig { max_delay: 100 * MS, ..config() }), Sender::new(Codec::Opus, 0));
    for at in 0..1_000 {
        // timestamps that run twice as quickly as time
        feed(&mut buffer, start + 20 * at * MS, sender.frame(&[1; 40], 1_920));
        frames(&mut buffer, start + 20 * at * MS);
        assert!(buffer.stats().waiting <= 6);
    }
    assert!(buffer.stats().delay <= 1_000 * (100 * MS) + Duration::from_secs(1));
}
