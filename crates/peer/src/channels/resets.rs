//! Resets of our direction of streams (RFC 6525): which of them belongs to which channel.
//!
//! A stream has one life after the other, each ended by a reset. The peer may use an id again as soon as it has performed
//! our reset, and its answer to that may be lost: then the next channel on the stream is there before the last one's reset is
//! known to be done, and may itself have to be closed. So the resets of a stream stand in line.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::types::ChannelId;

/// Whose reset it is; `None`: of a life of the stream that never had a channel here.
pub(super) type Owner = Option<ChannelId>;

/// Two ends that do not know a stream, and answer every reset, must not do so for ever. A program that makes and closes a
/// channel with an agreed id this often without a word, and without the other side making it, loses the id.
const MAX_ANSWERS: u8 = 16;

/// The lines. Per stream at most three: the one under way, that of the channel, and one without an owner.
#[derive(Default)]
pub(super) struct Resets {
    lines: BTreeMap<u16, VecDeque<Owner>>,
    /// How often the reset of a stream by the peer was answered although no channel was known, and nothing has come on the
    /// stream since.
    answered: BTreeMap<u16, u8>,
    /// The streams whose reset of ours was performed last, and when: at one moment.
    performed: (Option<Instant>, Vec<u16>),
}

impl Resets {
    /// Queues a reset. True: it is the first in line and has to be started.
    pub(super) fn add(&mut self, stream: u16, owner: Owner) -> bool {
        let line = self.lines.entry(stream).or_default();
        if owner.is_none() && line.iter().skip(1).any(Option::is_none) {
            return false;
        }
        line.push_back(owner);
        line.len() == 1
    }

    /// The one under way.
    pub(super) fn under_way(&self, stream: u16) -> Option<Owner> {
        self.lines.get(&stream)?.front().copied()
    }

    /// The one under way is over.
    pub(super) fn finish(&mut self, stream: u16) -> Option<Owner> {
        let line = self.lines.get_mut(&stream)?;
        let owner = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&stream);
        }
        owner
    }

    /// The peer has performed our reset of a stream.
    pub(super) fn on_performed(&mut self, now: Instant, stream: u16) {
        let (at, streams) = &mut self.performed;
        if at.replace(now) != Some(now) {
            streams.clear();
        }
        streams.push(stream);
    }

    /// Whether a reset by the peer is nothing but its answer to one of ours, which may itself have been an answer: webrtc-rs
    /// sends that along with its word that ours is performed. Of another life it can't be the end so soon.
    pub(super) fn is_echo(&self, now: Instant, stream: u16) -> bool {
        let (at, streams) = &self.performed;
        *at == Some(now) && streams.contains(&stream)
    }

    /// Whether the reset of a stream without a channel is to be answered with one of ours.
    pub(super) fn answer(&mut self, stream: u16) -> bool {
        let count = self.answered.entry(stream).or_default();
        *count = count.saturating_add(1);
        *count <= MAX_ANSWERS
    }

    /// The stream is in use.
    pub(super) fn on_use(&mut self, stream: u16) {
        self.answered.remove(&stream);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
