//! Time as the association sees it: nanoseconds since its first call, cheap to store and to compare.

use std::time::{Duration, Instant};

/// A duration in nanoseconds.
pub(crate) type Nanos = u64;

/// One millisecond.
pub(crate) const MILLISECOND: Nanos = 1_000_000;
/// One second.
pub(crate) const SECOND: Nanos = 1_000 * MILLISECOND;

/// `Duration` to nanoseconds; 584 years is as good as for ever.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A point in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(u64);

impl Time {
    #[cfg(test)]
    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the association's first call.
    pub(crate) fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time that passed since `earlier`; zero if that is in the future.
    pub(crate) fn since(self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0)
    }

    /// This much later.
    pub(crate) fn after(self, by: Nanos) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// Translates the caller's `Instant`s.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    base: Option<Instant>,
}

impl Clock {
    /// The caller's instant as our time. An instant before the first one seen counts as the first.
    pub(crate) fn time(&mut self, instant: Instant) -> Time {
        let base = *self.base.get_or_insert(instant);
        Time(nanos(instant.saturating_duration_since(base)))
    }

    /// Our time as the caller's instant; `None` before the first call, or beyond what an `Instant` can say.
    pub(crate) fn instant(&self, time: Time) -> Option<Instant> {
        self.base?.checked_add(Duration::from_nanos(time.0))
    }
}
