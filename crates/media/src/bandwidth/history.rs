//! What was sent, until feedback tells what became of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets that are kept: two seconds at 40 Mbit/s. What is older when feedback comes is not known any more.
const MOST_SENT: usize = 8192;

/// A packet that was sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    size: u32,
    probe: Option<u32>,
    told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Lost,
    Arrived,
}

/// What feedback says of a packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) sent: Instant,
    /// Bytes.
    pub(super) size: u32,
    /// Of which probe it was a part.
    pub(super) probe: Option<u32>,
    /// When it came, by the receiver's clock in microseconds; `None` if it did not.
    pub(super) arrival: Option<i64>,
}

/// The packets of a transport by their numbers.
#[derive(Debug, Default)]
pub(super) struct History {
    first: u64,
    sent: VecDeque<Option<Sent>>,
    /// The last reference time, unwrapped.
    reference: Option<i64>,
}

impl History {
    /// A packet was sent. Numbers count up.
    pub(super) fn add(&mut self, now: Instant, sequence: u16, size: usize, probe: Option<u32>) {
        if self.sent.is_empty() {
            self.first = (self.first | 0xffff) + 1 + u64::from(sequence);
        }
        let newest = self.first + self.sent.len() as u64;
        let ahead = sequence.wrapping_sub(newest as u16);
        if usize::from(ahead) > MOST_SENT {
            return; // no number of ours that counts up
        }
        self.sent.extend((0..ahead).map(|_| None));
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.sent.push_back(Some(Sent { at: now, size, probe, told: Told::Nothing }));
        while self.sent.len() > MOST_SENT {
            self.sent.pop_front();
            self.first += 1;
        }
    }

    /// What feedback says that was not said before, in the order of arrival; lost packets first.
    pub(super) fn outcomes(&mut self, reference: u32, base: u16, deltas: &[Option<i16>]) -> Vec<Outcome> {
        let mut arrival = self.reference_time(reference);
        if self.sent.is_empty() {
            return Vec::new();
        }
        let newest = self.first + self.sent.len() as u64 - 1;
        let base = newest.wrapping_add_signed(i64::from(base.wrapping_sub(newest as u16) as i16));
        let mut outcomes = Vec::new();
        for (number, delta) in (base..).zip(deltas) {
            arrival += i64::from(delta.unwrap_or(0)) * 250;
            let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
            let Some(Some(sent)) = index.and_then(|index| self.sent.get_mut(index)) else { continue };
            let told = if delta.is_some() { Told::Arrived } else { Told::Lost };
            if sent.told == Told::Arrived || sent.told == told {
                continue;
            }
            sent.told = told;
            let Sent { at, size, probe, .. } = *sent;
            outcomes.push(Outcome { sent: at, size, probe, arrival: delta.map(|_| arrival) });
        }
        outcomes.sort_by_key(|outcome| outcome.arrival);
        outcomes
    }

    /// A reference time of 24 bits in microseconds, next to the last one.
    fn reference_time(&mut self, wire: u32) -> i64 {
        let near = self.reference.unwrap_or(i64::from(wire));
        // Sign-extends the difference of 24 bits.
        let distance = (wire.wrapping_sub(near as u32) << 8) as i32 >> 8;
        let reference = near + i64::from(distance);
        self.reference = Some(reference);
        reference * 64_000
    }

    /// Bytes that were sent within `window` before `now` and of which nothing was told.
    pub(super) fn in_flight(&self, now: Instant, window: Duration) -> u64 {
        let recent = self
            .sent
            .iter()
            .rev()
            .flatten()
            .take_while(|sent| now.saturating_duration_since(sent.at) < window);
        recent.filter(|sent| sent.told == Told::Nothing).map(|sent| u64::from(sent.size)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn each_packet_has_one_outcome_or_was_lost_and_came_after_all() {
        let start = origin();
        let mut history = History::default();
        for sequence in [65_534_u16, 65_535, 0, 1] {
            history.add(start, sequence, 1_200, None);
        }
        assert_eq!(history.in_flight(start, 100 * MS), 4_800);
        let outcomes = history.outcomes(3, 65_534, &[Some(4), None, Some(-2)]);
        assert_eq!(
            outcomes.iter().map(|one| one.arrival).collect::<Vec<_>>(),
            [None, Some(192_500), Some(193_000)]
        );
        assert_eq!(history.in_flight(start, 100 * MS), 1_200);
        let again = history.outcomes(3, 65_534, &[Some(4), Some(8), Some(-2), Some(0)]);
        assert_eq!(again.iter().map(|one| one.arrival).collect::<Vec<_>>(), [Some(194_500), Some(195_000)]);
        assert!(history.outcomes(3, 65_534, &[Some(4), None]).is_empty());
    }

    #[test]
    fn times_go_on_where_24_bits_wrap() {
        let mut history = History::default();
        history.add(origin(), 0, 1, None);
        history.add(origin(), 1, 1, None);
        let before = history.outcomes(0xff_ffff, 0, &[Some(0)])[0].arrival;
        let after = history.outcomes(0, 1, &[Some(0)])[0].arrival;
        assert_eq!(after.zip(before).map(|(after, before)| after - before), Some(64_000));
    }

    #[test]
    fn numbers_that_were_never_sent_say_nothing() {
        let mut history = History::default();
        assert!(history.outcomes(1, 77, &[Some(1); 100]).is_empty());
        history.add(origin(), 5, 1, None);
        history.add(origin(), 4, 1, None);
        assert_eq!(history.outcomes(1, 60_000, &vec![Some(1); 30_000]).len(), 1);
    }
}
