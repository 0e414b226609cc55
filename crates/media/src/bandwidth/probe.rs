//! Short bursts at a higher rate, which find out whether the path carries more (libwebrtc: probe clusters).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::history::Outcome;

/// A burst lasts this long, and has at least that many packets: what its times show is no accident then.
const LASTS: f64 = 0.015;
const LEAST_PACKETS: u32 = 5;
/// At the begin of a connection: this multiple of the first rate.
const FIRST: f64 = 3.0;
/// Later: this multiple of the rate.
const LATER: f64 = 2.0;
/// What was found has to reach this share of what was tried to try twice as much.
const GOES_ON: f64 = 0.7;
/// How often it is tried: when the application sends less than it may, and otherwise. A burst of 15 ms delays others by no more
/// than that; without it a rate that fell to a tenth takes half a minute to grow back.
const LIMITED_INTERVAL: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_secs(8);
/// The path has to be calm for this long.
const CALM: Duration = Duration::from_secs(3);
/// Of a burst, this share has to arrive.
const LEAST_SHARE: f64 = 0.8;
/// Bursts whose outcome is awaited, and for how long.
const MOST_WAITING: usize = 8;
const MOST_WAIT: Duration = Duration::from_secs(5);

/// A burst to be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Which one it is.
    pub id: u32,
    /// Bits per second at which it is sent.
    pub rate: u64,
    /// The packets that it has at least.
    pub least_packets: u32,
    /// The bytes that it has at least.
    pub least_bytes: usize,
}

/// A burst whose outcome is awaited. Times of arrival in microseconds.
#[derive(Debug)]
struct Waiting {
    probe: Probe,
    begun: Instant,
    packets: u32,
    bytes: u64,
    sent: Option<(Instant, Instant)>,
    last_sent_size: u32,
    arrived: Option<(i64, i64)>,
    first_arrived_size: u32,
    /// Told already.
    done: bool,
}

/// Decides when to probe, and what the outcomes mean.
#[derive(Debug, Default)]
pub(super) struct Probes {
    next_id: u32,
    planned: VecDeque<f64>,
    waiting: VecDeque<Waiting>,
    begun: bool,
    last: Option<Instant>,
}

impl Probes {
    /// The next burst to send. `rate`: what may be sent now, `most`: more than that is of no use.
    pub(super) fn poll(
        &mut self,
        now: Instant,
        rate: f64,
        most: f64,
        limited: bool,
        decreased: Option<Instant>,
    ) -> Option<Probe> {
        if !self.begun {
            self.begun = true;
            self.planned.push_back(rate * FIRST);
        } else if self.planned.is_empty() && self.next_regular(limited, decreased)? <= now {
            self.planned.push_back(rate * LATER);
        }
        let rate = self.planned.pop_front()?.min(most * LATER).round();
        self.last = Some(now);
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let least_bytes = (rate * LASTS / 8.0).ceil() as usize;
        let probe = Probe { id, rate: rate as u64, least_packets: LEAST_PACKETS, least_bytes };
        self.waiting.retain(|waiting| now.saturating_duration_since(waiting.begun) < MOST_WAIT);
        if self.waiting.len() == MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Waiting {
            probe,
            begun: now,
            packets: 0,
            bytes: 0,
            sent: None,
            last_sent_size: 0,
            arrived: None,
            first_arrived_size: 0,
            done: false,
        });
        Some(probe)
    }

    fn next_regular(&self, limited: bool, decreased: Option<Instant>) -> Option<Instant> {
        let interval = if limited { LIMITED_INTERVAL } else { INTERVAL };
        let regular = self.last? + interval;
        Some(decreased.map_or(regular, |decreased| regular.max(decreased + CALM)))
    }

    /// When to poll again.
    pub(super) fn poll_timeout(&self, limited: bool, decreased: Option<Instant>) -> Option<Instant> {
        if !self.planned.is_empty() {
            return self.last;
        }
        self.next_regular(limited, decreased)
    }

    /// A part of a burst arrived. Tells a rate that the path carries, once all of the burst that is needed has.
    pub(super) fn add(&mut self, outcome: &Outcome) -> Option<f64> {
        let (arrival, id) = (outcome.arrival?, outcome.probe?);
        let waiting = self.waiting.iter_mut().find(|waiting| waiting.probe.id == id)?;
        waiting.add(outcome, arrival);
        let found = waiting.outcome()?;
        waiting.done = true;
        if found > GOES_ON * waiting.probe.rate as f64 {
            self.planned.push_back(found * LATER);
        }
        Some(found)
    }
}

