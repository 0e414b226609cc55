//! How much may be sent, where the other side tells when packets came in (transport-wide feedback).

use std::time::{Duration, Instant};

use crate::bandwidth::{BandwidthConfig, BandwidthEstimator, Probe};

#[derive(Debug)]
pub(super) struct Rate {
    estimator: BandwidthEstimator,
    /// The sum of what encoders make at most.
    most: u64,
    /// Bursts need packets to be made of.
    pub(super) can_probe: bool,
}

impl Rate {
    pub(super) fn new() -> Self {
        let estimator = BandwidthEstimator::new(BandwidthConfig::default());
        Self { estimator, most: BandwidthConfig::default().most, can_probe: false }
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

    /// A packet of `size` bytes left.
    pub(super) fn sent(&mut self, now: Instant, number: u16, size: usize, probe: Option<u32>) {
        self.estimator.on_sent(now, number, size, probe);
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

    pub(super) fn most(&self) -> u64 {
        self.most
    }
}
