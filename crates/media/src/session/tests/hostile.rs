//! The other end is genuine, and means ill.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::link::*;
use crate::config::{Limits, SessionConfig};
use crate::event::MediaEvent;
use crate::frame::{ExtensionValues, RtpPacket};
use crate::rtcp::Compound;
use crate::rtp::{ExtensionMap, write};
use crate::types::Extension;

/// An encrypted packet of audio for the section `a`.
fn audio_packet(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut map = ExtensionMap::default();
    map.add(&[(Extension::Mid, 1)]);
    let extensions = ExtensionValues { mid: Some(Bytes::from_static(b"a")), ..ExtensionValues::default() };
    let packet = RtpPacket {
        payload: 111,
        marker: false,
        sequence,
        timestamp: 0,
        ssrc,
        csrcs: Vec::new(),
        extensions,
        data: Bytes::from_static(b"noise"),
    };
    let mut out = Vec::new();
    let header = write(&packet, &[], 0, &map, &mut out).unwrap();
    sealer().seal_rtp(&mut out, header, ssrc, u64::from(sequence));
    out
}

#[test]
fn more_streams_than_are_kept_are_dropped_and_counted_and_the_others_go_on() {
    let limits = Limits { streams: 16, events: 1000, ..Limits::default() };
    let mut link = Link::with([config(0), SessionConfig { limits, ..config(1) }]);
    let now = link.now;
    link.ends[0].set_sender(now, AUDIO, audio_sender("a", 10)).unwrap();
    link.ends[1].set_receiver(now, AUDIO_IN, audio_receiver("a")).unwrap();
    link.call(0, 1, false);
    let now = link.now;
    for ssrc in 1000..11_000 {
        link.ends[1].handle_datagram(now, &audio_packet(ssrc, 1));
    }
    let stats = link.ends[1].stats();
    assert_eq!(stats.inbound.len(), 16);
    assert_eq!(stats.dropped.too_many_streams, 10_000 - 15);
    link.run(Duration::from_secs(1));
    link.events[1].clear();
    link.call(0, 40, false);
    link.run(Duration::from_secs(1));
    assert_eq!(
        link.events[1].iter().filter(|event| matches!(event, MediaEvent::Frame { ssrc: 10, .. })).count(),
        2000
    );
    // Those that fell silent make room.
    let now = link.now;
    link.ends[1].handle_datagram(now, &audio_packet(5, 1));
    link.ends[1].handle_datagram(now, &audio_packet(5, 2));
    assert!(link.ends[1].stats().inbound.iter().any(|stream| stream.ssrc == 5));
}

#[test]
fn events_that_nobody_polls_are_bounded_and_counted() {
    let limits = Limits { events: 10, ..Limits::default() };
    let mut link = Link::with([config(0), SessionConfig { limits, ..config(1) }]);
    let now = link.now;
    let raw = crate::ReceiverConfig { raw: true, ..audio_receiver("a") };
    link.ends[1].set_receiver(now, AUDIO_IN, raw).unwrap();
    (0..100).for_each(|sequence| link.ends[1].handle_datagram(now, &audio_packet(9, sequence)));
    assert_eq!(std::iter::from_fn(|| link.ends[1].poll_event()).count(), 10);
    assert!(link.ends[1].stats().dropped.events >= 92);
}

#[test]
fn requests_for_repetition_without_end_at_most_double_what_is_sent() {
    let mut link = Link::one_way(&vp8());
    link.delay = Duration::from_millis(1);
    link.call(0, 4, true);
    let before = link.ends[0].stats().outbound[1].clone();
    let mut sealer = {
        let keys = keys(1, crate::SrtpProfile::AeadAes128Gcm);
        crate::srtp::Outbound::new(keys.profile, &keys.local_key, &keys.local_salt).unwrap()
    };
    let sequences: Vec<u16> = (0..=u16::MAX).collect();
    for round in 0..200 {
        for chunk in sequences.chunks(4096) {
            let mut compound = Compound::new(20_000);
            compound.nack(999, 20, chunk);
            let mut packet = compound.finish();
            assert!(sealer.seal_rtcp(&mut packet));
            let now = link.now;
            link.ends[0].handle_datagram(now, &packet);
        }
        let now = link.now;
        link.ends[0].send_frame(now, VIDEO, 0, video_frame(1000 + round, false)).unwrap();
        link.run(Duration::from_millis(20));
    }
    let after = &link.ends[0].stats().outbound[1];
    let again = after.retransmitted_bytes_sent - before.retransmitted_bytes_sent;
    let first = after.bytes_sent - before.bytes_sent - again;
    assert!(again > 256 << 10, "{again}");
    assert!(again <= first + first / 10 + (256 << 10), "{again} bytes again, {first} for the first time");
}

