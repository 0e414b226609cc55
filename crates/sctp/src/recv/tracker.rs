//! Which TSNs have arrived.

use crate::ranges::RangeSet;
use crate::serial;

/// Gaps that are remembered; with more, chunks that would open another one are dropped unacknowledged. No
/// honest path has so many, and a SACK could not report them.
const MAX_RANGES: usize = 4096;
/// A gap block cannot say more than this ahead of the cumulative TSN.
const MAX_AHEAD: u64 = 65_535;

/// Where a TSN stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Next,
    Ahead,
    Duplicate,
    TooFar,
}

/// TSNs that have arrived.
#[derive(Debug)]
pub(super) struct Tracker {
    cumulative: u64,
    ahead: RangeSet,
    scratch: Vec<(u64, u64)>,
}

impl Tracker {
    pub(super) fn new(cumulative: u64) -> Self {
        Self { cumulative, ahead: RangeSet::default(), scratch: Vec::new() }
    }

    pub(super) fn unwrap(&self, tsn: u32) -> u64 {
        serial::unwrap32(self.cumulative, tsn)
    }

    /// Everything up to here has arrived.
    pub(super) fn cumulative(&self) -> u64 {
        self.cumulative
    }

    /// Whether there is no gap.
    pub(super) fn is_contiguous(&self) -> bool {
        self.ahead.is_empty()
    }

    pub(super) fn classify(&self, tsn: u64) -> Arrival {
        if tsn == self.cumulative + 1 {
            Arrival::Next
        } else if tsn <= self.cumulative || self.ahead.contains(tsn) {
            Arrival::Duplicate
        } else if tsn - self.cumulative > MAX_AHEAD
            || self.ahead.len() >= MAX_RANGES && !self.touches_range(tsn)
        {
            Arrival::TooFar
        } else {
            Arrival::Ahead
        }
    }

    fn touches_range(&self, tsn: u64) -> bool {
        self.ahead.contains(tsn - 1) || self.ahead.contains(tsn + 1)
    }

    /// Notes a TSN that is not a duplicate.
    pub(super) fn record(&mut self, tsn: u64) {
        if tsn == self.cumulative + 1 {
            self.cumulative = tsn;
            self.close_gap();
        } else {
            self.scratch.clear();
            self.ahead.insert(tsn, tsn, &mut self.scratch);
        }
    }

    /// Counts everything up to `cumulative` as arrived.
    pub(super) fn skip_to(&mut self, cumulative: u64) {
        self.cumulative = cumulative;
        self.ahead.remove_up_to(cumulative);
        self.close_gap();
    }

    fn close_gap(&mut self) {
        if let Some((first, last)) = self.ahead.first()
            && first == self.cumulative + 1
        {
            self.cumulative = last;
            self.ahead.remove_up_to(last);
        }
    }

    /// Gap blocks relative to the cumulative TSN, at most `limit`.
    pub(super) fn gaps(&self, limit: usize, out: &mut Vec<(u16, u16)>) {
        // Nothing further than 65,535 ahead is ever recorded.
        out.extend(
            self.ahead
                .iter()
                .take(limit)
                .map(|(first, last)| ((first - self.cumulative) as u16, (last - self.cumulative) as u16)),
        );
    }
}
