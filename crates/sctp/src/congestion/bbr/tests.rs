//! The controller on paths that are simple enough to know what is right.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{Bbr, State};
use crate::congestion::{Ack, Controller, Delivery, Departure, MAX_WINDOW, Pacer};
use crate::time::{MILLISECOND, Nanos, SECOND, Time};

const MTU: usize = 1400;

/// A line with a queue in front of it and a delay behind it, and a sender that always has something to send.
struct World {
    bbr: Bbr,
    delivery: Delivery,
    pacer: Pacer,
    now: Time,
    /// Bytes per second.
    rate: u64,
    delay: Nanos,
    queue: u64,
    /// One packet in so many is lost by chance; 0 = none.
    loss: u64,
    random: u64,
    line_free: Time,
    srtt: Nanos,
    order: u64,
    in_flight: usize,
    under_way: VecDeque<Sent>,
    /// When the state was entered, and the longest stay in each.
    since: (State, Time),
    stays: Vec<(State, Nanos)>,
}

struct Sent {
    arrives: Time,
    at: Time,
    order: u64,
    departure: Departure,
    lost: bool,
}

impl World {
    fn new(rate: u64, delay: Nanos, queue: u64, loss: u64) -> Self {
        Self {
            bbr: Bbr::new(MTU, 7),
            delivery: Delivery::default(),
            pacer: Pacer::default(),
            now: Time::default().after(SECOND),
            rate,
            delay,
            queue,
            loss,
            random: 88_172_645_463_325_252,
            line_free: Time::default(),
            srtt: 0,
            order: 0,
            in_flight: 0,
            under_way: VecDeque::new(),
            since: (State::Startup, Time::default().after(SECOND)),
            stays: Vec::new(),
        }
    }

    fn send(&mut self) {
        self.bbr.on_sent(self.now, self.in_flight, self.delivery.is_app_limited());
        let departure = self.delivery.on_sent(self.now, self.in_flight, MTU);
        self.pacer.on_sent(self.now, MTU);
        self.order += 1;
        self.in_flight += MTU;
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let waits = self.line_free.since(self.now);
        let backlog = (u128::from(waits) * u128::from(self.rate) / u128::from(SECOND)) as u64;
        let lost = backlog > self.queue || self.loss > 0 && self.random.is_multiple_of(self.loss);
        if !lost {
            self.line_free = self.line_free.max(self.now).after(MTU as u64 * SECOND / self.rate);
        }
        let arrives = self.line_free.max(self.now).after(self.delay);
        self.under_way.push_back(Sent { arrives, at: self.now, order: self.order, departure, lost });
    }

    fn take(&mut self, sent: &Sent) {
        self.in_flight -= MTU;
        if sent.lost {
            let loss = self.delivery.on_lost(MTU, &sent.departure);
            self.bbr.on_loss(self.now);
            self.bbr.on_lost(&loss);
            return;
        }
        self.delivery.on_delivered(self.now, MTU, Some(sent.order), sent.at, &sent.departure);
        let rtt = self.now.since(sent.at);
        self.srtt = if self.srtt == 0 { rtt } else { (self.srtt * 7 + rtt) / 8 };
        let ack = Ack {
            now: self.now,
            bytes: MTU,
            late: 0,
            limited: self.in_flight + 2 * MTU > self.bbr.window(),
            recovering: false,
            rtt: Some(rtt),
            latest_rtt: rtt,
            srtt: self.srtt,
            acked_tsn: sent.order,
            next_tsn: self.order + 1,
            in_flight: self.in_flight,
            delivered: self.delivery.delivered(),
            sample: self.delivery.take_sample(self.now, self.delay),
        };
        self.bbr.on_ack(&ack);
        if self.bbr.wants_app_limited() {
            self.delivery.on_app_limited(self.in_flight);
        }
        self.pacer.set_rate(self.now, self.bbr.pacing_rate(self.srtt), Some(self.srtt), MTU);
        if self.bbr.state != self.since.0 {
            self.stays.push((self.since.0, self.now.since(self.since.1)));
            self.since = (self.bbr.state, self.now);
        }
    }

