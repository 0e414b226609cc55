//! Opus as a call uses it: what goes in comes out, also when packets do not arrive, and whatever arrives.

mod support;

use std::time::Duration;

use ossa_codec::opus::{Application, Decoder, Encoder, EncoderConfig, OpusError, packet_duration};
use ossa_codec::pcm::{Channels, Format};
use proptest::prelude::*;
use support::{channel, measure, rms, tone};

const RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];
/// In units of 0.5 ms.
const LENGTHS: [u32; 6] = [5, 10, 20, 40, 80, 120];

fn format(rate: u32, channels: Channels) -> Format {
    Format::new(rate, channels).unwrap()
}

fn packets(config: EncoderConfig, samples: &[f32], frame: usize) -> Vec<bytes::Bytes> {
    let mut encoder = Encoder::new(config).unwrap();
    let size = frame * config.format.channels().count();
    samples.chunks_exact(size).map(|samples| encoder.encode(samples).unwrap().payload).collect()
}

#[test]
fn a_tone_survives_at_every_rate_and_frame_length_and_every_sample_is_there() {
    for rate in RATES {
        for channels in [Channels::Mono, Channels::Stereo] {
            for length in LENGTHS {
                let format = format(rate, channels);
                let (count, frame) = (channels.count(), (rate * length / 2_000) as usize);
                let samples = tone(440.0, rate, count, rate as usize * 6 / 10);
                let bitrate = Some(128_000);
                let config =
                    EncoderConfig { application: Application::Audio, bitrate, ..EncoderConfig::new(format) };
                let mut decoder = Decoder::new(format).unwrap();
                let mut heard = Vec::new();
                for packet in packets(config, &samples, frame) {
                    let duration = packet_duration(&packet).unwrap();
                    assert_eq!(duration, Duration::from_micros(u64::from(length) * 500));
                    assert_eq!(decoder.decode(&packet, &mut heard), Ok(frame));
                }
                assert_eq!(heard.len(), samples.len() / (frame * count) * frame * count);
                for which in 0..count {
                    let heard = channel(&heard, count, which);
                    let (level, clean) = measure(&heard[heard.len() / 3..], 440.0, rate);
                    assert!((0.45..0.55).contains(&level), "{rate} Hz, {count} ch, {length}: level {level}");
                    assert!(clean > 15.0, "{rate} Hz, {count} ch, {length}: {clean} dB");
                }
            }
        }
    }
}

#[test]
fn left_stays_left() {
    let format = format(48_000, Channels::Stereo);
    let mut samples = tone(440.0, 48_000, 2, 48_000);
    samples.chunks_exact_mut(2).for_each(|frame| frame[1] = 0.0);
    let config = EncoderConfig { bitrate: Some(96_000), ..EncoderConfig::new(format) };
    let mut decoder = Decoder::new(format).unwrap();
    let mut heard = Vec::new();
    for packet in packets(config, &samples, 960) {
        decoder.decode(&packet, &mut heard).unwrap();
    }
    let (left, right) = (rms(&channel(&heard, 2, 0)), rms(&channel(&heard, 2, 1)));
    assert!(left > 0.3 && right < left / 20.0, "left {left}, right {right}");
}

/// Something like a voice: a pitch that moves, with overtones, in syllables.
fn voice(frames: usize) -> Vec<f32> {
    let mut phase = 0.0_f64;
    let sample = |at: usize| {
        let time = at as f64 / 48_000.0;
        phase += (140.0 + 40.0 * (time * 9.0).sin()) / 48_000.0 * std::f64::consts::TAU;
        let wave: f64 = (1..12).map(|n| (phase * f64::from(n)).sin() / f64::from(n)).sum();
        (wave * 0.3 * (time * 12.0).sin().abs().max(0.1)) as f32
    };
    (0..frames).map(sample).collect()
}

/// Every fifth packet is lost. How far what replaces it is from what would have been heard, relative to that.
fn error_of_lost(replace: impl Fn(&mut Decoder, &[u8], &mut Vec<f32>)) -> f64 {
    let format = Format::FULL;
    let config = EncoderConfig { expected_loss: 20, bitrate: Some(32_000), ..EncoderConfig::new(format) };
    let packets = packets(config, &voice(48_000 * 3), 960);
    let (mut whole, mut lossy) = (Decoder::new(format).unwrap(), Decoder::new(format).unwrap());
    let (mut wanted, mut heard) = (Vec::new(), Vec::new());
    let (mut off, mut power) = (0.0, 0.0);
    for (at, packet) in packets.iter().enumerate() {
        let lost = at % 5 == 4 && at + 1 < packets.len();
        whole.decode(packet, &mut wanted).unwrap();
        match lost {
            true => replace(&mut lossy, &packets[at + 1], &mut heard),
            false => assert_eq!(lossy.decode(packet, &mut heard), Ok(960)),
        }
        assert_eq!(heard.len(), wanted.len(), "time goes on");
        if lost {
            let (wanted, heard) = (&wanted[at * 960..], &heard[at * 960..]);
            off += wanted.iter().zip(heard).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            power += wanted.iter().map(|a| f64::from(*a).powi(2)).sum::<f64>();
        }
    }
    off / power
}

#[test]
fn a_lost_packet_is_heard_from_the_next_one_and_better_than_a_guess() {
    let guess = error_of_lost(|decoder, _, out| assert_eq!(decoder.conceal(None, out), Ok(960)));
    let fec = error_of_lost(|decoder, next, out| assert_eq!(decoder.recover(next, None, out), Ok(960)));
    let silence = 1.0;
    assert!(fec < guess / 2.0, "FEC {fec}, guess {guess}");
    assert!(guess < silence, "guess {guess}");
}

