//! The receiving half: TSN tracking, reassembly, ordering, and the receive window.

mod assembly;
mod data;
mod i_data;
mod order;
mod sack;
mod tracker;
mod window;

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use crate::chunk::cause;
use crate::chunk::data::{BEGIN, DataHeader, END, IMMEDIATE, UNORDERED};
use crate::chunk::forward_tsn::ForwardTsn;
use crate::config::Config;
use crate::event::{Message, Received};
use crate::serial;
use crate::time::{Nanos, Time, nanos};

use assembly::{Complete, Fragment};
use data::DataAssembler;
use i_data::InterleavedAssembler;
use order::Streams;
pub(crate) use sack::AckState;
use tracker::{Arrival, Tracker};
use window::Window;

/// The peer broke a rule that leaves no way on; the association is aborted with this cause.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) cause: u16,
    pub(crate) message: String,
}

impl Violation {
    fn protocol(message: String) -> Self {
        Self { cause: cause::PROTOCOL_VIOLATION, message }
    }
}

/// What became of a DATA chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Taken, or known already.
    Ok,
    /// Acknowledged, but its stream does not exist; the peer is told.
    NoSuchStream,
}

#[derive(Debug)]
enum Assembler {
    Data(DataAssembler),
    Interleaved(InterleavedAssembler),
}

/// An incoming reset that waits until everything sent before it has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeferredReset {
    pub(crate) last_tsn: u64,
    /// Empty = all streams. Sorted.
    pub(crate) streams: Vec<u16>,
}

/// The receiving half of an association.
#[derive(Debug)]
pub(crate) struct Receiver {
    tracker: Tracker,
    assembler: Assembler,
    streams: Streams,
    ready: VecDeque<Received>,
    window: Window,
    pub(crate) ack: AckState,
    inbound_streams: u16,
    max_message: usize,
    /// Most bytes of unfinished messages.
    max_partial: usize,
    deferred: Option<DeferredReset>,
    unread_resets: usize,
    /// Bytes of the packets that unread payloads keep alive, and where the last of them is.
    pinned: usize,
    pinned_packet: usize,
    messages_received: u64,
}

/// What was agreed with the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecvTerms {
    pub(crate) peer_tsn: u32,
    pub(crate) interleaving: bool,
    pub(crate) inbound_streams: u16,
}

/// Unread small payloads may keep packets of this many bytes alive.
const MAX_PINNED: usize = 1024 * 1024;
/// Stream numbers in the resets that `recv` has not taken yet. An honest peer resets each stream once before we
/// have read that; one that goes on is refused.
const MAX_UNREAD_RESETS: usize = 140_000;

impl Receiver {
    pub(crate) fn new(config: &Config, terms: RecvTerms) -> Self {
        let max_message = config.max_receive_message_size;
        let assembler = if terms.interleaving {
            Assembler::Interleaved(InterleavedAssembler::default())
        } else {
            Assembler::Data(DataAssembler::default())
        };
        Self {
            tracker: Tracker::new(serial::first(terms.peer_tsn) - 1),
            assembler,
            streams: Streams::new(terms.interleaving),
            ready: VecDeque::new(),
            window: Window::new(config),
            ack: AckState::new(nanos(config.ack_delay)),
            inbound_streams: terms.inbound_streams,
            max_message,
            // Enough for the messages that a well-behaved sender interleaves, whatever their size.
            max_partial: max_message.saturating_mul(4).saturating_add(config.receive_window_max),
            deferred: None,
            unread_resets: 0,
            pinned: 0,
            pinned_packet: 0,
            messages_received: 0,
        }
    }

