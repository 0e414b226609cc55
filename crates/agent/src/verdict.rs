//! Judging others by a clock, in a program that may be late itself.
//!
//! A timer that fires late says that this program did not run for a while: its thread was busy, the machine was, or it
//! slept. What the other side has sent meanwhile waits to be read, so its silence says nothing yet. A verdict that is late
//! is therefore put off once, until that has been read. What is heard in between moves or removes the deadline.

use std::time::{Duration, Instant};

/// From this delay on a timer counts as late. Timers of an idle program are a millisecond or two behind.
const LATE: Duration = Duration::from_millis(100);

/// Whether the verdict that belongs to a deadline may be given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The first look was late: this is when to look again.
    again: Option<Instant>,
}

impl Verdict {
    /// When to look, for a deadline at `due`.
    pub(crate) fn look_at(&self, due: Instant) -> Instant {
        self.again.map_or(due, |again| again.max(due))
    }

    /// Whether the verdict falls at `now`, for a deadline at `due`. If this look is late it does not, and the next one is
    /// due `reading` later: whatever has come in by now has been read by then. That one counts even if it is late again.
    pub(crate) fn falls(&mut self, due: Instant, now: Instant, reading: Duration) -> bool {
        if now < self.look_at(due) {
            return false;
        }
        if self.again.is_none() && now - due >= LATE {
            self.again = Some(now + reading);
            return false;
        }
        true
    }

    /// Nothing is due any more: the next deadline is judged on its own.
    pub(crate) fn settle(&mut self) {
        self.again = None;
    }
}

/// How long what has come in may take to be read when nobody waits for the verdict by the millisecond: threads of this
/// process, stopped with it, have to get their turn first.
pub(crate) const READING: Duration = Duration::from_secs(1);

/// A time limit for somebody else, such as for opening a connection, that allows for this program being late itself: a
/// limit that is noticed late holds one second longer, for what has come in to be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Patience {
    due: Instant,
    verdict: Verdict,
}

impl Patience {
    /// Ends `limit` from `now`.
    pub fn new(limit: Duration, now: Instant) -> Self {
        // A time too long for the clock is one that nobody will see: a year stands for it.
        let due = now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600));
        Self { due, verdict: Verdict::default() }
    }

    /// When to ask [`is_over`](Self::is_over).
    pub fn poll_timeout(&self) -> Instant {
        self.verdict.look_at(self.due)
    }

    /// Whether the time is over. False: ask again at [`poll_timeout`](Self::poll_timeout).
    pub fn is_over(&mut self, now: Instant) -> bool {
        self.verdict.falls(self.due, now, READING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::epoch;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_limit_that_is_noticed_in_time_is_over_at_once() {
        let start = epoch();
        let mut patience = Patience::new(10 * SECOND, start);
        assert!(!patience.is_over(start + 9 * SECOND));
        assert_eq!(patience.poll_timeout(), start + 10 * SECOND);
        assert!(patience.is_over(start + 10 * SECOND + Duration::from_millis(5)));
    }

    #[test]
    fn a_program_that_was_held_up_reads_what_has_come_before_it_judges_and_judges_then() {
        let start = epoch();
        let mut patience = Patience::new(10 * SECOND, start);
        let now = start + 40 * SECOND;
        assert!(!patience.is_over(now));
        assert!(!patience.is_over(now));
        assert_eq!(patience.poll_timeout(), now + READING);
        // Busy all the time: what has come was read nevertheless, and a limit must end some time.
        assert!(patience.is_over(now + 30 * SECOND));
    }

    #[test]
    fn a_limit_beyond_the_clock_does_not_overflow_it() {
        let start = epoch();
        assert!(!Patience::new(Duration::MAX, start).is_over(start + 1_000_000 * SECOND));
    }
}
