//! Control chunks that wait to be sent.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::chunk::{kind, param};
use crate::packet::{CHUNK_HEADER, PacketBuilder, padded};

/// Replies that wait; each answers a chunk that the peer repeats if the reply is missing.
const MAX_QUEUED: usize = 32;

/// A chunk ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct ControlChunk {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) value: Bytes,
    /// Verification tag, where it is not the peer's known one.
    pub(super) tag: Option<u32>,
}

impl ControlChunk {
    pub(super) fn new(kind: u8, value: impl Into<Bytes>) -> Self {
        Self { kind, flags: 0, value: value.into(), tag: None }
    }

    /// An ABORT or ERROR with one cause.
    pub(super) fn with_cause(kind: u8, cause: u16, info: &[u8]) -> Self {
        let mut value = Vec::with_capacity(info.len() + 8);
        param::write(&mut value, cause, info);
        Self::new(kind, value)
    }

    /// Whether it may not share its packet (RFC 9260 section 6.10).
    fn is_alone(&self) -> bool {
        self.tag.is_some() || matches!(self.kind, kind::INIT_ACK | kind::SHUTDOWN_COMPLETE | kind::ABORT)
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Control {
    queue: VecDeque<ControlChunk>,
}

impl Control {
    /// Queues a chunk; with too many waiting it is dropped.
    pub(super) fn push(&mut self, chunk: ControlChunk) {
        if self.queue.len() < MAX_QUEUED {
            self.queue.push_back(chunk);
        }
    }

    /// Gives back room.
    pub(super) fn shrink(&mut self) {
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    /// Makes room for the one chunk that must get out.
    pub(super) fn replace_all(&mut self, chunk: ControlChunk) {
        self.queue.clear();
        self.queue.push_back(chunk);
    }

    /// Adds what fits to a packet. True: the packet is complete as it is.
    pub(super) fn write(&mut self, packet: &mut PacketBuilder<'_>) -> bool {
        while let Some(chunk) = self.queue.front() {
            let fits = CHUNK_HEADER + padded(chunk.value.len()) <= packet.room();
            let alone = chunk.is_alone();
            if !packet.is_empty() && (alone || !fits) {
                return alone || packet.room() < CHUNK_HEADER;
            }
            let Some(chunk) = self.queue.pop_front() else { break };
            if let Some(tag) = chunk.tag {
                packet.set_tag(tag);
            }
            if chunk.kind == kind::INIT_ACK {
                packet.require_checksum();
            }
            packet.chunk(chunk.kind, chunk.flags, |out| out.extend_from_slice(&chunk.value));
            if alone || !fits {
                return true;
            }
        }
        false
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
