//! What a path loses by chance, whatever is sent: radio links, bad cables. The draft takes all loss for congestion and has to
//! stop at its threshold of 2 %; but loss that is there while no queue stands and less is sent than the path carries is not
//! ours, and sending less does not lessen it.

use crate::congestion::pacer::MIN_RTT;
use crate::time::{MILLISECOND, Nanos};

/// Packets that make an estimate: at a loss of 1 %, five of them are lost, give or take two.
const SAMPLE_PACKETS: u64 = 512;
/// So many that are lost are enough as well: sixteen, give or take four.
const SAMPLE_LOSSES: u64 = 16;
/// Where so many should have been lost by chance and less than a quarter of them were, it was not chance.
const REFUTING_LOSSES: u64 = 8;
/// With more than this lost, something else is wrong, and we give way.
const MAX_NOISE: f64 = 0.25;

/// Round trips that are longer by no more than this did not meet a queue.
fn tolerance(min_rtt: Nanos) -> Nanos {
    (min_rtt / 32).max(MILLISECOND)
}

/// Loss in rounds without a queue.
#[derive(Debug)]
pub(super) struct Noise {
    arrived: u64,
    lost: u64,
    /// The last two estimates. The smaller counts: a policer drops in one cycle of probing, chance in all of them.
    shares: [f64; 2],
    /// The round that runs: shortest round trip, and the counters at its start.
    round_rtt: Nanos,
    /// The shortest round trip of all when there was last said to be no queue.
    min_rtt: Nanos,
    delivered_before: u64,
    lost_total: u64,
    lost_before: u64,
    /// What was sent before so much had been delivered was sent faster than what is listened to.
    heard_from: u64,
}

/// How much a round says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calm {
    /// Its losses may have been caused by what was tried.
    No,
    /// It was sent as fast as the path carries: loss may still be a policer's, who drops what is added to make up for it.
    Full,
    /// It was sent slower than the path carries.
    Below,
}

impl Noise {
    pub(super) fn new() -> Self {
        Self {
            arrived: 0,
            lost: 0,
            shares: [0.0; 2],
            round_rtt: Nanos::MAX,
            min_rtt: Nanos::MAX,
            delivered_before: 0,
            lost_total: 0,
            lost_before: 0,
            heard_from: 0,
        }
    }

    /// So much had been delivered before this path was used.
    pub(super) fn start(&mut self, delivered: u64) {
        self.delivered_before = delivered;
    }

    /// Share of the bytes that the path loses by chance.
    pub(super) fn share(&self) -> f64 {
        self.shares[0].min(self.shares[1])
    }

    /// How much of what is in flight may be lost before that is more than `threshold` beyond chance: its mean and three
    /// standard deviations. From the sending of a chunk until its loss is noticed, somewhat more than a round trip's worth is lost.
    pub(super) fn tolerated(&self, in_flight: u64, threshold: f64, mtu: usize) -> u64 {
        let (in_flight, mtu, share) = (in_flight as f64, mtu as f64, self.share());
        let spread = 3.0 * (in_flight / mtu * share).sqrt() * mtu;
        (in_flight * (threshold + share * 1.25) + spread) as u64
    }

    /// A probe is over. Its losses are noticed when the next round has begun, and are not that round's.
    pub(super) fn forget_probe(&mut self, delivered: u64) {
        self.heard_from = delivered;
    }

    /// A chunk is lost that was sent when so much had been delivered.
    pub(super) fn on_lost(&mut self, bytes: u64, prior_delivered: u64) {
        if prior_delivered >= self.heard_from {
            self.lost_total += bytes;
        }
    }

    pub(super) fn on_rtt(&mut self, rtt: Nanos) {
        self.round_rtt = self.round_rtt.min(rtt);
    }

    /// A round ends.
    pub(super) fn end_round(&mut self, delivered: u64, min_rtt: Nanos, calm: Calm, mtu: usize) {
        // What looked like the empty path was the standing queue of others, and what was lost then may have been lost to it.
        if min_rtt.saturating_add(tolerance(min_rtt)) < self.min_rtt {
            self.shares = [0.0; 2];
            (self.arrived, self.lost) = (0, 0);
        }
        self.min_rtt = min_rtt;
        let queue = self.round_rtt.saturating_sub(min_rtt);
        // Once there is an estimate, only less than the path carries can refute it. A path too short to be paced can't be
        // sent less than it carries.
        let counts = calm == Calm::Below || calm == Calm::Full && self.share() == 0.0;
        if counts && min_rtt >= MIN_RTT && queue <= tolerance(min_rtt) {
            self.arrived += delivered - self.delivered_before;
            self.lost += self.lost_total - self.lost_before;
            self.estimate(mtu as u64);
        }
        self.round_rtt = Nanos::MAX;
        self.delivered_before = delivered;
        self.lost_before = self.lost_total;
    }

    fn estimate(&mut self, mtu: u64) {
        let sent = self.arrived + self.lost;
        let expected = (sent as f64 * self.share()) as u64;
        let is_refuted = expected >= REFUTING_LOSSES * mtu && self.lost * 4 < expected;
        if is_refuted || sent >= SAMPLE_PACKETS * mtu || self.lost >= SAMPLE_LOSSES * mtu {
            let share = (self.lost as f64 / sent as f64).min(MAX_NOISE);
            // The first estimate stands alone, and what refutes one does.
            let last = if is_refuted || self.shares == [0.0; 2] { share } else { self.shares[0] };
            self.shares = [share, last];
            (self.arrived, self.lost) = (0, 0);
        }
    }
}
