//! What the path is like: its rate, its round trip time, how bursty it acknowledges, and whether it is full.

use crate::congestion::Ack;
use crate::congestion::delivery::RateSample;
use crate::time::{MILLISECOND, Nanos, SECOND, Time};

/// A minimum of the round trip time is good for so long (MinRTTFilterLen).
const MIN_RTT_AGE: Nanos = 10 * SECOND;
/// After so long without a round trip as short as that, the queue is made to run empty (ProbeRTTInterval).
pub(super) const PROBE_RTT_INTERVAL: Nanos = 5 * SECOND;
/// Rounds in which acknowledgements come in bursts are remembered for half of this to all of it (ExtraAckedFilterLen).
const AGGREGATION_ROUNDS: u64 = 10;
/// The path is full when this much more of rate was not seen for three rounds.
const FULL_GROWTH: f64 = 1.25;
const FULL_ROUNDS: u32 = 3;
/// So many round trips in a row that are longer mean a queue. HyStart++ looks at whole rounds, in which a short queue overflows.
const LONG_RTTS: u32 = 16;

/// The model. All sizes are bytes, rates bytes per second.
#[derive(Debug)]
pub(super) struct Model {
    delivered: u64,
    next_round: u64,
    round_start: bool,
    /// The maximum of this and of the last cycle of probing.
    max_bandwidth: [u64; 2],
    /// How much one round trip differs from the one before it, on average (compare RFC 3550 section 6.4.1).
    jitter: Nanos,
    last_rtt: Option<Nanos>,
    /// Round trips in a row that were longer than the shortest.
    long_rtts: u32,
    min_rtt: Nanos,
    min_rtt_at: Time,
    /// The shortest round trip lately, and since when it has not been confirmed.
    probed_rtt: Nanos,
    probed_rtt_at: Time,
    probe_rtt_expired: bool,
    full_bandwidth: u64,
    full_rounds: u32,
    full_now: bool,
    full_reached: bool,
    /// Acknowledged beyond the bandwidth since `burst_start`.
    burst_start: Time,
    burst_acked: u64,
    extra_acked: [u64; 2],
    extra_acked_rounds: u64,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            delivered: 0,
            next_round: 0,
            round_start: false,
            max_bandwidth: [0; 2],
            jitter: 0,
            last_rtt: None,
            long_rtts: 0,
            min_rtt: Nanos::MAX,
            min_rtt_at: Time::default(),
            probed_rtt: Nanos::MAX,
            probed_rtt_at: Time::default(),
            probe_rtt_expired: false,
            full_bandwidth: 0,
            full_rounds: 0,
            full_now: false,
            full_reached: false,
            burst_start: Time::default(),
            burst_acked: 0,
            extra_acked: [0; 2],
            extra_acked_rounds: 0,
        }
    }

    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    pub(super) fn round_start(&self) -> bool {
        self.round_start
    }

    pub(super) fn max_bandwidth(&self) -> u64 {
        self.max_bandwidth[0].max(self.max_bandwidth[1])
    }

    pub(super) fn min_rtt(&self) -> Option<Nanos> {
        (self.min_rtt != Nanos::MAX).then_some(self.min_rtt)
    }

    /// How long a packet is under way if no queue stands, acknowledgement included. Where each takes a time of its own, it is not
    /// the shortest of them: with as much in flight as fits that, the rate would fall from round to round.
    pub(super) fn unqueued_rtt(&self) -> Option<Nanos> {
        self.min_rtt().map(|rtt| rtt + self.jitter * 3 / 2)
    }

    pub(super) fn is_full_now(&self) -> bool {
        self.full_now
    }

    /// A queue grows: round trips are longer than the shortest by as much as ends the slow start of HyStart++ (RFC 9406 section
    /// 4.2).
    pub(super) fn has_queue(&self) -> bool {
        self.long_rtts >= LONG_RTTS
    }

    /// The last two rounds did not bring more.
    pub(super) fn has_stalled(&self) -> bool {
        self.full_rounds > 1
    }

    pub(super) fn is_full_reached(&self) -> bool {
        self.full_reached
    }

    pub(super) fn probe_rtt_expired(&self) -> bool {
        self.probe_rtt_expired
    }

    /// The path is known to carry no more.
    pub(super) fn set_full(&mut self) {
        self.full_reached = true;
    }

    /// The round begins here.
    pub(super) fn start_round(&mut self) {
        self.next_round = self.delivered;
    }

    /// Looks anew whether the path is full (BBRResetFullBW), from a rate that is known.
    pub(super) fn reset_full(&mut self, bandwidth: u64) {
        self.full_bandwidth = bandwidth;
        self.full_rounds = 0;
        self.full_now = false;
    }

    /// A cycle of probing is over: the rate of the one before it is forgotten.
    pub(super) fn advance_bandwidth(&mut self) {
        // Without a sample in this cycle, the last one stays.
        if self.max_bandwidth[0] > 0 {
            self.max_bandwidth = [0, self.max_bandwidth[0]];
        }
    }

    /// The queue has just run empty.
    pub(super) fn confirm_rtt(&mut self, now: Time) {
        self.probed_rtt_at = now;
    }

    pub(super) fn on_ack(&mut self, ack: &Ack) {
        self.delivered = ack.delivered;
        self.round_start = false;
        if let Some(sample) = &ack.sample {
            if sample.prior_delivered >= self.next_round {
                self.start_round();
                self.round_start = true;
            }
            self.measure(sample);
        }
        self.update_rtt(ack);
    }

    fn measure(&mut self, sample: &RateSample) {
        let Some(rate) = sample.rate else { return };
        if rate >= self.max_bandwidth() || !sample.app_limited {
            self.max_bandwidth[0] = self.max_bandwidth[0].max(rate);
        }
        if self.full_now || sample.app_limited {
            return;
        }
        if rate as f64 >= self.full_bandwidth as f64 * FULL_GROWTH {
            self.reset_full(rate);
        } else if self.round_start {
            self.full_rounds += 1;
            self.full_now = self.full_rounds >= FULL_ROUNDS;
            self.full_reached |= self.full_now;
        }
    }

    /// BBRUpdateMinRTT. A round trip that is as short as the shortest but for what a timer is late and what left with it, a
    /// millisecond's worth, confirms it: otherwise a path that never queues would be half empty for 200 ms every five seconds.
    fn update_rtt(&mut self, ack: &Ack) {
        self.probe_rtt_expired = ack.now.since(self.probed_rtt_at) > PROBE_RTT_INTERVAL;
        if let Some(rtt) = ack.rtt {
            let change = self.last_rtt.replace(rtt).map_or(0, |last| last.abs_diff(rtt));
            self.jitter = self.jitter - self.jitter / 16 + change / 16;
            let threshold = (self.min_rtt / 8).clamp(4 * MILLISECOND, 16 * MILLISECOND);
            let is_long = rtt > self.min_rtt.saturating_add(threshold + 2 * self.jitter);
            self.long_rtts = if is_long { self.long_rtts + 1 } else { 0 };
            let tolerance = (self.probed_rtt / 64).min(2 * MILLISECOND);
            if rtt < self.probed_rtt || self.probe_rtt_expired {
                self.probed_rtt = rtt;
                self.probed_rtt_at = ack.now;
            } else if rtt <= self.probed_rtt.saturating_add(tolerance) {
                self.probed_rtt_at = ack.now;
            }
        }
        let expired = ack.now.since(self.min_rtt_at) > MIN_RTT_AGE;
        if self.probed_rtt != Nanos::MAX && (self.probed_rtt <= self.min_rtt || expired) {
            self.min_rtt = self.probed_rtt;
            self.min_rtt_at = self.probed_rtt_at;
        }
    }

    /// Bytes that are acknowledged at once beyond what the rate explains (BBRUpdateACKAggregation).
    pub(super) fn extra_acked(&self) -> u64 {
        self.extra_acked[0].max(self.extra_acked[1])
    }

    pub(super) fn restart_aggregation(&mut self, now: Time) {
        self.burst_start = now;
        self.burst_acked = 0;
    }

    pub(super) fn update_aggregation(&mut self, ack: &Ack, bandwidth: u64, window: u64) {
        if self.round_start {
            self.extra_acked_rounds += 1;
            if self.extra_acked_rounds * 2 >= AGGREGATION_ROUNDS {
                self.extra_acked_rounds = 0;
                self.extra_acked = [0, self.extra_acked[0]];
            }
        }
        let elapsed = ack.now.since(self.burst_start);
        let mut expected = (bandwidth as f64 * elapsed as f64 / SECOND as f64) as u64;
        if self.burst_acked <= expected {
            self.restart_aggregation(ack.now);
            expected = 0;
        }
        self.burst_acked += (ack.bytes - ack.late) as u64;
        let extra = self.burst_acked.saturating_sub(expected).min(window);
        // Before the path is full, the rate is not known, and everything looks like a burst.
        if self.full_reached {
            self.extra_acked[0] = self.extra_acked[0].max(extra);
        }
    }
}
