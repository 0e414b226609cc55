//! A sender of video and a receiver over a path whose capacity changes, in virtual time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::*;
use crate::testing::origin;

const MS: Duration = Duration::from_millis(1);

/// A path with a queue in front of it.
#[derive(Clone, Copy)]
struct Path {
    /// One way.
    delay: Duration,
    /// At most, on top of the delay.
    jitter: Duration,
    /// Share of packets, in percent.
    loss: u64,
    /// What the queue holds, as time at the present capacity.
    queue: Duration,
}

const CLEAN: Path = Path {
    delay: Duration::from_millis(25),
    jitter: Duration::ZERO,
    loss: 0,
    queue: Duration::from_millis(300),
};

struct Simulation {
    path: Path,
    now: Instant,
    start: Instant,
    capacity: f64,
    /// What the encoder makes at most.
    wanted: f64,
    estimator: BandwidthEstimator,
    pacer: Pacer<()>,
    recorder: ArrivalRecorder,
    sequence: u16,
    queue_free: Instant,
    arriving: VecDeque<(Instant, u16, usize)>,
    returning: VecDeque<(Instant, ArrivalFeedback)>,
    random: u64,
    /// Each 100 ms: the target, and how long a packet waits in the queue of the path.
    seen: Vec<(u64, Duration)>,
}

