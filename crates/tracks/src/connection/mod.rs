//! The tracks of one connection: what its senders send, and what its receivers give.

mod audio_receiver;
mod audio_sender;
mod episode;
mod forwarder;
mod remote;
mod sender;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ossa_codec::pcm::Loudness;
use ossa_codec::track::Track;
use ossa_media::{Kind, MediaEvent, ReceiverId, SenderId};
use ossa_net::{Peer, WeakPeer};
use ossa_peer::{SectionParameters, TransceiverId};

pub use self::audio_receiver::AudioReceived;
use self::audio_receiver::AudioReceiver;
pub use self::audio_sender::ToneError;
use self::remote::Remote;
use self::sender::Sender;
use crate::audio::tones::Tone;
use crate::encoded::EncodedTrack;
use crate::threads::lock;

/// What all senders and receivers of a connection have in common.
struct Common {
    peer: WeakPeer,
    /// Grows whenever what was negotiated may have changed.
    version: AtomicU64,
    /// What all senders together may send, in bit/s; 0: nothing is known.
    target: AtomicU64,
    /// What encoders of video should make of it together; 0: nothing is known.
    video_target: AtomicU64,
    closed: AtomicBool,
    fault: OnFault,
}

/// Is told why what a sender was given does not go out, for people. Called by a worker, with nothing locked.
pub type OnFault = Box<dyn Fn(TransceiverId, String) + Send + Sync>;

impl Common {
    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// What was negotiated for a transceiver; `None` before anything was, and after the end.
    fn parameters(&self, id: TransceiverId) -> Option<SectionParameters> {
        self.sections().into_iter().find(|section| section.transceiver == id)
    }

    /// What was negotiated for all transceivers.
    fn sections(&self) -> Vec<SectionParameters> {
        let peer = self.peer.upgrade();
        let sections = peer.and_then(|peer| peer.with(|connection, _| connection.media_parameters()).ok());
        sections.unwrap_or_default()
    }
}

/// The tracks of one connection.
pub struct Tracks {
    common: Arc<Common>,
    /// Neither table is locked while a connection is used: events come with it locked.
    senders: Mutex<HashMap<TransceiverId, Arc<Sender>>>,
    receivers: Mutex<HashMap<TransceiverId, Receiver>>,
}

#[derive(Clone)]
struct Receiver {
    /// What comes, before it is decoded.
    remote: Arc<Remote>,
    /// Once somebody has asked for samples.
    audio: Option<Arc<AudioReceiver>>,
}

impl Receiver {
    fn end(&self) {
        self.remote.end();
        if let Some(audio) = &self.audio {
            audio.end();
        }
    }
}

impl Tracks {
    /// For a connection, which is not kept open by it.
    pub fn new(peer: &Peer, fault: OnFault) -> Self {
        let common = Common {
            peer: peer.downgrade(),
            version: 0.into(),
            target: 0.into(),
            video_target: 0.into(),
            closed: false.into(),
            fault,
        };
        Self { common: Arc::new(common), senders: Mutex::default(), receivers: Mutex::default() }
    }

    /// From now on a sender sends this track; `None`: nothing. A track that is over is as none.
    ///
    /// What another connection receives is sent on as it came, packet by packet, if both have its codec. Everything else is encoded as
    /// was negotiated.
    pub fn send_audio(&self, id: TransceiverId, track: Option<&Track>) {
        if let Some(sender) = self.sender(id, track.is_some()) {
            sender.give_samples(track);
        }
    }

    /// From now on a sender sends this track as it is; `None`: nothing. What the other side does not take is left out.
    pub fn send_encoded(&self, id: TransceiverId, track: Option<&EncodedTrack>) {
        if let Some(sender) = self.sender(id, track.is_some()) {
            sender.give_encoded(track);
        }
    }

    /// A sender of audio sends a tone of a telephone's keys (RFC 4733) in place of what it was given, when those before it are over. `event`: 0 to 9
    /// are digits, 10 is `*`, 11 is `#`, 12 to 15 are A to D. Where nothing is sent, or the other side takes no tones, nothing happens.
    ///
    /// # Errors
    /// Too many wait already, the connection is closed, or no thread can be had.
    pub fn play_tone(&self, id: TransceiverId, event: u8, duration: Duration) -> Result<(), ToneError> {
        let sender = self.sender(id, true).ok_or(ToneError::Closed)?;
        sender.play_tone(Tone { event, duration })
    }

    /// A track of what a receiver gets, decoded. May be asked for at any time; after the end it is over.
    pub fn receive_audio(&self, id: TransceiverId) -> Track {
        let mut receivers = lock(&self.receivers);
        let receiver = self.receiver_entry(&mut receivers, id, Kind::Audio);
        let audio = receiver
            .audio
            .get_or_insert_with(|| AudioReceiver::new(self.common.clone(), id, receiver.remote.source()));
        audio.source().track()
    }

    /// A track of what a receiver gets, as it came. May be asked for at any time; after the end it is over.
    pub fn receive_encoded(&self, id: TransceiverId, kind: Kind) -> EncodedTrack {
        let mut receivers = lock(&self.receivers);
        self.receiver_entry(&mut receivers, id, kind).remote.source().track()
    }

