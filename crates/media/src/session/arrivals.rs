//! When packets came in, for the other side's bandwidth estimation (draft-holmer-rmcat-transport-wide-cc-extensions-01 3).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::rtcp::Compound;
use crate::srtp::estimate;

/// How long arrivals are gathered before they are told: what browsers do at usual rates, and ten estimates a second.
const INTERVAL: Duration = Duration::from_millis(100);
/// Arrivals that wait to be told: what 100 Mbit/s bring in a second, and more than one feedback is read of.
const MOST: usize = 8192;
/// Unit of the times of single packets.
const TICK: Duration = Duration::from_micros(250);
/// Ticks of the unit of the reference time, 64 ms.
const REFERENCE: u64 = 256;

/// Arrivals that were not told yet.
#[derive(Debug)]
pub(super) struct Arrivals {
    start: Instant,
    pending: BTreeMap<u64, Instant>,
    highest: Option<u64>,
    /// The number after those that were told.
    next: Option<u64>,
    ssrc: u32,
    count: u8,
    due: Option<Instant>,
}

impl Arrivals {
    /// Times are told relative to `start`.
    pub(super) fn new(start: Instant) -> Self {
        let pending = BTreeMap::new();
        Self { start, pending, highest: None, next: None, ssrc: 0, count: 0, due: None }
    }

    /// A packet with this transport-wide number came.
    pub(super) fn insert(&mut self, now: Instant, number: u16, ssrc: u32) {
        // A wrap above the bottom leaves room for what was overtaken by the very first packet.
        let highest = self.highest.unwrap_or(u64::from(number) + (1 << 16));
        let Some(number) = estimate(Some(highest), number) else { return };
        self.highest = Some(highest.max(number));
        self.ssrc = ssrc;
        self.pending.entry(number).or_insert(now);
        if self.pending.len() > MOST {
            self.pending.pop_first();
        }
        self.due.get_or_insert(now + INTERVAL);
    }

    /// When what waits is to be told.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Whether something is to be told now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Writes as much of what waits as fits into `compound`; false if nothing does, or nothing waits any more.
    pub(super) fn write(&mut self, from: u32, compound: &mut Compound) -> bool {
        let Some((&first, &arrival)) = self.pending.first_key_value() else {
            self.due = None;
            return false;
        };
        // From the number after the last one told, so that what is missing is told as well.
        let base = self.next.filter(|&next| next < first && first - next < MOST as u64).unwrap_or(first);
        let reference = self.ticks(arrival) / REFERENCE;
        let mut before = reference * REFERENCE;
        let mut deltas = vec![None; (first - base) as usize];
        for (&number, &arrival) in &self.pending {
            let ticks = self.ticks(arrival);
            let Ok(delta) = i16::try_from(ticks as i64 - before as i64) else { break };
            let at = (number - base) as usize;
            if at >= MOST {
                break;
            }
            deltas.resize(at, None);
            deltas.push(Some(delta));
            before = ticks;
        }
        let told =
            compound.transport_cc(from, self.ssrc, (self.count, reference as u32, base as u16), &deltas);
        if told == 0 {
            return false;
        }
        self.count = self.count.wrapping_add(1);
        let end = base + told as u64;
        self.pending = self.pending.split_off(&end);
        self.next = Some(self.next.map_or(end, |next| next.max(end)));
        true
    }

    fn ticks(&self, at: Instant) -> u64 {
        (at.saturating_duration_since(self.start).as_micros() / TICK.as_micros()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Feedback, read};
    use crate::testing::origin;

    /// What is told: the number of each packet, and when it came after the start, in ticks.
    fn told(arrivals: &mut Arrivals) -> Vec<(u16, Option<i64>)> {
        let mut found = Vec::new();
        loop {
            let mut compound = Compound::new(200);
            if !arrivals.write(1, &mut compound) {
                return found;
            }
            read(&mut compound.finish(), 10, |feedback| {
                let Feedback::TransportCc { reference, base, deltas, .. } = feedback else { panic!() };
                let mut at = i64::from(reference) * 256;
                for (offset, delta) in deltas.into_iter().enumerate() {
                    at += i64::from(delta.unwrap_or(0));
                    found.push((base.wrapping_add(offset as u16), delta.map(|_| at)));
                }
            });
        }
    }

    #[test]
    fn times_are_told_within_a_quarter_of_a_millisecond_and_what_is_missing_is_told_too() {
        let start = origin();
        let mut arrivals = Arrivals::new(start);
        let at = |micros| start + Duration::from_micros(micros);
        arrivals.insert(at(1_000_000), 65_534, 7);
        arrivals.insert(at(1_000_700), 65_535, 7);
        arrivals.insert(at(1_090_000), 2, 7);
        assert!(!arrivals.is_due(at(1_099_000)) && arrivals.is_due(at(1_100_000)));
        let expected = [(65_534, Some(4000)), (65_535, Some(4002)), (0, None), (1, None), (2, Some(4360))];
        assert_eq!(told(&mut arrivals), expected);
        assert_eq!(arrivals.poll_timeout(), None);
        // What was missing and comes late is told late, and what is missing since then as well.
        arrivals.insert(at(1_200_000), 1, 7);
        arrivals.insert(at(1_201_000), 4, 7);
        let expected = [(1, Some(4800)), (2, None), (3, None), (4, Some(4804))];
        assert_eq!(told(&mut arrivals), expected);
    }

    #[test]
    fn a_thousand_packets_are_told_in_as_many_pieces_as_it_takes() {
        let start = origin();
        let mut arrivals = Arrivals::new(start);
        for number in 0..1000u16 {
            arrivals.insert(start + Duration::from_millis(u64::from(number) * 7), number, 7);
        }
        let told = told(&mut arrivals);
        assert_eq!(told.len(), 1000);
        assert!(
            told.iter()
                .enumerate()
                .all(|(at, &(number, time))| { usize::from(number) == at && time == Some(at as i64 * 28) })
        );
    }

    #[test]
    fn a_pause_of_minutes_begins_a_feedback_of_its_own() {
        let start = origin();
        let mut arrivals = Arrivals::new(start);
        arrivals.insert(start, 1, 7);
        arrivals.insert(start + Duration::from_secs(300), 2, 7);
        assert_eq!(told(&mut arrivals), [(1, Some(0)), (2, Some(1_200_000))]);
    }

    #[test]
    fn nobody_asks_for_ever_and_the_oldest_are_forgotten() {
        let start = origin();
        let mut arrivals = Arrivals::new(start);
        for number in 0..100_000u32 {
            arrivals.insert(start, number as u16, 7);
        }
        assert_eq!(arrivals.pending.len(), MOST);
    }
}