    /// Takes one DATA or I-DATA chunk; its payload is `packet[range]`.
    pub(crate) fn on_data(
        &mut self,
        header: &DataHeader,
        packet: &Bytes,
        range: Range<usize>,
    ) -> Result<Verdict, Violation> {
        if header.flags & IMMEDIATE != 0 {
            self.ack.now();
        }
        let tsn = self.tracker.unwrap(header.tsn);
        match self.tracker.classify(tsn) {
            Arrival::Duplicate => {
                self.ack.on_duplicate(header.tsn);
                return Ok(Verdict::Ok);
            }
            Arrival::TooFar => return Ok(Verdict::Ok),
            Arrival::Next | Arrival::Ahead => {}
        }
        if !self.has_room(tsn) || self.belongs_after_reset(tsn, header.stream) {
            self.ack.now();
            return Ok(Verdict::Ok);
        }
        self.tracker.record(tsn);
        if !self.tracker.is_contiguous() {
            self.ack.now();
        }
        if header.stream >= self.inbound_streams {
            return Ok(Verdict::NoSuchStream);
        }
        self.assemble(tsn, header, packet, range)?;
        Ok(Verdict::Ok)
    }

    fn has_room(&self, tsn: u64) -> bool {
        let is_next = tsn == self.tracker.cumulative() + 1;
        self.window.has_room() || is_next && self.window.has_room_for_missing()
    }

    fn belongs_after_reset(&self, tsn: u64, stream: u16) -> bool {
        self.deferred.as_ref().is_some_and(|reset| {
            tsn > reset.last_tsn && (reset.streams.is_empty() || reset.streams.binary_search(&stream).is_ok())
        })
    }

    fn assemble(
        &mut self,
        tsn: u64,
        header: &DataHeader,
        packet: &Bytes,
        range: Range<usize>,
    ) -> Result<(), Violation> {
        let whole = header.flags & (BEGIN | END) == BEGIN | END;
        if range.len() > self.max_message {
            return Err(self.too_large(range.len()));
        }
        if whole {
            let in_order = self.streams.is_next(header);
            let payload = if in_order && self.may_pin(packet, range.len()) {
                packet.slice(range)
            } else {
                Bytes::copy_from_slice(&packet[range])
            };
            self.deliver(Complete::new(header, payload));
            return Ok(());
        }
        let is_stale = matches!(self.assembler, Assembler::Interleaved(_)) && self.streams.is_past(header);
        if is_stale {
            return Ok(());
        }
        let fragment = Fragment { header: *header, payload: &packet[range] };
        let (complete, change) = match &mut self.assembler {
            Assembler::Data(assembler) => assembler.insert(tsn, &fragment, self.max_message),
            Assembler::Interleaved(assembler) => assembler.insert(&fragment, self.max_message),
        }?;
        self.window.apply(change);
        if let Some(complete) = complete {
            self.deliver(complete);
        }
        if self.window.partial() > self.max_partial {
            let message = format!("more than {} bytes of unfinished messages", self.max_partial);
            return Err(Violation { cause: cause::OUT_OF_RESOURCE, message });
        }
        Ok(())
    }

    /// Whether a payload may keep its packet alive until it is read, instead of being copied. Small payloads may
    /// only while not too much memory is held that way.
    fn may_pin(&mut self, packet: &Bytes, len: usize) -> bool {
        if self.ready.is_empty() {
            self.pinned = 0;
        }
        let at = packet.as_ptr() as usize;
        if self.pinned_packet != at || self.pinned == 0 {
            if len * 2 < packet.len() && self.pinned + packet.len() > MAX_PINNED {
                return false;
            }
            self.pinned_packet = at;
            self.pinned += packet.len();
        }
        true
    }

    fn too_large(&self, size: usize) -> Violation {
        Violation::protocol(format!(
            "message of at least {size} bytes exceeds the maximum message size of {}",
            self.max_message
        ))
    }

    /// Puts a complete message into its place in the order of its stream.
    fn deliver(&mut self, complete: Complete) {
        let (ready, window) = (&mut self.ready, &mut self.window);
        self.streams.put(complete, window, |message, window| {
            window.on_ready(message.payload.len());
            ready.push_back(Received::Message(message));
        });
    }

    /// Takes the next message or reset.
    pub(crate) fn recv(&mut self) -> Option<Received> {
        let received = self.ready.pop_front()?;
        if let Received::Message(Message { payload, .. }) = &received {
            self.window.on_read(payload.len());
            self.messages_received += 1;
            if self.window.needs_update() {
                self.ack.now();
            }
        }
        if let Received::StreamsReset(streams) = &received {
            self.unread_resets -= streams.len() + 1;
        }
        if self.ready.is_empty() && self.ready.capacity() > 1024 {
            self.ready = VecDeque::new();
        }
        Some(received)
    }

