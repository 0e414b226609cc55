//! The sender's side: what feedback says of what was sent, and how much may be sent.

use std::time::{Duration, Instant};

use super::aimd::Aimd;
use super::history::{History, Outcome};
use super::limited::Limited;
use super::loss::Loss;
use super::probe::{Probe, Probes};
use super::throughput::Throughput;
use super::trend::{Trend, Usage};

/// Feedback that stays away this long, while there should be some, means that nothing gets through.
const SILENCE: Duration = Duration::from_secs(2);
/// Reports of receivers without transport-wide feedback: above this share of loss the rate falls, below that it rises
/// (draft-ietf-rmcat-gcc-02 6).
const MUCH_LOST: f64 = 0.1;
const LITTLE_LOST: f64 = 0.02;
/// Assumed until something has shown the round trip.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);

/// Bounds of the rate, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandwidthConfig {
    /// Assumed until feedback has come.
    pub start: u64,
    /// It never falls below.
    pub least: u64,
    /// It never rises above; what is sent at most.
    pub most: u64,
}

impl Default for BandwidthConfig {
    /// The values of browsers: from 300 kbit/s on, between 30 kbit/s and 20 Mbit/s.
    fn default() -> Self {
        Self { start: 300_000, least: 30_000, most: 20_000_000 }
    }
}

/// Estimates how much a path carries.
///
/// The owner tells what it sends ([`on_sent`](Self::on_sent)) and hands in feedback ([`on_feedback`](Self::on_feedback)); after each
/// of these, and when the time of [`poll_timeout`](Self::poll_timeout) has come, it reads [`target`](Self::target) and gives what
/// [`poll_probe`](Self::poll_probe) tells to its [`Pacer`](super::Pacer).
#[derive(Debug)]
pub struct BandwidthEstimator {
    config: BandwidthConfig,
    history: History,
    trend: Trend,
    aimd: Aimd,
    loss: Loss,
    throughput: Throughput,
    probes: Probes,
    limited: Limited,
    round_trip: Option<Duration>,
    remb: Option<f64>,
    first_sent: Option<Instant>,
    heard: Option<Instant>,
}

impl BandwidthEstimator {
    /// Nothing is known yet. Bounds that contradict each other give way to `least`.
    pub fn new(config: BandwidthConfig) -> Self {
        let most = config.most.max(config.least);
        let config = BandwidthConfig { most, start: config.start.clamp(config.least, most), ..config };
        Self {
            config,
            history: History::default(),
            trend: Trend::default(),
            aimd: Aimd::new(config.start as f64, config.least as f64, most as f64),
            loss: Loss::default(),
            throughput: Throughput::default(),
            probes: Probes::default(),
            limited: Limited::default(),
            round_trip: None,
            remb: None,
            first_sent: None,
            heard: None,
        }
    }

    /// What all senders together can use at most has become another: the sum of what their encoders make.
    pub fn set_most(&mut self, most: u64) {
        self.config.most = most.max(self.config.least);
        self.aimd.set_bounds(self.config.least as f64, self.config.most as f64);
    }

    /// The receiver's own estimate (draft-alvestrand-rmcat-remb-03), in bits per second: the target stays below.
    pub fn set_remb(&mut self, rate: u64) {
        self.remb = Some(rate as f64);
    }

