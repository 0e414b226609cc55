//! The wall clock as reports tell it, made from the caller's instants.

use std::time::{Duration, Instant};

/// Seconds from the epoch of NTP (1900) to that of Unix (1970).
const NTP_EPOCH: u64 = 2_208_988_800;

/// Turns instants into NTP timestamps and back.
#[derive(Debug, Clone, Copy)]
pub(super) struct WallClock {
    start: Instant,
    wall: Duration,
}

impl WallClock {
    /// At `start` the wall clock shows `wall` since the Unix epoch.
    pub(super) fn new(start: Instant, wall: Duration) -> Self {
        Self { start, wall }
    }

    /// The NTP timestamp of `now`: seconds in 32.32 fixed point (RFC 3550 4); wraps in 2036.
    pub(super) fn ntp(&self, now: Instant) -> u64 {
        let wall = self.wall.saturating_add(now.saturating_duration_since(self.start));
        let seconds = wall.as_secs().wrapping_add(NTP_EPOCH) & 0xffff_ffff;
        (seconds << 32) | ((u64::from(wall.subsec_nanos()) << 32) / 1_000_000_000)
    }

    /// The 24 bits of `abs-send-time`: seconds in 6.18 fixed point.
    pub(super) fn abs_send_time(&self, now: Instant) -> u32 {
        (self.ntp(now) >> 14) as u32 & 0xff_ffff
    }
}

/// The middle 32 bits: seconds in 16.16 fixed point.
pub(super) fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// The time since the Unix epoch that an NTP timestamp of today stands for.
pub(super) fn unix_time(ntp: u64) -> Duration {
    let nanos = ((ntp & 0xffff_ffff) * 1_000_000_000) >> 32;
    Duration::from_secs((ntp >> 32).saturating_sub(NTP_EPOCH)) + Duration::from_nanos(nanos)
}

/// A duration in units of 1/65536 s; at most 18 hours.
pub(super) fn to_units(duration: Duration) -> u32 {
    u32::try_from((duration.as_nanos() << 16) / 1_000_000_000).unwrap_or(u32::MAX)
}

/// The duration that so many units of 1/65536 s are.
pub(super) fn from_units(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    #[test]
    fn an_ntp_timestamp_tells_the_wall_clock() {
        let start = origin();
        let wall = Duration::new(1_700_000_000, 250_000_000);
        let clock = WallClock::new(start, wall);
        let ntp = clock.ntp(start + Duration::from_millis(500));
        assert_eq!(ntp >> 32, 1_700_000_000 + NTP_EPOCH);
        assert_eq!(ntp & 0xffff_ffff, 0xc000_0000);
        assert_eq!(unix_time(ntp), wall + Duration::from_millis(500));
        assert_eq!(clock.abs_send_time(start), (((1_700_000_000 + NTP_EPOCH) as u32 % 64) << 18) | (1 << 16));
    }

    #[test]
    fn units_of_reports_are_there_and_back_within_16_microseconds() {
        for millis in [0, 1, 999, 60_000, 3_600_000] {
            let duration = Duration::from_millis(millis);
            assert!(duration - from_units(to_units(duration)) < Duration::from_micros(16));
        }
        assert_eq!(to_units(Duration::from_secs(1 << 20)), u32::MAX);
    }
}
