//! Two associations joined by simulated links, in virtual time.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

pub mod link;

use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_sctp::{Association, Config, Event, Message, Received, Reliability, SendOptions, State};

use link::Wire;
pub use link::{Link, Random};

pub const MS: Duration = Duration::from_millis(1);

/// One end of the path.
#[derive(Debug)]
pub struct End {
    pub association: Association,
    pub events: Vec<Event>,
    pub received: Vec<Received>,
    /// Whether messages are taken as they come.
    pub reads: bool,
}

impl End {
    fn new(config: Config, seed: u8) -> Self {
        Self {
            association: Association::new(config, [seed; 32]),
            events: Vec::new(),
            received: Vec::new(),
            reads: true,
        }
    }

    pub fn messages(&self) -> Vec<Message> {
        let messages = self.received.iter().filter_map(|received| match received {
            Received::Message(message) => Some(message.clone()),
            Received::StreamsReset(_) => None,
        });
        messages.collect()
    }

    pub fn messages_on(&self, stream: u16) -> Vec<Bytes> {
        self.messages()
            .into_iter()
            .filter(|message| message.stream == stream)
            .map(|message| message.payload)
            .collect()
    }
}

/// Two ends, two wires, one clock.
#[derive(Debug)]
pub struct Sim {
    pub a: End,
    pub b: End,
    to_b: Wire,
    to_a: Wire,
    start: Instant,
    pub now: Duration,
    random: Random,
    buffer: Vec<u8>,
    /// Steps since time went on.
    idle: u32,
}

#[expect(clippy::disallowed_methods, reason = "an instant to count from; only differences matter")]
pub fn start_of_time() -> Instant {
    Instant::now()
}

impl Sim {
    pub fn new(link: Link, config: Config, seed: u64) -> Self {
        Self::with_configs(link.clone(), link, config.clone(), config, seed)
    }

    pub fn with_configs(to_b: Link, to_a: Link, a: Config, b: Config, seed: u64) -> Self {
        Self {
            a: End::new(a, seed as u8),
            b: End::new(b, (seed as u8).wrapping_add(101)),
            to_b: Wire::new(to_b),
            to_a: Wire::new(to_a),
            start: start_of_time(),
            now: Duration::ZERO,
            random: Random::new(seed + 1),
            buffer: Vec::new(),
            idle: 0,
        }
    }

    /// Two ends that have connected.
    pub fn connected(link: Link, config: Config, seed: u64) -> Self {
        let mut sim = Self::new(link, config, seed);
        sim.connect();
        sim
    }

    pub fn connect(&mut self) {
        let now = self.instant();
        self.a.association.connect(now);
        self.b.association.connect(now);
        let is_up = |sim: &Self| {
            sim.a.association.state() == State::Established && sim.b.association.state() == State::Established
        };
        assert!(self.run_until(Duration::from_secs(300), is_up), "the handshake did not finish: {self:?}");
    }

    pub fn instant(&self) -> Instant {
        self.start + self.now
    }

    pub fn link(&mut self) -> (&mut Link, &mut Link) {
        (&mut self.to_b.link, &mut self.to_a.link)
    }

    /// Bytes of packets from a to b that were lost.
    pub fn lost_to_b(&self) -> u64 {
        self.to_b.lost
    }

    pub fn set_links(&mut self, link: &Link) {
        self.to_b.link = link.clone();
        self.to_a.link = link.clone();
    }

    pub fn send_from_a(&mut self, stream: u16, payload: impl Into<Bytes>, options: SendOptions) {
        let now = self.instant();
        self.a.association.send(now, stream, 53, payload.into(), options).expect("a takes the message");
    }

    pub fn send_from_b(&mut self, stream: u16, payload: impl Into<Bytes>, options: SendOptions) {
        let now = self.instant();
        self.b.association.send(now, stream, 53, payload.into(), options).expect("b takes the message");
    }

    /// Moves everything that is ready, without letting time pass.
    pub fn pump(&mut self) {
        let (now, instant) = (self.now, self.start + self.now);
        let random = &mut self.random;
        for (end, wire) in [(&mut self.a, &mut self.to_b), (&mut self.b, &mut self.to_a)] {
            if end.reads {
                while let Some(received) = end.association.recv() {
                    end.received.push(received);
                }
            }
            for count in 0.. {
                assert!(count < 50_000, "packets without end");
                self.buffer.clear();
                let Some(len) = end.association.poll_transmit(instant, &mut self.buffer) else { break };
                assert_eq!(len, self.buffer.len());
                wire.enter(now, &self.buffer, 0, Duration::ZERO, random);
            }
            while let Some(event) = end.association.poll_event() {
                end.events.push(event);
            }
        }
    }

    fn next_event(&self) -> Option<Duration> {
        let timeouts = [&self.a, &self.b].into_iter().filter_map(|end| end.association.poll_timeout());
        let timeouts = timeouts.map(|at| at.saturating_duration_since(self.start));
        let wires = [&self.to_a, &self.to_b].into_iter().filter_map(Wire::next);
        timeouts.chain(wires).min()
    }

    /// Lets time pass to the next event; false if there is none before `end`.
    pub fn step(&mut self, end: Duration) -> bool {
        self.pump();
        let next = self.next_event();
        let Some(next) = next.filter(|next| *next <= end) else {
            self.now = self.now.max(end);
            return false;
        };
        self.idle = if next > self.now { 0 } else { self.idle + 1 };
        assert!(self.idle < 10_000, "time stands still: a timer is due again and again");
        self.now = self.now.max(next);
        let instant = self.instant();
        for (end, wire) in [(&mut self.a, &mut self.to_a), (&mut self.b, &mut self.to_b)] {
            while let Some(packet) = wire.take(self.now) {
                end.association.handle_packet(instant, packet.bytes);
            }
            if end.association.poll_timeout().is_some_and(|at| at <= instant) {
                end.association.handle_timeout(instant);
            }
        }
        true
    }

    /// Runs until `done`, for at most `limit`; tells whether it was.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.pump();
            if done(self) {
                return true;
            }
            if !self.step(end) {
                return done(self);
            }
        }
    }

    pub fn run_to(&mut self, time: Duration) {
        self.run_for(time.saturating_sub(self.now));
    }

    pub fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }
}

pub fn reliable() -> SendOptions {
    SendOptions::default()
}

pub fn unordered() -> SendOptions {
    SendOptions { unordered: true, reliability: Reliability::Reliable }
}

/// Bytes that differ from message to message and from place to place.
pub fn pattern(len: usize, salt: u64) -> Bytes {
    let mut random = Random::new(salt + 17);
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(len);
    Bytes::from(bytes)
}
