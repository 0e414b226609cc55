//! Samples keep their number, their pitch and their loudness, whatever shape they are given.

mod support;

use ossa_codec::g711::Law;
use ossa_codec::pcm::{
    Block, Channels, Converter, Encoding, Format, Level, SampleReader, encode, from_s16, to_s16,
};
use proptest::prelude::*;
use support::{channel, measure, rms, tone};

const RATES: [u32; 7] = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000];

fn format(rate: u32, channels: Channels) -> Format {
    Format::new(rate, channels).unwrap()
}

/// Through a converter, in pieces of 10 ms.
fn converted(from: Format, to: Format, samples: &[f32]) -> Vec<f32> {
    let mut converter = Converter::new(from, to);
    let mut out = Vec::new();
    for piece in samples.chunks(from.rate() as usize / 100 * from.channels().count()) {
        converter.convert(piece, &mut out);
    }
    out
}

#[test]
fn a_tone_has_the_same_pitch_and_level_at_any_other_rate() {
    for from in RATES {
        for to in RATES {
            let samples = tone(1_000.0, from, 1, from as usize);
            let out = converted(format(from, Channels::Mono), format(to, Channels::Mono), &samples);
            let (level, clean) = measure(&out[out.len() / 2..], 1_000.0, to);
            assert!((0.495..0.505).contains(&level), "{from} to {to}: level {level}");
            assert!(clean > 80.0, "{from} to {to}: {clean} dB");
        }
    }
}

#[test]
fn what_a_lower_rate_cannot_carry_does_not_come_back_as_another_tone() {
    let samples = tone(7_000.0, 48_000, 1, 48_000);
    let out = converted(Format::FULL, format(8_000, Channels::Mono), &samples);
    assert!(rms(&out[1_000..]) < 0.001, "7 kHz at a rate of 8 kHz: {}", rms(&out[1_000..]));
}

#[test]
fn no_sample_is_lost_or_made_up_in_an_hour() {
    for (from, to) in
        [(44_100, 48_000), (48_000, 44_100), (11_025, 48_000), (48_000, 8_000), (16_000, 24_000)]
    {
        let mut converter = Converter::new(format(from, Channels::Mono), format(to, Channels::Mono));
        // A minute is enough for what would add up to a sample in an hour to be seen, and has no remainder.
        let (piece, mut out, mut count) = (vec![0.0; from as usize / 20], Vec::new(), 0);
        for _ in 0..1_200 {
            converter.convert(&piece[..from as usize / 20], &mut out);
            count += out.len();
            out.clear();
        }
        let exact = u64::from(from / 20) * 1_200 * u64::from(to) / u64::from(from);
        // What still waits in the converter: 2.5 ms.
        let missing = exact as i64 - count as i64;
        assert!((0..=i64::from(to / 400 + 2)).contains(&missing), "{from} to {to}: {missing} frames missing");
    }
}

#[test]
fn channels_are_mixed_and_doubled() {
    let (mono, stereo) = (Format::FULL, format(48_000, Channels::Stereo));
    assert_eq!(converted(stereo, mono, &[0.5, 0.0, -0.5, 0.5]), [0.25, 0.0]);
    assert_eq!(converted(mono, stereo, &[0.5, -0.25]), [0.5, 0.5, -0.25, -0.25]);
    let samples = tone(1_000.0, 48_000, 2, 48_000);
    let out = converted(stereo, format(16_000, Channels::Stereo), &samples);
    for which in 0..2 {
        let (level, _) = measure(&channel(&out, 2, which)[4_000..], 1_000.0, 16_000);
        assert!((0.495..0.505).contains(&level));
    }
}

#[test]
fn g711_keeps_a_voice_intelligible_and_silence_silent() {
    for law in [Law::A, Law::Mu] {
        let (mut octets, mut heard) = (Vec::new(), Vec::new());
        let samples = tone(440.0, 8_000, 1, 8_000);
        law.encode(&samples, &mut octets);
        law.decode(&octets, &mut heard);
        assert_eq!((octets.len(), heard.len()), (8_000, 8_000));
        let (level, clean) = measure(&heard, 440.0, 8_000);
        assert!((0.49..0.51).contains(&level) && clean > 35.0, "{law:?}: {level}, {clean} dB");
        heard.clear();
        octets.clear();
        law.encode(&[0.0; 80], &mut octets);
        law.decode(&octets, &mut heard);
        assert!(heard.iter().all(|sample| sample.abs() < 0.001));
    }
    // ITU-T G.711: the octets of silence, and of the loudest sample, with the inversions of the wire.
    let mut octets = Vec::new();
    Law::Mu.encode(&[0.0, 1.0], &mut octets);
    Law::A.encode(&[0.0, 1.0], &mut octets);
    assert_eq!(octets, [0xff, 0x80, 0xd5, 0xaa]);
}

#[test]
fn loudness_is_told_as_rtp_and_statistics_want_it() {
    let loud = Level::of(&tone(1_000.0, 48_000, 1, 48_000));
    assert!((loud.peak - 0.5).abs() < 1e-3 && (loud.rms - 0.3535).abs() < 1e-3);
    assert_eq!(loud.decibels_below(), 9);
    assert_eq!(Level::of(&[0.0; 480]).decibels_below(), 127);
    assert_eq!(Level::of(&[1.0; 480]).decibels_below(), 0);
    assert_eq!(Level::of(&[]).decibels_below(), 127);
    let beyond = Level::of(&[4.0]);
    assert_eq!((beyond.peak, beyond.decibels_below()), (1.0, 0));
}

#[test]
fn shapes_that_no_audio_has_are_refused() {
    assert!(Format::from_counts(7_999, 1).is_err() && Format::from_counts(96_001, 1).is_err());
    assert!(Format::from_counts(48_000, 0).is_err() && Format::from_counts(48_000, 3).is_err());
    let stereo = format(48_000, Channels::Stereo);
    assert!(Block::new(stereo, &[0.0; 3]).is_none() && Block::new(stereo, &[]).is_none());
}

proptest! {
    /// 16-bit samples are the same after the way through `f32`, and bytes may be cut anywhere.
    #[test]
    fn samples_survive_as_bytes_in_pieces_of_any_size(
        samples in proptest::collection::vec(any::<i16>(), 0..200),
        cuts in proptest::collection::vec(1_usize..9, 1..20),
        wide: bool,
    ) {
        let encoding = if wide { Encoding::F32 } else { Encoding::S16 };
        let mut bytes = Vec::new();
        encode(encoding, samples.iter().map(|sample| from_s16(*sample)), &mut bytes);
        prop_assert_eq!(bytes.len(), samples.len() * encoding.bytes());
        let (mut reader, mut heard, mut rest) = (SampleReader::new(encoding), Vec::new(), &bytes[..]);
        for cut in cuts.iter().cycle().take(bytes.len()) {
            let (piece, after) = rest.split_at(rest.len().min(*cut));
            reader.read(piece, |sample| heard.push(to_s16(sample)));
            rest = after;
        }
        prop_assert_eq!(heard, samples);
    }

    /// Any floats at all become numbers.
    #[test]
    fn floats_that_are_no_numbers_are_silence(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let mut reader = SampleReader::new(Encoding::F32);
        reader.read(&bytes, |sample| assert!(sample.is_finite()));
    }
}
