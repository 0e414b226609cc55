//! Round trip time and retransmission timeout (RFC 9260 section 6.3.1).

use crate::config::Config;
use crate::time::{MILLISECOND, Nanos, nanos};

/// A timeout leaves at least this much room above the smoothed round trip time, for scheduling hiccups.
const SLACK: Nanos = 10 * MILLISECOND;

/// Estimates of the path's round trip time.
#[derive(Debug)]
pub(crate) struct Rtt {
    smoothed: Option<Nanos>,
    variation: Nanos,
    latest: Nanos,
    min: Nanos,
    rto_initial: Nanos,
    rto_min: Nanos,
    rto_max: Nanos,
}

impl Rtt {
    pub(crate) fn new(config: &Config) -> Self {
        // A timeout of zero would spin, and one below the minimum makes no sense.
        let rto_min = nanos(config.rto_min).max(MILLISECOND);
        let rto_max = nanos(config.rto_max).max(rto_min);
        Self {
            smoothed: None,
            variation: 0,
            latest: 0,
            min: Nanos::MAX,
            rto_initial: nanos(config.rto_initial).clamp(rto_min, rto_max),
            rto_min,
            rto_max,
        }
    }

    /// The path changed: what was measured says nothing any more.
    pub(crate) fn reset(&mut self) {
        self.smoothed = None;
        self.min = Nanos::MAX;
    }

    /// Takes a measurement.
    pub(crate) fn sample(&mut self, rtt: Nanos) {
        let rtt = rtt.max(1);
        self.latest = rtt;
        self.min = self.min.min(rtt);
        match self.smoothed {
            None => {
                self.smoothed = Some(rtt);
                self.variation = rtt / 2;
            }
            Some(smoothed) => {
                self.variation = (self.variation * 3 + smoothed.abs_diff(rtt)) / 4;
                self.smoothed = Some((smoothed * 7 + rtt) / 8);
            }
        }
    }

    pub(crate) fn smoothed(&self) -> Option<Nanos> {
        self.smoothed
    }

    pub(crate) fn latest(&self) -> Nanos {
        self.latest
    }

    pub(crate) fn min(&self) -> Option<Nanos> {
        (self.min != Nanos::MAX).then_some(self.min)
    }

    /// The timeout, without back-off.
    pub(crate) fn rto(&self) -> Nanos {
        let Some(smoothed) = self.smoothed else { return self.rto_initial };
        (smoothed + (self.variation * 4).max(SLACK)).clamp(self.rto_min, self.rto_max)
    }

    /// The timeout after it expired `expiries` times in a row: doubled each time, up to the maximum.
    pub(crate) fn backed_off(&self, expiries: u32) -> Nanos {
        self.rto().saturating_mul(1 << expiries.min(16)).min(self.rto_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_backs_off_to_its_cap_and_no_further() {
        let rtt = Rtt::new(&Config::default());
        assert_eq!(rtt.backed_off(0), 500 * MILLISECOND);
        assert_eq!(rtt.backed_off(1), 1000 * MILLISECOND);
        assert_eq!(rtt.backed_off(1000), 4000 * MILLISECOND);
    }

    #[test]
    fn a_short_round_trip_gives_a_short_timeout() {
        let mut rtt = Rtt::new(&Config::default());
        for _ in 0..50 {
            rtt.sample(200_000);
        }
        assert_eq!(rtt.rto(), 100 * MILLISECOND);
    }
}
