//! How what one sender is given gets out: encoded, or as it came from another connection.

use std::sync::{Arc, Mutex, Weak};

use ossa_codec::pcm::Loudness;
use ossa_codec::track::{Attachment, Track, Watch};
use ossa_media::Kind;
use ossa_peer::TransceiverId;

use super::Common;
use super::audio_sender::AudioSender;
use super::forwarder::{Forwarder, Forwarding, counterpart};
use crate::encoded::{EncodedSource, EncodedTrack, Layer, Pictures};
use crate::threads::{Strand, Work, lock};

/// One sender, from its first track on for as long as its transceiver.
pub(super) struct Sender {
    common: Arc<Common>,
    id: TransceiverId,
    /// Timestamps go on with the next track.
    audio: Arc<AudioSender>,
    given: Mutex<Given>,
    /// Who is asked for key frames. By itself, as the connection is locked then, and must not be while `given` is.
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
            strand: Strand::new(this.clone()),
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
        *lock(&self.upstream) = track.map(|track| (track.source(), track.layer().cloned()));
        if let (Route::Forwarded { forwarding }, Some(track)) = (&mut given.route, track)
            && forwarding.change(track)
        {
            return;
        }
        given.route = Route::Nothing;
        if let Some(track) = track {
            let (common, pictures) = (self.common.clone(), self.pictures.clone());
            let forwarding = Forwarder::start(common, self.id, pictures, track);
            given.route = Route::Forwarded { forwarding };
        }
    }

    /// How loud what it was given is and was, if that are samples of a track that is still there.
    pub(super) fn loudness(&self) -> Option<Loudness> {
        lock(&self.given).samples.as_ref().and_then(|(watch, _)| watch.loudness())
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

    /// As it came, if both connections have the codec, and encoded anew if not.
    fn find_route(&self, given: &mut Given) {
        let Some((watch, origin)) = &given.samples else { return };
        match origin.as_ref().filter(|origin| self.takes(origin)) {
            Some(_) if matches!(given.route, Route::Forwarded { .. }) => {}
            Some(origin) => {
                let (common, watch) = (self.common.clone(), watch.clone());
                *lock(&self.upstream) = Some((origin.clone(), None));
                given.route = Route::Nothing;
                let forwarding = Forwarder::start_gated(common, self.id, origin, watch);
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
        let Some(format) = source.origin().and_then(|origin| origin.formats().into_iter().next()) else {
            return false;
        };
        let send = self.common.parameters(self.id).map(|parameters| parameters.send);
        source.kind() == Kind::Audio
            && send.is_some_and(|send| counterpart(&format, &send.payloads).is_some())
    }
}

impl Work for Sender {
    fn work(&self) {
        self.find_route(&mut lock(&self.given));
    }

    fn crashed(&self) {
        *lock(&self.given) = Given::default();
    }
}
