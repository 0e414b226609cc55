//! How what one sender is given gets out: encoded, or as it came from another connection.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};

use ossa_codec::pcm::Loudness;
use ossa_codec::track::{Attachment, Track, Watch};
use ossa_media::{Codec, Kind};
use ossa_peer::TransceiverId;

use super::Common;
use super::audio_sender::{AudioSender, ToneError};
use super::forwarder::{Destination, Forwarder, Forwarding, counterpart};
use crate::audio::tones::Tone;
use crate::encoded::{EncodedSource, EncodedTrack, Layer, Limit, Pictures};
use crate::threads::{Effort, Strand, Work, lock};

/// One sender, from its first track on for as long as its transceiver.
pub(super) struct Sender {
    common: Arc<Common>,
    id: TransceiverId,
    /// Timestamps go on with the next track.
    audio: Arc<AudioSender>,
    given: Mutex<Given>,
    /// Who is asked for key frames, and told what can be sent. By itself, as the connection is locked then, and must not be while `given` is.
    upstream: Mutex<Option<Upstream>>,
    /// Go on whatever is forwarded.
    pictures: Arc<Mutex<Pictures>>,
    strand: Strand,
}

/// Where key frames come from, and of which layer they are wanted.
type Upstream = (EncodedSource, Option<Arc<Layer>>);

#[derive(Default)]
struct Given {
    /// A track of samples, and what it is decoded from.
    samples: Option<(Watch, Option<EncodedSource>)>,
    route: Route,
}

#[derive(Default)]
enum Route {
    #[default]
    Nothing,
    Encoded {
        _attachment: Attachment,
    },
    Forwarded {
        forwarding: Forwarding,
    },
}

