//! How much each channel has waiting, and when JavaScript has to hear that it became less.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Progress is reported at least every so many bytes: often enough for a progress bar and for senders that wait for
/// room, and still only once per some tens of packets.
const REPORT_EVERY: u64 = 64 * 1024;

/// The send buffers of one peer's channels, as JavaScript sees them.
#[derive(Default)]
pub(crate) struct Meters {
    channels: HashMap<u32, Meter>,
}

#[derive(Default)]
struct Meter {
    /// Bytes that JavaScript believes to be buffered.
    buffered: u64,
    /// Released but not reported yet; part of `buffered`.
    unreported: u64,
    /// `bufferedAmountLowThreshold`.
    low: u64,
}

impl Meters {
    /// A channel has come into being.
    pub(crate) fn add(&mut self, channel: u32) {
        self.channels.entry(channel).or_default();
    }

    /// A message is about to be queued. False: there is no such channel (any more).
    #[must_use]
    pub(crate) fn queue(&mut self, channel: u32, bytes: usize) -> bool {
        match self.channels.get_mut(&channel) {
            Some(meter) => {
                meter.buffered += bytes as u64;
                true
            }
            None => false,
        }
    }

    /// Bytes have left the send buffer. Returns how many to report now.
    #[must_use]
    pub(crate) fn release(&mut self, channel: u32, bytes: usize) -> Option<u64> {
        let meter = self.channels.get_mut(&channel)?;
        // Never more than was queued: a report must not make the amount negative.
        meter.unreported = (meter.unreported + bytes as u64).min(meter.buffered);
        meter.report()
    }

    /// Sets the low threshold. Returns what to report at once because the amount is at or below it already.
    #[must_use]
    pub(crate) fn set_low(&mut self, channel: u32, bytes: u64) -> Option<u64> {
        let meter = self.channels.get_mut(&channel)?;
        meter.low = bytes;
        meter.report()
    }

    /// A queued message was refused. False: there is no such channel (any more), and its account is settled.
    #[must_use]
    pub(crate) fn fail(&mut self, channel: u32, bytes: usize) -> bool {
        match self.channels.get_mut(&channel) {
            Some(meter) => {
                meter.buffered = meter.buffered.saturating_sub(bytes as u64).max(meter.unreported);
                true
            }
            None => false,
        }
    }

    /// A channel is gone. Returns the bytes that will never be released.
    pub(crate) fn remove(&mut self, channel: u32) -> u64 {
        match self.channels.entry(channel) {
            Entry::Occupied(entry) => entry.remove().buffered,
            Entry::Vacant(_) => 0,
        }
    }
}

impl Meter {
    fn report(&mut self) -> Option<u64> {
        let left = self.buffered - self.unreported;
        let due =
            left == 0 || self.unreported >= REPORT_EVERY || (left <= self.low && self.buffered > self.low);
        if !due || self.unreported == 0 {
            return None;
        }
        self.buffered = left;
        Some(std::mem::take(&mut self.unreported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meters(queued: usize) -> Meters {
        let mut meters = Meters::default();
        meters.add(1);
        assert!(meters.queue(1, queued));
        meters
    }

    #[test]
    fn small_steps_are_reported_together_once_the_channel_is_empty() {
        let mut meters = meters(300);
        assert_eq!(meters.release(1, 100), None);
        assert_eq!(meters.release(1, 100), None);
        assert_eq!(meters.release(1, 100), Some(300));
    }

    #[test]
    fn progress_of_a_full_channel_is_reported_every_64_kib() {
        let mut meters = meters(1 << 20);
        assert_eq!(meters.release(1, 40 << 10), None);
        assert_eq!(meters.release(1, 40 << 10), Some(80 << 10));
    }

    #[test]
    fn reaching_the_low_threshold_is_reported_exactly() {
        let mut meters = meters(1000);
        assert_eq!(meters.set_low(1, 500), None);
        assert_eq!(meters.release(1, 499), None);
        assert_eq!(meters.release(1, 1), Some(500));
        assert_eq!(meters.release(1, 1), None, "it was below already");
    }

    #[test]
    fn raising_the_threshold_above_the_amount_reports_what_was_held_back() {
        let mut meters = meters(1000);
        assert_eq!(meters.release(1, 100), None);
        assert_eq!(meters.set_low(1, 950), Some(100));
    }

    #[test]
    fn a_channel_that_is_gone_returns_its_rest_once() {
        let mut meters = meters(1000);
        assert_eq!(meters.release(1, 10), None);
        assert_eq!(meters.remove(1), 1000);
        assert_eq!(meters.remove(1), 0);
        assert!(!meters.queue(1, 5));
        assert_eq!(meters.release(1, 5), None);
    }
}
