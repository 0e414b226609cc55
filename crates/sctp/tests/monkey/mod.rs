//! Decisions from arbitrary bytes: what packets arrive, what is called, what is lost. No panic comes out, and
//! memory stays bounded.
#![allow(unreachable_pub, reason = "used by the test beside it")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use ossa_sctp::{Association, Config, Event, Received, Reliability, SendOptions, State};

/// Packets that one round of polling may produce; more would be an endless loop.
const MAX_BURST: usize = 20_000;

/// A source of decisions; zeros when it is used up.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, len: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Two associations with a path that a fuzzer controls.
struct Pair {
    ends: [Association; 2],
    /// Packets on the way to each end.
    ways: [VecDeque<Bytes>; 2],
    /// Whether each end takes its messages.
    reads: [bool; 2],
    now: Instant,
    /// Messages delivered to each end.
    delivered: [u64; 2],
}

fn config(bits: u8) -> Config {
    Config {
        interleaving: bits & 1 != 0,
        mtu_discovery: bits & 2 != 0,
        receive_window_min: if bits & 4 != 0 { 4000 } else { 1 << 20 },
        receive_window_max: 1 << 20,
        max_receive_message_size: 1 << 17,
        streams: if bits & 8 != 0 { 4 } else { u16::MAX },
        ..Config::default()
    }
}

impl Pair {
    fn new(now: Instant, bits: u8) -> Self {
        let end = |seed| Association::new(config(bits), [seed; 32]);
        Self {
            ends: [end(1), end(2)],
            ways: [VecDeque::new(), VecDeque::new()],
            reads: [true; 2],
            now,
            delivered: [0; 2],
        }
    }

    fn connect(&mut self) {
        for end in &mut self.ends {
            end.connect(self.now);
        }
        for _ in 0..8 {
            self.exchange();
        }
    }

    /// Collects what an end has to say.
    fn collect(&mut self, index: usize) {
        let end = &mut self.ends[index];
        for count in 0.. {
            assert!(count < MAX_BURST, "endless packets");
            let mut packet = Vec::new();
            let Some(len) = end.poll_transmit(self.now, &mut packet) else { break };
            assert_eq!(len, packet.len());
            self.ways[1 - index].push_back(Bytes::from(packet));
        }
        while let Some(event) = end.poll_event() {
            assert!(!matches!(event, Event::Released { bytes: 0, .. }));
        }
        while self.reads[index]
            && let Some(received) = end.recv()
        {
            if let Received::Message(message) = received {
                assert!(!message.payload.is_empty());
                self.delivered[index] += 1;
            }
        }
    }

    fn deliver(&mut self, index: usize, count: usize) {
        for _ in 0..count {
            let Some(packet) = self.ways[index].pop_front() else { break };
            self.ends[index].handle_packet(self.now, packet);
        }
    }

    fn exchange(&mut self) {
        for index in 0..2 {
            self.collect(index);
            self.deliver(1 - index, usize::MAX);
        }
    }

    /// Lets time pass, in steps of due timers.
    fn pass(&mut self, by: Duration) {
        self.now += by;
        for index in 0..2 {
            if self.ends[index].poll_timeout().is_some_and(|at| at <= self.now) {
                self.ends[index].handle_timeout(self.now);
            }
            self.collect(index);
        }
    }

    fn check(&self) {
        for end in &self.ends {
            let metrics = end.metrics();
            // Twice the window, plus one message on top.
            assert!(metrics.unread <= (2 << 20) + (1 << 17), "{metrics:?}");
        }
    }

    /// The verification tag that packets to an end carry.
    fn tag_of(&mut self, index: usize) -> Option<[u8; 4]> {
        let payload = Bytes::from_static(b"tag");
        let other = &mut self.ends[1 - index];
        other.send(self.now, 0, 51, payload, SendOptions::default()).ok()?;
        let mut packet = Vec::new();
        other.poll_transmit(self.now, &mut packet)?;
        packet.get(4..8)?.try_into().ok()
    }
}

