//! Whether the application sends less than it may (libwebrtc: application limited region). Then nothing shows what the path carries.

use std::time::{Duration, Instant};

/// An application sends less than it may if it sends less than this share, over about this time.
const SHARE: f64 = 0.65;
const WINDOW: Duration = Duration::from_millis(500);
/// Of the window: when that is unused it begins, when no more than that, it ends.
const BEGINS: f64 = 0.8;
const ENDS: f64 = 0.5;

/// What was left unsent, as a share of the window.
#[derive(Debug, Default)]
pub(super) struct Limited {
    last: Option<Instant>,
    /// Bits.
    unused: f64,
    since: Option<Instant>,
}

impl Limited {
    /// Bytes were sent while `rate` bits per second were allowed.
    pub(super) fn on_sent(&mut self, now: Instant, size: usize, rate: f64) {
        let window = rate * SHARE * WINDOW.as_secs_f64();
        let passed =
            self.last.replace(now).map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.unused += rate * SHARE * passed.as_secs_f64() - size as f64 * 8.0;
        self.unused = self.unused.clamp(-window, window);
        match self.since {
            None if self.unused > BEGINS * window => self.since = Some(now),
            Some(_) if self.unused < ENDS * window => self.since = None,
            _ => {}
        }
    }

    /// Since when less is sent than may be.
    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    #[test]
    fn an_application_is_limited_while_it_sends_half_of_what_it_may() {
        let start = origin();
        let mut limited = Limited::default();
        // 1 Mbit/s in packets of 10 kbit
        for at in 0..200 {
            limited.on_sent(start + at * Duration::from_millis(10), 1_250, 1e6);
            assert_eq!(limited.since(), None);
        }
        for at in 100..400 {
            limited.on_sent(start + at * Duration::from_millis(20), 1_250, 1e6);
        }
        assert!(limited.since().is_some());
        for at in 800..900 {
            limited.on_sent(start + at * Duration::from_millis(10), 1_250, 1e6);
        }
        assert_eq!(limited.since(), None);
    }
}
