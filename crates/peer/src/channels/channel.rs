//! One data channel.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use ossa_sctp::{Reliability, SendOptions};

use super::types::{ChannelId, ChannelInfo, DataChannelInit, MessageKind, Priority};
use crate::dcep::{self, ppid};
use crate::states::ChannelState;

/// How far the closing procedure (RFC 8831 section 6.7) of one direction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reset {
    Open,
    Requested,
    Done,
}

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counters {
    pub messages_sent: u64,
    pub bytes_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
}

pub(crate) struct Channel {
    pub id: ChannelId,
    pub label: String,
    pub protocol: String,
    pub ordered: bool,
    pub max_packet_life_time: Option<u16>,
    pub max_retransmits: Option<u16>,
    pub negotiated: bool,
    pub priority: Priority,
    pub stream: Option<u16>,
    pub state: ChannelState,
    pub counters: Counters,
    /// Until the peer has shown that it knows the channel, everything is sent in order behind the OPEN message
    /// (RFC 8832 section 6).
    pub(super) confirmed: bool,
    /// Our reset of a channel that was announced waits until then (see `linger.rs`).
    pub(super) lingers_until: Option<Instant>,
    pub(super) outgoing: Reset,
    pub(super) incoming: Reset,
    /// The application was told that it is closed; the id waits for the peer's direction.
    pub(super) reported: bool,
    /// Application bytes that were given to SCTP and have not left it.
    pub(super) buffered: usize,
    ledger: Ledger,
    partial: Option<Partial>,
}

/// Which of the bytes that SCTP holds for a stream are the application's: DCEP messages and the byte that stands for
/// an empty message are not.
#[derive(Default)]
struct Ledger {
    queued: u64,
    released: u64,
    /// Position in the stream's byte sequence and length of each piece that is not the application's.
    overhead: VecDeque<(u64, u64)>,
}

/// Parts of a message in the deprecated form of fragmentation (PPID 52 and 54).
struct Partial {
    kind: MessageKind,
    data: BytesMut,
}

impl Channel {
    pub(super) fn local(id: ChannelId, init: DataChannelInit) -> Self {
        let negotiated = init.negotiated.is_some();
        Channel {
            id,
            label: init.label,
            protocol: init.protocol,
            ordered: init.ordered,
            max_packet_life_time: init.max_packet_life_time,
            max_retransmits: init.max_retransmits,
            negotiated,
            priority: init.priority,
            stream: init.negotiated,
            state: ChannelState::Connecting,
            counters: Counters::default(),
            confirmed: negotiated,
            lingers_until: None,
            outgoing: Reset::Open,
            incoming: Reset::Open,
            reported: false,
            buffered: 0,
            ledger: Ledger::default(),
            partial: None,
        }
    }

    pub(super) fn remote(id: ChannelId, stream: u16, open: dcep::Open) -> Self {
        let init = DataChannelInit {
            priority: open.level(),
            label: open.label,
            protocol: open.protocol,
            ordered: open.ordered,
            max_packet_life_time: open.max_packet_life_time,
            max_retransmits: open.max_retransmits,
            negotiated: None,
        };
        Channel { stream: Some(stream), confirmed: true, ..Channel::local(id, init) }
    }

    pub(super) fn open_message(&self) -> Bytes {
        Bytes::from(dcep::write_open(&dcep::Open {
            ordered: self.ordered,
            max_retransmits: self.max_retransmits,
            max_packet_life_time: self.max_packet_life_time,
            priority: self.priority.value(),
            label: self.label.clone(),
            protocol: self.protocol.clone(),
        }))
    }

    pub(crate) fn info(&self) -> ChannelInfo {
        ChannelInfo {
            label: self.label.clone(),
            protocol: self.protocol.clone(),
            ordered: self.ordered,
            max_packet_life_time: self.max_packet_life_time,
            max_retransmits: self.max_retransmits,
            negotiated: self.negotiated,
            stream_id: self.stream,
            priority: self.priority,
            state: self.state,
            buffered_amount: self.buffered,
        }
    }

