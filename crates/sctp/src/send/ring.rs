//! What is in flight: a ring indexed by TSN.

use std::collections::VecDeque;

use crate::congestion::Departure;
use crate::time::Time;

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Sent, nothing heard.
    Outstanding,
    /// Acknowledged by a gap block.
    Acked,
    /// It would be deemed lost, but the peer's SACKs have had no room to speak of it: it has left the path either way.
    Silent,
    /// Deemed lost, to be sent again.
    Lost,
    /// Given up; the peer is told to skip it.
    Abandoned,
}

/// A chunk that got a TSN. 80 bytes; the payload stays in the message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) sent_at: Time,
    /// What was known of the path then.
    pub(crate) departure: Departure,
    /// Number of its (last) transmission, counted over all chunks.
    pub(crate) order: u64,
    pub(crate) message: u32,
    pub(crate) offset: u32,
    pub(crate) fsn: u32,
    pub(crate) len: u16,
    pub(crate) retransmits: u16,
    pub(crate) flags: u8,
    /// It was the last one in a packet larger than the path is sure to carry.
    pub(crate) is_large: bool,
    pub(crate) fate: Fate,
}

/// Chunks from the first TSN that is not cumulatively acknowledged.
#[derive(Debug)]
pub(crate) struct Ring {
    base: u64,
    chunks: VecDeque<Sent>,
}

/// An empty ring with more room than this is given back.
const KEEP: usize = 1024;

impl Ring {
    pub(crate) fn new(base: u64) -> Self {
        Self { base, chunks: VecDeque::new() }
    }

    /// First TSN that is not cumulatively acknowledged.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// The TSN that the next new chunk gets.
    pub(crate) fn next(&self) -> u64 {
        self.base + self.chunks.len() as u64
    }

    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(crate) fn get(&self, tsn: u64) -> Option<&Sent> {
        let index = usize::try_from(tsn.checked_sub(self.base)?).ok()?;
        self.chunks.get(index)
    }

    pub(crate) fn get_mut(&mut self, tsn: u64) -> Option<&mut Sent> {
        let index = usize::try_from(tsn.checked_sub(self.base)?).ok()?;
        self.chunks.get_mut(index)
    }

    pub(crate) fn push(&mut self, chunk: Sent) -> u64 {
        self.chunks.push_back(chunk);
        self.next() - 1
    }

    /// Takes out the first chunk, which is now cumulatively acknowledged.
    pub(crate) fn pop(&mut self) -> Option<Sent> {
        let chunk = self.chunks.pop_front()?;
        self.base += 1;
        if self.chunks.is_empty() && self.chunks.capacity() > KEEP {
            self.shrink();
        }
        Some(chunk)
    }

    /// Gives back the room of an empty ring.
    pub(crate) fn shrink(&mut self) {
        self.chunks.shrink_to_fit();
    }
}
