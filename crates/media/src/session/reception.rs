//! What a receiver counts of a stream for its reports (RFC 3550 6.4.1, A.3, A.8).

use std::time::{Duration, Instant};

/// Counters of one received stream.
#[derive(Debug)]
pub(super) struct Reception {
    first: u64,
    highest: u64,
    received: u64,
    /// Values at the time of the report before.
    expected_before: u64,
    received_before: u64,
    /// In ticks, times 16 as in RFC 3550 A.8.
    jitter: u64,
    last: Option<(Instant, u32)>,
    clock_rate: u32,
}

impl Reception {
    /// Begins with the packet of this index.
    pub(super) fn new(index: u64) -> Self {
        Self {
            first: index,
            highest: index,
            received: 0,
            expected_before: 0,
            received_before: 0,
            jitter: 0,
            last: None,
            clock_rate: 0,
        }
    }

    /// A packet came that had not come before.
    pub(super) fn packet(&mut self, now: Instant, index: u64, timestamp: u32, clock_rate: u32) {
        self.first = self.first.min(index);
        self.received += 1;
        // The measure compares neighbours in order; a change of the clock rate begins anew.
        if index < self.highest {
            return;
        }
        self.highest = index;
        if self.clock_rate != clock_rate {
            (self.clock_rate, self.jitter, self.last) = (clock_rate, 0, None);
        }
        if let Some((before, timestamp_before)) = self.last {
            let elapsed = now.saturating_duration_since(before).as_nanos() * u128::from(clock_rate);
            let arrived = i64::try_from(elapsed / 1_000_000_000).unwrap_or(i64::MAX);
            let sent = i64::from(timestamp.wrapping_sub(timestamp_before) as i32);
            let difference = arrived.saturating_sub(sent).unsigned_abs();
            // Beyond 10 s it is a jump of timestamps, which says nothing of the path.
            if difference < 10 * u64::from(clock_rate) {
                self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4);
            }
        }
        self.last = Some((now, timestamp));
    }

    /// The highest index, cut to what a report has room for.
    pub(super) fn highest(&self) -> u32 {
        self.highest as u32
    }

    fn expected(&self) -> u64 {
        if self.received == 0 { 0 } else { self.highest - self.first + 1 }
    }

    /// Expected minus received.
    pub(super) fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// The share of 256 that was lost since this was asked the last time.
    pub(super) fn take_fraction_lost(&mut self) -> u8 {
        let expected = self.expected() - self.expected_before;
        let received = self.received - self.received_before;
        (self.expected_before, self.received_before) = (self.expected(), self.received);
        match expected.checked_sub(received) {
            Some(lost) if expected > 0 => ((lost << 8) / expected).min(255) as u8,
            _ => 0,
        }
    }

    /// In ticks.
    pub(super) fn jitter(&self) -> u32 {
        u32::try_from(self.jitter >> 4).unwrap_or(u32::MAX)
    }

    /// As time.
    pub(super) fn jitter_time(&self) -> Duration {
        match self.clock_rate {
            0 => Duration::ZERO,
            rate => Duration::from_nanos((self.jitter >> 4).saturating_mul(1_000_000_000) / u64::from(rate)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    fn feed(reception: &mut Reception, start: Instant, indices: impl Iterator<Item = u64>) {
        for index in indices {
            let at = start + Duration::from_millis(20 * index);
            reception.packet(at, index, (index * 960) as u32, 48_000);
        }
    }

    #[test]
    fn a_steady_stream_has_no_loss_and_no_jitter() {
        let mut reception = Reception::new(100);
        feed(&mut reception, origin(), 100..200);
        assert_eq!((reception.lost(), reception.take_fraction_lost(), reception.jitter()), (0, 0, 0));
        assert_eq!(reception.highest(), 199);
    }

    #[test]
    fn loss_is_told_as_a_share_of_what_came_since_the_report_before() {
        let start = origin();
        let mut reception = Reception::new(0);
        feed(&mut reception, start, 0..100);
        assert_eq!(reception.take_fraction_lost(), 0);
        feed(&mut reception, start, (100..200).filter(|index| index % 4 != 0));
        assert_eq!(reception.lost(), 25);
        assert_eq!(reception.take_fraction_lost(), 64);
        assert_eq!(reception.take_fraction_lost(), 0);
    }

    #[test]
    fn jitter_nears_the_mean_deviation_of_arrival_times() {
        let start = origin();
        let mut reception = Reception::new(0);
        for index in 0..500u64 {
            // Each second packet comes 10 ms late.
            let at = start + Duration::from_millis(20 * index + 10 * (index % 2));
            reception.packet(at, index, (index * 160) as u32, 8000);
        }
        assert!((75..=80).contains(&reception.jitter()), "{}", reception.jitter());
        assert!(reception.jitter_time().as_millis().abs_diff(10) <= 1);
    }

    #[test]
    fn a_jump_of_timestamps_is_no_jitter() {
        let start = origin();
        let mut reception = Reception::new(0);
        reception.packet(start, 0, 0, 90_000);
        reception.packet(start, 1, 0x7fff_ffff, 90_000);
        reception.packet(start, 2, 0, 90_000);
        assert_eq!(reception.jitter(), 0);
    }
}
