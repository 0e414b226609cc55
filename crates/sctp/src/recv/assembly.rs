//! Pieces of messages.

use bytes::Bytes;

use super::Violation;
use crate::chunk::data::{DataHeader, UNORDERED};
use crate::event::Message;

/// What a step of reassembly did to memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Data that waits for something missing.
    pub(super) held: isize,
    /// Gapless beginnings of messages. They do not close the window, because a message may be larger than it;
    /// they have a limit of their own.
    pub(super) partial: isize,
}

/// A fragment as it arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub(super) header: DataHeader,
    pub(super) payload: &'a [u8],
}

/// A fragment that waits for the ones before it. It is a copy: a slice would keep its packet alive.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) header: DataHeader,
    pub(super) payload: Box<[u8]>,
}

impl Held {
    pub(super) fn new(fragment: &Fragment<'_>) -> Self {
        Self { header: fragment.header, payload: fragment.payload.into() }
    }

    pub(super) fn as_fragment(&self) -> Fragment<'_> {
        Fragment { header: self.header, payload: &self.payload }
    }
}

/// A complete message before it is put in order.
#[derive(Debug)]
pub(super) struct Complete {
    /// SSN or MID.
    pub(super) sequence: u32,
    pub(super) message: Message,
}

impl Complete {
    pub(super) fn new(header: &DataHeader, payload: Bytes) -> Self {
        let unordered = header.flags & UNORDERED != 0;
        let message = Message { stream: header.stream, ppid: header.ppid, unordered, payload };
        Self { sequence: header.sequence, message }
    }
}

/// The gapless beginning of a message.
#[derive(Debug)]
pub(super) struct Prefix {
    /// Header of the first fragment.
    header: DataHeader,
    data: Vec<u8>,
}

/// Room reserved for a message is at most this many times its first fragment: 64 KiB for the smallest that our sender cuts.
const MAX_RESERVE: usize = 512;

impl Prefix {
    /// Starts with the first fragment. `expected` is a guess of the whole size.
    pub(super) fn new(first: &Fragment<'_>, expected: usize) -> Self {
        let reserve = expected.min(first.payload.len() * MAX_RESERVE).max(first.payload.len());
        let mut data = Vec::with_capacity(reserve);
        data.extend_from_slice(first.payload);
        Self { header: first.header, data }
    }

    /// Appends the next fragment.
    pub(super) fn append(&mut self, next: &Fragment<'_>, max_message: usize) -> Result<(), Violation> {
        let (ours, theirs) = (&self.header, &next.header);
        let is_same = ours.stream == theirs.stream
            && (ours.flags ^ theirs.flags) & UNORDERED == 0
            && (ours.sequence == theirs.sequence || ours.flags & UNORDERED != 0);
        if !is_same {
            return Err(Violation::protocol(format!(
                "fragments of stream {} and stream {} are mixed in one message",
                ours.stream, theirs.stream
            )));
        }
        let size = self.data.len() + next.payload.len();
        if size > max_message {
            return Err(Violation::protocol(format!(
                "message of at least {size} bytes on stream {} exceeds the maximum message size of {max_message}",
                ours.stream
            )));
        }
        self.data.extend_from_slice(next.payload);
        Ok(())
    }

    /// Memory in use.
    pub(super) fn footprint(&self) -> usize {
        self.data.capacity() + OVERHEAD
    }

    pub(super) fn finish(mut self) -> Complete {
        // The guess was far off: do not let the message keep what it does not need.
        if self.data.capacity() > self.data.len() * 2 {
            self.data.shrink_to_fit();
        }
        Complete::new(&self.header, Bytes::from(self.data))
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }
}

/// What bookkeeping of a fragment or message costs, about.
pub(super) const OVERHEAD: usize = 64;

/// Result of taking a fragment: a message that it completed, and what it did to memory.
pub(super) type Assembled = Result<(Option<Complete>, Change), Violation>;
