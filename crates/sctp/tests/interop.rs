//! Our association against other stacks, in memory and virtual time: both as initiators, both directions.

mod foreign;
mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use foreign::{DcSctp, Delivery, Foreign, RtcSctp, SctpProto};
use ossa_sctp::{Association, Config, Event, Received, Reliability, SendOptions, State};
use support::{Random, pattern, reliable, start_of_time, unordered};

const DELAY: Duration = Duration::from_millis(5);

/// Our association, another stack, and a lossy path between them.
struct Mixed {
    ours: Association,
    theirs: Box<dyn Foreign>,
    now: Instant,
    /// Arrival, sequence number, whether it is for us.
    path: BTreeMap<(Instant, u64), (bool, Bytes)>,
    counter: u64,
    random: Random,
    loss: f64,
    at_ours: Vec<Received>,
    at_theirs: Vec<(u16, Bytes)>,
    events: Vec<Event>,
}

impl Mixed {
    fn new(theirs: impl FnOnce(Instant) -> Box<dyn Foreign>, config: Config, seed: u64) -> Self {
        let now = start_of_time();
        Self {
            ours: Association::new(config, [seed as u8; 32]),
            theirs: theirs(now),
            now,
            path: BTreeMap::new(),
            counter: 0,
            random: Random::new(seed),
            loss: 0.0,
            at_ours: Vec::new(),
            at_theirs: Vec::new(),
            events: Vec::new(),
        }
    }

    fn enter(&mut self, for_us: bool, packet: Bytes) {
        if !self.random.chance(self.loss) {
            self.counter += 1;
            self.path.insert((self.now + DELAY, self.counter), (for_us, packet));
        }
    }

    fn pump(&mut self) {
        while let Some(received) = self.ours.recv() {
            self.at_ours.push(received);
        }
        let mut packet = Vec::new();
        while self.ours.poll_transmit(self.now, &mut packet).is_some() {
            self.enter(false, Bytes::from(std::mem::take(&mut packet)));
        }
        while let Some(event) = self.ours.poll_event() {
            self.events.push(event);
        }
        for packet in self.theirs.poll(self.now) {
            self.enter(true, packet);
        }
        self.at_theirs.extend(self.theirs.receive());
    }

    fn run_until(&mut self, limit: Duration, done: impl Fn(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.pump();
            if done(self) {
                return true;
            }
            let arrival = self.path.keys().next().map(|(at, _)| *at);
            let timeouts = [arrival, self.ours.poll_timeout(), self.theirs.next_timeout()];
            let Some(next) = timeouts.into_iter().flatten().min().filter(|at| *at <= end) else {
                return false;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self.path.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (for_us, packet) = entry.remove();
                if for_us {
                    self.ours.handle_packet(self.now, packet);
                } else {
                    self.theirs.handle_packet(self.now, packet);
                }
            }
            if self.ours.poll_timeout().is_some_and(|at| at <= self.now) {
                self.ours.handle_timeout(self.now);
            }
            if self.theirs.next_timeout().is_some_and(|at| at <= self.now) {
                self.theirs.handle_timeout(self.now);
            }
        }
    }

    fn connect(&mut self, we_start: bool, they_start: bool) {
        if they_start {
            self.theirs.connect(self.now);
        }
        if we_start {
            self.ours.connect(self.now);
        }
        let up = |mixed: &mut Self| mixed.ours.state() == State::Established && mixed.theirs.is_established();
        assert!(self.run_until(Duration::from_secs(60), up), "no handshake: {:?}", self.ours.state());
    }

    fn messages(&self, stream: u16) -> Vec<Bytes> {
        let of_stream = self.at_ours.iter().filter_map(|received| match received {
            Received::Message(message) if message.stream == stream => Some(message.payload.clone()),
            _ => None,
        });
        of_stream.collect()
    }

    fn their_messages(&self, stream: u16) -> Vec<Bytes> {
        self.at_theirs.iter().filter(|(id, _)| *id == stream).map(|(_, payload)| payload.clone()).collect()
    }
}

type Maker = fn(Instant) -> Box<dyn Foreign>;

