//! Packets that have not come, and when to ask for them again (RFC 4585 6.2.1).

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Beyond that a stream is not repaired but begun anew with a key frame: it is what libwebrtc keeps.
const MOST_MISSING: usize = 1000;
/// Each time costs as much as the packet; after ten the path lets nothing through.
const MOST_TRIES: u8 = 10;
/// Packets that are read together come a moment apart; and retransmissions take their time on any path.
const LEAST_WAIT: Duration = Duration::from_millis(3);
const LEAST_INTERVAL: Duration = Duration::from_millis(20);
/// Assumed until a report has shown the round trip.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Reordering beyond that is rarer than loss: who waits longer repairs too late.
const MOST_WAIT: Duration = Duration::from_millis(60);

#[derive(Debug)]
struct Entry {
    since: Instant,
    tries: u8,
    /// When to ask again, or to stop.
    next: Instant,
}

/// What is missing between the packets that came.
#[derive(Debug)]
pub(super) struct Missing {
    entries: BTreeMap<u64, Entry>,
    asks: bool,
    round_trip: Duration,
    /// How long a packet is awaited before it is asked for: as long as others were overtaken by.
    wait: Duration,
}

impl Missing {
    /// `asks`: lost packets can be asked for.
    pub(super) fn new(asks: bool) -> Self {
        Self { entries: BTreeMap::new(), asks, round_trip: FIRST_ROUND_TRIP, wait: LEAST_WAIT }
    }

    pub(super) fn set_asks(&mut self, asks: bool) {
        self.asks = asks;
    }

    pub(super) fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip.min(Duration::from_secs(2));
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// These were left out by a packet that came now. Tells where to begin anew if that is too many.
    pub(super) fn add(&mut self, now: Instant, gap: Range<u64>) -> Option<u64> {
        let end = gap.end;
        let next = now + self.wait;
        self.entries.extend(gap.map(|number| (number, Entry { since: now, tries: 0, next })));
        (self.entries.len() > MOST_MISSING).then_some(end)
    }

    /// A packet came. What comes late without having been asked for shows how packets overtake each other.
    pub(super) fn remove(&mut self, now: Instant, number: u64, recovered: bool) {
        let Some(entry) = self.entries.remove(&number) else { return };
        if entry.tries == 0 && !recovered {
            let late = now.saturating_duration_since(entry.since);
            self.wait = self.wait.max(late + late / 4).min(MOST_WAIT);
        }
    }

    /// Nobody waits any more for what is before `number`.
    pub(super) fn forget_before(&mut self, number: u64) {
        if self.entries.first_key_value().is_some_and(|(&first, _)| first < number) {
            self.entries = self.entries.split_off(&number);
        }
    }

    /// Since when this one is missing.
    pub(super) fn since(&self, number: u64) -> Option<Instant> {
        Some(self.entries.get(&number)?.since)
    }

    /// When this one will not come any more; `None` as long as there is still to ask for it.
    pub(super) fn hopeless_at(&self, number: u64) -> Option<Instant> {
        let entry = self.entries.get(&number)?;
        if !self.asks {
            return Some(entry.since + MOST_WAIT); // only what was overtaken comes
        }
        (entry.tries >= MOST_TRIES).then_some(entry.next)
    }

    /// Appends what to ask for now to `out`.
    pub(super) fn due(&mut self, now: Instant, out: &mut Vec<u16>) {
        if !self.asks {
            return;
        }
        let interval = self.round_trip.max(LEAST_INTERVAL);
        for (&number, entry) in &mut self.entries {
            if entry.next > now || entry.tries >= MOST_TRIES {
                continue;
            }
            if entry.tries == 0 {
                self.wait = (self.wait - self.wait / 8).max(LEAST_WAIT);
            }
            // Longer each time: what is lost again and again is lost to congestion.
            entry.next = now + interval.mul_f64(1.25_f64.powi(entry.tries.into()));
            entry.tries += 1;
            out.push(number as u16);
        }
    }

    /// When there is something to ask for.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waiting = self.entries.values().filter(|entry| self.asks && entry.tries < MOST_TRIES);
        waiting.map(|entry| entry.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    const MS: Duration = Duration::from_millis(1);

    fn due(missing: &mut Missing, now: Instant) -> Vec<u16> {
        let mut out = Vec::new();
        missing.due(now, &mut out);
        out
    }

    #[test]
    fn a_lost_packet_is_asked_for_once_per_round_trip_and_not_for_ever() {
        let start = origin();
        let mut missing = Missing::new(true);
        missing.set_round_trip(50 * MS);
        assert_eq!(missing.add(start, 70_000..70_001), None);
        assert_eq!(due(&mut missing, start), [] as [u16; 0]);
        let mut asked = Vec::new();
        while let Some(at) = missing.next_due() {
            assert_eq!(due(&mut missing, at), [4_464]);
            asked.push(at - start);
        }
        assert_eq!(asked.len(), usize::from(MOST_TRIES));
        assert_eq!(asked[0], LEAST_WAIT);
        assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= 50 * MS), "{asked:?}");
        assert!(missing.hopeless_at(70_000).is_some_and(|at| at > start + *asked.last().expect("ten")));
    }

    #[test]
    fn on_a_path_where_packets_overtake_each_other_asking_waits() {
        let start = origin();
        let mut missing = Missing::new(true);
        missing.add(start, 1..2);
        missing.remove(start + 20 * MS, 1, false);
        missing.add(start, 5..6);
        assert_eq!(missing.next_due(), Some(start + 25 * MS));
        // loss brings it back
        for number in 10..100 {
            missing.add(start, number..number + 1);
        }
        due(&mut missing, start + 100 * MS);
        missing.add(start, 200..201);
        assert_eq!(missing.next_due(), Some(start + LEAST_WAIT));
    }

    #[test]
    fn too_many_to_repair_are_told() {
        let mut missing = Missing::new(true);
        assert_eq!(missing.add(origin(), 0..1_000), None);
        assert_eq!(missing.add(origin(), 2_000..2_001), Some(2_001));
        missing.forget_before(2_001);
        assert_eq!(missing.next_due(), None);
    }

    #[test]
    fn nothing_is_asked_for_where_that_was_not_negotiated() {
        let start = origin();
        let mut missing = Missing::new(false);
        missing.add(start, 1..5);
        assert_eq!(due(&mut missing, start + 100 * MS), [] as [u16; 0]);
        assert_eq!(missing.next_due(), None);
        assert_eq!(missing.hopeless_at(1), Some(start + MOST_WAIT));
    }
}
