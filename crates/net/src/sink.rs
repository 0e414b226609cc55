//! What a peer hands to the rest of the program, and takes from it.

use bytes::Bytes;
use ossa_peer::{ChannelId, Event, MessageKind};

/// Where a peer's events go. Called from the shard's thread and from threads that call into the [`Peer`](crate::Peer), never from two at
/// once for [`Sink::event`].
///
/// All methods are called with the peer locked: they must return soon and **must not call the peer back**, which would
/// dead-lock. Put the event into a queue and wake its reader.
pub trait Sink: Send + Sync + 'static {
    /// Takes one event. Order is the order of calls. [`Event::Gather`] and [`Event::ResolveCandidate`] never get here.
    fn event(&self, event: Event);
    /// A batch of events is complete: wake the reader.
    fn flush(&self);
    /// Whether messages may be delivered. While this is false they stay in the SCTP association, its receive window
    /// closes and the other side stops sending; control events still come. [`Peer::resume`](crate::Peer::resume) ends it.
    fn ready(&self) -> bool;
    /// A message of [`Peer::send_batch`](crate::Peer::send_batch) was refused: its channel is gone, it is too large, or the send buffer is full.
    fn send_failed(&self, channel: ChannelId, bytes: usize, error: ossa_peer::Error);
}

/// A message for [`Peer::send_batch`](crate::Peer::send_batch).
#[derive(Debug, Clone)]
pub struct OutMessage {
    /// The channel.
    pub channel: ChannelId,
    /// Text or binary.
    pub kind: MessageKind,
    /// The payload; empty is fine.
    pub data: Bytes,
}
