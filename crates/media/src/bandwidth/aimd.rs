//! A rate that grows while queues do not, and falls below what has arrived when they do (draft-ietf-rmcat-gcc-02 5.5).

use std::time::{Duration, Instant};

use super::trend::Usage;

/// After overuse: this much of what has arrived.
const DECREASE: f64 = 0.85;
/// Growth per second, far from what the path was last seen to carry.
const GROWTH: f64 = 1.08;
/// The rate stays below this much of what has arrived, and a little: nobody knows what comes beyond.
const MOST_OF_ARRIVED: f64 = 1.5;
const SLACK: f64 = 10_000.0;
/// Time until the sender sees what a change does, beside the round trip.
const RESPONSE: Duration = Duration::from_millis(100);
/// Near the capacity: at least this much per second.
const LEAST_ADDITION: f64 = 4_000.0;

/// What the path was seen to carry whenever its queues grew; kbit/s, with a variance in relation to the mean.
#[derive(Debug, Default)]
struct Capacity(Option<(f64, f64)>);

impl Capacity {
    fn add(&mut self, rate: f64) {
        let sample = rate / 1e3;
        let (mean, variance) = self.0.unwrap_or((sample, 0.4));
        let mean = 0.95 * mean + 0.05 * sample;
        let error = mean - sample;
        let variance = (0.95 * variance + 0.05 * error * error / mean.max(1.0)).clamp(0.4, 2.5);
        self.0 = Some((mean, variance));
    }

    /// Three standard deviations around the mean.
    fn range(&self) -> Option<(f64, f64)> {
        let (mean, variance) = self.0?;
        let width = 3.0 * (variance * mean).sqrt();
        Some(((mean - width) * 1e3, (mean + width) * 1e3))
    }

    /// A rate outside of the range shows that the path has become another.
    fn check(&mut self, rate: f64) {
        if self.range().is_some_and(|(low, high)| rate < low || rate > high) {
            self.0 = None;
        }
    }
}

/// The rate that the delay allows.
#[derive(Debug)]
pub(super) struct Aimd {
    rate: f64,
    bounds: (f64, f64),
    capacity: Capacity,
    changed: Option<Instant>,
    decreased: Option<Instant>,
}

impl Aimd {
    pub(super) fn new(rate: f64, least: f64, most: f64) -> Self {
        let bounds = (least, most);
        Self { rate, bounds, capacity: Capacity::default(), changed: None, decreased: None }
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// When the rate was last lowered.
    pub(super) fn decreased(&self) -> Option<Instant> {
        self.decreased
    }

    pub(super) fn set_bounds(&mut self, least: f64, most: f64) {
        self.bounds = (least, most);
        self.rate = self.rate.clamp(least, most);
    }

    /// A report of the receiver allows this.
    pub(super) fn raise_to(&mut self, now: Instant, rate: f64) {
        if rate > self.rate {
            self.settle(now, rate);
        }
    }

    /// A probe has shown that this gets through.
    pub(super) fn settle(&mut self, now: Instant, rate: f64) {
        self.set(now, rate);
        self.capacity.check(rate);
    }

    /// Nothing is heard of what was sent.
    pub(super) fn lower_to(&mut self, now: Instant, rate: f64) {
        if rate < self.rate {
            self.decreased = Some(now);
            self.set(now, rate);
        }
    }

    fn set(&mut self, now: Instant, rate: f64) {
        self.rate = rate.clamp(self.bounds.0, self.bounds.1);
        self.changed = Some(now);
    }

    /// Feedback came. `arrived`: bits per second.
    pub(super) fn update(&mut self, now: Instant, usage: Usage, arrived: Option<f64>, round_trip: Duration) {
        match usage {
            Usage::Normal => self.increase(now, arrived, round_trip),
            Usage::Over => self.decrease(now, arrived, round_trip),
            // The queue is to be empty first. The time until then is none in which the rate could have grown.
            Usage::Under => self.changed = Some(now),
        }
    }

    fn increase(&mut self, now: Instant, arrived: Option<f64>, round_trip: Duration) {
        let passed =
            self.changed.map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f64().min(1.0));
        if arrived.zip(self.capacity.range()).is_some_and(|(arrived, (_, high))| arrived > high) {
            self.capacity = Capacity::default();
        }
        let raised = if self.capacity.0.is_some() {
            // One packet per response, as a sender of 30 frames per second has them.
            let per_frame = self.rate / 30.0;
            let packet = per_frame / (per_frame / 9_600.0).ceil().max(1.0);
            let per_second = packet / (round_trip + RESPONSE).as_secs_f64();
            self.rate + per_second.max(LEAST_ADDITION) * passed
        } else {
            self.rate * GROWTH.powf(passed)
        };
        let most = arrived.map_or(raised, |arrived| arrived * MOST_OF_ARRIVED + SLACK);
        self.set(now, raised.min(most).max(self.rate));
    }

