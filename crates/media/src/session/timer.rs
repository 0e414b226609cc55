//! When the next reports are due (RFC 3550 6.2, 6.3; RFC 4585 3.4).

use std::time::{Duration, Instant};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;

/// Reports come no more often than that on average, however much is sent: RFC 4585 3.4 lets a profile choose, and a second is what
/// browsers have for video. The minimum of five seconds (RFC 3550 6.2) would leave the round trip of a call unknown for as long.
const LEAST: Duration = Duration::from_secs(1);
/// Reports come at least that often on average: the value that RFC 3550 6.2 begins with.
const MOST: Duration = Duration::from_secs(5);
/// What is taken for the rate of a session that has sent and received next to nothing, in bytes per second.
const LEAST_RATE: u64 = 4_000;

/// Chooses the intervals of reports.
#[derive(Debug, Default)]
pub(super) struct ReportTimer {
    next: Option<Instant>,
    last: Option<Instant>,
    /// Bytes of RTP since the last reports, both ways.
    traffic: u64,
}

impl ReportTimer {
    /// There is something to report on from now on. The first reports come after half of an interval (RFC 3550 6.2).
    pub(super) fn start(&mut self, now: Instant, rng: &mut ChaCha12Rng) {
        if self.next.is_none() {
            self.last = Some(now);
            self.next = Some(now + spread(LEAST / 2, rng));
        }
    }

    /// So many bytes went through.
    pub(super) fn traffic(&mut self, bytes: usize) {
        self.traffic += bytes as u64;
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// Reports of so many bytes were written: they take five percent of what is sent and received, no more.
    pub(super) fn reported(&mut self, now: Instant, bytes: usize, rng: &mut ChaCha12Rng) {
        let elapsed = self.last.map_or(LEAST, |last| now.saturating_duration_since(last)).as_millis().max(1);
        let rate = (u128::from(self.traffic) * 1000 / elapsed).max(u128::from(LEAST_RATE));
        let share = u64::try_from(bytes as u128 * 1000 * 20 / rate).unwrap_or(u64::MAX);
        self.next = Some(now + spread(Duration::from_millis(share).clamp(LEAST, MOST), rng));
        self.last = Some(now);
        self.traffic = 0;
    }

    /// There is nothing to report on any more.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }
}

/// Half of it to one and a half times as much, so that parties do not fall into step (RFC 3550 6.3.1).
fn spread(interval: Duration, rng: &mut ChaCha12Rng) -> Duration {
    let share = u64::from(rng.next_u32() % 1024);
    interval / 2 + Duration::from_nanos(interval.as_nanos() as u64 / 1024 * share)
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::testing::origin;

    fn interval_after(traffic: usize, report: usize) -> Duration {
        let mut rng = ChaCha12Rng::from_seed([7; 32]);
        let now = origin();
        let mut timer = ReportTimer::default();
        timer.start(now, &mut rng);
        let mut all = Duration::ZERO;
        let mut at = now;
        for _ in 0..100 {
            timer.traffic(traffic);
            timer.reported(at, report, &mut rng);
            all += timer.next().unwrap() - at;
            at += Duration::from_secs(1);
        }
        all / 100
    }

    #[test]
    fn reports_come_each_second_on_average_and_spread() {
        let mean = interval_after(50_000, 100).as_millis();
        assert!((900..1100).contains(&mean), "{mean}");
    }

    #[test]
    fn large_reports_of_a_slow_session_come_less_often() {
        // 1,000 bytes are five percent of what passes in 5 s at 4,000 bytes a second.
        let mean = interval_after(0, 1000).as_millis();
        assert!((4500..5500).contains(&mean), "{mean}");
    }

    #[test]
    fn the_first_reports_come_within_a_second() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let now = origin();
        let mut timer = ReportTimer::default();
        timer.start(now, &mut rng);
        let wait = timer.next().unwrap() - now;
        assert!((Duration::from_millis(250)..Duration::from_millis(750)).contains(&wait), "{wait:?}");
    }
}
