//! When and how often a link tries to come back.

use std::time::Duration;

/// The longest patience: longer is none that anybody will see the end of, and would overflow the clock.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// When and how often to try.
#[derive(Clone, Debug)]
pub struct ReconnectConfig {
    /// New connections to try before giving up; 0 for none, [`Self::FOREVER`] to go on for as long as the link lives. Default 5.
    pub attempts: u32,
    /// Longest wait after the first attempt; it doubles from there. Default 2 s.
    pub delay: Duration,
    /// No wait is longer. Default 30 s.
    pub max_delay: Duration,
    /// How much of a wait chance may take off, 0 to 1, so that agents that lost one another together do not all come
    /// back together. Default 0.25.
    pub jitter: f64,
    /// Time for one attempt, and for the first ICE restart. Default 15 s.
    pub attempt_timeout: Duration,
    /// How long `disconnected` may last before ICE is restarted: it often passes by itself. Default 5 s.
    pub grace: Duration,
}

impl Default for ReconnectConfig {
    fn default() -> Self {
        Self {
            attempts: 5,
            delay: Duration::from_secs(2),
            max_delay: Duration::from_secs(30),
            jitter: 0.25,
            attempt_timeout: Duration::from_secs(15),
            grace: Duration::from_secs(5),
        }
    }
}

impl ReconnectConfig {
    /// Attempts without an end.
    pub const FOREVER: u32 = u32::MAX;

    /// The longest wait before attempt number `attempt`, counted from 1.
    pub fn longest_delay(&self, attempt: u32) -> Duration {
        let Some(doublings) = attempt.checked_sub(2) else { return Duration::ZERO };
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.delay.saturating_mul(factor).min(self.max_delay)
    }

    /// How long all attempts together take at most: the patience of the side that does not dial, once the connection is given up.
    pub fn window(&self) -> Duration {
        if self.attempts == Self::FOREVER {
            return YEAR;
        }
        self.time_of(self.attempts)
    }

    /// How long the side that does not dial waits with the present connection: for its restarts, and for all attempts to make another.
    pub fn patience(&self) -> Duration {
        self.window().saturating_mul(2).min(YEAR)
    }

    /// How long ICE restarts are all that is tried although there is a network, and the other side has one as far as is known: as long as five
    /// attempts, even for those who go on forever. A connection in which something is stuck must not be kept for ever.
    pub fn keeping(&self) -> Duration {
        self.time_of(self.attempts.min(Self::default().attempts))
    }

    fn time_of(&self, attempts: u32) -> Duration {
        let mut window = self.grace.saturating_add(self.attempt_timeout);
        for attempt in 1..=attempts {
            let each = self.longest_delay(attempt).saturating_add(self.attempt_timeout);
            window = window.saturating_add(each);
        }
        window.min(YEAR)
    }
}
