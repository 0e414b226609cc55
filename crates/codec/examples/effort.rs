//! What each effort of the Opus encoder costs, for `bench/opus/quality.py`: encodes 16-bit samples (mono, 48 kHz) with the settings of a call, writes
//! what comes out of the decoder, and tells the processor time: `effort IN.s16 OUT_FOLDER`.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use ossa_codec::opus::{Decoder, Encoder, EncoderConfig};
use ossa_codec::pcm::{Channels, Format};

const RATE: u32 = 48_000;
const FRAME: usize = 960;
/// The quickest of them counts: the others were disturbed.
const PASSES: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(folder)) = (args.next(), args.next()) else {
        return Err("effort IN.s16 OUT_FOLDER".into());
    };
    let bytes = std::fs::read(input)?;
    let samples: Vec<f32> = bytes
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    let seconds = samples.len() as f64 / f64::from(RATE);
    for bitrate in [24_000, 32_000] {
        for effort in 0..=10 {
            let mut best = Duration::MAX;
            let mut heard = Vec::new();
            for _ in 0..PASSES {
                let spent;
                (heard, spent) = run(&samples, bitrate, effort)?;
                best = best.min(spent);
            }
            let out: Vec<u8> =
                heard.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
            std::fs::write(Path::new(&folder).join(format!("{bitrate}-{effort}.s16")), out)?;
            println!("{bitrate} {effort} {:.3}", best.as_secs_f64() * 1_000.0 / seconds);
        }
    }
    Ok(())
}

/// Returns what is heard, without what the codec begins with, and how long encoding took.
fn run(samples: &[f32], bitrate: u32, effort: u8) -> Result<(Vec<f32>, Duration), Box<dyn Error>> {
    let format = Format::new(RATE, Channels::Mono)?;
    let config = EncoderConfig { bitrate: Some(bitrate), complexity: effort, ..EncoderConfig::new(format) };
    let mut encoder = Encoder::new(config)?;
    let mut decoder = Decoder::new(format)?;
    let begin = encoder.look_ahead()?;
    let mut heard = Vec::with_capacity(samples.len() + FRAME);
    let mut spent = Duration::ZERO;
    for frame in samples.chunks_exact(FRAME) {
        let at = Instant::now();
        let encoded = encoder.encode(frame)?;
        spent += at.elapsed();
        decoder.decode(&encoded.payload, &mut heard)?;
    }
    heard.drain(..begin.min(heard.len()));
    Ok((heard, spent))
}