/// Feeds arbitrary packets: to a fresh association, then well-addressed ones with arbitrary chunks to one that
/// is connected.
pub fn packets(now: Instant, data: &[u8]) {
    let mut input = Input(data);
    let mut pair = Pair::new(now, input.byte());
    let raw = Bytes::copy_from_slice(input.0);
    pair.ends[0].handle_packet(now, raw.clone());
    pair.ends[0].connect(now);
    pair.ends[0].handle_packet(now, raw);
    pair.connect();
    let Some(tag) = pair.tag_of(0) else { return };
    for round in 0..64 {
        if input.is_empty() {
            break;
        }
        let packet = chunks(&mut input, tag);
        pair.ends[0].handle_packet(pair.now, packet);
        pair.collect(0);
        pair.ways[1].clear();
        pair.pass(Duration::from_millis(round * 7));
        pair.check();
    }
}

/// A packet with chunks of arbitrary content and mostly valid lengths.
fn chunks(input: &mut Input<'_>, tag: [u8; 4]) -> Bytes {
    const KINDS: [u8; 20] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 64, 130, 132, 192, 194, 0, 64];
    let mut packet = vec![0x13, 0x88, 0x13, 0x88];
    packet.extend_from_slice(&tag);
    packet.extend_from_slice(&[0; 4]);
    for _ in 0..input.byte() % 4 + 1 {
        let kind = input.byte();
        let kind = if kind & 0xc0 == 0xc0 { kind } else { KINDS[usize::from(kind) % KINDS.len()] };
        let flags = input.byte();
        let len = usize::from(input.byte() % 64);
        let value = input.bytes(len);
        let length = value.len() as u16 + 4;
        packet.extend_from_slice(&[kind, flags]);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(value);
        packet.resize(packet.len().next_multiple_of(4), 0);
    }
    Bytes::from(packet)
}

/// Runs operations on two associations: sends, resets, losses, changed packets, pauses, ends.
pub fn operations(now: Instant, data: &[u8]) {
    let mut input = Input(data);
    let mut pair = Pair::new(now, input.byte());
    pair.connect();
    while !input.is_empty() {
        operation(&mut pair, &mut input);
        pair.check();
    }
}

fn operation(pair: &mut Pair, input: &mut Input<'_>) {
    let code = input.byte();
    let index = usize::from(code >> 7);
    let now = pair.now;
    match code & 0x0f {
        0..=2 => {
            let options = SendOptions {
                unordered: code & 0x10 != 0,
                reliability: match code & 0x60 {
                    0x20 => Reliability::MaxRetransmits(u16::from(input.byte() % 3)),
                    0x40 => Reliability::MaxLifetime(Duration::from_millis(u64::from(input.byte()))),
                    _ => Reliability::Reliable,
                },
            };
            let payload = Bytes::from(vec![code; usize::from(input.number())]);
            let stream = u16::from(input.byte() % 8);
            // Refused in some states: that is what is being tried.
            let _ = pair.ends[index].send(now, stream, 53, payload, options);
        }
        3 => {
            let _ = pair.ends[index].reset_stream(u16::from(input.byte() % 8));
        }
        4 => pair.ends[index].set_stream_priority(u16::from(input.byte() % 8), input.number()),
        5 => pair.pass(Duration::from_millis(u64::from(input.byte()))),
        6 => pair.pass(Duration::from_secs(u64::from(input.byte()))),
        7 => pair.deliver(index, usize::from(input.byte() % 16)),
        8 => drop(pair.ways[index].pop_front()),
        9 => {
            let len = pair.ways[index].len();
            if len > 1 {
                pair.ways[index].swap(0, usize::from(input.byte()) % len);
            }
        }
        10 => {
            if let Some(packet) = pair.ways[index].front().cloned() {
                let (mut bytes, at) = (packet.to_vec(), usize::from(input.number()));
                let len = bytes.len();
                bytes[at % len] ^= input.byte();
                // Without a checksum, so that it is looked at.
                bytes[8..12].fill(0);
                pair.ways[index].push_front(Bytes::from(bytes));
            }
        }
        11 => pair.reads[index] = code & 0x10 != 0,
        12 => pair.ends[index].on_path_change(now, code & 0x10 != 0),
        13 if code & 0x70 == 0x70 => pair.ends[index].shutdown(now),
        13 if code & 0x70 == 0x60 => pair.ends[index].abort("fuzzing"),
        // A peer that lost its state.
        13 if code & 0x70 == 0x50 => {
            pair.ends[index] = Association::new(config(input.byte()), [input.byte(); 32]);
            pair.ends[index].connect(now);
        }
        _ => pair.exchange(),
    }
    pair.collect(index);
    debug_assert!(
        pair.ends[index].state() != State::CookieEchoed || pair.ends[index].peer_streams().is_none()
    );
}
