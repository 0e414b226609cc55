//! Loss detection by time (RACK, RFC 8985): a chunk is lost when one sent later has arrived and enough time
//! for reordering has passed.

use std::collections::VecDeque;

use super::ring::{Fate, Ring, Sent};
use crate::time::{Nanos, Time};

/// Chunks acknowledged out of order that prove a loss while no reordering was ever seen (RFC 5681).
const DUPLICATE_THRESHOLD: usize = 3;
/// The reordering window grows up to this many quarters of the smallest round trip time.
const MAX_WINDOW_STEPS: u32 = 16;
/// Loss recoveries without a duplicate after which the reordering window shrinks again (RFC 8985 section 6.2).
const PERSIST: u32 = 16;

/// State of loss detection.
#[derive(Debug, Default)]
pub(crate) struct Rack {
    /// Transmissions in order; those that were acknowledged or superseded are dropped when they come up.
    log: VecDeque<(u64, u64)>,
    next_order: u64,
    /// The latest transmission that is known to have arrived.
    newest_order: u64,
    newest_rtt: Nanos,
    highest_acked: u64,
    reordering_seen: bool,
    window_steps: u32,
    persist: u32,
    /// Highest TSN at the last growth of the window: it grows once per round trip.
    grown_at: u64,
}

/// What a pass of detection found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Detection {
    /// When to look again, because a chunk may yet turn out to be only late.
    pub(crate) look_again: Option<Time>,
}

impl Rack {
    pub(crate) fn new() -> Self {
        Self { window_steps: 1, ..Self::default() }
    }

    /// Notes a transmission and returns its number.
    pub(crate) fn on_sent(&mut self, tsn: u64) -> u64 {
        self.next_order += 1;
        self.log.push_back((tsn, self.next_order));
        self.next_order
    }

    /// Watches transmissions again that were given up as lost.
    pub(crate) fn take_back(&mut self, transmissions: Vec<(u64, u64)>) {
        self.log.extend(transmissions);
        self.log.make_contiguous().sort_unstable_by_key(|(_, order)| *order);
    }

    /// Takes note that a chunk arrived.
    pub(crate) fn on_delivered(&mut self, now: Time, tsn: u64, chunk: &Sent, min_rtt: Option<Nanos>) {
        let rtt = now.since(chunk.sent_at);
        if chunk.retransmits > 0 {
            // Quicker than the path allows: it was an earlier copy that arrived.
            if min_rtt.is_some_and(|min| rtt < min) {
                return;
            }
        } else if tsn < self.highest_acked {
            self.reordering_seen = true;
        }
        self.highest_acked = self.highest_acked.max(tsn);
        if chunk.order > self.newest_order {
            self.newest_order = chunk.order;
            self.newest_rtt = rtt;
        }
    }

    /// The peer got something twice: we were too quick to call it lost.
    pub(crate) fn on_duplicate(&mut self, highest_sent: u64, cumulative: u64) {
        self.persist = PERSIST;
        if cumulative >= self.grown_at {
            self.window_steps = (self.window_steps + 1).min(MAX_WINDOW_STEPS);
            self.grown_at = highest_sent;
        }
    }

    /// A loss recovery ended.
    pub(crate) fn on_recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.window_steps = 1;
        }
    }

    fn window(&self, recovering: bool, acked_out_of_order: usize, srtt: Nanos, min_rtt: Nanos) -> Nanos {
        if !self.reordering_seen && (recovering || acked_out_of_order >= DUPLICATE_THRESHOLD) {
            return 0;
        }
        (min_rtt / 4 * u64::from(self.window_steps)).min(srtt)
    }

    /// Appends the TSNs that are lost to `lost`. Amortised O(1) per transmission.
    pub(crate) fn detect(
        &mut self,
        now: Time,
        ring: &Ring,
        context: &DetectionContext,
        lost: &mut Vec<u64>,
    ) -> Detection {
        let window =
            self.window(context.recovering, context.acked_out_of_order, context.srtt, context.min_rtt);
        while let Some(&(tsn, order)) = self.log.front() {
            let current =
                ring.get(tsn).filter(|chunk| chunk.order == order && chunk.fate == Fate::Outstanding);
            let Some(chunk) = current else {
                self.log.pop_front();
                continue;
            };
            if order >= self.newest_order {
                break;
            }
            let deadline = chunk.sent_at.after(self.newest_rtt.saturating_add(window));
            if deadline > now {
                return Detection { look_again: Some(deadline) };
            }
            lost.push(tsn);
            self.log.pop_front();
        }
        if self.log.is_empty() && self.log.capacity() > 1024 {
            self.log = VecDeque::new();
        }
        Detection::default()
    }
}

/// What detection needs to know about the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DetectionContext {
    pub(crate) recovering: bool,
    pub(crate) acked_out_of_order: usize,
    pub(crate) srtt: Nanos,
    pub(crate) min_rtt: Nanos,
}
