use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Int16ArraySlice, Uint8Array};
use napi_derive::napi;
use ossa_codec::pcm::{Encoding, encode, to_s16};
use ossa_codec::track::{Attachment, Tap};

use super::hub::AudioHub;
use super::track::AudioTrack;
use super::{encoding, format};
use crate::base::error::Result;
use crate::base::values::milliseconds;

/// Reads a track.
#[napi]
pub struct AudioTap {
    tap: Arc<Tap>,
    encoding: Encoding,
    attachment: Option<Attachment>,
}

/// Where a tap stands; frames are samples of one channel.
#[napi(object, object_from_js = false)]
pub struct AudioTapState {
    /// Frames that were read.
    pub read: f64,
    /// Frames that were dropped because they were not read in time.
    pub dropped: f64,
    /// How many times that began.
    pub overruns: f64,
    /// No more comes.
    pub ended: bool,
    /// Something can be read.
    pub readable: bool,
}

/// What a tap gives.
#[napi(object, object_to_js = false)]
pub struct AudioTapFormat {
    /// Samples a second.
    pub sample_rate: f64,
    /// 1 or 2.
    pub channel_count: f64,
    /// `s16le` or `f32le`.
    pub format: String,
}

#[napi]
impl AudioTap {
    /// Without a format blocks come as the source has them. `capacity` in milliseconds.
    #[napi(constructor)]
    pub fn new(
        hub: &AudioHub,
        id: u32,
        track: &AudioTrack,
        capacity: f64,
        wanted: Option<AudioTapFormat>,
    ) -> Result<Self> {
        let capacity = milliseconds("bufferDuration", capacity)?;
        let (to, encoding) = match wanted {
            Some(wanted) => {
                (Some(format(wanted.sample_rate, wanted.channel_count)?), encoding(&wanted.format)?)
            }
            None => (None, Encoding::S16),
        };
        let tap = Arc::new(Tap::new(to, capacity, hub.notify(id)));
        let attachment = Some(track.track().attach(tap.clone()));
        Ok(Self { tap, encoding, attachment })
    }

    /// The oldest block. A hundred times a second for each call: an array costs less than an object with names, and memory that is JavaScript's
    /// own less than such as has to be given back.
    #[napi(
        catch_unwind,
        ts_return_type = "[samples: Int16Array, sampleRate: number, channelCount: number] | null"
    )]
    pub fn read_block<'env>(&self, env: &'env Env) -> Result<Option<(Int16ArraySlice<'env>, u32, u32)>> {
        let Some(block) = self.tap.read() else { return Ok(None) };
        let samples: Vec<i16> = block.samples().iter().copied().map(to_s16).collect();
        let (rate, channels) = (block.format().rate(), block.format().channels().count() as u32);
        Ok(Some((Int16ArraySlice::copy_from(env, samples)?, rate, channels)))
    }

    /// No more comes.
    #[napi]
    pub fn ended(&self) -> bool {
        self.tap.has_ended()
    }

    /// All that waits, as bytes.
    #[napi(catch_unwind)]
    pub fn read_bytes(&self) -> Option<Uint8Array> {
        let mut bytes = Vec::new();
        while let Some(block) = self.tap.read() {
            encode(self.encoding, block.samples().iter().copied(), &mut bytes);
        }
        (!bytes.is_empty()).then(|| bytes.into())
    }

    /// Counters, and whether it is over.
    #[napi]
    pub fn state(&self) -> AudioTapState {
        let state = self.tap.state();
        AudioTapState {
            read: state.stats.read as f64,
            dropped: state.stats.dropped as f64,
            overruns: state.stats.overruns as f64,
            ended: state.ended,
            readable: state.readable,
        }
    }

    /// Nothing comes in any more; what is there can be read.
    #[napi]
    pub fn stop(&mut self) {
        self.attachment = None;
    }
}
