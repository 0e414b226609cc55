//! What one sender of audio sends.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use ossa_codec::pcm::Block;
use ossa_codec::track::Sink;
use ossa_media::{Codec, EncodedFrame, Payload};
use ossa_peer::TransceiverId;

use super::Common;
use crate::audio::sending::{Encoding, later};
use crate::threads::{Strand, Work, lock};

/// What waits to be encoded. Who is further behind never catches up, and what is late is worth nothing.
const MOST_WAITING: Duration = Duration::from_millis(500);

/// How often reports are looked at, and the encoder is told.
const ADAPT: Duration = Duration::from_secs(1);

/// What each packet costs beside its payload: headers of IP, UDP and RTP, extensions and the tag.
const OVERHEAD_BITS: u64 = 8 * 84;

/// Encodes what a track gives, on a worker's thread.
pub(super) struct AudioSender {
    common: Arc<Common>,
    id: TransceiverId,
    input: Mutex<Input>,
    sending: Mutex<Sending>,
    strand: Strand,
}

#[derive(Default)]
struct Input {
    blocks: VecDeque<(Instant, Block)>,
    waiting: Duration,
    /// Dropped since the last time that blocks were taken.
    dropped: Duration,
}

#[derive(Default)]
struct Sending {
    /// Of what was negotiated, when it was last looked at.
    version: Option<u64>,
    encoding: Option<Encoding>,
    /// Upper limit of the application.
    max_bitrate: Option<u64>,
    adapted: Option<Instant>,
}

impl AudioSender {
    pub(super) fn new(common: Arc<Common>, id: TransceiverId) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            common,
            id,
            input: Mutex::default(),
            sending: Mutex::default(),
            strand: Strand::new(this.clone()),
        })
    }

    /// What was negotiated has changed.
    fn negotiate(&self, sending: &mut Sending, now: Instant) {
        let parameters = self.common.parameters(self.id);
        let send = parameters.map(|parameters| parameters.send).filter(|send| send.active);
        let encoding =
            send.as_ref().and_then(|send| send.encodings.first()).filter(|encoding| encoding.active);
        sending.max_bitrate = encoding.and_then(|encoding| encoding.max_bitrate);
        sending.adapted = None;
        let payload = send.as_ref().filter(|_| encoding.is_some()).and_then(|send| preferred(&send.payloads));
        let Some(payload) = payload else {
            sending.encoding = None;
            return;
        };
        if sending.encoding.as_ref().is_some_and(|encoding| encoding.fits(payload, None)) {
            return;
        }
        let position = self.position(now, payload.clock_rate);
        sending.encoding = Some(Encoding::new(payload.clone(), None, (position, now)));
    }

    /// The timestamp to go on with: where the stream stands, or anything at its begin (RFC 3550 5.1).
    fn position(&self, now: Instant, clock_rate: u32) -> u32 {
        let peer = self.common.peer.upgrade();
        let position =
            peer.and_then(|peer| peer.with(|connection, _| connection.send_position(self.id, 0)).ok());
        match position.flatten().and_then(|position| position.last) {
            Some(last) => later(last, now, clock_rate),
            None => RandomState::new().build_hasher().finish() as u32,
        }
    }

    /// Follows what the path and the application allow.
    fn adapt(&self, sending: &mut Sending, now: Instant) {
        let early = sending.adapted.is_some_and(|at| now.saturating_duration_since(at) < ADAPT);
        let Some(encoding) = sending.encoding.as_mut().filter(|_| !early) else { return };
        sending.adapted = Some(now);
        let peer = self.common.peer.upgrade();
        let position =
            peer.and_then(|peer| peer.with(|connection, _| connection.send_position(self.id, 0)).ok());
        let lost = position.flatten().and_then(|position| position.fraction_lost).unwrap_or(0.0);
        let target = self.common.target.load(Ordering::Relaxed);
        let path = (target > 0).then(|| target.saturating_sub(encoding.packets_per_second() * OVERHEAD_BITS));
        let most = sending.max_bitrate.into_iter().chain(path).min();
        encoding.adapt(most, (lost * 100.0).ceil() as u8);
    }

    fn send(&self, frames: Vec<EncodedFrame>) {
        let Some(peer) = self.common.peer.upgrade() else { return };
        // Of a panic the sink of the connection knows already.
        let _ = peer.with(|connection, now| {
            for frame in frames {
                // A connection that is not there yet, a direction that has just changed, a full queue: audio does not wait for any of them.
                if connection.send_frame(now, self.id, 0, frame).is_err() {
                    break;
                }
            }
        });
    }
}

/// The codec to send: the other side's first choice that is encoded here.
fn preferred(payloads: &[Payload]) -> Option<&Payload> {
    payloads.iter().find(|payload| matches!(payload.codec, Codec::Opus | Codec::Pcmu | Codec::Pcma))
}

impl Sink for AudioSender {
    fn take(&self, block: &Block) {
        let mut input = lock(&self.input);
        input.blocks.push_back((Instant::now(), block.clone()));
        input.waiting += block.duration();
        while input.waiting > MOST_WAITING && input.blocks.len() > 1 {
            let Some((_, oldest)) = input.blocks.pop_front() else { break };
            input.waiting = input.waiting.saturating_sub(oldest.duration());
            input.dropped += oldest.duration();
        }
        drop(input);
        self.strand.wake();
    }

    fn end(&self) {}
}

impl Work for AudioSender {
    fn work(&self) {
        let input = std::mem::take(&mut *lock(&self.input));
        let mut sending = lock(&self.sending);
        let now = Instant::now();
        let version = self.common.version();
        if sending.version != Some(version) {
            sending.version = Some(version);
            self.negotiate(&mut sending, now);
        }
        self.adapt(&mut sending, now);
        let Some(encoding) = &mut sending.encoding else { return };
        encoding.skip(input.dropped);
        let mut frames = Vec::new();
        for (at, block) in &input.blocks {
            encoding.push(*at, block, &mut frames);
        }
        drop(sending);
        if !frames.is_empty() {
            self.send(frames);
        }
    }

    fn crashed(&self) {
        *lock(&self.input) = Input::default();
    }
}
