//! Noticing that the machine has slept.
//!
//! There are two kinds of monotonic clocks: those that stand still while the machine sleeps (Linux), so that the wall
//! clock is suddenly ahead, and those that go on, so that a timer fires far too late. Both are looked for.

use std::time::{Duration, Instant};

/// A wall clock that is set by hand or by NTP moves by less than this, or it does no harm to look at the network.
const JUMP: Duration = Duration::from_secs(5);

/// Looks at both clocks at regular times.
#[derive(Debug)]
pub struct ClockWatch {
    last: Option<(Instant, u64)>,
}

impl ClockWatch {
    /// Has not looked yet.
    pub fn new() -> Self {
        Self { last: None }
    }

    /// A look, wanted `interval` after the one before. `unix_ms` is the wall clock. Returns for how long the machine,
    /// or this program, stood still since the last look, if it did.
    pub fn observe(&mut self, interval: Duration, now: Instant, unix_ms: u64) -> Option<Duration> {
        let (then, then_ms) = self.last.replace((now, unix_ms))?;
        let monotonic = now.saturating_duration_since(then);
        // A wall clock that goes backwards was set.
        let wall = Duration::from_millis(unix_ms.saturating_sub(then_ms));
        let late = monotonic.saturating_sub(interval);
        let ahead = wall.saturating_sub(monotonic);
        let lost = late.max(ahead);
        (lost >= JUMP).then_some(lost)
    }
}

impl Default for ClockWatch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::epoch;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn looks_at_the_wanted_times_find_nothing() {
        let (start, mut watch) = (epoch(), ClockWatch::new());
        for tick in 0..100 {
            // Timers are a little late, and NTP slews.
            let now = start + tick * 5 * SECOND + Duration::from_millis(u64::from(tick) * 30);
            assert_eq!(watch.observe(5 * SECOND, now, 1_700_000_000_000 + u64::from(tick) * 5_100), None);
        }
    }

    #[test]
    fn a_sleep_shows_as_a_wall_clock_that_is_ahead() {
        let (start, mut watch) = (epoch(), ClockWatch::new());
        watch.observe(5 * SECOND, start, 0);
        let slept = watch.observe(5 * SECOND, start + 5 * SECOND, 3_605_000);
        assert_eq!(slept, Some(3600 * SECOND));
        assert_eq!(watch.observe(5 * SECOND, start + 10 * SECOND, 3_610_000), None);
    }

    #[test]
    fn a_sleep_or_a_stop_shows_as_a_timer_that_is_late() {
        let (start, mut watch) = (epoch(), ClockWatch::new());
        watch.observe(5 * SECOND, start, 0);
        assert_eq!(watch.observe(5 * SECOND, start + 65 * SECOND, 65_000), Some(60 * SECOND));
    }

    #[test]
    fn a_wall_clock_that_is_set_back_is_no_sleep() {
        let (start, mut watch) = (epoch(), ClockWatch::new());
        watch.observe(5 * SECOND, start, 1_700_000_000_000);
        assert_eq!(watch.observe(5 * SECOND, start + 5 * SECOND, 1_000_000_000_000), None);
    }
}