impl Sender {
    pub(super) fn new(common: Arc<Common>, id: TransceiverId) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            audio: AudioSender::new(common.clone(), id),
            common,
            id,
            given: Mutex::default(),
            upstream: Mutex::default(),
            pictures: Arc::default(),
            strand: Strand::new(Effort::Pass, this.clone()),
        })
    }

    /// From now on it sends this track of samples; `None`: nothing.
    pub(super) fn give_samples(&self, track: Option<&Track>) {
        let mut given = lock(&self.given);
        given.samples = track.map(|track| {
            let origin =
                track.source().origin().and_then(|origin| origin.downcast_ref::<EncodedSource>()).cloned();
            (track.watch(), origin)
        });
        // The one before lets go first: nothing of it comes behind what the new one gives.
        given.route = Route::Nothing;
        *lock(&self.upstream) = None;
        self.find_route(&mut given);
    }

    /// From now on it sends this track as it is; `None`: nothing.
    pub(super) fn give_encoded(&self, track: Option<&EncodedTrack>) {
        let mut given = lock(&self.given);
        given.samples = None;
        self.forget_limit();
        self.strand.wake();
        *lock(&self.upstream) = track.map(|track| (track.source(), track.layer().cloned()));
        if let (Route::Forwarded { forwarding }, Some(track)) = (&mut given.route, track)
            && forwarding.change(track)
        {
            return;
        }
        given.route = Route::Nothing;
        if let Some(track) = track {
            let forwarding = Forwarder::start(self.destination(), track);
            given.route = Route::Forwarded { forwarding };
        }
    }

    /// A tone, in place of all else.
    pub(super) fn play_tone(&self, tone: Tone) -> Result<(), ToneError> {
        self.audio.play_tone(tone)
    }

    /// Packets that were not sent, whatever it was given.
    pub(super) fn discarded(&self) -> u64 {
        self.audio.discarded()
    }

    fn destination(&self) -> Destination {
        Destination {
            common: self.common.clone(),
            id: self.id,
            audio: self.audio.clone(),
            pictures: self.pictures.clone(),
        }
    }

    /// How loud what it was given is and was, if that are samples of a track that is still there.
    pub(super) fn loudness(&self) -> Option<Loudness> {
        lock(&self.given).samples.as_ref().and_then(|(watch, _)| watch.loudness())
    }

    /// Whether what it was given is encoded here.
    pub(super) fn encodes(&self) -> bool {
        matches!(lock(&self.given).route, Route::Encoded { .. })
    }

    /// What was negotiated may have changed. May be called with the connection locked.
    pub(super) fn changed(&self) {
        self.strand.wake();
    }

    /// The other side can't go on without a key frame. As [`Self::changed`].
    pub(super) fn request_key_frame(&self) {
        if let Some((source, layer)) = &*lock(&self.upstream)
            && let Some(origin) = source.origin()
        {
            origin.request_key_frame(layer.as_deref());
        }
    }

    /// Tells who has made what is sent how much of it can be.
    fn tell_limit(&self) {
        let Some(kind) = lock(&self.upstream).as_ref().map(|(source, _)| source.kind()) else { return };
        let sections = self.common.sections();
        let own = sections.iter().find(|section| section.transceiver == self.id);
        let wanted = own.and_then(|own| own.send.encodings.first()?.max_bitrate);
        let videos = sections.iter().filter(|section| section.kind == Kind::Video && section.send.active);
        let target = self.common.video_target.load(Ordering::Relaxed);
        let share = target / (videos.count() as u64).max(1);
        let share = Some(share).filter(|share| kind == Kind::Video && *share > 0);
        let peer = self.common.peer.upgrade();
        let payload =
            peer.and_then(|peer| peer.with(|connection, _| connection.max_payload(self.id, 0)).ok());
        // Before it is connected nothing is sent.
        let Some(payload) = payload.flatten() else { return };
        let limit = Limit { bps: share.into_iter().chain(wanted).min(), payload };
        // Only whoever is upstream now: who was before is not concerned any more.
        if let Some((source, _)) = &*lock(&self.upstream)
            && let Some(origin) = source.origin()
        {
            origin.limit(self.name(), Some(limit));
        }
    }

    fn forget_limit(&self) {
        if let Some((source, _)) = lock(&self.upstream).take()
            && let Some(origin) = source.origin()
        {
            origin.limit(self.name(), None);
        }
    }

    /// As long as it is there, nobody else has this one.
    fn name(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// As it came, if both connections have the codec, and encoded anew if not.
    fn find_route(&self, given: &mut Given) {
        let Some((watch, origin)) = &given.samples else { return };
        match origin.as_ref().filter(|origin| self.takes(origin)) {
            Some(_) if matches!(given.route, Route::Forwarded { .. }) => {}
            Some(origin) => {
                let watch = watch.clone();
                *lock(&self.upstream) = Some((origin.clone(), None));
                given.route = Route::Nothing;
                let forwarding = Forwarder::start_gated(self.destination(), origin, watch);
                given.route = Route::Forwarded { forwarding };
            }
            None if matches!(given.route, Route::Encoded { .. }) => {}
            None => {
                *lock(&self.upstream) = None;
                given.route = Route::Nothing;
                if let Some(attachment) = watch.attach(self.audio.clone()) {
                    given.route = Route::Encoded { _attachment: attachment };
                }
            }
        }
    }

    /// Whether the other side takes what a source usually gives.
    fn takes(&self, source: &EncodedSource) -> bool {
        let formats = source.origin().map(|origin| origin.formats()).unwrap_or_default();
        let beside = |codec| matches!(codec, Codec::TelephoneEvent | Codec::ComfortNoise);
        let Some(format) = formats.into_iter().find(|format| !beside(format.codec)) else { return false };
        let send = self.common.parameters(self.id).map(|parameters| parameters.send);
        source.kind() == Kind::Audio
            && send.is_some_and(|send| counterpart(&format, &send.payloads).is_some())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.forget_limit();
    }
}

impl Work for Sender {
    fn work(&self) {
        self.find_route(&mut lock(&self.given));
        self.tell_limit();
    }

    fn crashed(&self) {
        *lock(&self.given) = Given::default();
    }
}
