use napi_derive::napi;
use ossa_codec::track::Track;
use ossa_tracks::EncodedSource;

use super::encoded_track::EncodedTrack;

/// The native side of a `MediaStreamTrack` of audio.
#[napi]
pub struct AudioTrack {
    track: Track,
}

impl AudioTrack {
    pub(super) fn new(track: Track) -> Self {
        Self { track }
    }

    /// What a sender attaches itself to.
    pub(crate) fn track(&self) -> &Track {
        &self.track
    }
}

#[napi]
impl AudioTrack {
    /// Sound, or silence of the same length.
    #[napi]
    pub fn set_enabled(&self, enabled: bool) {
        self.track.set_enabled(enabled);
    }

    /// Another track of the same source, as enabled and as live.
    #[napi]
    pub fn duplicate(&self) -> AudioTrack {
        Self::new(self.track.duplicate())
    }

    /// What it is decoded from, as a track of its own; none for samples that have arisen here.
    #[napi]
    pub fn encoded(&self) -> Option<EncodedTrack> {
        let source = self.track.source();
        let origin = source.origin().and_then(|origin| origin.downcast_ref::<EncodedSource>());
        origin.map(|origin| EncodedTrack::new(origin.track()))
    }

    /// Nothing comes out any more.
    #[napi]
    pub fn stop(&self) {
        self.track.stop();
    }

    /// The largest sample of the last 10 ms, 0 to 1 (webrtc-stats, `audioLevel`).
    #[napi]
    pub fn level(&self) -> f64 {
        self.track.loudness().level.peak.into()
    }
}
