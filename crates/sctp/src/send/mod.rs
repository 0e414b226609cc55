//! The sending half: queues, what is in flight, loss recovery and congestion control.

mod abandon;
mod loss;
mod message;
mod queue;
mod rack;
mod ring;
mod rtt;
mod sack;
mod scheduler;
mod stream;
#[cfg(test)]
mod tests;
mod transmit;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use crate::chunk::data::{DATA_HEADER, I_DATA_HEADER};
use crate::config::Config;
use crate::congestion::{self, Controller, Delivery, Pacer};
use crate::event::Event;
use crate::packet::COMMON_HEADER;
use crate::ranges::RangeSet;
use crate::serial;
use crate::table::StreamTable;
use crate::time::{MILLISECOND, Nanos, Time};

pub(crate) use rtt::Rtt;

use abandon::Skipped;
use loss::Recovery;
use message::Messages;
use queue::Later;
use rack::Rack;
use ring::Ring;
use scheduler::Scheduler;
use stream::OutStream;

/// How long what is under way on a path that was left may take beyond its round trip. Whoever reads one socket after the other finds what was
/// sent last first, and some threads are busy for as long.
const OVERTAKEN: Nanos = 25 * MILLISECOND;

/// Numbers for statistics.
#[derive(Debug, Default)]
pub(crate) struct SendCounters {
    pub(crate) messages_sent: u64,
    pub(crate) messages_abandoned: u64,
    pub(crate) retransmits: u64,
    pub(crate) spurious_retransmits: u64,
    pub(crate) timeouts: u64,
}

/// What was agreed with the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendTerms {
    pub(crate) initial_tsn: u32,
    pub(crate) peer_window: u32,
    pub(crate) interleaving: bool,
    pub(crate) forward_tsn: bool,
}

/// Timers of the sending half.
#[derive(Debug, Default)]
struct Timers {
    /// Retransmission (T3-rtx).
    t3: Option<Time>,
    /// Tail loss probe.
    probe: Option<Time>,
    /// A chunk may turn out to be lost, not late.
    reorder: Option<Time>,
    /// The peer's window is closed and nothing is in flight.
    persist: Option<Time>,
    /// Packets are spaced out.
    pacing: Option<Time>,
    /// A FORWARD-TSN got no answer.
    forward: Option<Time>,
}

/// The sending half of an association.
#[derive(Debug)]
pub(crate) struct Sender {
    // Queues.
    messages: Messages,
    streams: StreamTable<OutStream>,
    scheduler: Scheduler,
    /// When messages with a lifetime expire: time, key and generation.
    deadlines: BinaryHeap<Reverse<(Time, u32, u32)>>,
    /// What was queued on streams that are being reset.
    later: BTreeMap<u16, Vec<Later>>,
    /// Streams whose next message has to wait until others are finished, by virtual time.
    parked: BinaryHeap<Reverse<(u64, u16)>>,
    /// Bytes of messages of several fragments that are begun and not finished.
    open_bytes: usize,
    /// Limit of `open_bytes`.
    open_limit: usize,
    buffered: usize,
    /// Streams with bytes to report as released.
    released: VecDeque<u16>,
    /// Streams to reset on which nothing is queued or in flight any more.
    drained: VecDeque<u16>,
    events: VecDeque<Event>,
    // In flight.
    ring: Ring,
    acked: RangeSet,
    acked_chunks: usize,
    /// Bytes on the wire, chunk headers included, and payload bytes only.
    flight: usize,
    flight_payload: usize,
    lost: BinaryHeap<Reverse<u64>>,
    rack: Rack,
    recovery: Option<Recovery>,
    /// Chunks that the last recovery called lost and that have not proved to be only late. At most what was in flight.
    suspects: BTreeSet<u64>,
    /// The last TSN that the peer's last SACK could speak of.
    horizon: u64,
    /// Chunks beyond it that would be lost otherwise, in the order of their TSNs. At most what was in flight.
    silent: VecDeque<u64>,
    pub(crate) rtt: Rtt,
    controller: Box<dyn Controller>,
    delivery: Delivery,
    pacer: Pacer,
    peer_window: usize,
    max_peer_window: usize,
    /// The peer's last SACK said that it has no room; and that it has again, with something in flight.
    window_closed: bool,
    window_opened: bool,
    /// A chunk may be sent whatever the windows say: tail loss probe or window probe.
    probe_due: bool,
    /// The probe that was sent last; nothing was acknowledged since.
    probe_sent: bool,
    /// When chunks were sent last.
    last_sent: Time,
    /// The chunk written last.
    last_written: u64,
    /// How long the peer seems to sit on acknowledgements.
    ack_delay: Nanos,
    expiries: u32,
    window_limited: bool,
    /// Set when a loss of large packets only suggests that the path's MTU shrank.
    pub(crate) black_hole: bool,
    large_losses: u32,
    /// The last transmission in a large packet that is known to have arrived.
    large_arrived: u64,
    // Partial reliability.
    forward_supported: bool,
    /// Everything up to here is acknowledged or abandoned.
    advanced: u64,
    skipped: VecDeque<Skipped>,
    /// How far the last FORWARD-TSN went, and whether its list of streams was cut short.
    forwarded: u64,
    forward_is_partial: bool,
    forward_due: bool,
    // Terms.
    interleaving: bool,
    mtu: usize,
    base_mtu: usize,
    /// A chunk may fill the largest packet.
    path_inside_host: bool,
    timers: Timers,
    pub(crate) counters: SendCounters,
    /// Lists reused from call to call.
    scratch: Vec<u64>,
    scratch_ranges: Vec<(u64, u64)>,
}

