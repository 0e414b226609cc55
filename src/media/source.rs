use napi_derive::napi;
use ossa_codec::pcm::{Block, from_s16};
use ossa_codec::track::Source;

use super::format;
use super::track::AudioTrack;
use crate::base::error::{Result, type_error};

/// A source whose audio comes in blocks, when it comes.
#[napi]
#[derive(Default)]
pub struct AudioSource {
    source: Source,
}

#[napi]
impl AudioSource {
    /// Without tracks.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives 16-bit samples to all sinks, at once.
    #[napi(catch_unwind)]
    pub fn push(&self, samples: &[i16], rate: f64, channels: f64) -> Result<()> {
        let block = Block::collect(format(rate, channels)?, samples.iter().copied().map(from_s16))
            .ok_or_else(|| type_error("samples: there have to be as many for each channel, and some"))?;
        self.source.push(&block);
        Ok(())
    }

    /// A new track.
    #[napi]
    pub fn track(&self) -> AudioTrack {
        AudioTrack::new(self.source.track())
    }

    /// No more comes.
    #[napi]
    pub fn end(&self) {
        self.source.end();
    }
}