#[test]
fn a_storm_of_key_frame_requests_is_told_five_times_a_second() {
    let mut link = Link::one_way(&vp8());
    let mut sealer = {
        let keys = keys(1, crate::SrtpProfile::AeadAes128Gcm);
        crate::srtp::Outbound::new(keys.profile, &keys.local_key, &keys.local_salt).unwrap()
    };
    for round in 0..1000u32 {
        let mut compound = Compound::new(1200);
        while compound.pli(1, 20) && compound.fir(1, 20, round as u8) {}
        let mut packet = compound.finish();
        assert!(sealer.seal_rtcp(&mut packet));
        let now = link.now;
        link.ends[0].handle_datagram(now, &packet);
        link.run(Duration::from_millis(1));
    }
    let told =
        link.events[0].iter().filter(|event| matches!(event, MediaEvent::KeyFrameRequested { .. })).count();
    assert!((5..=6).contains(&told), "{told}");
    assert!(link.ends[0].stats().outbound[1].pli_count > 10_000);
}

#[test]
fn ten_thousand_damaged_datagrams_do_not_disturb_a_call() {
    let mut link = Link::one_way(&vp8());
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    for tick in 0..500 {
        let now = link.now;
        link.ends[0].send_frame(now, AUDIO, 0, audio_frame(tick)).unwrap();
        for _ in 0..20 {
            let mut packet = audio_packet(10, next() as u16);
            let at = next() % packet.len();
            packet[at] ^= 1 << (next() % 8);
            packet.truncate(packet.len() - next() % 3);
            link.ends[1].handle_datagram(now, &packet);
        }
        link.run(Duration::from_millis(20));
    }
    link.run(Duration::from_secs(1));
    assert_eq!(link.frames(1, AUDIO_IN).len(), 500);
    let dropped = link.ends[1].stats().dropped;
    let counted = dropped.malformed + dropped.unauthentic + dropped.replayed;
    // A flipped bit of the first byte may make it something that is no RTP at all.
    assert_eq!(counted, 10_000, "{dropped:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn genuine_packets_with_any_content_panic_nobody(packets in vec((vec(any::<u8>(), 0..120), any::<bool>()), 0..40)) {
        let mut link = Link::one_way(&vp8());
        let mut sealer = sealer();
        link.call(0, 1, true);
        for (index, (mut bytes, report)) in packets.into_iter().enumerate() {
            bytes.resize(bytes.len().max(12), 0);
            bytes[0] = bytes[0] & 0x3f | 0x80;
            if report {
                bytes[1] = 200 + bytes[1] % 8;
                sealer.seal_rtcp(&mut bytes);
            } else {
                bytes[1] = [111, 96, 97, 224, 225][usize::from(bytes[1]) % 5];
                let ssrc = [10u32, 20, 21, 30][usize::from(bytes[11]) % 4];
                bytes[8..12].copy_from_slice(&ssrc.to_be_bytes());
                let Some(header) = crate::rtp::header_len(&bytes) else { continue };
                let index = 40_000 + index as u64;
                bytes[2..4].copy_from_slice(&(index as u16).to_be_bytes());
                sealer.seal_rtp(&mut bytes, header, ssrc, index);
            }
            let now = link.now;
            link.ends[1].handle_datagram(now, &bytes);
            link.run(Duration::from_millis(5));
        }
        link.run(Duration::from_secs(2));
    }
}
