//! When each stream wants to be looked at again.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// Deadlines by stream: the next one is found without looking at all of them.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    order: BTreeSet<(Instant, u32)>,
    of: HashMap<u32, Instant>,
}

impl Deadlines {
    pub(super) fn set(&mut self, ssrc: u32, at: Option<Instant>) {
        if self.of.get(&ssrc).copied() == at {
            return;
        }
        self.remove(ssrc);
        if let Some(at) = at {
            self.order.insert((at, ssrc));
            self.of.insert(ssrc, at);
        }
    }

    pub(super) fn remove(&mut self, ssrc: u32) {
        if let Some(at) = self.of.remove(&ssrc) {
            self.order.remove(&(at, ssrc));
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|&(at, _)| at)
    }

    /// Takes the streams whose deadlines have come.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<u32> {
        let due: Vec<u32> =
            self.order.iter().take_while(|(at, _)| *at <= now).map(|&(_, ssrc)| ssrc).collect();
        due.iter().for_each(|&ssrc| self.remove(ssrc));
        due
    }
}
