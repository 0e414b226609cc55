//! Bulk transfers, one or several, through one bottleneck, in virtual time, and what they got of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_sctp::{Association, Config, CongestionControl, Received, SendOptions, State};

use super::outcome::{Arrived, FlowOutcome, Resent};
use crate::support::link::Wire;
use crate::support::{Link, Random, start_of_time};

/// A transfer, and the part of the way that is its own.
#[derive(Clone, Copy, Debug)]
pub struct FlowSpec {
    pub congestion: CongestionControl,
    /// When it begins.
    pub starts: Duration,
    /// Delay besides that of the link, each way.
    pub extra_delay: Duration,
    /// Bytes to send; `None` = as many as there is time for.
    pub bytes: Option<u64>,
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The way of the data. That of the acknowledgements has the same delay, loss and disorder and no bottleneck.
    pub link: Link,
    /// From when on the link has another rate, in bytes per second.
    pub rates: Vec<(Duration, u64)>,
    pub flows: Vec<FlowSpec>,
    /// What is before this is not measured.
    pub from: Duration,
    pub to: Duration,
    pub seed: u64,
}

/// Timers of the real driver are no finer than this, so that whoever wants to send later sends at the next tick.
const TICK: Duration = Duration::from_millis(1);
const MESSAGE: usize = 65_536;
/// As much as an application keeps in the send buffer.
const BUFFERED: usize = 1 << 20;

struct Flow {
    spec: FlowSpec,
    sender: Association,
    receiver: Association,
    /// When one of them wants to be called.
    timer: Option<Duration>,
    opened: Option<Duration>,
    queued: u64,
    messages: u64,
    delivered: u64,
    arrived: Arrived,
    resent: Resent,
    outcome: FlowOutcome,
}

impl Flow {
    fn new(spec: FlowSpec, seed: u8) -> Self {
        let config = Config { congestion: spec.congestion, ..Config::default() };
        Self {
            spec,
            sender: Association::new(config.clone(), [seed; 32]),
            receiver: Association::new(config, [seed.wrapping_add(101); 32]),
            timer: Some(spec.starts),
            opened: None,
            queued: 0,
            messages: 0,
            delivered: 0,
            arrived: Arrived::default(),
            resent: Resent::default(),
            outcome: FlowOutcome::default(),
        }
    }

    fn start(&mut self, instant: Instant) {
        if self.sender.state() == State::Closed {
            self.sender.connect(instant);
            self.receiver.connect(instant);
        }
    }

    /// Queues messages that say which one they are.
    fn fill(&mut self, now: Duration, instant: Instant) {
        if self.sender.state() != State::Established {
            return;
        }
        self.opened.get_or_insert(now);
        while self.sender.buffered_amount(0) < BUFFERED {
            let left = self.spec.bytes.map_or(u64::MAX, |bytes| bytes - self.queued);
            if left < 8 {
                break;
            }
            let mut message = vec![0; left.min(MESSAGE as u64) as usize];
            message[..8].copy_from_slice(&self.messages.to_le_bytes());
            self.messages += 1;
            self.queued += message.len() as u64;
            let options = SendOptions::default();
            self.sender.send(instant, 0, 53, Bytes::from(message), options).expect("it is connected");
        }
    }

    fn read(&mut self, now: Duration) {
        while let Some(received) = self.receiver.recv() {
            let Received::Message(message) = received else { continue };
            let number = u64::from_le_bytes(message.payload[..8].try_into().expect("eight bytes"));
            assert_eq!(
                number, self.outcome.messages,
                "a reliable, ordered stream lost or reordered something"
            );
            self.outcome.messages += 1;
            self.delivered += message.payload.len() as u64;
            if self.spec.bytes == Some(self.delivered) {
                self.outcome.took = self.opened.map(|opened| now - opened);
            }
        }
    }
}

struct Network {
    flows: Vec<Flow>,
    to_b: Wire,
    to_a: Wire,
    rates: Vec<(Duration, u64)>,
    start: Instant,
    now: Duration,
    random: Random,
    buffer: Vec<u8>,
}