impl Waiting {
    fn add(&mut self, outcome: &Outcome, arrival: i64) {
        self.packets += 1;
        self.bytes += u64::from(outcome.size);
        let (first, last) = self.sent.unwrap_or((outcome.sent, outcome.sent));
        if outcome.sent >= last {
            self.last_sent_size = outcome.size;
        }
        self.sent = Some((first.min(outcome.sent), last.max(outcome.sent)));
        let (first, last) = self.arrived.unwrap_or((arrival, arrival));
        if arrival <= first {
            self.first_arrived_size = outcome.size;
        }
        self.arrived = Some((first.min(arrival), last.max(arrival)));
    }

    fn outcome(&self) -> Option<f64> {
        let enough_packets = f64::from(self.packets) >= LEAST_SHARE * f64::from(self.probe.least_packets);
        let enough_bytes = self.bytes as f64 >= LEAST_SHARE * self.probe.least_bytes as f64;
        if self.done || !enough_packets || !enough_bytes {
            return None;
        }
        let ((begin, end), (first, last)) = (self.sent?, self.arrived?);
        let sending = end.saturating_duration_since(begin).as_secs_f64();
        let arriving = (last - first) as f64 / 1e6;
        if sending <= 0.0 || arriving <= 0.0 || sending > 1.0 || arriving > 1.0 {
            return None;
        }
        // n packets have n-1 gaps between them.
        let sent = (self.bytes - u64::from(self.last_sent_size)) as f64 * 8.0 / sending;
        let arrived = (self.bytes - u64::from(self.first_arrived_size)) as f64 * 8.0 / arriving;
        if arrived > 2.0 * sent {
            return None; // squeezed together on the way
        }
        // Slower than it was sent: that is the capacity, of which something is left free.
        Some(if arrived < 0.9 * sent { 0.95 * arrived } else { arrived.min(sent) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    const MS: Duration = Duration::from_millis(1);

    /// Sends a burst through a path of `capacity` bits per second.
    fn sent_through(probes: &mut Probes, now: Instant, probe: Probe, capacity: f64) -> Option<f64> {
        let gap = |rate: f64| Duration::from_secs_f64(9_600.0 / rate);
        let packets = (probe.least_bytes as u32 / 1_200 + 1).max(probe.least_packets);
        let found = (0..packets).filter_map(|at| {
            let sent = now + at * gap(probe.rate as f64);
            let arrival = (at * gap(capacity.min(probe.rate as f64))).as_micros() as i64;
            probes.add(&Outcome { sent, size: 1_200, probe: Some(probe.id), arrival: Some(arrival) })
        });
        found.last()
    }

    #[test]
    fn a_fast_path_is_found_in_a_few_bursts_and_a_slow_one_is_not_exceeded() {
        for (capacity, expected) in [(5e6, 4.5e6..5e6), (400e3, 350e3..400e3)] {
            let now = origin();
            let mut probes = Probes::default();
            let mut found = 0.0_f64;
            for _ in 0..8 {
                let Some(probe) = probes.poll(now, 300e3, 20e6, false, None) else { break };
                found = found.max(sent_through(&mut probes, now, probe, capacity).unwrap_or(0.0));
            }
            assert!(expected.contains(&found), "{found}");
        }
    }

    #[test]
    fn later_it_is_tried_now_and_then_but_not_soon_after_a_queue_grew() {
        let start = origin();
        let mut probes = Probes::default();
        while probes.poll(start, 300e3, 20e6, true, None).is_some() {}
        assert_eq!(probes.poll_timeout(true, None), Some(start + 5_000 * MS));
        assert_eq!(probes.poll_timeout(false, None), Some(start + 8_000 * MS));
        let decreased = Some(start + 4_000 * MS);
        assert_eq!(probes.poll(start + 6_000 * MS, 1e6, 20e6, true, decreased), None);
        let probe = probes.poll(start + 7_000 * MS, 1e6, 20e6, true, decreased).expect("calm");
        assert_eq!((probe.rate, probe.least_bytes), (2_000_000, 3_750));
    }

    #[test]
    fn a_burst_of_which_much_is_lost_says_nothing() {
        let now = origin();
        let mut probes = Probes::default();
        let probe = probes.poll(now, 300e3, 20e6, false, None).expect("the first");
        for at in 0..3 {
            let sent = now + at * MS;
            assert_eq!(
                probes.add(&Outcome { sent, size: 1_200, probe: Some(probe.id), arrival: Some(1) }),
                None
            );
        }
    }
}