    /// A track of one layer of the simulcast that a receiver gets (RFC 8853), as it came. As [`Self::receive_encoded`].
    pub fn receive_layer(&self, id: TransceiverId, rid: &str) -> EncodedTrack {
        let mut receivers = lock(&self.receivers);
        self.receiver_entry(&mut receivers, id, Kind::Video).remote.source().layer_track(rid)
    }

    /// How loud what the sender of a transceiver was given is and was, if that are samples. Must not be called with a connection locked.
    pub fn loudness(&self, id: TransceiverId) -> Option<Loudness> {
        lock(&self.senders).get(&id).cloned()?.loudness()
    }

    /// How much work goes into a packet of Opus of a sender, 0 to 10; `None` if it encodes nothing. The same for all, as they share the processors.
    /// As [`Self::loudness`].
    pub fn encoder_complexity(&self, id: TransceiverId) -> Option<u8> {
        let encodes = lock(&self.senders).get(&id).cloned()?.encodes();
        encodes.then(audio_sender::complexity)
    }

    /// Packets of a sender that were not sent: they could not be encoded or sent on in time, were larger than the path carries, or the connection did
    /// not take them. `None` if it was never given anything.
    pub fn discarded(&self, id: TransceiverId) -> Option<u64> {
        Some(lock(&self.senders).get(&id)?.discarded())
    }

    /// What became of the audio of a receiver, once somebody has asked for it.
    pub fn audio_received(&self, id: TransceiverId) -> Option<AudioReceived> {
        let audio = lock(&self.receivers).get(&id)?.audio.clone()?;
        Some(audio.stats())
    }

    /// Something happened to the media of the connection. Called with the connection locked. What nobody has asked for is dropped.
    pub fn handle(&self, event: MediaEvent) {
        match event {
            MediaEvent::Frame { receiver, ssrc, frame } => {
                let Some(receiver) = self.receiver(receiver) else { return };
                match receiver.audio {
                    Some(audio) => {
                        receiver.remote.frame(ssrc, frame.clone());
                        audio.frame(ssrc, frame);
                    }
                    None => receiver.remote.frame(ssrc, frame),
                }
            }
            MediaEvent::Packet { receiver, packet } => {
                if let Some(receiver) = self.receiver(receiver) {
                    receiver.remote.packet(packet);
                }
            }
            MediaEvent::Mute { receiver } | MediaEvent::Bye { receiver, .. } => {
                if let Some(audio) = self.receiver(receiver).and_then(|receiver| receiver.audio) {
                    audio.pause();
                }
            }
            MediaEvent::TargetBitrate { bps, video } => {
                self.common.target.store(bps, Ordering::Relaxed);
                self.common.video_target.store(video, Ordering::Relaxed);
                lock(&self.senders).values().for_each(|sender| sender.changed());
            }
            MediaEvent::KeyFrameRequested { sender: SenderId(id), .. } => {
                let sender = lock(&self.senders).get(&TransceiverId(id)).cloned();
                if let Some(sender) = sender {
                    sender.request_key_frame();
                }
            }
            MediaEvent::StreamStarted { receiver, ssrc, rid } => {
                if let Some(receiver) = self.receiver(receiver) {
                    receiver.remote.started(ssrc, rid.as_deref());
                }
            }
            MediaEvent::Unmute { .. } | MediaEvent::LayerUnmute { .. } | MediaEvent::LayerMute { .. } => {}
        }
    }

    /// What was negotiated may have changed. Called with the connection locked.
    pub fn changed(&self) {
        self.common.version.fetch_add(1, Ordering::AcqRel);
        lock(&self.senders).values().for_each(|sender| sender.changed());
    }

    /// A transceiver is stopped: its sender sends nothing any more, and the track of its receiver is over.
    pub fn stop(&self, id: TransceiverId) {
        let sender = lock(&self.senders).remove(&id);
        let receiver = lock(&self.receivers).get(&id).cloned();
        drop(sender);
        if let Some(receiver) = receiver {
            receiver.end();
        }
    }

    /// The connection is closed: all of it is over.
    pub fn close(&self) {
        self.common.closed.store(true, Ordering::Release);
        let senders = std::mem::take(&mut *lock(&self.senders));
        let receivers = std::mem::take(&mut *lock(&self.receivers));
        drop(senders);
        receivers.values().for_each(Receiver::end);
    }

    fn sender(&self, id: TransceiverId, make: bool) -> Option<Arc<Sender>> {
        let mut senders = lock(&self.senders);
        if self.common.closed.load(Ordering::Acquire) || !make {
            return senders.get(&id).cloned();
        }
        Some(senders.entry(id).or_insert_with(|| Sender::new(self.common.clone(), id)).clone())
    }

    fn receiver(&self, id: ReceiverId) -> Option<Receiver> {
        lock(&self.receivers).get(&TransceiverId(id.0)).cloned()
    }

    fn receiver_entry<'a>(
        &self,
        receivers: &'a mut HashMap<TransceiverId, Receiver>,
        id: TransceiverId,
        kind: Kind,
    ) -> &'a mut Receiver {
        let receiver = receivers
            .entry(id)
            .or_insert_with(|| Receiver { remote: Remote::new(self.common.clone(), id, kind), audio: None });
        if self.common.closed.load(Ordering::Acquire) {
            receiver.end();
        }
        receiver
    }
}

impl Drop for Tracks {
    fn drop(&mut self) {
        self.close();
    }
}
