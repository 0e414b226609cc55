//! Tells loss by congestion from loss by chance (the second loss-based estimator of libwebrtc, in its essence).
//!
//! The model: a path loses a share of all packets by chance, and all that is beyond its bandwidth. Several bandwidths are tried on
//! what was seen lately; the one under which that is most likely wins, with a leaning towards more. So 5 % loss on a radio link
//! does not lower the rate, and 5 % loss by a short queue does.

use std::collections::VecDeque;
use std::time::Instant;

use super::history::Outcome;

/// Seconds of sending that make an observation, and how many of those are looked at.
const OBSERVATION: f64 = 0.25;
const OBSERVATIONS: usize = 20;
/// What each observation counts in relation to the one after it.
const MEMORY: f64 = 0.9;
/// Bandwidths that are tried, in relation to the last; beside them what has arrived, and what the delay allows.
const FACTORS: [f64; 3] = [1.02, 1.0, 0.95];
/// Loss by chance: the least, and the most at a bandwidth; a fast path with much of it is rare.
const LEAST_CHANCE: f64 = 1e-3;
const MOST_CHANCE: f64 = 0.05;
const MOST_CHANCE_BITS: f64 = 100e3;
/// The leaning towards more bandwidth, per kbit/s and per logarithm of it, up to this share of loss.
const LEANING: f64 = 0.0002;
const LOG_LEANING: f64 = 0.02;
const LEANS_UP_TO: f64 = 0.15;
const LEANING_WIDTH: f64 = 0.002;
/// After a loss the rate does not go beyond this much of what arrives.
const RAMP: f64 = 1.5;

/// What became of the packets of a quarter of a second.
#[derive(Debug, Clone, Copy, Default)]
struct Observation {
    packets: f64,
    lost: f64,
    /// Bits per second that were sent.
    rate: f64,
}

/// One explanation of what was seen.
#[derive(Debug, Clone, Copy)]
struct Path {
    bandwidth: f64,
    /// Share that is lost by chance.
    chance: f64,
}

impl Path {
    fn loss_at(&self, rate: f64) -> f64 {
        let beyond = if rate > self.bandwidth { (rate - self.bandwidth) / rate } else { 0.0 };
        (self.chance + (1.0 - self.chance) * beyond).clamp(1e-6, 1.0 - 1e-6)
    }

    fn bounded(mut self) -> Self {
        let most = (MOST_CHANCE + MOST_CHANCE_BITS / self.bandwidth.max(1.0)).min(1.0);
        self.chance = self.chance.clamp(LEAST_CHANCE, most);
        self
    }
}

/// The bandwidth that losses allow.
#[derive(Debug, Default)]
pub(super) struct Loss {
    path: Option<Path>,
    /// Newest first.
    seen: VecDeque<Observation>,
    /// Packets, lost ones, bits and the times of sending of the observation to come.
    packets: f64,
    lost: f64,
    bits: f64,
    sent: Option<(Instant, Instant)>,
}

impl Loss {
    /// Bits per second; `None` as long as losses say nothing.
    pub(super) fn rate(&self) -> Option<f64> {
        self.path.map(|path| path.bandwidth)
    }

    /// Share of packets that were lost lately.
    fn average(&self) -> f64 {
        let (packets, lost) = self.weighed().fold((0.0, 0.0), |(packets, lost), (weight, seen)| {
            (packets + weight * seen.packets, lost + weight * seen.lost)
        });
        if packets > 0.0 { lost / packets } else { 0.0 }
    }

    fn weighed(&self) -> impl Iterator<Item = (f64, &Observation)> {
        let weights = std::iter::successors(Some(1.0), |weight| Some(weight * MEMORY));
        weights.zip(&self.seen)
    }

    /// Feedback came. `delay_rate`: what the delay allows; `arrived`: bits per second.
    pub(super) fn update(&mut self, outcomes: &[Outcome], delay_rate: f64, arrived: Option<f64>) {
        for outcome in outcomes {
            self.packets += 1.0;
            self.bits += f64::from(outcome.size) * 8.0;
            self.lost += f64::from(u8::from(outcome.arrival.is_none()));
            let (first, last) = self.sent.unwrap_or((outcome.sent, outcome.sent));
            self.sent = Some((first.min(outcome.sent), last.max(outcome.sent)));
        }
        let Some((first, last)) = self.sent else { return };
        let seconds = last.saturating_duration_since(first).as_secs_f64();
        if seconds < OBSERVATION {
            return;
        }
        self.seen.push_front(Observation {
            packets: self.packets,
            lost: self.lost,
            // n packets have n-1 gaps between them.
            rate: self.bits / seconds * (1.0 - 1.0 / self.packets),
        });
        self.seen.truncate(OBSERVATIONS);
        (self.packets, self.lost, self.bits, self.sent) = (0.0, 0.0, 0.0, None);
        self.choose(delay_rate, arrived);
    }