    /// Gives back room for what is unread, if there is nothing.
    pub(crate) fn shrink(&mut self) {
        if self.ready.is_empty() {
            self.ready = VecDeque::new();
        }
    }

    /// Notes that a packet with data was taken completely.
    pub(crate) fn on_packet_with_data(&mut self, now: Time, srtt: Option<Nanos>) {
        self.ack.on_packet(now);
        self.window.tune(now, srtt);
    }

    /// Takes a FORWARD-TSN or I-FORWARD-TSN.
    pub(crate) fn on_forward_tsn(&mut self, forward: &ForwardTsn<'_>) {
        self.ack.now();
        let cumulative = self.tracker.unwrap(forward.cumulative);
        if cumulative <= self.tracker.cumulative() {
            return;
        }
        self.tracker.skip_to(cumulative);
        if let Assembler::Data(assembler) = &mut self.assembler {
            self.window.apply(assembler.skip_to(cumulative));
        }
        for skip in forward.skips() {
            if let Assembler::Interleaved(assembler) = &mut self.assembler {
                self.window.apply(assembler.skip(&skip));
            }
            if skip.unordered || skip.stream >= self.inbound_streams {
                continue;
            }
            let (ready, window) = (&mut self.ready, &mut self.window);
            self.streams.skip(&skip, window, |message, window| {
                window.on_ready(message.payload.len());
                ready.push_back(Received::Message(message));
            });
        }
    }

    /// Whether everything up to a TSN has arrived.
    pub(crate) fn has_all_up_to(&self, last_tsn: u32) -> bool {
        self.tracker.unwrap(last_tsn) <= self.tracker.cumulative()
    }

    /// Holds back what belongs after a reset, until that is performed.
    pub(crate) fn defer_reset(&mut self, last_tsn: u32, mut streams: Vec<u16>) {
        streams.sort_unstable();
        self.deferred = Some(DeferredReset { last_tsn: self.tracker.unwrap(last_tsn), streams });
    }

    /// Performs a reset of incoming streams; empty = all. False: too many are waiting to be read.
    pub(crate) fn reset_streams(&mut self, streams: Vec<u16>) -> bool {
        self.deferred = None;
        if self.unread_resets > MAX_UNREAD_RESETS {
            return false;
        }
        self.unread_resets += streams.len() + 1;
        self.streams.reset(&streams, &mut self.window);
        self.ready.push_back(Received::StreamsReset(streams));
        true
    }

    /// The peer may use this many more streams. False: that would be too many.
    pub(crate) fn add_streams(&mut self, count: u16) -> bool {
        match self.inbound_streams.checked_add(count) {
            Some(sum) => {
                self.inbound_streams = sum;
                true
            }
            None => false,
        }
    }

    pub(crate) fn inbound_streams(&self) -> u16 {
        self.inbound_streams
    }

    /// Whether an incoming stream exists.
    pub(crate) fn has_stream(&self, stream: u16) -> bool {
        stream < self.inbound_streams
    }

    pub(crate) fn unread(&self) -> usize {
        self.window.unread_payload()
    }

    pub(crate) fn advertised(&self) -> usize {
        self.window.advertised()
    }

    /// The cumulative TSN, for SHUTDOWN.
    pub(crate) fn cumulative(&self) -> u32 {
        self.tracker.cumulative() as u32
    }

    /// Messages handed out, over all lives of the association.
    pub(crate) fn messages_received(&self) -> u64 {
        self.messages_received
    }

    /// Takes over what an earlier life of the association had complete.
    pub(crate) fn inherit(&mut self, old: Self) {
        for received in &old.ready {
            match received {
                Received::Message(message) => self.window.on_ready(message.payload.len()),
                Received::StreamsReset(streams) => self.unread_resets += streams.len() + 1,
            }
        }
        self.ready = old.ready;
        self.messages_received = old.messages_received;
    }
}

impl Fragment<'_> {
    fn is_unordered(&self) -> bool {
        self.header.flags & UNORDERED != 0
    }
}
