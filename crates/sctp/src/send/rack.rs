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
    /// First transmissions in order, which is that of their TSNs; those that were acknowledged or superseded are dropped
    /// when they come up.
    log: VecDeque<(u64, u64)>,
    /// The same for retransmissions.
    again: VecDeque<(u64, u64)>,
    next_order: u64,
    /// The latest transmission that is known to have arrived.
    newest_order: u64,
    newest_rtt: Nanos,
    highest_acked: u64,
    reordering_seen: bool,
    window_steps: u32,
    /// How late a chunk came after one that was sent after it, at most; fades from recovery to recovery.
    lateness: Nanos,
    persist: u32,
    /// Highest TSN at the last growth of the window: it grows once per round trip.
    grown_at: u64,
    /// Transmissions up to this number went another path, where those after them may overtake them until then.
    moved: Option<(u64, Time)>,
}

impl Rack {
    pub(crate) fn new() -> Self {
        Self { window_steps: 1, ..Self::default() }
    }

    /// The number of the last transmission.
    pub(crate) fn last_order(&self) -> u64 {
        self.next_order
    }

    /// What is sent from now on goes another path. What is under way on the old one is given so long to arrive: that it is overtaken says
    /// nothing.
    pub(crate) fn on_path_change(&mut self, now: Time, patience: Nanos) {
        self.moved = Some((self.next_order, now.after(patience)));
    }

    /// Notes the first transmission of a chunk and returns its number.
    pub(crate) fn on_sent(&mut self, tsn: u64) -> u64 {
        self.next_order += 1;
        self.log.push_back((tsn, self.next_order));
        self.next_order
    }

    /// Notes a retransmission and returns its number.
    pub(crate) fn on_sent_again(&mut self, tsn: u64) -> u64 {
        self.next_order += 1;
        self.again.push_back((tsn, self.next_order));
        self.next_order
    }

    /// Watches transmissions again that were given up as lost: TSN, number, and whether it is the first one.
    pub(crate) fn take_back(&mut self, transmissions: Vec<(u64, u64, bool)>) {
        for (tsn, order, is_first) in transmissions {
            let log = if is_first { &mut self.log } else { &mut self.again };
            log.push_back((tsn, order));
        }
        for log in [&mut self.log, &mut self.again] {
            log.make_contiguous().sort_unstable_by_key(|(_, order)| *order);
        }
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
            if chunk.order < self.newest_order {
                self.lateness = self.lateness.max(rtt.saturating_sub(self.newest_rtt));
            }
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
            self.lateness += self.lateness / 4;
            self.grown_at = highest_sent;
        }
    }

    /// A loss recovery ended.
    pub(crate) fn on_recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        self.lateness -= self.lateness / 8;
        if self.persist == 0 {
            self.window_steps = 1;
        }
    }

    /// How long a chunk may be overtaken. What was seen of reordering counts beyond a round trip (RFC 8985 stops there), but
    /// the retransmission timer would be quicker than more than its own time.
    fn window(&self, context: &DetectionContext) -> Nanos {
        let suspicious = context.recovering || context.acked_out_of_order >= DUPLICATE_THRESHOLD;
        if !self.reordering_seen && suspicious {
            return 0;
        }
        let steps = (context.min_rtt / 4 * u64::from(self.window_steps)).min(context.srtt);
        steps.max(self.lateness.min(context.rto))
    }

    /// Appends the TSNs that are lost to `lost`, those beyond the horizon as well. Returns when to look again, because a chunk
    /// may yet turn out to be only late. Amortised O(1) per transmission.
    pub(crate) fn detect(
        &mut self,
        now: Time,
        ring: &Ring,
        context: &DetectionContext,
        lost: &mut Vec<u64>,
    ) -> Option<Time> {
        let window = self.window(context);
        let arrived = (self.newest_order, self.newest_rtt.saturating_add(window));
        let mut look_again: Option<Time> = None;
        self.moved = self.moved.filter(|(_, until)| *until > now);
        for log in [&mut self.log, &mut self.again] {
            let deadline = overdue(log, now, ring, (arrived, self.moved), lost);
            look_again = look_again.into_iter().chain(deadline).min();
        }
        look_again
    }
}

/// Takes the transmissions out of a log that are lost. Returns when the next one may be.
fn overdue(
    log: &mut VecDeque<(u64, u64)>,
    now: Time,
    ring: &Ring,
    ((newest_order, patience), moved): ((u64, Nanos), Option<(u64, Time)>),
    lost: &mut Vec<u64>,
) -> Option<Time> {
    while let Some(&(tsn, order)) = log.front() {
        let current = ring.get(tsn).filter(|chunk| chunk.order == order && chunk.fate == Fate::Outstanding);
        let Some(chunk) = current else {
            log.pop_front();
            continue;
        };
        if order >= newest_order {
            return None;
        }
        let late = chunk.sent_at.after(patience);
        let deadline = moved.filter(|(last, _)| order <= *last).map_or(late, |(_, until)| late.max(until));
        if deadline > now {
            return Some(deadline);
        }
        lost.push(tsn);
        log.pop_front();
    }
    if log.capacity() > 1024 {
        *log = VecDeque::new();
    }
    None
}

/// What detection needs to know about the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DetectionContext {
    pub(crate) recovering: bool,
    pub(crate) acked_out_of_order: usize,
    pub(crate) srtt: Nanos,
    pub(crate) rto: Nanos,
    pub(crate) min_rtt: Nanos,
}
