//! When other allocations are asked for, in place of one that the path in use leads through and that is lost, or will be.

use std::time::{Duration, Instant};

/// From one question to the server whether an allocation is still there to the next.
const ASK: Duration = Duration::from_secs(1);

/// A server that says nothing is asked for another allocation no more often.
pub(crate) const AGAIN: Duration = Duration::from_secs(3);

/// From an attempt that has failed to the next one, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

/// Attempts in which requests are repeated soon: a server that was started anew is back by then.
const HASTY: u32 = 2;

/// How long the peer has to answer from another allocation, in which several checks are sent.
pub(crate) const ANSWER: Duration = Duration::from_millis(300);

/// What a peer does about its lost allocations.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    wanted: bool,
    running: bool,
    failures: u32,
    /// Not before.
    next: Option<Instant>,
    begun: Option<Instant>,
    asked: Option<Instant>,
}

impl Renewal {
    /// An allocation is lost, or is going to be.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Nobody needs it any more.
    pub(crate) fn forget(&mut self) {
        self.wanted = false;
    }

    /// Whether the server is to be asked for the allocation that is in doubt.
    pub(crate) fn asks(&mut self, now: Instant) -> bool {
        let due = self.asked.is_none_or(|at| now.saturating_duration_since(at) >= ASK);
        if due {
            self.asked = Some(now);
        }
        due
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted && !self.running
    }

    /// Whether to begin. `silent`: nothing comes by the path, for whatever reason.
    pub(crate) fn is_due(&self, silent: bool, now: Instant) -> bool {
        let rested = self.begun.is_none_or(|at| now.saturating_duration_since(at) >= AGAIN);
        let free = !self.running && self.next.is_none_or(|at| at <= now);
        free && (self.wanted || (silent && rested))
    }

    pub(crate) fn begin(&mut self, now: Instant) {
        (self.wanted, self.running, self.begun) = (true, true, Some(now));
    }

    pub(crate) fn is_hasty(&self) -> bool {
        self.failures < HASTY
    }

    /// Whether an attempt has come to nothing since the last allocation.
    pub(crate) fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// An allocation was made. True for the first of an attempt.
    pub(crate) fn succeed(&mut self) -> bool {
        let first = self.running;
        *self = Self { begun: self.begun, asked: self.asked, ..Self::default() };
        first
    }

    /// All servers have answered, or their time is over.
    pub(crate) fn end(&mut self, now: Instant) {
        if std::mem::take(&mut self.running) {
            let delay = RETRY.0.saturating_mul(1 << self.failures.min(8)).min(RETRY.1);
            self.failures = self.failures.saturating_add(1);
            self.next = Some(now + delay);
        }
    }

    /// When the driver has to look again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next.filter(|_| self.is_wanted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_comes_back_is_asked_within_a_second_and_not_all_the_time() {
        let start = Instant::now();
        let (mut renewal, mut now, mut attempts) = (Renewal::default(), start, 0);
        renewal.want();
        while now < start + Duration::from_secs(60) {
            assert!(renewal.is_due(false, now));
            renewal.begin(now);
            renewal.end(now);
            assert!(!renewal.is_due(true, now), "refused at once");
            now = renewal.deadline().unwrap();
            attempts += 1;
        }
        assert!((55..70).contains(&attempts), "{attempts}");
        renewal.begin(now);
        assert!(renewal.succeed() && !renewal.succeed(), "of two servers the first");
        assert_eq!((renewal.is_due(false, now), renewal.deadline()), (false, None));
    }

    #[test]
    fn an_allocation_that_is_lost_right_after_another_one_is_replaced_at_once_but_silence_alone_has_to_last()
    {
        let now = Instant::now();
        let mut renewal = Renewal::default();
        assert!(renewal.is_due(true, now));
        renewal.begin(now);
        assert!(renewal.succeed());
        assert!(!renewal.is_due(true, now));
        assert!(renewal.is_due(true, now + AGAIN));
        renewal.want();
        assert!(renewal.is_due(false, now));
    }
}
