//! Packets of any content in any order at any time: no panic, bounded memory, and no timer that is past already.
#![no_main]
use std::time::{Duration, Instant};

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use ossa_media::jitter::{JitterBuffer, JitterConfig};
use ossa_media::{Codec, ExtensionValues, Kind, Payload, RtpPacket};

#[derive(Arbitrary, Debug)]
enum Step {
    /// The next packet, or one that far from it.
    Packet { jump: i16, later: i32, payload: u8, marker: bool, recovered: bool, data: Vec<u8> },
    Next { same_frame: bool, payload: u8, marker: bool, data: Vec<u8> },
    Wait { milliseconds: u16 },
    RoundTrip { milliseconds: u16 },
    Poll,
}

fn payload(number: u8, codec: Codec, clock_rate: u32, nack: bool) -> Payload {
    Payload { nack, pli: true, ..Payload::plain(number, codec, clock_rate) }
}

fuzz_target!(|input: (bool, bool, bool, Vec<Step>)| {
    let (video, nack, paced, steps) = input;
    let mut config = if video {
        let codecs = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];
        let payloads = (0..).zip(codecs).map(|(number, codec)| payload(number, codec, 90_000, nack));
        JitterConfig::new(Kind::Video, payloads.collect())
    } else {
        let codecs = [(Codec::Opus, 48_000), (Codec::Pcmu, 8_000), (Codec::TelephoneEvent, 8_000)];
        let payloads = (0..).zip(codecs).map(|(number, (codec, rate))| payload(number, codec, rate, nack));
        JitterConfig::new(Kind::Audio, payloads.collect())
    };
    config.paced = paced;
    let mut buffer = JitterBuffer::new(config);
    let mut now = Instant::now();
    let (mut sequence, mut timestamp) = (0_u16, 0_u32);
    let mut nacks = Vec::new();
    for step in steps {
        let (payload, marker, recovered, data) = match step {
            Step::Packet { jump, later, payload, marker, recovered, data } => {
                sequence = sequence.wrapping_add_signed(jump);
                timestamp = timestamp.wrapping_add_signed(later);
                (payload, marker, recovered, data)
            }
            Step::Next { same_frame, payload, marker, data } => {
                sequence = sequence.wrapping_add(1);
                timestamp = timestamp.wrapping_add(if same_frame { 0 } else { 960 });
                (payload, marker, false, data)
            }
            Step::Wait { milliseconds } => {
                now += Duration::from_millis(milliseconds.into());
                continue;
            }
            Step::RoundTrip { milliseconds } => {
                buffer.set_round_trip(Duration::from_millis(milliseconds.into()));
                continue;
            }
            Step::Poll => {
                while buffer.poll_frame(now).is_some() {}
                nacks.clear();
                buffer.poll_nack(now, &mut nacks);
                buffer.poll_key_frame_request(now);
                assert!(buffer.poll_timeout().is_none_or(|at| at > now), "it would spin");
                continue;
            }
        };
        let packet = RtpPacket {
            payload: payload % 6,
            marker,
            sequence,
            timestamp,
            ssrc: 1,
            csrcs: Vec::new(),
            extensions: ExtensionValues::default(),
            data: data.into(),
        };
        buffer.handle_packet(now, packet, recovered);
        assert!(buffer.stats().waiting <= 2_048);
    }
});
