//! Whether a queue grows on the path: how the delay of groups of packets changes (draft-ietf-rmcat-gcc-02 5.2 to 5.4, with the
//! trendline of libwebrtc in place of the Kalman filter).

use std::collections::VecDeque;
use std::time::Instant;

use super::history::Outcome;

/// Packets that leave within this, in microseconds, are one group: they were written together.
const GROUP: i64 = 5_000;
/// A group that arrives as one burst after a stall goes on up to this.
const MOST_BURST: i64 = 100_000;
/// Groups that the line is drawn through.
const WINDOW: usize = 20;
const SMOOTHING: f64 = 0.9;
/// The slope counts for as many groups as there were, up to this; and four times, as the threshold is in milliseconds.
const MOST_GROUPS: f64 = 60.0;
const GAIN: f64 = 4.0;
/// The threshold, in milliseconds: where it begins and its bounds, and how quickly it follows the slope up and down. It follows
/// so that a flow is not starved by those that fill queues (draft-ietf-rmcat-gcc-02 5.4).
const FIRST_THRESHOLD: f64 = 12.5;
const THRESHOLDS: (f64, f64) = (6.0, 600.0);
const UP: f64 = 0.0087;
const DOWN: f64 = 0.039;
/// What is this much above is a sudden loss of capacity, and no reason to become less sensitive.
const SUDDEN: f64 = 15.0;
/// A queue has to grow for this long, in milliseconds.
const OVERUSE_TIME: f64 = 10.0;

/// What the delay says of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    /// Queues neither grow nor shrink.
    #[default]
    Normal,
    /// A queue grows: more is sent than the path carries.
    Over,
    /// A queue drains.
    Under,
}

/// Packets that were sent together. Microseconds.
#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    first_arrival: i64,
    last_arrival: i64,
}

/// The line through the delays of the last groups.
#[derive(Debug)]
pub(super) struct Trend {
    zero: Option<Instant>,
    group: Option<Group>,
    before: Option<Group>,
    delay: f64,
    smoothed: f64,
    groups: f64,
    /// Arrival and smoothed delay of each group, milliseconds.
    points: VecDeque<(f64, f64)>,
    last_slope: f64,
    threshold: f64,
    last_update: Option<Instant>,
    /// Milliseconds for which the slope was above the threshold, and how many groups that were.
    over: Option<(f64, u32)>,
    usage: Usage,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            zero: None,
            group: None,
            before: None,
            delay: 0.0,
            smoothed: 0.0,
            groups: 0.0,
            points: VecDeque::with_capacity(WINDOW + 1),
            last_slope: 0.0,
            threshold: FIRST_THRESHOLD,
            last_update: None,
            over: None,
            usage: Usage::Normal,
        }
    }
}

impl Trend {
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// A packet arrived. Feedback is handed in in the order of arrival.
    pub(super) fn add(&mut self, now: Instant, outcome: &Outcome) {
        let Some(arrival) = outcome.arrival else { return };
        let zero = *self.zero.get_or_insert(outcome.sent);
        // To the millisecond, so that packets of one write are of one time.
        let sent = (outcome.sent.saturating_duration_since(zero).as_micros() as i64 + 500) / 1_000 * 1_000;
        let new = Group { first_sent: sent, last_sent: sent, first_arrival: arrival, last_arrival: arrival };
        let Some(group) = &mut self.group else {
            self.group = Some(new);
            return;
        };
        if sent < group.first_sent {
            return; // overtaken
        }
        if belongs(group, sent, arrival) {
            group.last_sent = group.last_sent.max(sent);
            group.last_arrival = group.last_arrival.max(arrival);
            return;
        }
        let group = *group;
        self.group = Some(new);
        if let Some(before) = self.before.replace(group) {
            let sent = (group.last_sent - before.last_sent) as f64 / 1e3;
            let arrived = (group.last_arrival - before.last_arrival) as f64 / 1e3;
            self.observe(now, sent, arrived, group.last_arrival as f64 / 1e3);
        }
    }

