use napi_derive::napi;
use ossa_tracks::EncodedTrack as Track;

/// The native side of a `MediaStreamTrack` whose media is encoded already.
#[napi]
pub struct EncodedTrack {
    track: Track,
}

impl EncodedTrack {
    pub(super) fn new(track: Track) -> Self {
        Self { track }
    }

    /// What a sender takes.
    pub(super) fn track(&self) -> &Track {
        &self.track
    }
}

#[napi]
impl EncodedTrack {
    /// Whether anything comes out. Who goes on after a pause gets a key frame first.
    #[napi]
    pub fn set_enabled(&self, enabled: bool) {
        self.track.set_enabled(enabled);
    }

    /// Another track of the same source, as enabled and as live.
    #[napi]
    pub fn duplicate(&self) -> EncodedTrack {
        Self::new(self.track.duplicate())
    }

    /// Nothing comes out any more.
    #[napi]
    pub fn stop(&self) {
        self.track.stop();
    }
}