impl Network {
    fn new(scenario: &Scenario) -> Self {
        let back = Link { rate: 0, policer: None, ..scenario.link.clone() };
        let seed = |index: usize| (scenario.seed as u8).wrapping_add(7 * index as u8);
        let flows = scenario.flows.iter().enumerate();
        Self {
            flows: flows.map(|(index, spec)| Flow::new(*spec, seed(index))).collect(),
            to_b: Wire::new(scenario.link.clone()),
            to_a: Wire::new(back),
            rates: scenario.rates.clone(),
            start: start_of_time(),
            now: Duration::ZERO,
            random: Random::new(scenario.seed + 1),
            buffer: Vec::new(),
        }
    }

    fn next_event(&self) -> Option<Duration> {
        let timers = self.flows.iter().filter_map(|flow| flow.timer);
        let wires = [&self.to_a, &self.to_b].into_iter().filter_map(Wire::next);
        let rates = self.rates.first().map(|(at, _)| *at);
        timers.chain(wires).chain(rates).min()
    }

    /// Lets time pass to the next event; false if there is none before `end`.
    fn step(&mut self, measured: bool, end: Duration) -> bool {
        let Some(next) = self.next_event().filter(|next| *next <= end) else { return false };
        self.now = self.now.max(next);
        if let Some((_, rate)) = self.rates.first().filter(|(at, _)| *at <= self.now) {
            self.to_b.link.rate = *rate;
            self.rates.remove(0);
        }
        let instant = self.start + self.now;
        let mut touched = vec![false; self.flows.len()];
        while let Some(packet) = self.to_b.take(self.now) {
            let flow = &mut self.flows[packet.flow];
            let fresh = flow.arrived.note(&packet.bytes);
            if measured {
                flow.outcome.waits.push(packet.waited);
                flow.outcome.bytes += fresh;
            }
            flow.receiver.handle_packet(instant, packet.bytes);
            touched[packet.flow] = true;
        }
        while let Some(packet) = self.to_a.take(self.now) {
            self.flows[packet.flow].sender.handle_packet(instant, packet.bytes);
            touched[packet.flow] = true;
        }
        for (index, is_touched) in touched.into_iter().enumerate() {
            if is_touched || self.flows[index].timer.is_some_and(|at| at <= self.now) {
                self.serve(index, measured);
            }
        }
        true
    }

    /// Gives a flow its turn.
    fn serve(&mut self, index: usize, measured: bool) {
        let (now, instant) = (self.now, self.start + self.now);
        let flow = &mut self.flows[index];
        flow.start(instant);
        for end in [&mut flow.sender, &mut flow.receiver] {
            if end.poll_timeout().is_some_and(|at| at <= instant) {
                end.handle_timeout(instant);
            }
            while end.poll_event().is_some() {}
        }
        flow.read(now);
        flow.fill(now, instant);
        let extra = flow.spec.extra_delay;
        for (end, wire, is_sender) in
            [(&mut flow.sender, &mut self.to_b, true), (&mut flow.receiver, &mut self.to_a, false)]
        {
            loop {
                self.buffer.clear();
                if end.poll_transmit(instant, &mut self.buffer).is_none() {
                    break;
                }
                if is_sender {
                    flow.resent.note(&self.buffer, measured);
                }
                wire.enter(now, &self.buffer, index, extra, &mut self.random);
            }
        }
        let timers = [&flow.sender, &flow.receiver].into_iter().filter_map(Association::poll_timeout);
        flow.timer = timers.min().map(|at| next_tick(at.saturating_duration_since(self.start), now));
    }
}

/// When a timer for `at` fires.
fn next_tick(at: Duration, now: Duration) -> Duration {
    let ticks = at.as_nanos().div_ceil(TICK.as_nanos());
    let tick = Duration::from_nanos((ticks * TICK.as_nanos()) as u64);
    // What is already due is served at the next tick, not in a loop.
    if tick > now { tick } else { now + TICK }
}

/// Runs a scenario to its end. The same scenario gives the same outcome.
pub fn run(scenario: &Scenario) -> Vec<FlowOutcome> {
    let mut network = Network::new(scenario);
    while network.step(network.now >= scenario.from, scenario.to) {
        let is_done = |flow: &Flow| flow.outcome.took.is_some();
        if network.flows.iter().all(is_done) {
            break;
        }
    }
    let flows = network.flows.into_iter();
    flows.map(|flow| FlowOutcome { resent: flow.resent.share(), ..flow.outcome }).collect()
}
