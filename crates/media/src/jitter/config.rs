//! What a jitter buffer is told, and what it tells.

use std::time::Duration;

use crate::config::Payload;
use crate::types::Kind;

/// What a jitter buffer is made with.
#[derive(Debug, Clone)]
pub struct JitterConfig {
    /// Audio or video.
    pub kind: Kind,
    /// What may come in. Packets of another payload type, and of [`Codec::Other`](crate::Codec::Other), fill their place in the
    /// sequence and are no frames. Lost packets are asked for if any of these has `nack`.
    pub payloads: Vec<Payload>,
    /// Video: how long a frame waits for a packet that is missing. After that it is given up, with those that depend on it.
    pub patience: Duration,
    /// Audio: the least delay that is aimed at, beyond that of the quickest packets.
    pub min_delay: Duration,
    /// Audio: the largest; at most 500 ms. What comes later than this is lost.
    pub max_delay: Duration,
    /// Audio: packets are handed out at the pace of their timestamps. Otherwise each comes as soon as those before it have, and
    /// only what follows a gap waits: for a recorder, or a recognizer of speech.
    pub paced: bool,
}

impl JitterConfig {
    /// The usual values: a second of patience, audio paced, its delay between 0 and 500 ms.
    pub fn new(kind: Kind, payloads: Vec<Payload>) -> Self {
        Self {
            kind,
            payloads,
            patience: Duration::from_secs(1),
            min_delay: Duration::ZERO,
            max_delay: Duration::from_millis(500),
            paced: true,
        }
    }
}

/// What a jitter buffer has seen and done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JitterStats {
    /// Packets that had come before, or that nobody could place.
    pub duplicates: u64,
    /// Packets that came after they had been given up, or beyond a bound (`packetsDiscarded`).
    pub discarded: u64,
    /// Packets that broke the rules of their payload format.
    pub malformed: u64,
    /// Packets that were given up before they came.
    pub given_up: u64,
    /// The sender began a sequence anew.
    pub restarts: u64,
    /// Frames that were handed out (`framesReceived`).
    pub frames: u64,
    /// Of them those that need no other (`keyFramesReceived`).
    pub key_frames: u64,
    /// Frames that came, in part or whole, and could not be handed out (`framesDropped`).
    pub frames_dropped: u64,
    /// How long the frames that were handed out had waited, from their first packet on, summed up (`jitterBufferDelay` divided by
    /// what one frame counts there).
    pub delay: Duration,
    /// Audio: the delay aimed at, summed up over the frames that were handed out (`jitterBufferTargetDelay`, as above).
    pub target_delay: Duration,
    /// Audio: the delay aimed at now.
    pub current_target: Duration,
    /// Packets that wait now.
    pub waiting: usize,
    /// Packets asked for, each time counted.
    pub asked: u64,
}