    /// How the next message is to be sent.
    pub(super) fn options(&self) -> SendOptions {
        let reliability = match (self.max_retransmits, self.max_packet_life_time) {
            (Some(n), _) => Reliability::MaxRetransmits(n),
            (None, Some(ms)) => Reliability::MaxLifetime(Duration::from_millis(u64::from(ms))),
            (None, None) => Reliability::Reliable,
        };
        SendOptions { unordered: !self.ordered && self.confirmed, reliability }
    }

    /// Both directions are reset.
    pub(super) fn finished(&self) -> bool {
        self.outgoing == Reset::Done && self.incoming == Reset::Done
    }

    /// Everything that SCTP was given has left its queue.
    pub(super) fn is_all_sent(&self) -> bool {
        self.ledger.queued == self.ledger.released
    }

    /// SCTP has taken a message of the application.
    pub(super) fn message_queued(&mut self, len: usize) {
        self.ledger.queued += len as u64;
        self.buffered += len;
        self.counters.messages_sent += 1;
        self.counters.bytes_sent += len as u64;
    }

    /// SCTP has taken bytes that are not the application's.
    pub(super) fn overhead_queued(&mut self, len: usize) {
        self.ledger.overhead.push_back((self.ledger.queued, len as u64));
        self.ledger.queued += len as u64;
    }

    /// SCTP has let go of bytes. Returns how many of them were the application's.
    pub(super) fn released(&mut self, bytes: usize) -> usize {
        let from = self.ledger.released;
        let to = from + bytes as u64;
        self.ledger.released = to;
        let mut own = bytes as u64;
        while let Some(&(start, len)) = self.ledger.overhead.front() {
            if start >= to {
                break;
            }
            own -= (start + len).min(to).saturating_sub(start.max(from)).min(own);
            if start + len > to {
                break;
            }
            self.ledger.overhead.pop_front();
        }
        let own = usize::try_from(own).unwrap_or(self.buffered).min(self.buffered);
        self.buffered -= own;
        own
    }

    /// Turns what came on the stream into a message of the application. Unknown PPIDs give nothing. `limit`: longest
    /// message put together from parts; the error says that it was exceeded.
    pub(super) fn incoming_message(
        &mut self,
        ppid: u32,
        data: Bytes,
        limit: usize,
    ) -> Result<Option<(MessageKind, Bytes)>, String> {
        let (kind, data) = match ppid {
            ppid::STRING => (MessageKind::Text, self.finish_partial(MessageKind::Text, data, limit)?),
            ppid::BINARY => (MessageKind::Binary, self.finish_partial(MessageKind::Binary, data, limit)?),
            ppid::STRING_EMPTY => (MessageKind::Text, Bytes::new()),
            ppid::BINARY_EMPTY => (MessageKind::Binary, Bytes::new()),
            ppid::STRING_PARTIAL => {
                self.add_partial(MessageKind::Text, &data, limit)?;
                return Ok(None);
            }
            ppid::BINARY_PARTIAL => {
                self.add_partial(MessageKind::Binary, &data, limit)?;
                return Ok(None);
            }
            _ => return Ok(None),
        };
        self.counters.messages_received += 1;
        self.counters.bytes_received += data.len() as u64;
        Ok(Some((kind, data)))
    }

    fn add_partial(&mut self, kind: MessageKind, data: &[u8], limit: usize) -> Result<(), String> {
        let partial = self.partial.get_or_insert_with(|| Partial { kind, data: BytesMut::new() });
        if partial.kind != kind {
            // A mistake of the peer: the rest of the other message never came.
            *partial = Partial { kind, data: BytesMut::new() };
        }
        if partial.data.len() + data.len() > limit {
            self.partial = None;
            return Err(format!("a message in parts (PPID 52 or 54) is larger than {limit} bytes"));
        }
        partial.data.extend_from_slice(data);
        Ok(())
    }

    fn finish_partial(&mut self, kind: MessageKind, data: Bytes, limit: usize) -> Result<Bytes, String> {
        if self.partial.as_ref().is_none_or(|partial| partial.kind != kind) {
            self.partial = None;
            return Ok(data);
        }
        self.add_partial(kind, &data, limit)?;
        Ok(self.partial.take().map_or(data, |partial| partial.data.freeze()))
    }
}
