//! How long audio has to wait for its slow packets: a histogram of how much later than the quickest ones they come.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The width of a bucket.
const BUCKET_MS: u64 = 5;
/// Buckets up to 500 ms, beyond which nobody talks to each other.
const BUCKETS: usize = 100;
/// This share of packets is to come in time.
const IN_TIME: f32 = 0.97;
/// How much of the histogram each packet leaves: 200 packets ago counts for a thirtieth.
const MEMORY: f32 = 0.983;
/// Aimed at until packets have shown something else.
const FIRST_TARGET_MS: u64 = 20;
/// The quickest packet is that of the last two seconds, so that clocks may drift. Kept in steps of 100 ms.
const STEP: Duration = Duration::from_millis(100);
const STEPS: usize = 20;
/// Who is later than this has begun a new clock.
const NEW_CLOCK: i64 = 1_000_000;

/// Which point of time a timestamp stands for; microseconds, as differences can be negative.
#[derive(Debug, Clone, Copy)]
struct Reference {
    arrival: Instant,
    timestamp: u32,
    clock_rate: u32,
}

impl Reference {
    /// How long after the reference a timestamp was sampled.
    fn sampled(&self, timestamp: u32) -> i64 {
        let ticks = timestamp.wrapping_sub(self.timestamp) as i32;
        i64::from(ticks) * 1_000_000 / i64::from(self.clock_rate.max(1))
    }
}

/// The delay aimed at, and what follows from it for a packet.
#[derive(Debug)]
pub(super) struct Delay {
    bounds: (Duration, Duration),
    reference: Option<Reference>,
    /// The least lateness of each step of time, oldest first; at most [`STEPS`].
    quickest: VecDeque<(Instant, i64)>,
    histogram: [f32; BUCKETS],
    target: Duration,
}

impl Delay {
    pub(super) fn new(least: Duration, most: Duration) -> Self {
        let most = most.min(Duration::from_millis(BUCKETS as u64 * BUCKET_MS));
        let mut delay = Self {
            bounds: (least.min(most), most),
            reference: None,
            quickest: VecDeque::new(),
            histogram: [0.0; BUCKETS],
            target: Duration::ZERO,
        };
        delay.histogram[(FIRST_TARGET_MS / BUCKET_MS) as usize - 1] = 1.0;
        delay.aim();
        delay
    }

    /// The least delay from now on. It may be more than what the path could ever need.
    pub(super) fn set_least(&mut self, least: Duration) {
        let most = Duration::from_millis(BUCKETS as u64 * BUCKET_MS);
        self.bounds = (least, self.bounds.1.min(most).max(least));
        self.aim();
    }

    /// The delay aimed at, beyond that of the quickest packets.
    pub(super) fn target(&self) -> Duration {
        self.target
    }

    /// The sender begins a new clock with its next packet.
    pub(super) fn restart(&mut self) {
        self.reference = None;
        self.quickest.clear();
    }

    /// A packet came.
    pub(super) fn observe(&mut self, now: Instant, timestamp: u32, clock_rate: u32) {
        if self.reference.is_some_and(|reference| reference.clock_rate != clock_rate) {
            self.restart();
        }
        let reference = *self.reference.get_or_insert(Reference { arrival: now, timestamp, clock_rate });
        let lateness =
            micros(now.saturating_duration_since(reference.arrival)) - reference.sampled(timestamp);
        if self.quickest().is_some_and(|quickest| lateness - quickest > NEW_CLOCK) {
            self.restart();
            return self.observe(now, timestamp, clock_rate);
        }
        // The reference follows the stream, or half a range of timestamps later differences would change their sign.
        if reference.sampled(timestamp).abs() > 60_000_000 {
            self.move_reference(now, timestamp, lateness);
            return self.observe(now, timestamp, clock_rate);
        }
        self.note_quickest(now, lateness);
        let behind = lateness - self.quickest().unwrap_or(lateness);
        let bucket = (behind.max(0) as u64 / (BUCKET_MS * 1_000)) as usize;
        for share in &mut self.histogram {
            *share *= MEMORY;
        }
        self.histogram[bucket.min(BUCKETS - 1)] += 1.0 - MEMORY;
        self.aim();
    }

    /// Takes this packet as the new reference: all that is kept is relative to it.
    fn move_reference(&mut self, now: Instant, timestamp: u32, lateness: i64) {
        let Some(reference) = &mut self.reference else { return };
        *reference = Reference { arrival: now, timestamp, ..*reference };
        for (_, least) in &mut self.quickest {
            *least -= lateness;
        }
    }

    fn note_quickest(&mut self, now: Instant, lateness: i64) {
        match self.quickest.back_mut() {
            Some((since, least)) if now.saturating_duration_since(*since) < STEP => {
                *least = lateness.min(*least);
            }
            _ => self.quickest.push_back((now, lateness)),
        }
        while self.quickest.len() > STEPS {
            self.quickest.pop_front();
        }
    }

