//! Whatever comes in is read without a panic, and what is written reads back.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{ExtensionMap, header_len, parse, write};
use crate::frame::{AudioLevel, ExtensionValues, RtpPacket};
use crate::types::Extension;

fn map() -> ExtensionMap {
    let mut map = ExtensionMap::default();
    let entries: Vec<_> = Extension::ALL.into_iter().zip(1..).collect();
    map.add(&entries);
    map
}

fn name() -> impl Strategy<Value = Option<Bytes>> {
    option::of(vec(any::<u8>(), 1..40).prop_map(Bytes::from))
}

fn values() -> impl Strategy<Value = ExtensionValues> {
    (
        (name(), name(), name()),
        option::of(0..1u32 << 24),
        option::of(any::<u16>()),
        option::of((any::<bool>(), 0..128u8).prop_map(|(voice, level)| AudioLevel { voice, level })),
        option::of(any::<u8>()),
        option::of((0..0x1000u16, 0..0x1000u16)),
    )
        .prop_map(|((mid, rid, repaired_rid), time, number, audio_level, orientation, delay)| {
            ExtensionValues {
                mid,
                rid,
                repaired_rid,
                abs_send_time: time,
                transport_cc: number,
                audio_level,
                video_orientation: orientation,
                playout_delay: delay,
            }
        })
}

fn packet() -> impl Strategy<Value = RtpPacket> {
    (
        (0..128u8, any::<bool>(), any::<u16>(), any::<u32>(), any::<u32>()),
        vec(any::<u32>(), 0..16),
        values(),
        vec(any::<u8>(), 0..64).prop_map(Bytes::from),
    )
        .prop_map(|((payload, marker, sequence, timestamp, ssrc), csrcs, extensions, data)| RtpPacket {
            payload,
            marker,
            sequence,
            timestamp,
            ssrc,
            csrcs,
            extensions,
            data,
        })
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in vec(any::<u8>(), 0..200), version in any::<bool>()) {
        if version && !bytes.is_empty() {
            bytes[0] = bytes[0] & 0x3f | 0x80;
        }
        let len = header_len(&bytes);
        prop_assert!(len.is_none_or(|len| len <= bytes.len()));
        let bytes = Bytes::from(bytes);
        if let Some(packet) = parse(&bytes, &map()) {
            prop_assert!(len.expect("what parses has a header") + packet.data.len() <= bytes.len());
        }
    }

    #[test]
    fn what_is_written_reads_back(packet in packet(), padding in any::<u8>(), prefix in vec(any::<u8>(), 0..3)) {
        let mut out = vec![1, 2, 3];
        let header = write(&packet, &prefix, padding, &map(), &mut out).expect("the packet is a valid one");
        let bytes = Bytes::from(out).slice(3..);
        prop_assert_eq!(header_len(&bytes), Some(header));
        let mut read = parse(&bytes, &map()).expect("it was written by us");
        prop_assert_eq!(&read.data[..prefix.len()], &prefix[..]);
        read.data = read.data.slice(prefix.len()..);
        prop_assert_eq!(read, packet);
    }
}
