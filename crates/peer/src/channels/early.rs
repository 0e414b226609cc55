//! What came on streams that have no channel: messages that overtook the DATA_CHANNEL_OPEN of their stream, which unordered
//! delivery allows, and messages for a channel with an agreed id that the application has yet to make.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use ossa_sctp::Message;

/// Bytes kept, over all streams, each entry's own memory included. A peer can send about a window ahead of an OPEN
/// message; for channels with agreed ids it is time to make them. Beyond it the stream that holds most is given up, with an
/// error: what SCTP has acknowledged is either delivered or seen to be lost.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What an entry costs beside its payload, about.
const OVERHEAD: usize = 64;

/// Something that came on a stream, in order.
#[derive(Debug)]
pub(super) enum Early {
    Message(Message),
    /// The peer has reset the stream: what follows belongs to its next life.
    Reset,
}

#[derive(Default)]
struct Kept {
    queue: VecDeque<Early>,
    bytes: usize,
}

/// The queues.
#[derive(Default)]
pub(super) struct EarlyMessages {
    streams: BTreeMap<u16, Kept>,
    bytes: usize,
}

impl EarlyMessages {
    /// Keeps an entry. Returns the stream that had to be given up because of the bound, and how many messages went with it.
    pub(super) fn keep(&mut self, stream: u16, mut early: Early) -> Option<(u16, usize)> {
        let kept = self.streams.entry(stream).or_default();
        if matches!((&early, kept.queue.back()), (Early::Reset, Some(Early::Reset))) {
            return None;
        }
        if let Early::Message(message) = &mut early {
            // A copy: a small message must not keep the packet that it came in.
            message.payload = Bytes::copy_from_slice(&message.payload);
        }
        let bytes = early.footprint();
        kept.queue.push_back(early);
        kept.bytes += bytes;
        self.bytes += bytes;
        if self.bytes <= MAX_BYTES {
            return None;
        }
        let (&largest, _) = self.streams.iter().max_by_key(|(_, kept)| kept.bytes)?;
        let gone = self.take(largest);
        Some((largest, gone.iter().filter(|early| matches!(early, Early::Message(_))).count()))
    }

    /// Whether something is kept for a stream.
    pub(super) fn has(&self, stream: u16) -> bool {
        self.streams.contains_key(&stream)
    }

    /// Streams for which something is kept.
    pub(super) fn streams(&self) -> impl Iterator<Item = u16> + '_ {
        self.streams.keys().copied()
    }

    /// Takes out what has come on a stream, in order.
    pub(super) fn take(&mut self, stream: u16) -> VecDeque<Early> {
        let kept = self.streams.remove(&stream).unwrap_or_default();
        self.bytes -= kept.bytes;
        kept.queue
    }

    /// Drops the lives of a stream that ended without a channel.
    pub(super) fn drop_ended(&mut self, stream: u16) {
        let mut queue = self.take(stream);
        if let Some(last) = queue.iter().rposition(|early| matches!(early, Early::Reset)) {
            queue.drain(..=last);
        }
        for early in queue {
            self.keep(stream, early);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Early {
    fn footprint(&self) -> usize {
        match self {
            Early::Message(message) => message.payload.len() + OVERHEAD,
            Early::Reset => OVERHEAD,
        }
    }
}
