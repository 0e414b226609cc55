use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// The rates that there is audio of, in samples a second: from telephones to studios.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=96_000;

/// How many samples belong to one moment. More than two are not for calls: Opus over RTP has no more (RFC 7587 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// One.
    Mono,
    /// Left, then right.
    Stereo,
}

impl Channels {
    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Channels::Mono => 1,
            Channels::Stereo => 2,
        }
    }
}

/// The shape of audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    rate: u32,
    channels: Channels,
}

/// A shape that no audio here has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FormatError {
    /// The rate is out of range.
    #[error("sampleRate is {0}: it has to be from 8000 to 96000 Hz")]
    Rate(u32),
    /// Neither mono nor stereo.
    #[error("channelCount is {0}: it has to be 1 or 2")]
    Channels(u32),
}

impl Format {
    /// What WebRTC's own audio has, whatever codec carries it.
    pub const FULL: Format = Format { rate: 48_000, channels: Channels::Mono };

    /// `rate` from 8,000 to 96,000 samples a second.
    pub fn new(rate: u32, channels: Channels) -> Result<Self, FormatError> {
        if RATES.contains(&rate) { Ok(Self { rate, channels }) } else { Err(FormatError::Rate(rate)) }
    }

    /// The same from a number of channels, 1 or 2.
    pub fn from_counts(rate: u32, channels: u32) -> Result<Self, FormatError> {
        match channels {
            1 => Self::new(rate, Channels::Mono),
            2 => Self::new(rate, Channels::Stereo),
            _ => Err(FormatError::Channels(channels)),
        }
    }

    /// Samples a second in each channel.
    pub fn rate(self) -> u32 {
        self.rate
    }

    /// Mono or stereo.
    pub fn channels(self) -> Channels {
        self.channels
    }

    /// Frames (samples of all channels at one moment) that last so long, rounded down.
    pub fn frames_in(self, time: Duration) -> usize {
        (time.as_nanos() * u128::from(self.rate) / 1_000_000_000) as usize
    }

    /// How long so many frames last.
    pub fn duration_of(self, frames: usize) -> Duration {
        Duration::from_nanos((frames as u128 * 1_000_000_000 / u128::from(self.rate)) as u64)
    }
}

/// A piece of audio, usually 10 ms. Copies share the samples.
#[derive(Debug, Clone)]
pub struct Block {
    format: Format,
    samples: Arc<[f32]>,
}

impl Block {
    /// `None` if the samples are not a whole number of frames, or none at all.
    pub fn new(format: Format, samples: &[f32]) -> Option<Self> {
        let whole = !samples.is_empty() && samples.len().is_multiple_of(format.channels.count());
        whole.then(|| Self { format, samples: samples.into() })
    }

    /// The same from samples as they are made, which are not copied once more.
    pub fn collect(format: Format, samples: impl Iterator<Item = f32>) -> Option<Self> {
        let samples: Arc<[f32]> = samples.collect();
        let whole = !samples.is_empty() && samples.len().is_multiple_of(format.channels.count());
        whole.then_some(Self { format, samples })
    }

    /// As long as `self`, and silent.
    pub fn silenced(&self) -> Self {
        Self { format: self.format, samples: vec![0.0; self.samples.len()].into() }
    }

    /// The shape.
    pub fn format(&self) -> Format {
        self.format
    }

    /// All samples, interleaved.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples in each channel.
    pub fn frames(&self) -> usize {
        self.samples.len() / self.format.channels.count()
    }

    /// How long it lasts.
    pub fn duration(&self) -> Duration {
        self.format.duration_of(self.frames())
    }
}
