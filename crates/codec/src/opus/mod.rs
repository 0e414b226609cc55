//! Opus (RFC 6716) as RTP carries it (RFC 7587), on libopus, which browsers have as well. Packets in, samples out, and the reverse;
//! RTP, jitter and when a packet counts as lost are others' business.

mod decoder;
mod encoder;
mod fmtp;

use std::time::Duration;

use opusic_c::{ErrorCode, SampleRate};
use thiserror::Error;

pub use decoder::{Decoder, packet_duration};
pub use encoder::{Application, Encoded, Encoder, EncoderConfig};

use crate::pcm::Channels;

/// The clock of RTP timestamps, whatever rate is encoded (RFC 7587 4.1).
pub const CLOCK_RATE: u32 = 48_000;

/// The longest audio of one packet (RFC 6716 3.1).
pub const MAX_DURATION: Duration = Duration::from_millis(120);

/// The longest packet that is decoded: what UDP can carry.
const MAX_PACKET: usize = 65_535;

/// Why nothing was encoded or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpusError {
    /// Not a rate of Opus.
    #[error("Opus has no sample rate of {0} Hz: it has to be 8000, 12000, 16000, 24000 or 48000")]
    SampleRate(u32),
    /// A setting is out of its range.
    #[error("{name} is {value}: it has to be from {min} to {max}")]
    Setting {
        /// Which.
        name: &'static str,
        /// Its value.
        value: u32,
        /// The least that is allowed.
        min: u32,
        /// The most.
        max: u32,
    },
    /// So many samples are no frame.
    #[error(
        "{frames} frames at {rate} Hz are no Opus frame: it has to last 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms"
    )]
    FrameSize {
        /// Samples in each channel.
        frames: usize,
        /// Samples a second.
        rate: u32,
    },
    /// The bytes are no Opus packet.
    #[error("not an Opus packet ({0} bytes)")]
    Packet(usize),
    /// libopus has refused something that it should not.
    #[error("libopus has failed: {0}")]
    Library(&'static str),
}

impl From<ErrorCode> for OpusError {
    fn from(error: ErrorCode) -> Self {
        OpusError::Library(error.message())
    }
}

fn sample_rate(rate: u32) -> Result<SampleRate, OpusError> {
    Ok(match rate {
        8_000 => SampleRate::Hz8000,
        12_000 => SampleRate::Hz12000,
        16_000 => SampleRate::Hz16000,
        24_000 => SampleRate::Hz24000,
        48_000 => SampleRate::Hz48000,
        _ => return Err(OpusError::SampleRate(rate)),
    })
}

fn channels(channels: Channels) -> opusic_c::Channels {
    match channels {
        Channels::Mono => opusic_c::Channels::Mono,
        Channels::Stereo => opusic_c::Channels::Stereo,
    }
}
