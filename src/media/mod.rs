//! Audio as `ts/media` sees it: sources, tracks and sinks of `ossa_codec`, the clock that plays them, and one wake-up of JavaScript for
//! all of them.
//!
//! What carries RTP stands on the same faces, from native to native. A sender takes the audio of an [`AudioTrack`] as a
//! [`Sink`](ossa_codec::track::Sink) that it [attaches](ossa_codec::track::Track::attach); a receiver pushes what it has decoded into a
//! [`Source`](ossa_codec::track::Source), from its own thread or, as a [`Paced`](ossa_codec::track::Paced), on the ticks of [`clock`].
//! JavaScript is in the way of neither.

mod clock;
mod feed;
mod hub;
mod source;
mod tap;
mod track;

use ossa_codec::pcm::{Encoding, Format};

use crate::base::error::{Result, failure};
use crate::base::values::{choice, handle};

/// A format from the numbers that JavaScript gives.
fn format(rate: f64, channels: f64) -> Result<Format> {
    let rate = handle("sampleRate", rate)?;
    let channels = handle("channelCount", channels)?;
    Format::from_counts(rate, channels).map_err(|error| failure("RangeError", &error.to_string()))
}

fn encoding(name: &str) -> Result<Encoding> {
    choice("format", name, &[("s16le", Encoding::S16), ("f32le", Encoding::F32)])
}
