use std::sync::Arc;

use napi_derive::napi;
use ossa_codec::track::Feed;

use super::hub::AudioHub;
use super::track::AudioTrack;
use super::{encoding, format};
use crate::base::error::{Result, failure};
use crate::base::values::milliseconds;

/// A source of PCM that is written in pieces of any size and played in real time.
#[napi]
pub struct AudioFeed {
    feed: Arc<Feed>,
}

/// Where a feed stands; frames are samples of one channel.
#[napi(object, object_from_js = false)]
pub struct AudioFeedState {
    /// Frames that were taken.
    pub written: f64,
    /// Frames that were played.
    pub played: f64,
    /// Frames that were dropped on request.
    pub cleared: f64,
    /// Frames of silence, because nothing was there.
    pub silence: f64,
    /// How many times audio has run out.
    pub underruns: f64,
    /// Frames that wait.
    pub queued: f64,
    /// More can be written.
    pub room: bool,
    /// All was played, or nobody can hear it.
    pub over: bool,
}

#[napi]
impl AudioFeed {
    /// `encoding` is `s16le` or `f32le`, `capacity` in milliseconds.
    #[napi(constructor)]
    pub fn new(
        hub: &AudioHub,
        id: u32,
        rate: f64,
        channels: f64,
        encoding_name: String,
        capacity: f64,
    ) -> Result<Self> {
        let capacity = milliseconds("bufferDuration", capacity)?;
        let feed = Feed::new(format(rate, channels)?, encoding(&encoding_name)?, capacity, hub.notify(id));
        Ok(Self { feed: Arc::new(feed) })
    }

    /// A new track.
    #[napi]
    pub fn track(&self) -> AudioTrack {
        AudioTrack::new(self.feed.source().track())
    }

    /// The clock begins to play.
    #[napi(catch_unwind)]
    pub fn start(&self) -> Result<()> {
        ossa_tracks::play(self.feed.clone()).map_err(|error| {
            failure("OperationError", &format!("no thread can be had to play audio: {error}"))
        })
    }

    /// Takes what there is room for, from the beginning of `bytes`, and returns how many bytes that were.
    #[napi(catch_unwind)]
    pub fn write(&self, bytes: &[u8]) -> u32 {
        // At most what was offered, and typed arrays of more than 4 GiB are offered in pieces.
        self.feed.write(bytes) as u32
    }

    /// Once all was played, the source ends.
    #[napi]
    pub fn finish(&self) {
        self.feed.finish();
    }

    /// Drops what waits; returns how many frames.
    #[napi]
    pub fn clear(&self) -> f64 {
        self.feed.clear() as f64
    }

    /// Ends now.
    #[napi]
    pub fn close(&self) {
        self.feed.close();
    }

    /// Counters and what waits.
    #[napi]
    pub fn state(&self) -> AudioFeedState {
        let state = self.feed.state();
        let stats = state.stats;
        AudioFeedState {
            written: stats.written as f64,
            played: stats.played as f64,
            cleared: stats.cleared as f64,
            silence: stats.silence as f64,
            underruns: stats.underruns as f64,
            queued: state.queued as f64,
            room: state.room,
            over: state.over,
        }
    }
}

impl Drop for AudioFeed {
    /// Its JavaScript thread has ended, or has forgotten it: nobody can write any more.
    fn drop(&mut self) {
        self.feed.close();
    }
}
