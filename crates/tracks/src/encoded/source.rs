use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use ossa_media::{Kind, Payload, ReceivedFrame, RtpPacket};

use crate::threads::lock;

/// What encoded media arises from, and what those who take it can ask of it.
pub trait Origin: Send + Sync {
    /// What a payload type of its packets is. Called with nothing locked.
    fn format(&self, payload: u8) -> Option<Payload>;

    /// All that may come, the usual one first. Called with nothing locked.
    fn formats(&self) -> Vec<Payload>;

    /// Somebody can't go on without a key frame. Must neither block nor call back: it may be called with connections locked.
    fn request_key_frame(&self);

    /// Whether anybody takes packets. As [`Self::request_key_frame`].
    fn want_packets(&self, wanted: bool);
}

/// Takes the encoded media of a track.
pub trait EncodedSink: Send + Sync {
    /// Whether packets are taken as they come, instead of frames.
    fn takes_packets(&self) -> bool;

    /// The next packet. Called with locks held: must neither block, nor work for long, nor call the track.
    fn packet(&self, packet: &Arc<RtpPacket>);

    /// The next frame of a stream. As [`Self::packet`].
    fn frame(&self, ssrc: u32, frame: &Arc<ReceivedFrame>);

    /// Nothing comes any more.
    fn end(&self);
}

/// Where encoded media arises. Copies are the same source.
#[derive(Clone)]
pub struct EncodedSource {
    shared: Arc<Shared>,
}

struct Shared {
    kind: Kind,
    origin: Weak<dyn Origin>,
    tracks: Mutex<Vec<Weak<TrackState>>>,
    ended: AtomicBool,
}

struct TrackState {
    source: Arc<Shared>,
    enabled: AtomicBool,
    stopped: AtomicBool,
    sinks: Mutex<Vec<Arc<dyn EncodedSink>>>,
}

impl EncodedSource {
    /// Without tracks.
    pub fn new(kind: Kind, origin: Weak<dyn Origin>) -> Self {
        let shared = Shared { kind, origin, tracks: Mutex::default(), ended: false.into() };
        Self { shared: Arc::new(shared) }
    }

    /// Audio or video.
    pub fn kind(&self) -> Kind {
        self.shared.kind
    }

    /// What it arises from, as long as that is there.
    pub fn origin(&self) -> Option<Arc<dyn Origin>> {
        self.shared.origin.upgrade()
    }

    /// A new track, enabled and live, unless the source has ended.
    pub fn track(&self) -> EncodedTrack {
        let state = Arc::new(TrackState {
            source: self.shared.clone(),
            enabled: true.into(),
            stopped: false.into(),
            sinks: Mutex::default(),
        });
        let mut tracks = lock(&self.shared.tracks);
        tracks.retain(|track| track.strong_count() > 0);
        tracks.push(Arc::downgrade(&state));
        EncodedTrack { state }
    }

    /// Gives a packet to all who take packets.
    pub fn push_packet(&self, packet: RtpPacket) {
        let packet = Arc::new(packet);
        self.shared.each(|sink| {
            if sink.takes_packets() {
                sink.packet(&packet);
            }
        });
    }

    /// Gives a frame to all who take frames.
    pub fn push_frame(&self, ssrc: u32, frame: ReceivedFrame) {
        let frame = Arc::new(frame);
        self.shared.each(|sink| {
            if !sink.takes_packets() {
                sink.frame(ssrc, &frame);
            }
        });
    }

    /// No more comes: all tracks are over, and their sinks are told.
    pub fn end(&self) {
        if !self.shared.ended.swap(true, Ordering::Relaxed) {
            self.shared.live().iter().for_each(|track| track.finish());
        }
    }

    /// Whether [`Self::end`] was called.
    pub fn has_ended(&self) -> bool {
        self.shared.ended.load(Ordering::Relaxed)
    }

