//! How much has arrived per second.

use std::collections::VecDeque;
use std::time::Instant;

use super::history::Outcome;

/// Microseconds that are looked at, and beyond which even the least number of packets is too old.
const WINDOW: i64 = 500_000;
const MOST_WINDOW: i64 = 1_000_000;
/// Fewer packets say nothing.
const LEAST_PACKETS: usize = 10;
/// Bounds the memory: half a second of 40 Mbit/s.
const MOST_PACKETS: usize = 2048;

/// The packets that arrived last, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Throughput {
    arrived: VecDeque<(Instant, i64, u32)>,
}

impl Throughput {
    /// A packet arrived.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        let Some(arrival) = outcome.arrival else { return };
        if self.arrived.back().is_some_and(|&(_, last, _)| arrival < last) {
            return; // overtaken: it was sent long ago, and its bytes are a small error
        }
        self.arrived.push_back((outcome.sent, arrival, outcome.size));
        while let Some(&(_, first, _)) = self.arrived.front() {
            let age = arrival - first;
            let enough = self.arrived.len() > LEAST_PACKETS;
            if (age > WINDOW && enough) || age > MOST_WINDOW || self.arrived.len() > MOST_PACKETS {
                self.arrived.pop_front();
            } else {
                break;
            }
        }
    }

    /// Bits per second, the lesser of what was sent and what arrived: after a stall more arrives at once than a path carries. The
    /// longest gap is left out, as it is the stall.
    pub(super) fn rate(&self) -> Option<f64> {
        let (first, last) = (self.arrived.front()?, self.arrived.back()?);
        if self.arrived.len() < LEAST_PACKETS {
            return None;
        }
        let all: u64 = self.arrived.iter().map(|&(.., size)| u64::from(size)).sum();
        let gaps = self.arrived.iter().zip(self.arrived.iter().skip(1)).map(|(one, next)| next.1 - one.1);
        let (longest, second) =
            gaps.fold(
                (0, 0),
                |(longest, second), gap| {
                    if gap > longest { (gap, longest) } else { (longest, second.max(gap)) }
                },
            );
        let receiving = (last.1 - first.1 - longest + second).max(1);
        let arrived = (all - u64::from(first.2)) as f64 * 8e6 / receiving as f64;

        let (begin, begin_size) =
            self.arrived.iter().map(|&(sent, _, size)| (sent, size)).min_by_key(|&(sent, _)| sent)?;
        let end = self.arrived.iter().map(|&(sent, ..)| sent).max()?;
        let sending = (end - begin).as_micros().max(1) as f64;
        let sent = (all - u64::from(begin_size)) as f64 * 8e6 / sending;
        Some(arrived.min(sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;
    use std::time::Duration;

    fn rate(packets: impl Iterator<Item = (u64, i64)>) -> Option<f64> {
        let start = origin();
        let mut throughput = Throughput::default();
        for (sent, arrival) in packets {
            let sent = start + Duration::from_millis(sent);
            throughput.add(&Outcome { sent, size: 1_250, probe: None, arrival: Some(arrival * 1_000) });
        }
        throughput.rate()
    }

    #[test]
    fn packets_of_ten_kilobits_each_ten_milliseconds_are_a_megabit() {
        let rate = rate((0..100).map(|at| (10 * at, 10 * at as i64 + 50))).expect("enough packets");
        assert!((rate - 1e6).abs() < 1e3, "{rate}");
    }

    #[test]
    fn a_stall_and_the_burst_after_it_do_not_count_as_capacity() {
        let stalled =
            (0..60).map(|at| (10 * at, if at < 30 { 10 * at as i64 } else { (10 * at as i64).max(500) }));
        let rate = rate(stalled).expect("enough packets");
        assert!(rate < 1.3e6, "{rate}");
    }

    #[test]
    fn few_packets_say_nothing() {
        assert_eq!(rate((0..9).map(|at| (at, at as i64))), None);
    }
}
