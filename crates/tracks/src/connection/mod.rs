//! The tracks of one connection: what its senders send, and what its receivers give.

mod audio_receiver;
mod audio_sender;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ossa_codec::track::{Attachment, Track};
use ossa_media::{MediaEvent, ReceiverId};
use ossa_net::{Peer, WeakPeer};
use ossa_peer::{SectionParameters, TransceiverId};

use self::audio_receiver::AudioReceiver;
use self::audio_sender::AudioSender;
use crate::threads::lock;

/// What all senders and receivers of a connection have in common.
struct Common {
    peer: WeakPeer,
    /// Grows whenever what was negotiated may have changed.
    version: AtomicU64,
    /// What all senders together may send, in bit/s; 0: nothing is known.
    target: AtomicU64,
    closed: AtomicBool,
}

impl Common {
    fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// What was negotiated for a transceiver; `None` before anything was, and after the end.
    fn parameters(&self, id: TransceiverId) -> Option<SectionParameters> {
        let parameters = self.peer.upgrade()?.with(|connection, _| connection.media_parameters()).ok()?;
        parameters.into_iter().find(|section| section.transceiver == id)
    }
}

/// The tracks of one connection.
pub struct Tracks {
    common: Arc<Common>,
    /// Each there from the first track on, for as long as the connection: timestamps go on with the next one.
    senders: Mutex<HashMap<TransceiverId, Sending>>,
    receivers: Mutex<HashMap<TransceiverId, Arc<AudioReceiver>>>,
}

struct Sending {
    sender: Arc<AudioSender>,
    /// To the track that is sent; dropped, nothing is.
    attachment: Option<Attachment>,
}

impl Tracks {
    /// For a connection, which is not kept open by it.
    pub fn new(peer: &Peer) -> Self {
        let common =
            Common { peer: peer.downgrade(), version: 0.into(), target: 0.into(), closed: false.into() };
        Self { common: Arc::new(common), senders: Mutex::default(), receivers: Mutex::default() }
    }

    /// From now on a sender sends this track, encoded as was negotiated; `None`: nothing. A track that is over is as none.
    pub fn send_audio(&self, id: TransceiverId, track: Option<&Track>) {
        let mut senders = lock(&self.senders);
        if self.common.closed.load(Ordering::Acquire) {
            return;
        }
        let Some(track) = track else {
            if let Some(sending) = senders.get_mut(&id) {
                sending.attachment = None;
            }
            return;
        };
        let sending = senders.entry(id).or_insert_with(|| Sending {
            sender: AudioSender::new(self.common.clone(), id),
            attachment: None,
        });
        // The one before lets go first: no block of it comes behind those of the new one.
        sending.attachment = None;
        sending.attachment = Some(track.attach(sending.sender.clone()));
    }

    /// A track of what a receiver gets, decoded. May be asked for at any time; after the end it is over.
    pub fn receive_audio(&self, id: TransceiverId) -> Track {
        let mut receivers = lock(&self.receivers);
        let receiver =
            receivers.entry(id).or_insert_with(|| AudioReceiver::new(self.common.clone(), id)).clone();
        let track = receiver.source().track();
        if self.common.closed.load(Ordering::Acquire) {
            receiver.end();
        }
        track
    }

    /// Something happened to the media of the connection. Called with the connection locked. What nobody has asked for is dropped.
    pub fn handle(&self, event: MediaEvent) {
        match event {
            MediaEvent::Frame { receiver, ssrc, frame } => {
                if let Some(receiver) = self.receiver(receiver) {
                    receiver.frame(ssrc, frame);
                }
            }
            MediaEvent::Mute { receiver } | MediaEvent::Bye { receiver, .. } => {
                if let Some(receiver) = self.receiver(receiver) {
                    receiver.pause();
                }
            }
            MediaEvent::TargetBitrate { bps } => self.common.target.store(bps, Ordering::Relaxed),
            MediaEvent::Packet { .. }
            | MediaEvent::StreamStarted { .. }
            | MediaEvent::KeyFrameRequested { .. }
            | MediaEvent::Unmute { .. } => {}
        }
    }

    /// What was negotiated may have changed. Called with the connection locked.
    pub fn changed(&self) {
        self.common.version.fetch_add(1, Ordering::AcqRel);
    }

    /// A transceiver is stopped: its sender sends nothing any more, and the track of its receiver is over.
    pub fn stop(&self, id: TransceiverId) {
        let sending = lock(&self.senders).remove(&id);
        let receiver = lock(&self.receivers).get(&id).cloned();
        drop(sending);
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
        receivers.values().for_each(|receiver| receiver.end());
    }

    fn receiver(&self, id: ReceiverId) -> Option<Arc<AudioReceiver>> {
        lock(&self.receivers).get(&TransceiverId(id.0)).cloned()
    }
}

impl Drop for Tracks {
    fn drop(&mut self) {
        self.close();
    }
}