    /// A group arrived `arrived` ms after the one before, which it had left `sent` ms after.
    fn observe(&mut self, now: Instant, sent: f64, arrived: f64, arrival: f64) {
        self.groups = (self.groups + 1.0).min(MOST_GROUPS);
        self.delay += arrived - sent;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        self.points.push_back((arrival, self.smoothed));
        if self.points.len() > WINDOW {
            self.points.pop_front();
        }
        let slope =
            if self.points.len() == WINDOW { slope(&self.points).unwrap_or(self.last_slope) } else { 0.0 };
        self.detect(now, slope, sent);
    }

    fn detect(&mut self, now: Instant, slope: f64, sent: f64) {
        let weighed = self.groups * slope * GAIN;
        if weighed > self.threshold {
            // It has been so for half of the time since the last group, as a guess.
            let (time, count) = self.over.map_or((sent / 2.0, 1), |(time, count)| (time + sent, count + 1));
            self.over = Some((time, count));
            if time > OVERUSE_TIME && count > 1 && slope >= self.last_slope {
                self.over = None;
                self.usage = Usage::Over;
            }
        } else {
            self.over = None;
            self.usage = if weighed < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.last_slope = slope;
        self.adapt(now, weighed.abs());
    }

    fn adapt(&mut self, now: Instant, weighed: f64) {
        let last = self.last_update.replace(now).unwrap_or(now);
        if weighed > self.threshold + SUDDEN {
            return;
        }
        let rate = if weighed < self.threshold { DOWN } else { UP };
        let passed = (now.saturating_duration_since(last).as_secs_f64() * 1e3).min(100.0);
        let threshold = self.threshold + rate * (weighed - self.threshold) * passed;
        self.threshold = threshold.clamp(THRESHOLDS.0, THRESHOLDS.1);
    }
}

/// Whether a packet belongs to a group: it left right after its first, or it caught up with it in a queue.
fn belongs(group: &Group, sent: i64, arrival: i64) -> bool {
    let after = sent - group.last_sent;
    let arrived_after = arrival - group.last_arrival;
    let caught_up = after > 0
        && arrived_after < after
        && arrived_after <= GROUP
        && arrival - group.first_arrival < MOST_BURST;
    after == 0 || caught_up || sent - group.first_sent <= GROUP
}

/// The slope of the line with the least squares.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let count = points.len() as f64;
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (product, square) = points.iter().fold((0.0, 0.0), |(product, square), point| {
        let x = point.0 - mean_x;
        (product + x * (point.1 - mean_y), square + x * x)
    });
    (square > 0.0).then(|| product / square)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;
    use std::time::Duration;

    /// Packets each 10 ms; each arrives `growth(at)` microseconds later than the one before would.
    fn usage(growth: impl Fn(i64) -> i64, packets: i64) -> Vec<Usage> {
        let start = origin();
        let mut trend = Trend::default();
        let mut delay = 50_000;
        let mut seen = Vec::new();
        for at in 0..packets {
            delay += growth(at);
            let sent = start + Duration::from_millis(10 * at as u64);
            let arrival = at * 10_000 + delay;
            trend.add(sent, &Outcome { sent, size: 1_200, probe: None, arrival: Some(arrival) });
            seen.push(trend.usage());
        }
        seen
    }

    #[test]
    fn a_steady_path_is_used_normally() {
        assert!(usage(|_| 0, 500).iter().all(|&usage| usage == Usage::Normal));
    }

    #[test]
    fn a_queue_that_grows_is_seen_within_half_a_second_and_one_that_drains_too() {
        let seen = usage(
            |at| {
                if at < 200 {
                    0
                } else if at < 300 {
                    1_000
                } else if at < 400 {
                    -1_000
                } else {
                    0
                }
            },
            600,
        );
        assert!(seen[..200].iter().all(|&usage| usage == Usage::Normal));
        assert!(seen[200..250].contains(&Usage::Over));
        assert!(seen[300..380].contains(&Usage::Under));
        assert_eq!(seen.last(), Some(&Usage::Normal));
    }

    #[test]
    fn jitter_alone_is_no_queue() {
        let jitter = |at: i64| (at * 7_919 % 11 - 5) * 400 - ((at - 1) * 7_919 % 11 - 5) * 400;
        let over = usage(jitter, 1_000).iter().filter(|&&usage| usage == Usage::Over).count();
        assert!(over < 20, "{over}");
    }
}
