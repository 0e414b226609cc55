//! How much there is to encrypt and decrypt.

use std::time::{Duration, Instant};

/// The time that is looked at.
const WINDOW: Duration = Duration::from_millis(1);

/// Most bytes in that time. Decrypting them takes some twenty microseconds.
const BYTES: usize = 32 * 1024;

/// Most datagrams in that time: at about five microseconds each, two fifths of a thread. The quickest exchange of single messages
/// has half as many.
const DATAGRAMS: usize = 80;

/// How long it counts as much after it was.
const REST: Duration = Duration::from_millis(20);

/// What was sent and received lately.
#[derive(Debug, Default)]
pub(super) struct Load {
    since: Option<Instant>,
    bytes: usize,
    datagrams: usize,
    busy_until: Option<Instant>,
}

impl Load {
    /// Counts what was received or is to be sent.
    pub(super) fn add(&mut self, now: Instant, bytes: usize, datagrams: usize) {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            (self.since, self.bytes, self.datagrams) = (Some(now), 0, 0);
        }
        self.bytes += bytes;
        self.datagrams += datagrams;
        if self.bytes > BYTES || self.datagrams > DATAGRAMS {
            self.busy_until = Some(now + REST);
        }
    }

    /// Whether it was much, a moment ago.
    pub(super) fn is_bulk(&self, now: Instant) -> bool {
        self.busy_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_exchange_of_single_messages_is_not_bulk() {
        let (mut load, mut now) = (Load::default(), Instant::now());
        for _ in 0..10_000 {
            now += Duration::from_micros(25);
            load.add(now, 200, 1);
            assert!(!load.is_bulk(now));
        }
    }

    #[test]
    fn many_bytes_or_many_datagrams_in_a_moment_are_bulk_for_a_while() {
        for (bytes, datagrams) in [(BYTES + 1, 1), (100, DATAGRAMS + 1)] {
            let (mut load, now) = (Load::default(), Instant::now());
            load.add(now, bytes, datagrams);
            assert!(load.is_bulk(now));
            assert!(load.is_bulk(now + REST - Duration::from_nanos(1)));
            assert!(!load.is_bulk(now + REST));
        }
    }

    #[test]
    fn much_in_small_pieces_is_bulk_too() {
        let (mut load, mut now) = (Load::default(), Instant::now());
        for _ in 0..100 {
            now += Duration::from_micros(20);
            load.add(now, 1_200, 1);
        }
        assert!(load.is_bulk(now));
    }
}