    /// Lets time pass; returns the bytes that arrived.
    fn run(&mut self, time: Nanos) -> u64 {
        let (end, before) = (self.now.after(time), self.delivery.delivered());
        while self.now < end {
            let blocked = self.pacer.blocked_until(self.now);
            if self.in_flight + MTU <= self.bbr.window() && blocked.is_none() {
                self.send();
                continue;
            }
            let arrival = self.under_way.front().map(|sent| sent.arrives);
            let room = blocked.filter(|_| self.in_flight + MTU <= self.bbr.window());
            let next = arrival.into_iter().chain(room).min().expect("something is in flight, or may be soon");
            self.now = self.now.max(next);
            while let Some(sent) = self.under_way.pop_front_if(|sent| sent.arrives <= self.now) {
                self.take(&sent);
            }
        }
        self.delivery.delivered() - before
    }

    fn share(&mut self, time: Nanos) -> f64 {
        let bytes = self.run(time);
        bytes as f64 / (self.rate as f64 * time as f64 / SECOND as f64)
    }
}

fn bytes_of(rate: u64, time: Nanos) -> u64 {
    (u128::from(rate) * u128::from(time) / u128::from(SECOND)) as u64
}

#[test]
fn a_path_is_filled_and_its_queue_stays_short() {
    for (rate, delay) in [(125_000, 30), (1_250_000, 100), (12_500_000, 20), (12_500_000, 300)] {
        let delay = delay * MILLISECOND;
        let mut world = World::new(rate, delay, bytes_of(rate, SECOND), 0);
        world.run(8 * SECOND);
        let share = world.share(20 * SECOND);
        assert!(share > 0.93, "{rate} B/s, {delay} ns: {share}");
        let rtt = world.srtt.saturating_sub(10 * MTU as u64 * SECOND / rate);
        assert!(rtt < delay * 2, "{rate} B/s, {delay} ns: {rtt} ns");
    }
}

#[test]
fn loss_by_chance_costs_what_is_lost_and_no_more() {
    for one_in in [1000, 100, 20, 10, 5] {
        let mut world = World::new(6_250_000, 60 * MILLISECOND, 625_000, one_in);
        world.run(10 * SECOND);
        let share = world.share(20 * SECOND);
        // What the line carries is not lost here: chance strikes before it.
        assert!(share > 0.8, "one in {one_in}: {share}");
    }
}

#[test]
fn a_path_that_gets_slower_is_followed_down_and_up_again() {
    let mut world = World::new(6_250_000, 40 * MILLISECOND, 625_000, 0);
    world.run(10 * SECOND);
    world.rate = 625_000;
    world.run(10 * SECOND);
    assert!(world.share(10 * SECOND) > 0.9);
    assert!(world.in_flight < 100_000, "{} B in flight on a path of 25 kB", world.in_flight);
    world.rate = 6_250_000;
    world.run(15 * SECOND);
    let share = world.share(10 * SECOND);
    assert!(share > 0.85, "{share}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// PROBE_RTT and DRAIN are short, a probe comes every few seconds, and the rate never gets stuck.
    #[test]
    fn every_state_is_left_and_data_keeps_flowing(
        megabits in 1u64..200,
        delay in 1u64..500,
        queue_ms in 5u64..1000,
        loss in prop_oneof![Just(0u64), 5u64..2000],
    ) {
        let (rate, delay) = (megabits * 125_000, delay * MILLISECOND);
        let queue = bytes_of(rate, queue_ms * MILLISECOND).max(10 * MTU as u64);
        let mut world = World::new(rate, delay, queue, loss);
        for _ in 0..30 {
            let bytes = world.run(SECOND.max(delay * 2));
            prop_assert!(bytes > 0, "nothing arrives: {:?}", world.bbr);
            prop_assert!(world.bbr.window() >= 4 * MTU && world.bbr.window() <= MAX_WINDOW);
        }
        let round = delay + queue_ms * MILLISECOND + 10 * MTU as u64 * SECOND / rate;
        world.stays.push((world.since.0, world.now.since(world.since.1)));
        for (state, stay) in &world.stays {
            let limit = match state {
                State::Startup => 25 * round,
                State::Drain => 12 * round,
                State::Down | State::Cruise => 3 * SECOND + 2 * round,
                State::Refill => 3 * round,
                State::Up => 20 * round,
                State::ProbeRtt => 200 * MILLISECOND + 4 * round,
            };
            prop_assert!(*stay <= limit, "{state:?} for {stay} ns: {:?}", world.bbr);
        }
        prop_assert!(world.bbr.state != State::Startup, "{:?}", world.bbr);
    }
}
