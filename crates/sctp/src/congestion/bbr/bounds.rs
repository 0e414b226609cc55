//! What loss says: bounds of how much may be in flight and of the rate.

use super::{Bbr, State};
use crate::congestion::Ack;
use crate::congestion::delivery::{LostSample, RateSample};
use crate::congestion::pacer::MIN_RTT;
use crate::time::Nanos;

/// So much of what was in flight may be lost before that counts as too much (BBRLossThresh).
pub(super) const LOSS_THRESHOLD: f64 = 0.02;
/// A queue stands when even the shortest round trip of a round is this much longer than it has to be.
const STANDING_QUEUE: f64 = 1.25;
/// A path that got slower has a queue that makes all round trips so many times longer.
const LONG_QUEUE: f64 = 2.0;
/// What is left of a bound after too much loss (BBRBeta).
const BETA: f64 = 0.7;
/// Kept free below the upper bound for others (BBRHeadroom).
pub(super) const HEADROOM: f64 = 0.15;
/// Losses apart from each other in a round that end STARTUP (BBRStartupFullLossCnt).
const STARTUP_LOSSES: u32 = 6;

/// The bounds, and what is being learnt about them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Lower ones, after loss: for this cycle of probing. `u64::MAX` = none.
    pub(super) bandwidth_low: u64,
    pub(super) inflight_low: u64,
    /// The upper one: more than this in flight lost too much.
    pub(super) inflight_high: u64,
    /// What was delivered lately, at best.
    bandwidth_latest: u64,
    inflight_latest: u64,
    /// The round of losses ends when what is sent from here on is delivered.
    round_end: u64,
    round_start: bool,
    lost_in_round: u64,
    losses_in_round: u32,
    delivered_at_round: u64,
    /// The shortest round trip of the round.
    round_rtt: Nanos,
    /// What was sent before so much had been delivered has had its effect already.
    answered: u64,
}

impl Bounds {
    pub(super) fn new() -> Self {
        Self {
            bandwidth_low: u64::MAX,
            inflight_low: u64::MAX,
            inflight_high: u64::MAX,
            bandwidth_latest: 0,
            inflight_latest: 0,
            round_end: 0,
            round_start: false,
            lost_in_round: 0,
            losses_in_round: 0,
            delivered_at_round: 0,
            round_rtt: Nanos::MAX,
            answered: 0,
        }
    }

    /// So much had been delivered before this path was used.
    pub(super) fn start(&mut self, delivered: u64) {
        self.delivered_at_round = delivered;
    }

    pub(super) fn reset_lower(&mut self) {
        self.bandwidth_low = u64::MAX;
        self.inflight_low = u64::MAX;
    }

    /// BBRResetCongestionSignals. Losses of what was sent until now have been answered by slowing down: with many of them it
    /// takes several round trips to learn of all, which the draft would answer each time.
    pub(super) fn reset_signals(&mut self, delivered: u64) {
        self.answered = delivered;
        self.lost_in_round = 0;
        self.losses_in_round = 0;
        self.bandwidth_latest = 0;
        self.inflight_latest = 0;
    }

    /// Nothing had been lost.
    pub(super) fn restore(&mut self, before: &Self) {
        self.lost_in_round = 0;
        self.losses_in_round = 0;
        self.bandwidth_low = self.bandwidth_low.max(before.bandwidth_low);
        self.inflight_low = self.inflight_low.max(before.inflight_low);
        self.inflight_high = self.inflight_high.max(before.inflight_high);
    }

    fn take_signals(&mut self, ack: &Ack, sample: &RateSample) {
        self.bandwidth_latest = self.bandwidth_latest.max(sample.rate.unwrap_or(0));
        self.inflight_latest = self.inflight_latest.max(sample.delivered);
        self.round_start = sample.prior_delivered >= self.round_end;
        if self.round_start {
            self.round_end = ack.delivered;
        }
    }

    /// BBRAdvanceLatestDeliverySignals.
    pub(super) fn end_round(&mut self, ack: &Ack) {
        if let Some(sample) = ack.sample.filter(|_| self.round_start) {
            self.bandwidth_latest = sample.rate.unwrap_or(0);
            self.inflight_latest = sample.delivered;
            self.lost_in_round = 0;
            self.losses_in_round = 0;
            self.delivered_at_round = ack.delivered;
            self.round_rtt = Nanos::MAX;
        }
    }
}

impl Bbr {
    /// IsInflightTooHigh. A single packet is more than the threshold of a small flow, but no share of anything.
    pub(super) fn is_too_much(&self, lost: u64, in_flight: u64) -> bool {
        lost > self.noise.tolerated(in_flight, LOSS_THRESHOLD, self.mtu).max(self.mtu as u64)
    }

