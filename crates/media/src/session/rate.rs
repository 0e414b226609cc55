//! How much may be sent, where the other side tells when packets came in (transport-wide feedback).

use std::time::{Duration, Instant};

use crate::bandwidth::{BandwidthConfig, BandwidthEstimator, Probe};

/// A target that differs by less than this share from the one told last is not worth telling: encoders take a while to follow.
const WORTH_TELLING: f64 = 0.05;

/// What is sent beside video counts over about this time: as long as an encoder needs to make less, and shorter than losses go on.
const WINDOW: f64 = 0.5;
/// Encoders of video are left this share of the target, however much has to be sent again.
const LEAST_FOR_VIDEO: f64 = 0.5;

/// How much may be sent, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// All packets together.
    pub(super) all: u64,
    /// What encoders of video should make.
    pub(super) video: u64,
}

#[derive(Debug)]
pub(super) struct Rate {
    estimator: BandwidthEstimator,
    told: Option<Target>,
    /// The sum of what encoders make at most.
    most: u64,
    beside: Beside,
    /// Bursts need packets to be made of.
    pub(super) can_probe: bool,
}

impl Rate {
    pub(super) fn new() -> Self {
        let estimator = BandwidthEstimator::new(BandwidthConfig::default());
        Self {
            estimator,
            told: None,
            most: BandwidthConfig::default().most,
            beside: Beside::default(),
            can_probe: false,
        }
    }

    /// The sum of what encoders make at most; `None` if one of them has no limit.
    pub(super) fn set_most(&mut self, most: Option<u64>) {
        self.most = most.unwrap_or(BandwidthConfig::default().most);
        self.estimator.set_most(self.most);
    }

    pub(super) fn set_remb(&mut self, bps: u64) {
        self.estimator.set_remb(bps);
    }

    pub(super) fn set_round_trip(&mut self, round_trip: Duration) {
        self.estimator.set_round_trip(round_trip);
    }

    /// A packet of `size` bytes left; `beside` of them no encoder of video has made, and nobody has sent just to try the path.
    pub(super) fn sent(
        &mut self,
        now: Instant,
        number: u16,
        (size, beside): (usize, usize),
        probe: Option<u32>,
    ) {
        self.estimator.on_sent(now, number, size, probe);
        self.beside.add(now, beside);
    }

    pub(super) fn feedback(&mut self, now: Instant, reference: u32, base: u16, deltas: &[Option<i16>]) {
        self.estimator.on_feedback(now, reference, base, deltas);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.estimator.handle_timeout(now);
    }

    /// A burst to send now.
    pub(super) fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        // Taken in any case, so that the next one is not due all the time.
        self.estimator.poll_probe(now).filter(|_| self.can_probe)
    }

    /// When to look again.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.estimator.poll_timeout()
    }

    pub(super) fn target(&self) -> u64 {
        self.estimator.target()
    }

    /// The round trip, as far as anything has shown it.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.estimator.round_trip()
    }

    /// The target, if it has become another that is worth telling.
    pub(super) fn poll_target(&mut self, now: Instant) -> Option<Target> {
        let all = self.estimator.target();
        // Otherwise repairs come on top of a rate that fills the path already, cause losses and with them more repairs, and the
        // queue stays full: what arrives then is all that the path carries, so the estimate has no reason to fall further.
        let left = (all as f64 - self.beside.rate(now)).max(all as f64 * LEAST_FOR_VIDEO);
        // Where it is the encoders that make no more, nothing says that the path would not carry the rest as well.
        let video = if all >= self.most { all } else { left as u64 };
        let target = Target { all, video };
        let near = |told: u64, now: u64| told.abs_diff(now) as f64 <= told as f64 * WORTH_TELLING;
        if self.told.is_some_and(|told| near(told.all, target.all) && near(told.video, target.video)) {
            return None;
        }
        self.told = Some(target);
        self.told
    }
}

/// What is sent beside video: headers, audio, and what is sent again.
#[derive(Debug, Default)]
struct Beside {
    /// Bits, of which those of the past count ever less.
    bits: f64,
    last: Option<Instant>,
}

impl Beside {
    fn add(&mut self, now: Instant, bytes: usize) {
        self.bits = self.rate(now) * WINDOW + bytes as f64 * 8.0;
        self.last = Some(now);
    }

    /// Bits per second.
    fn rate(&self, now: Instant) -> f64 {
        let passed = self.last.map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f64());
        self.bits / WINDOW * (-passed / WINDOW).exp()
    }
}