    /// Whether anybody takes anything.
    pub fn is_taken(&self) -> bool {
        self.shared.live().iter().any(|track| !lock(&track.sinks).is_empty())
    }
}

impl Shared {
    fn live(&self) -> Vec<Arc<TrackState>> {
        let tracks = lock(&self.tracks);
        let tracks = tracks.iter().filter_map(Weak::upgrade);
        tracks.filter(|track| !track.stopped.load(Ordering::Relaxed)).collect()
    }

    fn each(&self, mut give: impl FnMut(&Arc<dyn EncodedSink>)) {
        if self.ended.load(Ordering::Relaxed) {
            return;
        }
        for track in self.live() {
            // A track that is not enabled gives nothing: there is no telling what a black picture looks like here.
            if track.enabled.load(Ordering::Relaxed) {
                lock(&track.sinks).iter().for_each(&mut give);
            }
        }
    }

    /// Tells the origin who is there now.
    fn recount(&self) {
        let wanted =
            self.live().iter().any(|track| lock(&track.sinks).iter().any(|sink| sink.takes_packets()));
        if let Some(origin) = self.origin.upgrade() {
            origin.want_packets(wanted);
        }
    }
}

impl TrackState {
    fn finish(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        let sinks = std::mem::take(&mut *lock(&self.sinks));
        sinks.iter().for_each(|sink| sink.end());
        self.source.recount();
    }

    fn is_live(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed) && !self.source.ended.load(Ordering::Relaxed)
    }
}

/// One way from an encoded source to sinks (W3C: `MediaStreamTrack`). Dropped, it is stopped.
pub struct EncodedTrack {
    state: Arc<TrackState>,
}

impl EncodedTrack {
    /// Another track of the same source: as enabled and as live as this one, without its sinks.
    pub fn duplicate(&self) -> EncodedTrack {
        let track = self.source().track();
        track.set_enabled(self.is_enabled());
        if !self.is_live() {
            track.stop();
        }
        track
    }

    /// Where its media comes from.
    pub fn source(&self) -> EncodedSource {
        EncodedSource { shared: self.state.source.clone() }
    }

    /// Whether anything is given. Who goes on after a pause needs a key frame.
    pub fn set_enabled(&self, enabled: bool) {
        let before = self.state.enabled.swap(enabled, Ordering::Relaxed);
        if enabled
            && !before
            && let Some(origin) = self.state.source.origin.upgrade()
        {
            origin.request_key_frame();
        }
    }

    /// What was set; true at first.
    pub fn is_enabled(&self) -> bool {
        self.state.enabled.load(Ordering::Relaxed)
    }

    /// Neither stopped nor at the end of its source.
    pub fn is_live(&self) -> bool {
        self.state.is_live()
    }

    /// Nothing comes out any more; the sinks are told.
    pub fn stop(&self) {
        self.state.finish();
    }

    /// From now on the sink gets all that comes, until the attachment is dropped; a key frame is asked for. A track that is over ends
    /// the sink at once.
    pub fn attach(&self, sink: Arc<dyn EncodedSink>) -> EncodedAttachment {
        let attachment = EncodedAttachment { track: Arc::downgrade(&self.state), sink: sink.clone() };
        {
            let mut sinks = lock(&self.state.sinks);
            if !self.is_live() {
                drop(sinks);
                sink.end();
                return attachment;
            }
            sinks.push(sink);
        }
        self.state.source.recount();
        if let Some(origin) = self.state.source.origin.upgrade() {
            origin.request_key_frame();
        }
        attachment
    }
}

impl Drop for EncodedTrack {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Keeps a sink at its track.
pub struct EncodedAttachment {
    track: Weak<TrackState>,
    sink: Arc<dyn EncodedSink>,
}

impl Drop for EncodedAttachment {
    fn drop(&mut self) {
        if let Some(track) = self.track.upgrade() {
            lock(&track.sinks).retain(|sink| !Arc::ptr_eq(sink, &self.sink));
            track.source.recount();
        }
    }
}