    /// Whether every round trip of the round was so many times longer than it has to be.
    fn has_queued(&self, times: f64) -> bool {
        let rtt = self.bounds.round_rtt;
        let is_longer = |min: Nanos| rtt as f64 > min.max(MIN_RTT) as f64 * times;
        rtt != Nanos::MAX && self.model.min_rtt().is_some_and(is_longer)
    }

    /// Whether more was lost in the round than is tolerated: in a standing queue nothing but chance, as in the draft.
    fn is_round_lossy(&self, delivered: u64) -> bool {
        let lost = self.bounds.lost_in_round;
        let sent = delivered - self.bounds.delivered_at_round + lost;
        if self.has_queued(STANDING_QUEUE) {
            lost > self.noise.tolerated(sent, 0.0, self.mtu)
        } else {
            self.is_too_much(lost, sent)
        }
    }

    /// BBRUpdateLatestDeliverySignals and BBRUpdateCongestionSignals.
    pub(super) fn update_bounds(&mut self, ack: &Ack) {
        self.bounds.round_start = false;
        let Some(sample) = &ack.sample else { return };
        self.bounds.take_signals(ack, sample);
        if let Some(rtt) = ack.rtt {
            self.bounds.round_rtt = self.bounds.round_rtt.min(rtt);
        }
        if !self.bounds.round_start || self.state.is_probing() {
            return;
        }
        // The draft waits for the maximum of two cycles to be forgotten when a path gets slower. Behind a long queue a cycle takes
        // many seconds, in which all of them are spent in the queue.
        let latest = self.bounds.bandwidth_latest;
        if latest > 0 && latest < self.bandwidth() / 4 && self.has_queued(LONG_QUEUE) {
            self.bounds.bandwidth_low = latest;
        }
        // The draft lowers the bounds after a round with any loss at all. On a path that loses a hundredth at random, that is
        // every round, and the rate falls to a half between two probes. Where a queue stands, loss is not chance.
        if self.is_round_lossy(ack.delivered) {
            let (bandwidth, window) = (self.model.max_bandwidth(), self.window);
            let bounds = &mut self.bounds;
            if bounds.bandwidth_low == u64::MAX {
                bounds.bandwidth_low = bandwidth;
            }
            if bounds.inflight_low == u64::MAX {
                bounds.inflight_low = window;
            }
            bounds.answered = ack.delivered;
            let scaled = |bound: u64| (bound as f64 * BETA) as u64;
            bounds.bandwidth_low = bounds.bandwidth_latest.max(scaled(bounds.bandwidth_low));
            bounds.inflight_low = bounds.inflight_latest.max(scaled(bounds.inflight_low));
        }
    }

    /// BBRCheckStartupHighLoss. Loss while the rate still grows is chance.
    pub(super) fn check_startup_loss(&mut self, ack: &Ack) {
        let bounds = &self.bounds;
        if bounds.round_start
            && bounds.losses_in_round >= STARTUP_LOSSES
            && self.model.has_stalled()
            && self.is_round_lossy(ack.delivered)
        {
            let bdp = self.bdp(self.model.max_bandwidth(), 1.0);
            self.bounds.inflight_high = bdp.max(self.bounds.inflight_latest);
            self.model.set_full();
        }
    }

    /// BBRHandleLostPacket.
    pub(super) fn learn_from(&mut self, loss: &LostSample) {
        self.noise.on_lost(loss.bytes, loss.prior_delivered);
        if loss.prior_delivered >= self.bounds.answered {
            self.bounds.lost_in_round += loss.bytes;
            self.bounds.losses_in_round += 1;
        }
        if !self.cycle.samples_probe || !self.is_too_much(loss.lost, loss.in_flight) {
            return;
        }
        // What was in flight when the losses reached the threshold (BBRInflightAtLoss).
        let (before, lost_before) =
            (loss.in_flight.saturating_sub(loss.bytes), loss.lost.saturating_sub(loss.bytes));
        let prefix = (before as f64 * LOSS_THRESHOLD - lost_before as f64) / (1.0 - LOSS_THRESHOLD);
        let in_flight = before + prefix.max(0.0) as u64;
        self.on_inflight_too_high(in_flight, loss.app_limited);
    }

    /// BBRHandleInflightTooHigh.
    fn on_inflight_too_high(&mut self, in_flight: u64, app_limited: bool) {
        self.cycle.samples_probe = false;
        if !app_limited {
            let target = self.bdp(self.bandwidth(), 1.0).min(self.window);
            self.bounds.inflight_high = in_flight.max((target as f64 * BETA) as u64);
        }
        if self.state == State::Up {
            self.start_down();
        }
    }
}