impl Simulation {
    fn new(path: Path, config: BandwidthConfig) -> Self {
        let now = origin();
        Self {
            path,
            now,
            start: now,
            capacity: 0.0,
            wanted: f64::INFINITY,
            estimator: BandwidthEstimator::new(config),
            pacer: Pacer::new(config.start, 1 << 20),
            recorder: ArrivalRecorder::default(),
            sequence: 65_000,
            queue_free: now,
            arriving: VecDeque::new(),
            returning: VecDeque::new(),
            random: 1,
            seen: Vec::new(),
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below.max(1)
    }

    /// Runs on; the targets and the delays of the queue that were seen.
    fn run(&mut self, time: Duration, capacity: f64) -> Vec<(u64, Duration)> {
        self.capacity = capacity;
        self.seen.clear();
        let end = self.now + time;
        while self.now < end {
            self.tick();
            self.now += MS;
        }
        self.seen.clone()
    }

    fn tick(&mut self) {
        let now = self.now;
        let passed = (now - self.start).as_millis() as u64;
        if passed.is_multiple_of(33) {
            let rate = (self.estimator.target() as f64).min(self.wanted);
            // Encoders do not meet their target frame by frame.
            let size = rate * 0.033 / 8.0 * (80 + self.random(41)) as f64 / 100.0;
            for _ in 0..(size / 1_200.0).ceil() as usize {
                let part = (size / (size / 1_200.0).ceil()) as usize;
                let _ = self.pacer.push(now, Priority::Video, part + 50, ());
            }
        }
        if let Some(probe) = self.estimator.poll_probe(now) {
            self.pacer.probe(now, probe);
        }
        self.pacer.set_rate(now, self.estimator.target());
        loop {
            let waiting = self.pacer.queued_bytes();
            if let Some(paced) = self.pacer.poll(now) {
                let size = waiting - self.pacer.queued_bytes();
                self.send(size, paced.probe);
            } else if let Some(size) = self.pacer.poll_padding(now) {
                let size = size.min(1_200);
                let probe = self.pacer.padded(now, size);
                self.send(size, probe);
            } else {
                break;
            }
        }
        self.receive();
        if passed.is_multiple_of(100) {
            self.seen.push((self.estimator.target(), self.queue_free.saturating_duration_since(now)));
        }
    }

    fn send(&mut self, size: usize, probe: Option<u32>) {
        self.estimator.on_sent(self.now, self.sequence, size, probe);
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let free = self.queue_free.max(self.now);
        if free - self.now > self.path.queue || self.random(100) < self.path.loss {
            return;
        }
        self.queue_free = free + Duration::from_secs_f64(size as f64 * 8.0 / self.capacity);
        let jitter = Duration::from_micros(self.random(self.path.jitter.as_micros() as u64));
        let at = (self.queue_free + self.path.delay + jitter)
            .max(self.arriving.back().map_or(self.now, |last| last.0));
        self.arriving.push_back((at, sequence, size));
    }

    fn receive(&mut self) {
        let now = self.now;
        while self.arriving.front().is_some_and(|(at, ..)| *at <= now) {
            let (at, sequence, size) = self.arriving.pop_front().expect("there is one");
            self.recorder.record(at, sequence, size);
        }
        if let Some(feedback) = self.recorder.poll_feedback(now) {
            self.recorder.told(now, feedback.deltas.len());
            if self.random(100) >= self.path.loss {
                self.returning.push_back((now + self.path.delay, feedback));
            }
        }
        while self.returning.front().is_some_and(|(at, _)| *at <= now) {
            let (_, feedback) = self.returning.pop_front().expect("there is one");
            self.estimator.on_feedback(now, feedback.reference, feedback.base, &feedback.deltas);
        }
        self.estimator.handle_timeout(now);
    }
}

fn mean(seen: &[(u64, Duration)]) -> f64 {
    seen.iter().map(|(target, _)| *target as f64).sum::<f64>() / seen.len() as f64
}

fn mean_wait(seen: &[(u64, Duration)]) -> Duration {
    seen.iter().map(|(_, wait)| *wait).sum::<Duration>() / seen.len() as u32
}

/// A path that falls from 1 Mbit/s to 300 kbit/s and rises to 2 Mbit/s is followed, without long queues.
fn follows(path: Path) {
    let mut simulation = Simulation::new(path, BandwidthConfig::default());
    for (capacity, settles) in [(1e6, 10), (300e3, 5), (2e6, 25)] {
        let seen = simulation.run(Duration::from_secs(settles), capacity);
        let after = simulation.run(Duration::from_secs(15), capacity);
        let (share, wait) = (mean(&after) / capacity, mean_wait(&after));
        assert!((0.6..1.05).contains(&share), "{share} of {capacity}, before: {:?}", seen.last());
        assert!(wait < 100 * MS, "{wait:?} at {capacity}");
    }
}

#[test]
fn a_clean_path_that_changes_is_followed() {
    follows(CLEAN);
}

#[test]
fn a_path_with_jitter_that_changes_is_followed() {
    follows(Path { jitter: 15 * MS, ..CLEAN });
}

#[test]
fn five_percent_loss_by_chance_and_fifty_milliseconds_change_nothing_of_that() {
    follows(Path { loss: 5, delay: 50 * MS, jitter: 5 * MS, ..CLEAN });
}

#[test]
fn a_short_queue_that_drops_what_is_too_much_is_respected() {
    let mut simulation = Simulation::new(Path { queue: 40 * MS, ..CLEAN }, BandwidthConfig::default());
    simulation.run(Duration::from_secs(10), 1e6);
    let after = simulation.run(Duration::from_secs(20), 1e6);
    let share = mean(&after) / 1e6;
    assert!((0.6..1.1).contains(&share), "{share}");
}

#[test]
fn the_first_rate_is_left_within_two_seconds_on_a_fast_path() {
    let mut simulation = Simulation::new(CLEAN, BandwidthConfig::default());
    let seen = simulation.run(Duration::from_secs(2), 5e6);
    let (target, _) = seen.last().expect("two seconds");
    assert!(*target > 1_500_000, "{target}");
    let after = simulation.run(Duration::from_secs(10), 5e6);
    assert!(mean(&after) > 3e6, "{}", mean(&after));
}

#[test]
fn an_application_that_sends_little_learns_what_it_could_send() {
    let mut simulation = Simulation::new(CLEAN, BandwidthConfig::default());
    simulation.wanted = 150e3;
    simulation.run(Duration::from_secs(30), 3e6);
    assert!(simulation.estimator.target() > 1_000_000, "{}", simulation.estimator.target());
}

#[test]
fn a_path_that_carries_nothing_any_more_halves_the_rate_until_it_does() {
    let mut simulation = Simulation::new(CLEAN, BandwidthConfig::default());
    simulation.run(Duration::from_secs(10), 2e6);
    let before = simulation.estimator.target();
    simulation.path.loss = 100;
    simulation.run(Duration::from_secs(10), 2e6);
    assert!(simulation.estimator.target() <= before / 8, "{}", simulation.estimator.target());
    simulation.path.loss = 0;
    simulation.run(Duration::from_secs(20), 2e6);
    assert!(simulation.estimator.target() > 1_000_000, "{}", simulation.estimator.target());
}

#[test]
fn the_estimate_of_the_receiver_and_its_reports_are_respected() {
    let now = origin();
    let mut estimator = BandwidthEstimator::new(BandwidthConfig::default());
    estimator.set_remb(200_000);
    assert_eq!(estimator.target(), 200_000);
    estimator.set_remb(5_000_000);
    for second in 0..20 {
        estimator.on_report(now + second * 1_000 * MS, 0.0);
    }
    assert!(estimator.target() > 700_000, "{}", estimator.target());
    estimator.on_report(now, 0.5);
    estimator.on_report(now, 0.5);
    assert!(estimator.target() < 500_000, "{}", estimator.target());
    estimator.set_most(100_000);
    assert_eq!(estimator.target(), 100_000);
}

#[test]
fn feedback_of_anybody_keeps_the_rate_within_its_bounds() {
    let mut simulation = Simulation::new(CLEAN, BandwidthConfig::default());
    simulation.run(Duration::from_secs(2), 1e6);
    for round in 0..2_000_u64 {
        simulation.now += MS;
        simulation.send(1_200, Some(round as u32 % 9));
        let (reference, base) = (
            simulation.random(1 << 24) as u32,
            simulation.sequence.wrapping_sub(simulation.random(40) as u16),
        );
        let deltas: Vec<_> = (0..simulation.random(60))
            .map(|_| (simulation.random(3) > 0).then(|| simulation.random(65_536) as u16 as i16))
            .collect();
        simulation.estimator.on_feedback(simulation.now, reference, base, &deltas);
        simulation.estimator.handle_timeout(simulation.now);
        assert!((30_000..=20_000_000).contains(&simulation.estimator.target()));
        if let Some(probe) = simulation.estimator.poll_probe(simulation.now) {
            assert!(probe.rate <= 40_000_000);
        }
    }
}
