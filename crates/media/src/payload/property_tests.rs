//! What comes back is what was sent, and nothing that comes in panics or grows without bound.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const CODECS: [Codec; 9] = [
    Codec::Opus,
    Codec::Pcmu,
    Codec::Pcma,
    Codec::TelephoneEvent,
    Codec::ComfortNoise,
    Codec::Vp8,
    Codec::Vp9,
    Codec::H264,
    Codec::Av1,
];
const FMTP: &str = "packetization-mode=1;sprop-parameter-sets=Z0LgHw==,aM48gA==";

/// A frame as the codec's encoder could have made it, with any content.
fn frame(codec: Codec, content: &[u8]) -> Bytes {
    let mut frame = Vec::new();
    match codec {
        Codec::Vp9 => frame.push(0x84),
        Codec::H264 => {
            for (unit, header) in content.chunks(1_500).zip([0x67, 0x68, 0x06, 0x65].into_iter().cycle()) {
                frame.extend([0, 0, 0, 1, header]);
                frame.extend(unit.iter().map(|byte| byte | 1)); // no start code, no zero at the end
            }
            return frame.into();
        }
        Codec::Av1 => {
            for obu in content.chunks(100) {
                frame.extend([0x32, obu.len() as u8]);
                frame.extend(obu);
            }
            return [&[0x12, 0][..], &frame].concat().into();
        }
        _ => {}
    }
    frame.extend(content);
    frame.into()
}

proptest! {
    #[test]
    fn a_frame_of_any_size_survives_packets_of_any_size(
        codec in prop::sample::select(&CODECS[..]),
        content in vec(any::<u8>(), 1..9_000),
        room in 20_usize..3_000,
    ) {
        let frame = frame(codec, &content);
        let mut payloads = Vec::new();
        let mut packetizer = Packetizer::new(codec, FMTP, 7).expect("a codec with frames");
        match packetizer.packetize(&frame, room, &mut payloads) {
            Ok(()) => {
                let mut depacketizer = Depacketizer::new(codec, FMTP).expect("a codec with frames");
                prop_assert!(payloads.iter().all(|payload| payload.len() <= room));
                for (at, payload) in payloads.iter().enumerate() {
                    let start = depacketizer.inspect(payload).expect("our own").start;
                    let other = if at == 0 { Start::No } else { Start::Yes };
                    prop_assert!(start != other || codec == Codec::H264);
                }
                prop_assert_eq!(depacketizer.assemble(payloads.iter()), Ok(frame));
            }
            Err(PacketizeError::TooLarge { size, .. }) => prop_assert!(size > room),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn payloads_of_anybody_are_read_or_refused(
        codec in prop::sample::select(&CODECS[..]),
        payloads in vec(vec(any::<u8>(), 0..60), 0..6),
    ) {
        let payloads: Vec<Bytes> = payloads.into_iter().map(Bytes::from).collect();
        let mut depacketizer = Depacketizer::new(codec, FMTP).expect("a codec with frames");
        for payload in &payloads {
            let _ = depacketizer.inspect(payload);
        }
        if let Ok(frame) = depacketizer.assemble(payloads.iter()) {
            let total: usize = payloads.iter().map(Bytes::len).sum();
            prop_assert!(frame.len() <= 3 * total + 64, "{} bytes of {}", frame.len(), total);
        }
    }

    #[test]
    fn numbers_of_anybody_are_shifted_there_and_back(
        codec in prop::sample::select(&CODECS[..]),
        payload in vec(any::<u8>(), 0..20),
        picture in any::<u16>(),
        base in any::<u8>(),
    ) {
        let payload = Bytes::from(payload);
        let there = shift_picture_numbers(codec, &payload, picture, base);
        prop_assert_eq!(there.len(), payload.len());
        prop_assert_eq!(shift_picture_numbers(codec, &there, picture.wrapping_neg(), base.wrapping_neg()), payload);
    }

    #[test]
    fn frames_of_anybody_are_sent_or_refused(
        codec in prop::sample::select(&CODECS[..]),
        frame in vec(any::<u8>(), 0..400),
        room in 0_usize..100,
    ) {
        let mut payloads = Vec::new();
        let mut packetizer = Packetizer::new(codec, FMTP, 7).expect("a codec with frames");
        let result = packetizer.packetize(&frame.into(), room, &mut payloads);
        prop_assert_eq!(result.is_err(), payloads.is_empty());
        prop_assert!(payloads.iter().all(|payload| payload.len() <= room));
    }
}
