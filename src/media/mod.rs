//! Audio as `ts/media` sees it: sources, tracks and sinks of `ossa_codec`, one wake-up of JavaScript for all of them, and what
//! connections send and receive of them, which `ossa_tracks` does without JavaScript.

mod connection;
mod encoded_feed;
mod encoded_tap;
mod encoded_track;
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
