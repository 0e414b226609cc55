//! Blocks of samples, and what changes their shape: bytes to samples and back, rates and channels, loudness. Knows no codec and no track.
//!
//! Samples are `f32` from -1 to 1, those of the channels of one moment beside each other. 16-bit samples survive the way there and back
//! bit by bit.

mod block;
mod bytes;
mod convert;
mod level;

pub use block::{Block, Channels, Format, FormatError};
pub use bytes::{Encoding, SampleReader, encode};
pub use convert::Converter;
pub use level::{Level, Loudness};

/// A 16-bit sample as a fraction of full scale.
pub fn from_s16(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}

/// The nearest 16-bit sample; what is beyond full scale is cut off there, and what is no number is silence.
pub fn to_s16(sample: f32) -> i16 {
    // As `round()`, which is a call for each sample where the processor that is compiled for has no instruction for it. A cast cuts off what
    // is behind the point, saturates, and takes NaN for 0.
    let scaled = sample * 32_768.0;
    (scaled + 0.5_f32.copysign(scaled)) as i16
}
