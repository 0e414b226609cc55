//! One stream of Opus packets as anybody may send them, in any order with losses: no panic, no more audio than a packet can hold, and numbers only.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::{arbitrary, fuzz_target};
use ossa_codec::opus::{Decoder, packet_duration};
use ossa_codec::pcm::{Channels, Format};

#[derive(Debug, arbitrary::Arbitrary)]
enum Step<'a> {
    Packet(&'a [u8]),
    Lost(Option<u8>),
    LostBefore(&'a [u8], Option<u8>),
}

fuzz_target!(|input: (bool, u8, Vec<Step<'_>>)| {
    let (stereo, rate, steps) = input;
    let rates = [8_000, 12_000, 16_000, 24_000, 48_000];
    let channels = if stereo { Channels::Stereo } else { Channels::Mono };
    let format = Format::new(rates[usize::from(rate) % rates.len()], channels).expect("a rate of Opus");
    let mut decoder = Decoder::new(format).expect("a format of Opus");
    let time = |milliseconds: Option<u8>| milliseconds.map(|ms| Duration::from_millis(ms.into()));
    let mut out = Vec::new();
    for step in steps {
        out.clear();
        let frames = match step {
            Step::Packet(packet) => {
                let frames = decoder.decode(packet, &mut out);
                if let Ok(frames) = frames {
                    let said = packet_duration(packet).expect("it was decoded");
                    assert_eq!(format.frames_in(said), frames);
                }
                frames
            }
            Step::Lost(ms) => decoder.conceal(time(ms), &mut out),
            Step::LostBefore(next, ms) => decoder.recover(next, time(ms), &mut out),
        };
        assert_eq!(out.len(), frames.unwrap_or(0) * channels.count());
        assert!(out.len() <= 5_760 * 2 && out.iter().all(|sample| sample.is_finite()));
    }
});