/// What we assume of a peer's delayed acknowledgements before we know better.
const INITIAL_ACK_DELAY: Nanos = 25 * MILLISECOND;
/// With interleaving, messages of this many bytes together may always be begun before one is finished. The peer
/// has to keep every one that is not finished, so it must not be all streams at once.
const MIN_OPEN: usize = 4 * 1024 * 1024;
/// A TSN further than this from the oldest one in flight could not be reported in a gap block.
const MAX_SPAN: usize = 65_000;
/// The same for DATA, whose SSN has 16 bits: the receiver could not tell more than half of them apart.
const MAX_DATA_SPAN: usize = 32_000;

impl Sender {
    pub(crate) fn new(config: &Config, terms: SendTerms) -> Self {
        let first = serial::first(terms.initial_tsn);
        let mtu = config.initial_mtu;
        Self {
            messages: Messages::new(),
            streams: StreamTable::new(),
            scheduler: Scheduler::default(),
            deadlines: BinaryHeap::new(),
            later: BTreeMap::new(),
            parked: BinaryHeap::new(),
            open_bytes: 0,
            open_limit: config.max_send_message_size.saturating_mul(2).max(MIN_OPEN),
            buffered: 0,
            released: VecDeque::new(),
            drained: VecDeque::new(),
            events: VecDeque::new(),
            ring: Ring::new(first),
            acked: RangeSet::default(),
            acked_chunks: 0,
            flight: 0,
            flight_payload: 0,
            lost: BinaryHeap::new(),
            rack: Rack::new(),
            recovery: None,
            suspects: BTreeSet::new(),
            horizon: u64::MAX,
            silent: VecDeque::new(),
            rtt: Rtt::new(config),
            controller: congestion::controller(config.congestion, mtu, terms.initial_tsn),
            delivery: Delivery::default(),
            pacer: Pacer::default(),
            peer_window: terms.peer_window as usize,
            max_peer_window: terms.peer_window as usize,
            window_closed: false,
            window_opened: false,
            probe_due: false,
            probe_sent: false,
            last_sent: Time::default(),
            last_written: 0,
            ack_delay: INITIAL_ACK_DELAY,
            expiries: 0,
            window_limited: false,
            black_hole: false,
            large_losses: 0,
            large_arrived: 0,
            forward_supported: terms.forward_tsn,
            advanced: first - 1,
            skipped: VecDeque::new(),
            forwarded: first - 1,
            forward_is_partial: false,
            forward_due: false,
            interleaving: terms.interleaving,
            mtu,
            base_mtu: mtu,
            path_inside_host: config.path_inside_host,
            timers: Timers::default(),
            counters: SendCounters::default(),
            scratch: Vec::new(),
            scratch_ranges: Vec::new(),
        }
    }

    /// Gives back room for what is queued and in flight, if there is nothing.
    pub(crate) fn shrink(&mut self) {
        if !self.ring.is_empty() || self.messages.len() > 0 {
            return;
        }
        self.ring.shrink();
        self.messages.shrink();
        self.scratch = Vec::new();
        self.scratch_ranges = Vec::new();
        self.events.shrink_to_fit();
        self.released.shrink_to_fit();
        self.drained.shrink_to_fit();
    }

    /// Bytes in front of the payload of a chunk.
    fn chunk_header(&self) -> usize {
        if self.interleaving { I_DATA_HEADER } else { DATA_HEADER }
    }

    /// The most payload that a chunk carries. What is to be sent again goes as it is, whatever becomes of the path.
    fn chunk_limit(&self) -> usize {
        let packet = if self.path_inside_host { self.mtu } else { self.base_mtu.min(self.mtu) };
        // Chunks are padded to words.
        (packet - COMMON_HEADER - self.chunk_header()) & !3
    }

