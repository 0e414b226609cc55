//! The receiver's side: when packets of a transport came, and the feedback that tells.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often feedback is sent at most: the sender learns once per interval.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long it waits at most, where little comes.
const LONGEST_INTERVAL: Duration = Duration::from_millis(250);
/// So many bytes are worth a feedback before that: one takes about 70 and should not take more than 5 % of what comes, as in libwebrtc. A
/// call of audio has half of the feedback that it would have each 100 ms, and whoever sends to many calls half of the wake-ups.
const WORTH_TELLING: usize = 1_400;
/// A unit of the times in feedback.
const TICK: Duration = Duration::from_micros(250);
/// Ticks per unit of the reference time, 64 ms.
const TICKS_PER_REFERENCE: i64 = 256;
/// Packets that are kept to be told, or told again when one between them comes late: ten intervals of 10 Mbit/s.
const MOST_KEPT: usize = 1024;
/// Packets that have been told are kept this long.
const MOST_TOLD_KEPT: u64 = 256;

/// What one feedback tells (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalFeedback {
    /// The number of this feedback; they count up and wrap.
    pub count: u8,
    /// Base of the times, in units of 64 ms; 24 bits.
    pub reference: u32,
    /// The transport-wide number of the first packet.
    pub base: u16,
    /// For each number from there on: in units of 250 µs, how much later than the one before that came (the first that came: than
    /// the base) it came. `None` if it did not come.
    pub deltas: Vec<Option<i16>>,
}

/// Notes when packets come, by their transport-wide sequence numbers.
#[derive(Debug, Default)]
pub struct ArrivalRecorder {
    zero: Option<Instant>,
    /// The number of the first in `arrivals`, unwrapped.
    first: u64,
    /// Ticks since `zero`.
    arrivals: VecDeque<Option<i64>>,
    /// The first that was not told.
    next: u64,
    count: u8,
    /// When the first came that was not told, and how many bytes have come since.
    since: Option<Instant>,
    bytes: usize,
    due: Option<Instant>,
}

impl ArrivalRecorder {
    /// A packet of `size` bytes on the wire came.
    pub fn record(&mut self, now: Instant, sequence: u16, size: usize) {
        let zero = *self.zero.get_or_insert(now);
        let ticks = (now.saturating_duration_since(zero).as_nanos() / TICK.as_nanos()) as i64;
        let end = self.first + self.arrivals.len() as u64;
        let number = if self.arrivals.is_empty() && self.first == 0 {
            (1 << 32) + u64::from(sequence)
        } else {
            let newest = end - 1;
            newest.wrapping_add_signed(i64::from(sequence.wrapping_sub(newest as u16) as i16))
        };
        if self.first == 0 || number >= end + MOST_KEPT as u64 {
            // The first of all, or so far ahead that the sender began anew.
            self.arrivals.clear();
            self.first = number;
            self.next = number;
        } else if number < self.first {
            return; // told as lost, and too late for anything
        }
        let index = (number - self.first) as usize; // less than twice MOST_KEPT
        while self.arrivals.len() <= index {
            self.arrivals.push_back(None);
        }
        if self.arrivals[index].is_some() {
            return;
        }
        self.arrivals[index] = Some(ticks);
        self.next = self.next.min(number);
        let since = *self.since.get_or_insert(now);
        self.bytes += size;
        let soon = self.bytes >= WORTH_TELLING;
        let due = since + if soon { INTERVAL } else { LONGEST_INTERVAL };
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
        self.forget();
    }

    fn forget(&mut self) {
        while self.arrivals.len() > MOST_KEPT || self.next > self.first + MOST_TOLD_KEPT {
            self.arrivals.pop_front();
            self.first += 1;
        }
        self.next = self.next.max(self.first);
    }

