use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use ossa_media::{Kind, Payload, ReceivedFrame, RtpPacket};

use crate::threads::lock;

/// What encoded media arises from, and what those who take it can ask of it.
pub trait Origin: Send + Sync {
    /// What a payload type of its packets is. Called with nothing locked.
    fn format(&self, payload: u8) -> Option<Payload>;

    /// All that may come, the usual one first. Called with nothing locked.
    fn formats(&self) -> Vec<Payload>;

    /// Somebody can't go on without a key frame, of one layer of simulcast or of all that comes. Must neither block nor call back: it
    /// may be called with connections locked.
    fn request_key_frame(&self, layer: Option<&Layer>);

    /// Whether anybody takes packets. As [`Self::request_key_frame`].
    fn want_packets(&self, wanted: bool);

    /// What one of those who take it can send; `None`: it takes nothing any more. `who` is a number of its own. As
    /// [`Self::request_key_frame`]. Who can't choose need not care.
    fn limit(&self, _who: usize, _limit: Option<Limit>) {}
}

/// What can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// In bit/s, if that is known.
    pub bps: Option<u64>,
    /// Bytes of payload in a packet.
    pub payload: usize,
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

/// Layers that are remembered: simulcast has three or four. Who negotiates no names could send any number of them.
const MOST_LAYERS: usize = 16;

/// One layer of simulcast: a stream with a name (RFC 8852).
#[derive(Debug)]
pub struct Layer {
    rid: String,
    /// Its SSRC, or more than an SSRC can be.
    ssrc: AtomicU64,
}

impl Layer {
    fn new(rid: &str) -> Self {
        Self { rid: rid.to_owned(), ssrc: u64::MAX.into() }
    }

    /// Whether a stream is this layer's.
    pub(crate) fn is(&self, ssrc: u32) -> bool {
        self.ssrc() == Some(ssrc)
    }

    /// Its stream, once something has come of it.
    pub fn ssrc(&self) -> Option<u32> {
        u32::try_from(self.ssrc.load(Ordering::Relaxed)).ok()
    }
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
    layers: Mutex<Vec<Arc<Layer>>>,
    takers: Takers,
    ended: AtomicBool,
}

/// Whether anybody takes packets or frames: who forwards to a hundred connections takes no frames, and need not be asked a hundred times for each.
#[derive(Default)]
struct Takers {
    /// Whoever counts holds it, so that the last count is of what there is.
    counting: Mutex<()>,
    packets: AtomicBool,
    frames: AtomicBool,
}

struct TrackState {
    source: Arc<Shared>,
    /// Nothing but this comes out.
    layer: Option<Arc<Layer>>,
    enabled: AtomicBool,
    stopped: AtomicBool,
    sinks: Mutex<Vec<Arc<dyn EncodedSink>>>,
}

impl EncodedSource {
    /// Without tracks.
    pub fn new(kind: Kind, origin: Weak<dyn Origin>) -> Self {
        let (tracks, layers) = (Mutex::default(), Mutex::default());
        let shared = Shared { kind, origin, tracks, layers, takers: Takers::default(), ended: false.into() };
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
        self.track_of(None)
    }

    /// As [`Self::track`], of one layer of simulcast only; something may come of it at any time or never.
    pub fn layer_track(&self, rid: &str) -> EncodedTrack {
        let mut layers = lock(&self.shared.layers);
        let layer = layers.iter().find(|layer| layer.rid == rid).cloned().unwrap_or_else(|| {
            let layer = Arc::new(Layer::new(rid));
            layers.push(layer.clone());
            layer
        });
        drop(layers);
        self.track_of(Some(layer))
    }

    /// A layer of simulcast is this stream from now on.
    pub fn set_layer(&self, rid: &str, ssrc: u32) {
        let mut layers = lock(&self.shared.layers);
        if !layers.iter().any(|layer| layer.rid == rid) && layers.len() < MOST_LAYERS {
            layers.push(Arc::new(Layer::new(rid)));
        }
        for layer in layers.iter() {
            if layer.rid == rid {
                layer.ssrc.store(ssrc.into(), Ordering::Relaxed);
            } else if layer.is(ssrc) {
                layer.ssrc.store(u64::MAX, Ordering::Relaxed);
            }
        }
    }

    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    fn track_of(&self, layer: Option<Arc<Layer>>) -> EncodedTrack {
        let state = Arc::new(TrackState {
            source: self.shared.clone(),
            layer,
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
        if !self.shared.takers.packets.load(Ordering::Acquire) {
            return;
        }
        let packet = Arc::new(packet);
        self.shared.each(packet.ssrc, |sink| {
            if sink.takes_packets() {
                sink.packet(&packet);
            }
        });
    }

    /// Gives a frame to all who take frames.
    pub fn push_frame(&self, ssrc: u32, frame: ReceivedFrame) {
        if !self.shared.takers.frames.load(Ordering::Acquire) {
            return;
        }
        let frame = Arc::new(frame);
        self.shared.each(ssrc, |sink| {
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

    fn each(&self, ssrc: u32, mut give: impl FnMut(&Arc<dyn EncodedSink>)) {
        if self.ended.load(Ordering::Relaxed) {
            return;
        }
        for track in lock(&self.tracks).iter().filter_map(Weak::upgrade) {
            // A track that is not enabled gives nothing: there is no telling what a black picture looks like here.
            let carries = track.layer.as_ref().is_none_or(|layer| layer.is(ssrc));
            let gives = !track.stopped.load(Ordering::Relaxed) && track.enabled.load(Ordering::Relaxed);
            if carries && gives {
                lock(&track.sinks).iter().for_each(&mut give);
            }
        }
    }

    /// Tells the origin who is there now.
    fn recount(&self) {
        let _counting = lock(&self.takers.counting);
        let live = self.live();
        let any = |packets| {
            let takes = |sink: &Arc<dyn EncodedSink>| sink.takes_packets() == packets;
            live.iter().any(|track| lock(&track.sinks).iter().any(takes))
        };
        let wanted = any(true);
        self.takers.packets.store(wanted, Ordering::Release);
        self.takers.frames.store(any(false), Ordering::Release);
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

    fn request_key_frame(&self) {
        if let Some(origin) = self.source.origin.upgrade() {
            origin.request_key_frame(self.layer.as_deref());
        }
    }
}

/// One way from an encoded source to sinks (W3C: `MediaStreamTrack`). Dropped, it is stopped.
pub struct EncodedTrack {
    state: Arc<TrackState>,
}

impl EncodedTrack {
    /// Another track of the same source: as enabled and as live as this one, without its sinks.
    pub fn duplicate(&self) -> EncodedTrack {
        let track = self.source().track_of(self.state.layer.clone());
        track.set_enabled(self.is_enabled());
        if !self.is_live() {
            track.stop();
        }
        track
    }

    /// The layer of simulcast that comes out; `None`: all that comes.
    pub(crate) fn layer(&self) -> Option<&Arc<Layer>> {
        self.state.layer.as_ref()
    }

    /// Where its media comes from.
    pub fn source(&self) -> EncodedSource {
        EncodedSource { shared: self.state.source.clone() }
    }

    /// Whether anything is given. Who goes on after a pause needs a key frame.
    pub fn set_enabled(&self, enabled: bool) {
        let before = self.state.enabled.swap(enabled, Ordering::Relaxed);
        if enabled && !before {
            self.state.request_key_frame();
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
        self.state.request_key_frame();
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