    fn choose(&mut self, delay_rate: f64, arrived: Option<f64>) {
        let last = self.path.unwrap_or(Path { bandwidth: delay_rate, chance: 0.01 });
        let limited = last.bandwidth < delay_rate;
        let bandwidths =
            FACTORS.iter().map(|factor| factor * last.bandwidth).chain(arrived).chain([delay_rate]);
        let average = self.average();
        let best = bandwidths
            .map(|bandwidth| self.fitted(Path { bandwidth: bandwidth.min(delay_rate), ..last }.bounded()))
            .map(|path| (self.likelihood(path, average), path))
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .map_or(last, |(_, path)| path);
        let mut bandwidth = best.bandwidth;
        if limited && bandwidth > last.bandwidth {
            // More is lost than chance explains: not now.
            if average > best.chance {
                bandwidth = last.bandwidth;
            }
            bandwidth =
                bandwidth.min(arrived.map_or(bandwidth, |arrived| arrived * RAMP)).max(last.bandwidth);
        }
        self.path = Some(Path { bandwidth, ..best });
    }

    /// The share of chance under which the bandwidth explains best what was seen: a step of Newton's method.
    fn fitted(&self, path: Path) -> Path {
        let (mut first, mut second) = (0.0, 0.0);
        for (weight, seen) in self.weighed() {
            let loss = path.loss_at(seen.rate);
            let arrived = seen.packets - seen.lost;
            first += weight * (seen.lost / loss - arrived / (1.0 - loss));
            second -= weight * (seen.lost / (loss * loss) + arrived / ((1.0 - loss) * (1.0 - loss)));
        }
        let step = if second < 0.0 { 0.75 * first / second } else { 0.0 };
        Path { chance: path.chance - step, ..path }.bounded()
    }

    fn likelihood(&self, path: Path, average: f64) -> f64 {
        let leans = |factor: f64| {
            let below = LEANS_UP_TO - average;
            factor * below / (LEANING_WIDTH + below.abs())
        };
        let kilobits = path.bandwidth / 1e3;
        let leaning = leans(LEANING) * kilobits + leans(LOG_LEANING) * kilobits.ln_1p();
        let of = |(weight, seen): (f64, &Observation)| {
            let loss = path.loss_at(seen.rate);
            weight
                * (seen.lost * loss.ln()
                    + (seen.packets - seen.lost) * (1.0 - loss).ln()
                    + leaning * seen.packets)
        };
        self.weighed().map(of).sum()
    }

    /// A probe has got through at this rate.
    pub(super) fn raise_to(&mut self, rate: f64) {
        if let Some(path) = &mut self.path {
            path.bandwidth = path.bandwidth.max(rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;
    use std::time::Duration;

    /// A minute of packets of 10 kbit at `rate`, of which `lost(at)` are lost.
    fn after(rate: f64, delay_rate: f64, lost: impl Fn(u32) -> bool) -> Loss {
        let start = origin();
        let mut loss = Loss::default();
        let per_second = (rate / 1e4) as u32;
        let mut now = start;
        for second in 0..60 {
            let outcomes: Vec<_> = (0..per_second)
                .map(|at| Outcome {
                    sent: now + Duration::from_secs(1) * at / per_second,
                    size: 1_250,
                    probe: None,
                    arrival: (!lost(second * per_second + at)).then_some(0),
                })
                .collect();
            for part in outcomes.chunks(per_second as usize / 10) {
                let arrived =
                    part.iter().filter(|one| one.arrival.is_some()).count() as f64 / part.len() as f64 * rate;
                loss.update(part, delay_rate, Some(arrived));
            }
            now += Duration::from_secs(1);
        }
        loss
    }

    /// What losses allow after that.
    fn allowed(rate: f64, delay_rate: f64, lost: impl Fn(u32) -> bool) -> f64 {
        after(rate, delay_rate, lost).rate().expect("observations").min(delay_rate)
    }

    #[test]
    fn loss_by_chance_lowers_nothing() {
        assert_eq!(allowed(1e6, 1e6, |at| at % 20 == 0), 1e6);
        assert_eq!(allowed(1e6, 1e6, |at| at % 100 == 0), 1e6);
    }

    #[test]
    fn the_share_that_is_lost_by_chance_is_learnt() {
        let path = after(1e6, 1e6, |at| at % 20 == 0).path.expect("observations");
        assert!((0.03..0.07).contains(&path.chance), "{path:?}");
    }

    #[test]
    fn loss_by_congestion_brings_the_rate_to_what_arrives() {
        let rate = allowed(2e6, 2e6, |at| at % 5 < 2);
        assert!((0.9e6..1.4e6).contains(&rate), "{rate}");
    }
}