    /// The round trip, as reports show it.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip.min(Duration::from_secs(10)));
    }

    /// A packet of `size` bytes on the wire is sent under a transport-wide number; `probe` as [`Pacer`](super::Pacer) tells.
    pub fn on_sent(&mut self, now: Instant, sequence: u16, size: usize, probe: Option<u32>) {
        self.first_sent.get_or_insert(now);
        self.history.add(now, sequence, size, probe);
        self.limited.on_sent(now, size, self.rate());
    }

    /// Transport-wide feedback came; the arguments are those of [`ArrivalFeedback`](super::ArrivalFeedback).
    pub fn on_feedback(&mut self, now: Instant, reference: u32, base: u16, deltas: &[Option<i16>]) {
        let outcomes = self.history.outcomes(reference, base, deltas);
        if outcomes.is_empty() {
            return;
        }
        self.heard = Some(now);
        self.learn_round_trip(now, &outcomes);
        let mut found = None;
        let mut usage = self.trend.usage();
        for outcome in &outcomes {
            self.throughput.add(outcome);
            self.trend.add(now, outcome);
            if self.trend.usage() == Usage::Over {
                usage = Usage::Over;
            } else if usage != Usage::Over {
                usage = self.trend.usage();
            }
            found = self.probes.add(outcome).or(found);
        }
        let round_trip = self.round_trip.unwrap_or(FIRST_ROUND_TRIP);
        let arrived = self.throughput.rate();
        match found {
            // A burst fills queues by itself, so it has the word.
            Some(rate) if usage != Usage::Over || rate > self.aimd.rate() => {
                // What the delay was believed to allow beyond was not sent, as losses or the receiver did not allow it: nothing speaks for it.
                self.aimd.settle(now, rate.max(self.rate()));
                self.loss.raise_to(rate);
            }
            _ => self.aimd.update(now, usage, arrived, round_trip),
        }
        self.loss.update(&outcomes, self.aimd.rate(), arrived);
    }

    /// What the feedback itself shows: from the sending of the last packet to now, without what the receiver waited.
    fn learn_round_trip(&mut self, now: Instant, outcomes: &[Outcome]) {
        let last = outcomes.iter().filter_map(|outcome| outcome.arrival).max();
        let seen = outcomes.iter().filter_map(|outcome| {
            let waited = Duration::from_micros(u64::try_from(last? - outcome.arrival?).ok()?);
            Some(now.saturating_duration_since(outcome.sent).saturating_sub(waited))
        });
        if let Some(least) = seen.min() {
            self.round_trip = Some(self.round_trip.map_or(least, |last| last * 7 / 8 + least / 8));
        }
    }

    /// A receiver that sends no transport-wide feedback reports this share of packets as lost, 0 to 1 (RFC 3550 6.4.1).
    pub fn on_report(&mut self, now: Instant, lost: f64) {
        if self.heard.is_some() {
            return;
        }
        let rate = self.aimd.rate();
        if lost > MUCH_LOST {
            self.aimd.lower_to(now, rate * (1.0 - lost.min(1.0) / 2.0));
        } else if lost < LITTLE_LOST {
            self.aimd.raise_to(now, rate * 1.05);
        }
    }

    /// Lowers the rate when nothing is heard of what is sent.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.silent_at().is_some_and(|at| at <= now) {
            self.heard = Some(now);
            if self.history.in_flight(now, SILENCE) > 0 {
                self.aimd.lower_to(now, self.aimd.rate() / 2.0);
            }
        }
    }

    fn silent_at(&self) -> Option<Instant> {
        Some(self.heard? + SILENCE + self.round_trip.unwrap_or(FIRST_ROUND_TRIP))
    }

    /// The next burst to send. The first one goes with the first packets, later ones when feedback has come.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        self.first_sent?;
        let (rate, most) = (self.rate(), self.config.most as f64);
        if self.probes_begun() && (self.heard.is_none() || rate >= most) {
            return None;
        }
        self.probes.poll(now, rate, most, self.limited.since().is_some(), self.aimd.decreased())
    }

    fn probes_begun(&self) -> bool {
        self.probes.poll_timeout(false, None).is_some()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) and [`poll_probe`](Self::poll_probe).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let may_probe = self.heard.is_some() && self.rate() < self.config.most as f64;
        let limited = self.limited.since().is_some();
        let probe = if may_probe { self.probes.poll_timeout(limited, self.aimd.decreased()) } else { None };
        probe.into_iter().chain(self.silent_at()).min()
    }

    fn rate(&self) -> f64 {
        let by_loss = self.loss.rate().unwrap_or(f64::INFINITY);
        let rate = self.aimd.rate().min(by_loss).min(self.remb.unwrap_or(f64::INFINITY));
        rate.clamp(self.config.least as f64, self.config.most as f64)
    }

    /// How much may be sent, in bits per second on the wire.
    pub fn target(&self) -> u64 {
        self.rate() as u64
    }

    /// The round trip, as far as anything has shown it.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}
