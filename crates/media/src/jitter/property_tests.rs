//! Whatever comes, and whenever: no panic, no time that is past, bounded memory, frames in order.

use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::testing::*;
use super::{JitterBuffer, JitterConfig};
use crate::frame::{ExtensionValues, RtpPacket};
use crate::testing::origin;
use crate::types::{Codec, Kind};

#[derive(Debug, Clone)]
struct Step {
    wait: u16,
    jump: i16,
    timestamp: i32,
    payload: u8,
    marker: bool,
    recovered: bool,
    polls: bool,
    data: Vec<u8>,
}

fn step() -> impl Strategy<Value = Step> {
    let jump = prop_oneof![6 => Just(1_i16), 2 => -3_i16..6, 1 => any::<i16>()];
    let timestamp = prop_oneof![3 => Just(0_i32), 3 => Just(3_000), 1 => any::<i32>()];
    let payload = prop::sample::select(&[96_u8, 98, 102, 111, 0, 110, 50][..]);
    let data = vec(any::<u8>(), 0..12);
    (0_u16..60, jump, timestamp, payload, any::<bool>(), any::<bool>(), any::<bool>(), data).prop_map(
        |(wait, jump, timestamp, payload, marker, recovered, polls, data)| Step {
            wait,
            jump,
            timestamp,
            payload,
            marker,
            recovered: recovered && jump != 1,
            polls,
            data,
        },
    )
}

proptest! {
    #[test]
    fn any_packets_at_any_time_are_taken_in_order_or_dropped(
        video in any::<bool>(),
        nack in any::<bool>(),
        paced in any::<bool>(),
        steps in vec(step(), 0..200),
    ) {
        let codecs: &[Codec] = if video {
            &[Codec::Vp8, Codec::Vp9, Codec::H264]
        } else {
            &[Codec::Opus, Codec::Pcmu, Codec::TelephoneEvent]
        };
        let kind = if video { Kind::Video } else { Kind::Audio };
        let formats = codecs.iter().map(|&codec| format(codec, nack)).collect();
        let mut buffer = JitterBuffer::new(JitterConfig { paced, ..JitterConfig::new(kind, formats) });
        let (mut now, mut sequence, mut timestamp) = (origin(), 0_u16, 0_u32);
        let (mut handed_in, mut handed_out) = (0_u64, 0_u64);
        let mut nacked = Vec::new();
        for step in steps {
            now += Duration::from_millis(step.wait.into());
            sequence = sequence.wrapping_add_signed(step.jump);
            timestamp = timestamp.wrapping_add_signed(step.timestamp);
            let packet = RtpPacket {
                payload: step.payload,
                marker: step.marker,
                sequence,
                timestamp,
                ssrc: 1,
                csrcs: Vec::new(),
                extensions: ExtensionValues::default(),
                data: Bytes::from(step.data),
            };
            handed_in += 1;
            buffer.handle_packet(now, packet, step.recovered);
            if !step.polls {
                continue;
            }
            while buffer.poll_frame(now).is_some() {
                handed_out += 1;
            }
            buffer.poll_nack(now, &mut nacked);
            buffer.poll_key_frame_request(now);
            if let Some(at) = buffer.poll_timeout() {
                prop_assert!(at > now, "it would spin");
                prop_assert!(at <= now + Duration::from_secs(5));
            }
        }
        let stats = buffer.stats();
        prop_assert_eq!(stats.frames, handed_out);
        prop_assert!(stats.frames + stats.frames_dropped <= handed_in);
        prop_assert!(stats.waiting <= 2_048);
    }
}
