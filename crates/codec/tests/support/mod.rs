//! Tones, and what is left of them.
#![allow(dead_code, reason = "each test file uses some")]

use std::f64::consts::TAU;

/// A sine of half of full scale.
pub(crate) fn tone(frequency: f64, rate: u32, channels: usize, frames: usize) -> Vec<f32> {
    let sample = |at: usize| 0.5 * (TAU * frequency * at as f64 / f64::from(rate)).sin();
    (0..frames).flat_map(|at| std::iter::repeat_n(sample(at) as f32, channels)).collect()
}

/// One channel of interleaved samples.
pub(crate) fn channel(samples: &[f32], channels: usize, which: usize) -> Vec<f32> {
    samples.iter().skip(which).step_by(channels).copied().collect()
}

/// The amplitude of a frequency in the samples, and how many decibels it is above all the rest.
pub(crate) fn measure(samples: &[f32], frequency: f64, rate: u32) -> (f64, f64) {
    // Whole periods, so that sine and cosine are orthogonal.
    let period = f64::from(rate) / frequency;
    let length = ((samples.len() as f64 / period).floor() * period).round() as usize;
    let samples = &samples[..length];
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let angle = TAU * frequency * at as f64 / f64::from(rate);
        sine += f64::from(*sample) * angle.sin();
        cosine += f64::from(*sample) * angle.cos();
    }
    let (sine, cosine) = (2.0 * sine / length as f64, 2.0 * cosine / length as f64);
    let mut rest = 0.0;
    for (at, sample) in samples.iter().enumerate() {
        let angle = TAU * frequency * at as f64 / f64::from(rate);
        rest += (f64::from(*sample) - sine * angle.sin() - cosine * angle.cos()).powi(2);
    }
    let power = (sine * sine + cosine * cosine) / 2.0;
    ((2.0 * power).sqrt(), 10.0 * (power * length as f64 / rest.max(1e-12)).log10())
}

/// Root of the mean square.
pub(crate) fn rms(samples: &[f32]) -> f64 {
    (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64)
        .sqrt()
}
