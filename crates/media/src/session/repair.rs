//! Sent packets that can be sent again (RFC 4585 6.2.1), and how often.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::frame::RtpPacket;

/// A packet is not sent again before this has passed, or the round trip if that is known and longer: the request that comes
/// meanwhile is an old one.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// A packet that was sent, in the form in which it is sent again.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    /// With RTX it gets another number, so its content is kept.
    Content(RtpPacket),
    /// Without, it goes out byte by byte as it did: another content under the same number would break the encryption.
    Datagram(Bytes),
}

#[derive(Debug)]
struct Entry {
    index: u64,
    sent: Sent,
    last: Option<Instant>,
}

/// The last packets of one stream. The oldest makes room for the newest.
#[derive(Debug)]
pub(super) struct Cache {
    entries: Vec<Option<Entry>>,
    highest: u64,
    max: usize,
}

impl Cache {
    /// Keeps the last `max`, at most 32,768: half of the numbers there are.
    pub(super) fn new(max: usize) -> Self {
        Self { entries: Vec::new(), highest: 0, max: max.min(1 << 15) }
    }

    /// Keeps a packet.
    pub(super) fn insert(&mut self, index: u64, sent: Sent) {
        if self.max == 0 {
            return;
        }
        if self.entries.is_empty() {
            self.entries.resize_with(self.max, || None);
        }
        let at = (index % self.max as u64) as usize;
        if self.entries[at].as_ref().is_none_or(|entry| entry.index < index) {
            self.entries[at] = Some(Entry { index, sent, last: None });
            self.highest = self.highest.max(index);
        }
    }

    /// The packet with this sequence number, if it is still there and was not sent again within `round_trip`.
    pub(super) fn take_for_repeat(
        &mut self,
        now: Instant,
        sequence: u16,
        round_trip: Duration,
    ) -> Option<Sent> {
        let back = u64::from((self.highest as u16).wrapping_sub(sequence));
        let index = self.highest.checked_sub(back)?;
        let at = (index % self.max.max(1) as u64) as usize;
        let entry = self.entries.get_mut(at)?.as_mut().filter(|entry| entry.index == index)?;
        let pause = round_trip.max(LEAST_PAUSE);
        if entry.last.is_some_and(|last| now.saturating_duration_since(last) < pause) {
            return None;
        }
        entry.last = Some(now);
        Some(entry.sent.clone())
    }
}

/// Bytes that may be sent again: as many as were sent for the first time, and a start. So requests, however many, at most double
/// what is sent.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    most: usize,
}

/// What is there at first, and at most: half a second of video at 4 Mbit/s.
const MOST: usize = 256 << 10;
/// Where it is known what the path carries, as much as that takes away in this time: losses come when it carries less than it did, and
/// then it has no room for what was saved before. In milliseconds.
const MOST_TIME: u64 = 500;

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: MOST, most: MOST }
    }

    /// The path carries so many bits per second; `None`: nobody knows.
    pub(super) fn set_rate(&mut self, bps: Option<u64>) {
        let most = bps.map_or(MOST as u64, |bps| bps.saturating_mul(MOST_TIME) / 8_000);
        self.most = usize::try_from(most).unwrap_or(MOST).min(MOST);
        self.left = self.left.min(self.most);
    }

    /// So many bytes were sent for the first time.
    pub(super) fn earn(&mut self, bytes: usize) {
        self.left = (self.left + bytes).min(self.most);
    }

    /// Whether so many bytes may be sent again; they then count as sent.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(rest) => {
                self.left = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    fn cache(indices: std::ops::Range<u64>) -> Cache {
        let mut cache = Cache::new(100);
        for index in indices {
            cache.insert(index, Sent::Datagram(Bytes::from(index.to_string())));
        }
        cache
    }

    fn content(sent: Option<Sent>) -> Option<String> {
        match sent? {
            Sent::Datagram(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            Sent::Content(_) => None,
        }
    }

    #[test]
    fn a_packet_is_found_by_its_number_across_a_wrap() {
        let now = origin();
        let mut cache = cache(65_500..65_560);
        assert_eq!(content(cache.take_for_repeat(now, 65_530, Duration::ZERO)).as_deref(), Some("65530"));
        assert_eq!(content(cache.take_for_repeat(now, 10, Duration::ZERO)).as_deref(), Some("65546"));
    }

    #[test]
    fn what_is_too_old_or_was_never_sent_is_not_found() {
        let now = origin();
        let mut cache = cache(0..300);
        for sequence in [0, 199, 300, 40_000, 65_535] {
            assert!(cache.take_for_repeat(now, sequence, Duration::ZERO).is_none(), "{sequence}");
        }
        assert!(cache.take_for_repeat(now, 200, Duration::ZERO).is_some());
        assert!(Cache::new(0).take_for_repeat(now, 0, Duration::ZERO).is_none());
    }

    #[test]
    fn requests_within_a_round_trip_are_one_request() {
        let now = origin();
        let round_trip = Duration::from_millis(80);
        let mut cache = cache(0..10);
        assert!(cache.take_for_repeat(now, 5, round_trip).is_some());
        assert!(cache.take_for_repeat(now + Duration::from_millis(79), 5, round_trip).is_none());
        assert!(cache.take_for_repeat(now + Duration::from_millis(80), 5, round_trip).is_some());
    }

    #[test]
    fn no_more_is_repeated_than_was_sent() {
        let mut budget = Budget::new();
        assert!(budget.spend(MOST));
        assert!(!budget.spend(1));
        budget.earn(1200);
        assert!(budget.spend(1200) && !budget.spend(1));
    }

    #[test]
    fn what_was_saved_on_a_wide_path_is_not_spent_on_a_narrow_one() {
        let mut budget = Budget::new();
        budget.set_rate(Some(240_000));
        assert!(budget.spend(15_000) && !budget.spend(1));
        budget.earn(MOST);
        assert!(budget.spend(15_000) && !budget.spend(1));
        budget.set_rate(None);
        budget.earn(MOST);
        assert!(budget.spend(MOST));
    }
}