#[test]
fn what_is_missing_is_filled_and_fades_to_silence() {
    let format = Format::FULL;
    let mut decoder = Decoder::new(format).unwrap();
    let mut heard = Vec::new();
    for packet in packets(EncoderConfig::new(format), &voice(9_600), 960) {
        decoder.decode(&packet, &mut heard).unwrap();
    }
    heard.clear();
    for _ in 0..50 {
        assert_eq!(decoder.conceal(None, &mut heard), Ok(960));
    }
    let (first, last) = (rms(&heard[..960]), rms(&heard[heard.len() - 960..]));
    assert!(first > 0.03, "the first 20 ms go on: {first}");
    assert!(last < first / 10.0, "after a second it is quiet: {first}, {last}");
    heard.clear();
    assert_eq!(decoder.conceal(Some(Duration::from_millis(31)), &mut heard), Ok(1_560), "in units of 2.5 ms");
    assert_eq!(decoder.conceal(Some(Duration::MAX), &mut heard), Ok(5_760), "120 ms at most");
    assert_eq!(decoder.conceal(Some(Duration::ZERO), &mut heard), Ok(120));
}

#[test]
fn silence_is_not_sent_with_dtx_and_speech_afterwards_is() {
    let config = EncoderConfig { dtx: true, ..EncoderConfig::new(Format::FULL) };
    let mut encoder = Encoder::new(config).unwrap();
    let mut silent = |samples: &[f32]| {
        let frames = samples.chunks_exact(960);
        frames.filter(|frame| encoder.encode(frame).unwrap().silent).count()
    };
    assert_eq!(silent(&voice(48_000)), 0, "of 50 frames of speech");
    let quiet = silent(&[0.0; 96_000]);
    assert!((75..100).contains(&quiet), "of 100 frames of silence {quiet} are not sent");
    assert!(silent(&voice(48_000)) <= 1, "speech is back");
}

#[test]
fn the_bit_rate_is_what_was_asked_for() {
    for bitrate in [16_000, 64_000, 256_000] {
        let config =
            EncoderConfig { bitrate: Some(bitrate), constant: true, ..EncoderConfig::new(Format::FULL) };
        let packets = packets(config, &voice(48_000), 960);
        let bits = packets.iter().map(|packet| packet.len() * 8).sum::<usize>() as f64;
        let ratio = bits / f64::from(bitrate);
        assert!((0.95..1.05).contains(&ratio), "{bitrate}: {ratio}");
        assert!(packets.iter().all(|packet| packet.len() == packets[0].len()), "all of one size");
    }
}

#[test]
fn what_is_no_frame_or_no_setting_is_refused_with_the_reason() {
    let mut encoder = Encoder::new(EncoderConfig::new(Format::FULL)).unwrap();
    for frames in [0, 1, 959, 961, 1_440, 7_680] {
        assert_eq!(encoder.encode(&vec![0.0; frames]), Err(OpusError::FrameSize { frames, rate: 48_000 }));
    }
    let odd = EncoderConfig::new(format(44_100, Channels::Mono));
    assert_eq!(Encoder::new(odd).err(), Some(OpusError::SampleRate(44_100)));
    let much = EncoderConfig { bitrate: Some(510_001), ..EncoderConfig::new(Format::FULL) };
    let error = Encoder::new(much).err().unwrap().to_string();
    assert_eq!(error, "bitrate is 510001: it has to be from 6000 to 510000");
    let hard = EncoderConfig { complexity: 11, ..EncoderConfig::new(Format::FULL) };
    assert!(Encoder::new(hard).is_err());
}

#[test]
fn samples_that_are_no_numbers_do_not_end_the_stream() {
    let mut encoder = Encoder::new(EncoderConfig::new(Format::FULL)).unwrap();
    let mut decoder = Decoder::new(Format::FULL).unwrap();
    let mut heard = Vec::new();
    for bad in [f32::NAN, f32::INFINITY, f32::MAX, -f32::MAX] {
        if let Ok(encoded) = encoder.encode(&[bad; 960]) {
            let _ = decoder.decode(&encoded.payload, &mut heard);
        }
    }
    assert!(heard.iter().all(|sample| sample.is_finite()));
    heard.clear();
    for samples in tone(440.0, 48_000, 1, 48_000).chunks_exact(960) {
        decoder.decode(&encoder.encode(samples).unwrap().payload, &mut heard).unwrap();
    }
    let (level, _) = measure(&heard[24_000..], 440.0, 48_000);
    assert!((0.4..0.6).contains(&level), "level {level}");
}

proptest! {
    /// Whatever arrives: an error or at most 120 ms of numbers, and the next good packet is heard.
    #[test]
    fn garbage_neither_panics_nor_grows(input in proptest::collection::vec(any::<u8>(), 0..1_500), stereo: bool) {
        let channels = if stereo { Channels::Stereo } else { Channels::Mono };
        let format = format(48_000, channels);
        let mut decoder = Decoder::new(format).unwrap();
        let mut out = Vec::new();
        for bytes in [&input[..], &input[..input.len() / 2]] {
            out.clear();
            if let Ok(frames) = decoder.decode(bytes, &mut out) {
                prop_assert!((120..=5_760).contains(&frames));
                prop_assert_eq!(out.len(), frames * channels.count());
            } else {
                prop_assert!(out.is_empty());
            }
            let _ = decoder.recover(bytes, Some(Duration::from_millis(20)), &mut out);
            prop_assert!(out.len() <= (5_760 + 960) * channels.count());
            prop_assert!(out.iter().all(|sample| sample.is_finite()));
        }
        out.clear();
        let good = packets(EncoderConfig::new(format), &tone(440.0, 48_000, channels.count(), 960), 960);
        prop_assert_eq!(decoder.decode(&good[0], &mut out), Ok(960));
    }
}