    /// When there is feedback to send.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The feedback to send now, if it is time. [`told`](Self::told) has to say how much of it was sent.
    pub fn poll_feedback(&self, now: Instant) -> Option<ArrivalFeedback> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        let untold = self.arrivals.iter().skip((self.next - self.first) as usize);
        let mut last = untold.clone().flatten().next()?.div_euclid(TICKS_PER_REFERENCE) * TICKS_PER_REFERENCE;
        let reference = (last / TICKS_PER_REFERENCE) as u32 & 0xff_ffff;
        let mut deltas = Vec::with_capacity(untold.len());
        for arrival in untold {
            let delta = match arrival.map(|ticks| (ticks, i16::try_from(ticks - last))) {
                None => None,
                Some((ticks, Ok(delta))) => {
                    last = ticks;
                    Some(delta)
                }
                // Eight seconds later: the rest needs another base.
                Some((_, Err(_))) => break,
            };
            deltas.push(delta);
        }
        // What has not come behind the last one that has may still be under way.
        let told = deltas.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        deltas.truncate(told);
        Some(ArrivalFeedback { count: self.count, reference, base: self.next as u16, deltas })
    }

    /// The first `count` packets of the feedback that was polled were told. If that is not all, the rest is due at once.
    pub fn told(&mut self, now: Instant, count: usize) {
        let end = self.first + self.arrivals.len() as u64;
        self.next = (self.next + count as u64).min(end);
        self.count = self.count.wrapping_add(1);
        let rest = self.arrivals.iter().skip((self.next - self.first) as usize);
        self.due = rest.flatten().next().map(|_| if count == 0 { now + INTERVAL } else { now });
        self.since = self.due.map(|_| now);
        self.bytes = 0;
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    const MS: Duration = Duration::from_millis(1);

    fn recorded(packets: &[(u64, u16)]) -> (ArrivalRecorder, Instant) {
        let start = origin();
        let mut recorder = ArrivalRecorder::default();
        for &(at, sequence) in packets {
            recorder.record(start + Duration::from_micros(at), sequence, 1_200);
        }
        (recorder, start + 300 * MS)
    }

    #[test]
    fn feedback_tells_what_came_when_and_what_did_not() {
        let (mut recorder, now) =
            recorded(&[(0, 65_534), (10_000, 65_535), (9_000 + 60_000, 2), (70_000, 1)]);
        let feedback = recorder.poll_feedback(now).expect("it is time");
        let deltas = vec![Some(0), Some(40), None, Some(240), Some(-4)];
        assert_eq!(feedback, ArrivalFeedback { count: 0, reference: 0, base: 65_534, deltas });
        recorder.told(now, 5);
        assert_eq!(recorder.poll_feedback(now + 500 * MS), None);
        assert_eq!(recorder.poll_timeout(), None);
    }

    #[test]
    fn times_are_exact_to_the_tick_however_long_it_goes_on() {
        let start = origin();
        let mut recorder = ArrivalRecorder::default();
        for at in 0..100_u32 {
            let now = start + at * Duration::from_micros(333_333);
            recorder.record(now, at as u16, 1_400);
            let feedback = recorder.poll_feedback(now + 100 * MS).expect("it is time");
            assert_eq!(feedback.count, at as u8);
            let told = i64::from(feedback.reference) * 256 + i64::from(feedback.deltas[0].expect("came"));
            assert_eq!(told, i64::from(at) * 333_333 / 250);
            recorder.told(now + 100 * MS, 1);
        }
    }

    #[test]
    fn what_does_not_fit_into_one_packet_comes_in_the_next() {
        let (mut recorder, now) = recorded(&[(0, 1), (1_000, 2), (2_000, 3)]);
        assert_eq!(recorder.poll_feedback(now).map(|feedback| feedback.deltas.len()), Some(3));
        recorder.told(now, 2);
        let rest = recorder.poll_feedback(now).expect("at once");
        assert_eq!((rest.count, rest.base, rest.deltas), (1, 3, vec![Some(8)]));
    }

    /// How often feedback is sent in ten seconds of packets of `size` bytes each 20 ms, and what share of what comes that is.
    fn feedback_of(size: usize) -> (u32, f64) {
        let start = origin();
        let mut recorder = ArrivalRecorder::default();
        let (mut sent, mut longest, mut last) = (0, Duration::ZERO, start);
        for at in 0..10_000_u32 {
            let now = start + at * MS;
            if at % 20 == 0 {
                recorder.record(now, (at / 20) as u16, size);
            }
            if recorder.poll_timeout().is_some_and(|due| due <= now) {
                let feedback = recorder.poll_feedback(now).expect("it is time");
                recorder.told(now, feedback.deltas.len());
                (longest, last, sent) = (longest.max(now - last), now, sent + 1);
            }
        }
        assert!(longest <= 270 * MS, "{longest:?}");
        (sent, f64::from(sent) * 70.0 / (500.0 * size as f64))
    }

    #[test]
    fn feedback_comes_ten_times_a_second_and_less_often_where_it_would_take_much_of_what_comes() {
        let (often, _) = feedback_of(1_200);
        assert!((80..=100).contains(&often), "{often}");
        let (audio, share) = feedback_of(130);
        assert!((38..=50).contains(&audio), "{audio}");
        assert!(share < 0.055, "{share}");
        // However little comes, four times a second.
        let (least, _) = feedback_of(20);
        assert!((36..=40).contains(&least), "{least}");
    }

    #[test]
    fn a_packet_that_comes_after_it_was_told_lost_is_told_again() {
        let (mut recorder, now) = recorded(&[(0, 1), (1_000, 3)]);
        recorder.told(now, 3);
        recorder.record(now, 2, 1_400);
        let feedback = recorder.poll_feedback(now + 100 * MS).expect("it is time");
        assert_eq!((feedback.base, feedback.deltas.len()), (2, 2));
        assert!(feedback.deltas.iter().all(Option::is_some));
    }

    #[test]
    fn numbers_of_anybody_are_bounded() {
        let start = origin();
        let mut recorder = ArrivalRecorder::default();
        let mut sequence = 1_u16;
        for at in 0..50_000_u32 {
            sequence = sequence.wrapping_mul(31).wrapping_add(17);
            let now = start + at * MS * 7;
            recorder.record(now, sequence, 1_200);
            assert!(recorder.arrivals.len() <= MOST_KEPT);
            if let Some(feedback) = recorder.poll_feedback(now) {
                recorder.told(now, feedback.deltas.len());
            }
        }
    }
}