    /// Takes the next event about messages.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        let stream = self.released.pop_front()?;
        let bytes = std::mem::take(&mut self.streams.entry(stream).released);
        Some(Event::Released { stream, bytes })
    }

    /// Whether nothing is queued or in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.messages.len() == 0 && self.later.is_empty() && self.ring.is_empty()
    }

    /// The last TSN that was given to a chunk.
    pub(crate) fn last_tsn(&self) -> u32 {
        (self.ring.next() - 1) as u32
    }

    /// Whether the stream has finished draining for a reset; takes the next one.
    pub(crate) fn take_drained(&mut self) -> Option<u16> {
        self.drained.pop_front()
    }

    /// Whether some stream has drained for its reset.
    pub(crate) fn has_drained(&self) -> bool {
        !self.drained.is_empty()
    }

    pub(crate) fn buffered(&self) -> usize {
        self.buffered
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.flight
    }

    pub(crate) fn peer_window(&self) -> usize {
        self.peer_window
    }

    pub(crate) fn window(&self) -> usize {
        self.controller.window()
    }

    pub(crate) fn threshold(&self) -> usize {
        self.controller.threshold()
    }

    /// When the next timer of the sending half is due.
    pub(crate) fn timeout(&self) -> Option<Time> {
        let deadline = self.deadlines.peek().map(|Reverse((time, _, _))| *time);
        let timers = &self.timers;
        [timers.t3, timers.probe, timers.reorder, timers.persist, timers.pacing, timers.forward, deadline]
            .into_iter()
            .flatten()
            .min()
    }

    /// The largest packet that the path carries changed.
    pub(crate) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        self.large_losses = 0;
        self.controller.on_mtu(mtu);
    }

    /// The path changed: estimates start anew, and so does the congestion window.
    pub(crate) fn on_path_change(&mut self, config: &Config, now: Time) {
        self.rack.on_path_change(now, self.rtt.smoothed().unwrap_or(0) + OVERTAKEN);
        self.rtt.reset();
        self.mtu = config.initial_mtu;
        self.large_losses = 0;
        self.controller = congestion::controller(config.congestion, self.mtu, self.ring.next() as u32);
        self.delivery.on_path_change(self.rack.last_order());
        self.pacer = Pacer::default();
        self.recovery = None;
        self.suspects.clear();
        self.path_inside_host = config.path_inside_host;
        self.expiries = 0;
        // What is in flight on the old path may be gone; find out soon.
        if !self.ring.is_empty() {
            self.timers.t3 = Some(now.after(self.rtt.rto()));
        }
        self.timers.pacing = None;
    }

    /// The path carries again after a silence: what is in flight is lost, and is not to wait for a timeout that has grown meanwhile.
    pub(crate) fn on_path_restored(&mut self, now: Time) {
        self.expiries = 0;
        if !self.ring.is_empty() {
            self.timers.t3 = Some(now);
        }
    }
}

impl Sender {
    /// Begins anew with what was agreed; everything queued or in flight is given up. Priorities stay, and so does
    /// what is known of the path.
    pub(crate) fn restart(&mut self, config: &Config, terms: SendTerms) {
        let mut fresh = Self::new(config, terms);
        std::mem::swap(&mut fresh.counters, &mut self.counters);
        std::mem::swap(&mut fresh.events, &mut self.events);
        std::mem::swap(&mut fresh.rtt, &mut self.rtt);
        for (id, stream) in self.streams.iter_mut() {
            let renewed = fresh.streams.entry(id);
            renewed.priority = stream.priority;
            renewed.released = stream.released + stream.buffered;
            if renewed.released > 0 {
                fresh.released.push_back(id);
            }
        }
        *self = fresh;
    }

    /// Gives up everything because the association is over; events already due are kept.
    pub(crate) fn close(&mut self) {
        self.messages = Messages::new();
        self.scheduler = Scheduler::default();
        self.deadlines = BinaryHeap::new();
        self.later = BTreeMap::new();
        self.parked = BinaryHeap::new();
        self.open_bytes = 0;
        self.ring = Ring::new(self.ring.next());
        self.acked.clear();
        self.lost = BinaryHeap::new();
        self.rack = Rack::new();
        self.silent = VecDeque::new();
        self.suspects.clear();
        self.flight = 0;
        self.flight_payload = 0;
        self.buffered = 0;
        self.timers = Timers::default();
        self.forward_due = false;
        self.probe_due = false;
        self.drained = VecDeque::new();
    }
}