fn stacks() -> [(&'static str, Maker); 5] {
    [
        ("dcsctp", |now| Box::new(DcSctp::new(now, false, true))),
        ("dcsctp with interleaving", |now| Box::new(DcSctp::new(now, true, true))),
        ("dcsctp with checksums", |now| Box::new(DcSctp::new(now, false, false))),
        ("rtc-sctp", |_| Box::new(RtcSctp::new())),
        ("sctp-proto", |_| Box::new(SctpProto::new())),
    ]
}

/// Sizes up to the 64 KiB that every stack takes.
const SIZES: [usize; 9] = [1, 2, 1000, 1160, 1200, 5000, 16_384, 40_000, 65_535];

fn exchange(name: &str, mixed: &mut Mixed) {
    let rounds = 4;
    for round in 0..rounds {
        for (index, size) in SIZES.into_iter().enumerate() {
            let payload = pattern(size, (round * 10 + index) as u64);
            mixed.ours.send(mixed.now, 1, 53, payload.clone(), reliable()).expect("we take it");
            mixed.theirs.send(mixed.now, 1, &payload, Delivery::default());
            mixed.ours.send(mixed.now, 2, 53, payload.clone(), unordered()).expect("we take it");
            mixed.theirs.send(mixed.now, 2, &payload, Delivery { unordered: true, once: false });
        }
    }
    let count = SIZES.len() * rounds * 2;
    let all = |mixed: &mut Mixed| mixed.at_theirs.len() >= count && mixed.at_ours.len() >= count;
    let done = mixed.run_until(Duration::from_secs(600), all);
    assert!(done, "{name}: {} and {} of {count}", mixed.at_theirs.len(), mixed.at_ours.len());
    let expected: Vec<Bytes> = (0..rounds)
        .flat_map(|round| {
            SIZES.into_iter().enumerate().map(move |(index, size)| pattern(size, (round * 10 + index) as u64))
        })
        .collect();
    assert!(mixed.messages(1) == expected && mixed.their_messages(1) == expected, "{name}: ordered streams");
    let sorted = |mut list: Vec<Bytes>| {
        list.sort();
        list
    };
    let expected = sorted(expected);
    assert!(sorted(mixed.messages(2)) == expected, "{name}: unordered at us");
    assert!(sorted(mixed.their_messages(2)) == expected, "{name}: unordered at them");
}

#[test]
fn we_connect_to_every_stack_and_exchange_messages() {
    for (name, make) in stacks() {
        let mut mixed = Mixed::new(make, Config::default(), 1);
        mixed.connect(true, false);
        exchange(name, &mut mixed);
    }
}

#[test]
fn every_stack_connects_to_us_and_exchanges_messages() {
    for (name, make) in stacks() {
        let mut mixed = Mixed::new(make, Config::default(), 2);
        mixed.connect(false, true);
        exchange(name, &mut mixed);
    }
}

#[test]
fn both_sides_may_connect_at_once() {
    for (name, make) in &stacks()[..3] {
        let mut mixed = Mixed::new(make, Config::default(), 3);
        mixed.connect(true, true);
        exchange(name, &mut mixed);
    }
}

#[test]
fn loss_on_the_way_to_other_stacks_is_repaired() {
    for (name, make) in stacks() {
        let mut mixed = Mixed::new(make, Config::default(), 4);
        mixed.connect(true, false);
        mixed.loss = 0.05;
        exchange(name, &mut mixed);
    }
}

#[test]
fn features_are_used_when_both_sides_have_them() {
    let features = |index: usize| {
        let mut mixed = Mixed::new(stacks()[index].1, Config::default(), 5);
        mixed.connect(true, false);
        let metrics = mixed.ours.metrics();
        (metrics.interleaving, metrics.zero_checksum)
    };
    assert_eq!([features(0), features(1), features(2)], [(false, true), (true, true), (false, false)]);
    assert_eq!([features(3), features(4)].map(|(interleaving, _)| interleaving), [false, false]);
}

#[test]
fn packets_grow_towards_every_stack() {
    for (name, make) in stacks() {
        let mut mixed = Mixed::new(make, Config::default(), 9);
        mixed.connect(true, false);
        exchange(name, &mut mixed);
        mixed.run_until(Duration::from_secs(2), |_| false);
        assert_eq!(mixed.ours.metrics().mtu, 16_300, "{name}");
    }
}

#[test]
fn stream_resets_work_in_both_directions() {
    for (name, make) in stacks() {
        let mut mixed = Mixed::new(make, Config::default(), 6);
        mixed.connect(true, false);
        for stream in [1, 3] {
            mixed.ours.send(mixed.now, stream, 53, pattern(3000, 1), reliable()).expect("we take it");
            mixed.theirs.send(mixed.now, stream, &pattern(3000, 2), Delivery::default());
        }
        assert!(mixed.run_until(Duration::from_secs(5), |mixed| mixed.at_ours.len() == 2
            && mixed.at_theirs.len() == 2));
        mixed.ours.reset_stream(1).expect("reset starts");
        let done = |mixed: &mut Mixed| {
            mixed.events.contains(&Event::OutgoingResetDone { stream: 1 }) && mixed.theirs.saw_reset(1)
        };
        assert!(mixed.run_until(Duration::from_secs(10), done), "{name}: our reset");
        mixed.theirs.reset(mixed.now, 3);
        let done = |mixed: &mut Mixed| mixed.at_ours.contains(&Received::StreamsReset(vec![3]));
        assert!(mixed.run_until(Duration::from_secs(10), done), "{name}: their reset");
    }
}

#[test]
fn skipped_messages_do_not_hold_up_other_stacks() {
    for (name, make) in stacks() {
        for is_unordered in [false, true] {
            let mut mixed = Mixed::new(make, Config::default(), 7);
            mixed.connect(true, false);
            mixed.loss = 0.1;
            let options =
                SendOptions { unordered: is_unordered, reliability: Reliability::MaxRetransmits(0) };
            for index in 0..200 {
                mixed.ours.send(mixed.now, 5, 53, pattern(2000, index), options).expect("we take it");
                mixed.run_until(Duration::from_millis(3), |_| false);
            }
            mixed.loss = 0.0;
            mixed.ours.send(mixed.now, 5, 53, pattern(7, 7), reliable()).expect("we take it");
            let last =
                |mixed: &mut Mixed| mixed.at_theirs.iter().any(|(_, payload)| *payload == pattern(7, 7));
            assert!(mixed.run_until(Duration::from_secs(60), last), "{name}: unordered {is_unordered}");
            assert!(mixed.at_theirs.len() > 120, "{name}: {} arrived", mixed.at_theirs.len());
        }
    }
}

#[test]
fn messages_that_other_stacks_skip_do_not_hold_up_us() {
    for (name, make) in stacks() {
        for unordered in [false, true] {
            let mut mixed = Mixed::new(make, Config::default(), 17);
            mixed.connect(true, false);
            mixed.loss = 0.1;
            for index in 0..200 {
                mixed.theirs.send(mixed.now, 5, &pattern(2000, index), Delivery { unordered, once: true });
                mixed.run_until(Duration::from_millis(3), |_| false);
            }
            mixed.loss = 0.0;
            mixed.theirs.send(mixed.now, 5, &pattern(7, 7), Delivery { unordered, once: false });
            let last = |mixed: &mut Mixed| mixed.messages(5).contains(&pattern(7, 7));
            assert!(mixed.run_until(Duration::from_secs(120), last), "{name}: unordered {unordered}");
            let count = mixed.messages(5).len();
            assert!(count > 100, "{name}: {count} arrived");
        }
    }
}

#[test]
fn other_stacks_close_gracefully_with_us() {
    for (name, make) in stacks() {
        let mut mixed = Mixed::new(make, Config::default(), 8);
        mixed.connect(true, false);
        mixed.ours.send(mixed.now, 0, 53, pattern(30_000, 1), reliable()).expect("we take it");
        mixed.run_until(Duration::from_secs(1), |mixed| mixed.at_theirs.len() == 1);
        mixed.ours.shutdown(mixed.now);
        let closed = |mixed: &mut Mixed| mixed.ours.state() == State::Closed;
        assert!(mixed.run_until(Duration::from_secs(30), closed), "{name}: {:?}", mixed.ours.state());
    }
}