    fn quickest(&self) -> Option<i64> {
        self.quickest.iter().map(|&(_, least)| least).min()
    }

    /// The delay in which [`IN_TIME`] of the packets come.
    fn aim(&mut self) {
        let all: f32 = self.histogram.iter().sum();
        let mut sum = 0.0;
        let enough = |share: &f32| {
            sum += share;
            sum >= IN_TIME * all
        };
        let buckets = self.histogram.iter().position(enough).unwrap_or(BUCKETS - 1) + 1;
        let target = Duration::from_millis(buckets as u64 * BUCKET_MS);
        self.target = target.clamp(self.bounds.0, self.bounds.1);
    }

    /// When a packet that came at `arrival` is due.
    pub(super) fn due(&self, arrival: Instant, timestamp: u32) -> Instant {
        let (Some(reference), Some(quickest)) = (self.reference, self.quickest()) else { return arrival };
        let after = reference.sampled(timestamp) + quickest + micros(self.target);
        let due = reference.arrival + Duration::from_micros(after.max(0) as u64);
        // Whatever the timestamps say, nothing waits longer than it may.
        due.min(arrival + self.bounds.1)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::origin;

    const MS: Duration = Duration::from_millis(1);

    fn delay() -> Delay {
        Delay::new(Duration::ZERO, 500 * MS)
    }

    /// 20 ms of 48 kHz per packet; `late` says how much later than at its time each arrives, in milliseconds.
    fn feed(delay: &mut Delay, start: Instant, packets: std::ops::Range<u32>, late: impl Fn(u32) -> u32) {
        for at in packets {
            delay.observe(
                start + (20 * at + late(at)) * MS,
                at.wrapping_mul(960).wrapping_add(u32::MAX - 5_000),
                48_000,
            );
        }
    }

    #[test]
    fn a_steady_path_needs_one_step_of_delay() {
        let mut delay = delay();
        assert_eq!(delay.target(), 20 * MS);
        feed(&mut delay, origin(), 0..500, |_| 30);
        assert_eq!(delay.target(), 5 * MS);
    }

    #[test]
    fn the_delay_covers_the_jitter_of_the_path_and_falls_again() {
        let mut delay = delay();
        let start = origin();
        feed(&mut delay, start, 0..500, |at| at * 7 % 60);
        assert!((50 * MS..=60 * MS).contains(&delay.target()), "{:?}", delay.target());
        feed(&mut delay, start, 500..1_000, |_| 0);
        assert_eq!(delay.target(), 5 * MS);
    }

    #[test]
    fn the_delay_stays_within_its_bounds() {
        let mut delay = Delay::new(40 * MS, 100 * MS);
        let start = origin();
        feed(&mut delay, start, 0..500, |_| 0);
        assert_eq!(delay.target(), 40 * MS);
        feed(&mut delay, start, 500..1_000, |at| at * 7 % 300);
        assert_eq!(delay.target(), 100 * MS);
    }

    #[test]
    fn a_least_delay_can_be_asked_for_and_given_up() {
        let mut delay = delay();
        feed(&mut delay, origin(), 0..500, |_| 0);
        delay.set_least(2_000 * MS);
        assert_eq!(delay.target(), 2_000 * MS);
        delay.set_least(Duration::ZERO);
        assert_eq!(delay.target(), 5 * MS);
        assert_eq!(delay.bounds, (Duration::ZERO, 500 * MS));
    }

    #[test]
    fn a_packet_is_due_as_much_after_the_quickest_as_is_aimed_at() {
        let mut delay = delay();
        let start = origin();
        delay.observe(start, 0, 48_000);
        delay.observe(start + 35 * MS, 960, 48_000);
        assert_eq!(delay.due(start + 35 * MS, 960), start + 20 * MS + delay.target());
    }

    #[test]
    fn a_sender_that_sets_its_clock_is_followed() {
        let mut delay = delay();
        let start = origin();
        feed(&mut delay, start, 0..500, |_| 0);
        for (at, jump) in [(500, -48_000 * 30), (600, 48_000 * 30), (700, i32::MAX)] {
            let now = start + 20 * at * MS;
            let timestamp = (960 * at).wrapping_add_signed(jump);
            delay.observe(now, timestamp, 48_000);
            assert!(delay.due(now, timestamp) <= now + 20 * MS, "{jump}");
            assert!(delay.due(now, timestamp) >= now, "{jump}");
        }
    }

    #[test]
    fn hours_of_a_stream_and_a_clock_that_drifts_change_nothing() {
        let mut delay = delay();
        let start = origin();
        // 200 ppm
        feed(&mut delay, start, 0..1_000_000, |at| at / 250);
        assert_eq!(delay.target(), 5 * MS);
        let arrival = start + (20 * 999_999 + 3_999) * MS;
        let due = delay.due(arrival, 999_999_u32.wrapping_mul(960).wrapping_add(u32::MAX - 5_000));
        assert!(due >= arrival && due <= arrival + 6 * MS, "{:?}", due - arrival);
    }
}
