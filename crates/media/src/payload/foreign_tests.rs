//! What another stack writes is read, and what we write it reads.

use bytes::Bytes;
use rtc_rtp::codec::av1::{Av1Depacketizer, Av1Payloader};
use rtc_rtp::codec::h264::{H264Packet, H264Payloader};
use rtc_rtp::codec::vp8::{Vp8Packet, Vp8Payloader};
use rtc_rtp::codec::vp9::{Vp9Packet, Vp9Payloader};
use rtc_rtp::packetizer::{Depacketizer as TheirDepacketizer, Payloader};

use super::*;

const MODE_1: &str = "packetization-mode=1";
const CODECS: [Codec; 4] = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

fn theirs(codec: Codec) -> (Box<dyn Payloader>, Box<dyn TheirDepacketizer>) {
    match codec {
        Codec::Vp8 => (Box::new(Vp8Payloader::default()), Box::new(Vp8Packet::default())),
        Codec::Vp9 => (Box::new(Vp9Payloader::default()), Box::new(Vp9Packet::default())),
        Codec::H264 => (Box::new(H264Payloader::default()), Box::new(H264Packet::default())),
        _ => (Box::new(Av1Payloader {}), Box::new(Av1Depacketizer::new())),
    }
}

/// A key frame and one that is none, each of about `size` bytes.
fn frames(codec: Codec, size: usize) -> [Bytes; 2] {
    let content: Vec<u8> = (0..size).map(|at| at as u8 | 1).collect();
    let frame = |head: &[u8]| Bytes::from([head, &content].concat());
    match codec {
        Codec::Vp8 => [frame(&[0x10]), frame(&[0x11])],
        Codec::Vp9 => [frame(&[0x80]), frame(&[0x84])],
        Codec::H264 => [
            frame(&[
                0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65,
                0x88,
            ]),
            frame(&[0, 0, 0, 1, 0x41, 0x9a]),
        ],
        _ => {
            // The size in LEB128 with two bytes, a sequence header before the frame of the first.
            let obu = [0x32, size as u8 | 0x80, (size >> 7) as u8];
            [
                frame(&[&[0x12, 0, 0x0a, 3, 1, 2, 3][..], &obu].concat()),
                frame(&[&[0x12, 0][..], &obu].concat()),
            ]
        }
    }
}

#[test]
fn what_another_stack_writes_is_read() {
    for codec in CODECS {
        let (mut payloader, _) = theirs(codec);
        let mut depacketizer = Depacketizer::new(codec, MODE_1).expect("a codec with frames");
        for frame in [200, 1_100, 5_000].into_iter().flat_map(|size| frames(codec, size)) {
            let payloads = payloader.payload(1_200, &frame).expect("a frame");
            assert_eq!(depacketizer.assemble(payloads.iter()), Ok(frame), "{codec:?}");
        }
    }
}

#[test]
fn what_we_write_another_stack_reads() {
    for codec in CODECS {
        let mut packetizer = Packetizer::new(codec, MODE_1, 77).expect("a codec with frames");
        let (_, mut depacketizer) = theirs(codec);
        for frame in [200, 1_100, 5_000].into_iter().flat_map(|size| frames(codec, size)) {
            let mut payloads = Vec::new();
            packetizer.packetize(&frame, 1_200, &mut payloads).expect("a frame");
            let parts = payloads.iter().map(|payload| depacketizer.depacketize(payload).expect("a payload"));
            let joined = parts.collect::<Vec<_>>().concat();
            // The delimiter of AV1 is not sent, and not added by it.
            let expected = if codec == Codec::Av1 { frame.slice(2..) } else { frame };
            assert_eq!(Bytes::from(joined), expected, "{codec:?}");
        }
    }
}
