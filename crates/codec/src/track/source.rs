use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::lock;
use crate::pcm::{Block, Loudness};

/// Takes the audio of a track.
pub trait Sink: Send + Sync {
    /// The next block. Called on whatever thread has it, with locks held: must neither block, nor work for long, nor call the track.
    fn take(&self, block: &Block);

    /// No block comes any more: the source has ended, or the track was stopped.
    fn end(&self);
}

/// Where audio arises. Copies are the same source.
#[derive(Clone, Default)]
pub struct Source {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    origin: Option<Arc<dyn Any + Send + Sync>>,
    tracks: Mutex<Vec<Weak<TrackState>>>,
    loudness: Mutex<Loudness>,
    ended: AtomicBool,
}

struct TrackState {
    source: Arc<Shared>,
    enabled: AtomicBool,
    stopped: AtomicBool,
    sinks: Mutex<Vec<Arc<dyn Sink>>>,
}

impl Source {
    /// Without tracks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whose audio is decoded from `origin`: who can take that, need not have it decoded.
    pub fn decoded_from(origin: Arc<dyn Any + Send + Sync>) -> Self {
        Self { shared: Arc::new(Shared { origin: Some(origin), ..Shared::default() }) }
    }

    /// What its audio is decoded from, if it is.
    pub fn origin(&self) -> Option<&Arc<dyn Any + Send + Sync>> {
        self.shared.origin.as_ref()
    }

    /// A new track, enabled and live, unless the source has ended.
    pub fn track(&self) -> Track {
        let state = TrackState {
            source: self.shared.clone(),
            enabled: true.into(),
            stopped: false.into(),
            sinks: Mutex::default(),
        };
        let state = Arc::new(state);
        let mut tracks = lock(&self.shared.tracks);
        tracks.retain(|track| track.strong_count() > 0);
        tracks.push(Arc::downgrade(&state));
        Track { state }
    }

    /// Gives a block to all sinks. After the end nothing happens.
    pub fn push(&self, block: &Block) {
        if self.has_ended() {
            return;
        }
        lock(&self.shared.loudness).add(block);
        let mut silence = None;
        for track in self.live_tracks() {
            let enabled = track.enabled.load(Ordering::Relaxed);
            let block = if enabled { block } else { silence.get_or_insert_with(|| block.silenced()) };
            lock(&track.sinks).iter().for_each(|sink| sink.take(block));
        }
    }

    /// No more comes: all tracks are over, and their sinks are told.
    pub fn end(&self) {
        if !self.shared.ended.swap(true, Ordering::Relaxed) {
            self.live_tracks().for_each(|track| track.finish());
        }
    }

    /// Whether [`Self::end`] was called.
    pub fn has_ended(&self) -> bool {
        self.shared.ended.load(Ordering::Relaxed)
    }

    /// Whether anybody can hear it: a track is left that was not stopped.
    pub fn is_heard(&self) -> bool {
        self.live_tracks().next().is_some()
    }

    /// Whether anybody listens: a track is left that was not stopped and has a sink.
    pub fn is_taken(&self) -> bool {
        self.live_tracks().any(|track| !lock(&track.sinks).is_empty())
    }

    /// How loud it is and was.
    pub fn loudness(&self) -> Loudness {
        *lock(&self.shared.loudness)
    }

    /// Most sources have one track, which costs no allocation: they are asked for several times in each 10 ms of each call.
    fn live_tracks(&self) -> impl Iterator<Item = Arc<TrackState>> + use<> {
        let tracks = lock(&self.shared.tracks);
        let mut live = tracks
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|track: &Arc<TrackState>| !track.stopped.load(Ordering::Relaxed));
        let first = live.next();
        let others: Vec<Arc<TrackState>> = live.collect();
        first.into_iter().chain(others)
    }
}

impl TrackState {
    fn is_live(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed) && !self.source.ended.load(Ordering::Relaxed)
    }

    fn finish(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        let sinks = std::mem::take(&mut *lock(&self.sinks));
        sinks.iter().for_each(|sink| sink.end());
    }
}

/// One way from a source to sinks, that can be silenced and stopped by itself (W3C: `MediaStreamTrack`). Dropped, it is stopped.
pub struct Track {
    state: Arc<TrackState>,
}

impl Track {
    /// Another track of the same source: as enabled and as live as this one, without its sinks.
    pub fn duplicate(&self) -> Track {
        let source = self.source();
        let track = source.track();
        track.set_enabled(self.is_enabled());
        if !self.is_live() {
            track.stop();
        }
        track
    }

    /// Where its audio comes from.
    pub fn source(&self) -> Source {
        Source { shared: self.state.source.clone() }
    }

    /// Sound, or silence of the same length.
    pub fn set_enabled(&self, enabled: bool) {
        self.state.enabled.store(enabled, Ordering::Relaxed);
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

    /// How loud it is now; silence if it is not enabled or not live. Energy and duration are those of the source.
    pub fn loudness(&self) -> Loudness {
        let loudness = self.source().loudness();
        let heard = self.is_enabled() && self.is_live();
        if heard { loudness } else { Loudness { level: Default::default(), ..loudness } }
    }

    /// Tells what becomes of it, also when it is dropped.
    pub fn watch(&self) -> Watch {
        Watch { track: Arc::downgrade(&self.state) }
    }

    /// From now on the sink gets every block, until the attachment is dropped. A track that is over ends the sink at once.
    pub fn attach(&self, sink: Arc<dyn Sink>) -> Attachment {
        attach(&self.state, sink)
    }
}

fn attach(track: &Arc<TrackState>, sink: Arc<dyn Sink>) -> Attachment {
    let mut sinks = lock(&track.sinks);
    if track.is_live() {
        sinks.push(sink.clone());
    } else {
        drop(sinks);
        sink.end();
    }
    Attachment { track: Arc::downgrade(track), sink }
}

impl Drop for Track {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells what has become of a track, without keeping it.
#[derive(Clone)]
pub struct Watch {
    track: Weak<TrackState>,
}

impl Watch {
    /// Neither stopped, nor dropped, nor at the end of its source.
    pub fn is_live(&self) -> bool {
        self.track.upgrade().is_some_and(|track| track.is_live())
    }

    /// How loud its source is and was; `None` if it was dropped.
    pub fn loudness(&self) -> Option<Loudness> {
        self.track.upgrade().map(|track| *lock(&track.source.loudness))
    }

    /// As [`Track::attach`]; `None` if the track was dropped.
    pub fn attach(&self, sink: Arc<dyn Sink>) -> Option<Attachment> {
        Some(attach(&self.track.upgrade()?, sink))
    }

    /// Live and not silenced.
    pub fn is_heard(&self) -> bool {
        self.is_live() && self.track.upgrade().is_some_and(|track| track.enabled.load(Ordering::Relaxed))
    }
}

/// Keeps a sink at its track.
pub struct Attachment {
    track: Weak<TrackState>,
    sink: Arc<dyn Sink>,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(track) = self.track.upgrade() {
            lock(&track.sinks).retain(|sink| !Arc::ptr_eq(sink, &self.sink));
        }
    }
}