    fn decrease(&mut self, now: Instant, arrived: Option<f64>, round_trip: Duration) {
        let arrived = arrived.unwrap_or(self.rate);
        let pause = round_trip.clamp(Duration::from_millis(10), Duration::from_millis(200));
        let early = self.changed.is_some_and(|last| now.saturating_duration_since(last) < pause);
        if early && arrived >= self.rate / 2.0 {
            return;
        }
        self.capacity.check(arrived);
        self.capacity.add(arrived);
        self.decreased = Some(now);
        self.set(now, (arrived * DECREASE).min(self.rate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_rate_grows_by_eight_percent_per_second_and_not_beyond_what_arrives() {
        let start = origin();
        let mut aimd = Aimd::new(300e3, 30e3, 10e6);
        for at in 0..=100 {
            aimd.update(start + at * 100 * MS, Usage::Normal, Some(400e3), 50 * MS);
        }
        assert!((600e3..=610e3).contains(&aimd.rate()), "{}", aimd.rate());
    }

    #[test]
    fn overuse_brings_it_below_what_arrives_once_per_round_trip() {
        let start = origin();
        let mut aimd = Aimd::new(1e6, 30e3, 10e6);
        aimd.update(start, Usage::Over, Some(800e3), 100 * MS);
        assert_eq!(aimd.rate(), 680e3);
        aimd.update(start + 50 * MS, Usage::Over, Some(600e3), 100 * MS);
        assert_eq!(aimd.rate(), 680e3);
        aimd.update(start + 150 * MS, Usage::Over, Some(600e3), 100 * MS);
        assert_eq!(aimd.rate(), 510e3);
        // near the capacity it grows by a packet per response
        for at in 2..=12 {
            aimd.update(start + at * 100 * MS, Usage::Normal, Some(590e3), 100 * MS);
        }
        assert!((520e3..560e3).contains(&aimd.rate()), "{}", aimd.rate());
    }

    #[test]
    fn overuse_that_ends_within_a_round_trip_lowers_the_rate_once() {
        let start = origin();
        let mut aimd = Aimd::new(1e6, 30e3, 10e6);
        aimd.update(start, Usage::Over, Some(800e3), 100 * MS);
        aimd.update(start + 50 * MS, Usage::Over, Some(600e3), 100 * MS);
        aimd.update(start + 150 * MS, Usage::Normal, Some(600e3), 100 * MS);
        assert!(aimd.rate() >= 680e3, "{}", aimd.rate());
    }

    #[test]
    fn the_bounds_are_kept() {
        let start = origin();
        let mut aimd = Aimd::new(300e3, 100e3, 500e3);
        aimd.raise_to(start, 9e6);
        assert_eq!(aimd.rate(), 500e3);
        aimd.update(start + 500 * MS, Usage::Over, Some(1e3), 10 * MS);
        assert_eq!(aimd.rate(), 100e3);
    }
}
