use bytes::Bytes;
use opusic_c::{Bandwidth, Bitrate, InbandFec};

use super::{OpusError, channels, sample_rate};
use crate::pcm::{Channels, Format};

/// Room for a packet, which goes into one datagram, with headers of RTP and extensions before it and a tag behind it. libopus spends less where that
/// is not enough, for example for 510 kbit/s (RFC 7587 3.1.1), which were 1,275 bytes in 20 ms.
const MAX_ENCODED: usize = 1_100;

/// What the audio is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Application {
    /// Speech over networks: made to be understood. FEC and DTX are for this one.
    #[default]
    Voice,
    /// Music and everything else: as close to the original as it gets.
    Audio,
    /// The least delay, 2.5 ms; neither FEC nor DTX.
    LowDelay,
}

/// How to encode. What is not said is as in WebRTC: 20 ms, FEC on, DTX off, a rate that suits the format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderConfig {
    /// Of the samples that are handed in: 8, 12, 16, 24 or 48 kHz.
    pub format: Format,
    /// What for.
    pub application: Application,
    /// Bits a second, 6,000 to 510,000; `None`: as libopus sees fit for the format.
    pub bitrate: Option<u32>,
    /// Every frame has the same size (`cbr`): who listens to the lengths of packets learns nothing.
    pub constant: bool,
    /// Packets carry a coarse copy of the one before (`useinbandfec`), as far as loss is expected.
    pub fec: bool,
    /// Silence is not sent (`usedtx`).
    pub dtx: bool,
    /// Of 100 packets; more of it makes FEC stronger.
    pub expected_loss: u8,
    /// Effort, 0 to 10.
    pub complexity: u8,
    /// The other side plays no more than so many samples a second (`maxplaybackrate`).
    pub max_playback_rate: u32,
}

impl EncoderConfig {
    /// The defaults for a format. The effort of 9 is what browsers spend.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            application: Application::Voice,
            bitrate: None,
            constant: false,
            fec: true,
            dtx: false,
            expected_loss: 0,
            complexity: 9,
            max_playback_rate: 48_000,
        }
    }
}

/// An encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The payload of an RTP packet.
    pub payload: Bytes,
    /// Silence with DTX: is not to be sent, while the RTP timestamp goes on (RFC 7587 3.1.3). A frame that keeps the other side's comfort
    /// noise up to date comes about every 400 ms.
    pub silent: bool,
}

/// Encodes one stream. Frames may differ in length.
pub struct Encoder {
    encoder: opusic_c::Encoder,
    format: Format,
    buffer: Vec<u8>,
}

impl Encoder {
    /// Fails if the rate is none of Opus or a setting is out of its range.
    pub fn new(config: EncoderConfig) -> Result<Self, OpusError> {
        let application = match config.application {
            Application::Voice => opusic_c::Application::Voip,
            Application::Audio => opusic_c::Application::Audio,
            Application::LowDelay => opusic_c::Application::LowDelay,
        };
        let format = config.format;
        let rate = sample_rate(format.rate())?;
        let encoder = opusic_c::Encoder::new(channels(format.channels()), rate, application)?;
        let mut encoder = Self { encoder, format, buffer: vec![0; MAX_ENCODED] };
        encoder.set_complexity(config.complexity)?;
        encoder.encoder.set_vbr(!config.constant)?;
        encoder.encoder.set_dtx(config.dtx)?;
        encoder.encoder.set_inband_fec(if config.fec { InbandFec::Mode1 } else { InbandFec::Off })?;
        encoder.encoder.set_max_bandwidth(bandwidth(config.max_playback_rate))?;
        encoder.set_bitrate(config.bitrate)?;
        encoder.set_expected_loss(config.expected_loss)?;
        Ok(encoder)
    }

    /// What is taken.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Bits a second, 6,000 to 510,000, from the next frame on; `None`: as libopus sees fit.
    pub fn set_bitrate(&mut self, bitrate: Option<u32>) -> Result<(), OpusError> {
        let bitrate = match bitrate {
            None => Bitrate::Auto,
            Some(bitrate) => Bitrate::Value(in_range("bitrate", bitrate, 6_000, 510_000)?),
        };
        Ok(self.encoder.set_bitrate(bitrate)?)
    }

    /// How many of 100 packets are expected not to arrive, 0 to 100.
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), OpusError> {
        in_range("expected loss", percent.into(), 0, 100)?;
        Ok(self.encoder.set_packet_loss(percent)?)
    }

    /// Effort, 0 to 10, from the next frame on.
    pub fn set_complexity(&mut self, complexity: u8) -> Result<(), OpusError> {
        in_range("complexity", complexity.into(), 0, 10)?;
        Ok(self.encoder.set_complexity(complexity)?)
    }

    /// Samples at the beginning of the decoder's output that belong to nothing that was handed in.
    pub fn look_ahead(&mut self) -> Result<usize, OpusError> {
        Ok(self.encoder.get_look_ahead()? as usize)
    }

    /// Encodes one frame of 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms; samples are interleaved.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Encoded, OpusError> {
        let count = self.format.channels().count();
        let frames = samples.len() / count;
        let rate = self.format.rate();
        // In units of 2.5 ms.
        let units = [1, 2, 4, 8, 16, 24, 32, 40, 48];
        let whole = samples.len().is_multiple_of(count) && (frames * 400).is_multiple_of(rate as usize);
        if !whole || !units.contains(&(frames * 400 / rate as usize)) {
            return Err(OpusError::FrameSize { frames, rate });
        }
        let length = self.encoder.encode_float_to_slice(samples, &mut self.buffer)?;
        // One or two bytes say nothing but how long the silence is.
        Ok(Encoded { payload: Bytes::copy_from_slice(&self.buffer[..length]), silent: length <= 2 })
    }
}

fn in_range(name: &'static str, value: u32, min: u32, max: u32) -> Result<u32, OpusError> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(OpusError::Setting { name, value, min, max }) }
}

/// What of the spectrum is worth encoding for this rate (RFC 7587 3.1.1).
fn bandwidth(rate: u32) -> Bandwidth {
    match rate {
        ..=8_000 => Bandwidth::Narrow,
        8_001..=12_000 => Bandwidth::Medium,
        12_001..=16_000 => Bandwidth::Wide,
        16_001..=24_000 => Bandwidth::Superwide,
        _ => Bandwidth::Full,
    }
}

impl Application {
    /// The channels that suit `stereo=1` of the other side, or its absence.
    pub(super) fn channels(stereo: bool) -> Channels {
        if stereo { Channels::Stereo } else { Channels::Mono }
    }
}
