//! How often something may happen: token buckets by name, bounded in number.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How often something may happen.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At once, after a pause.
    pub burst: f64,
    /// In the long run.
    pub per_second: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.refill(rate, now);
        let taken = self.left >= 1.0;
        if taken {
            self.left -= 1.0;
        }
        taken
    }

    fn refill(&mut self, rate: Rate, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + elapsed * rate.per_second).min(rate.burst);
        self.at = now;
    }
}

/// A bucket per name, which is a text or whatever else things are counted by.
///
/// At its bound the names that have been quiet long enough to be forgotten without a difference go first; if there are
/// none, all new names share one bucket. So a flood of made-up names slows made-up names down, not those that are known.
pub struct RateLimiter<N: ToOwned<Owned: Eq + Hash> + ?Sized = str> {
    rate: Rate,
    capacity: usize,
    buckets: HashMap<N::Owned, Bucket>,
    others: Option<Bucket>,
    /// When the quiet names were last looked for: that costs a pass over all of them.
    swept: Option<Instant>,
}

/// The pause between two searches for quiet names.
const SWEEP: Duration = Duration::from_secs(1);

impl<N: ToOwned<Owned: Eq + Hash> + ?Sized> fmt::Debug for RateLimiter<N> {
    /// Without the names, which may be many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("rate", &self.rate).field("names", &self.buckets.len()).finish()
    }
}

impl<N: ToOwned<Owned: Borrow<N> + Eq + Hash> + Eq + Hash + ?Sized> RateLimiter<N> {
    /// A limit for each of at most `capacity` names.
    pub fn new(rate: Rate, capacity: usize) -> Self {
        Self { rate, capacity, buckets: HashMap::new(), others: None, swept: None }
    }

    /// Whether `name` may once more, which then counts.
    pub fn take(&mut self, name: &N, now: Instant) -> bool {
        let rate = self.rate;
        let fresh = Bucket { left: rate.burst, at: now };
        if let Some(bucket) = self.buckets.get_mut(name) {
            return bucket.take(rate, now);
        }
        if self.buckets.len() >= self.capacity {
            self.sweep(now);
        }
        if self.buckets.len() < self.capacity {
            return self.buckets.entry(name.to_owned()).or_insert(fresh).take(rate, now);
        }
        self.others.get_or_insert(fresh).take(rate, now)
    }

    /// Whether `name` could [`take`](Self::take) now; nothing is counted.
    pub fn allows(&mut self, name: &N, now: Instant) -> bool {
        let rate = self.rate;
        let room = self.buckets.len() < self.capacity;
        let bucket = match self.buckets.get_mut(name) {
            Some(bucket) => bucket,
            None if room => return rate.burst >= 1.0,
            None => self.others.get_or_insert(Bucket { left: rate.burst, at: now }),
        };
        bucket.refill(rate, now);
        bucket.left >= 1.0
    }

    /// Names that are kept.
    pub fn names(&self) -> usize {
        self.buckets.len()
    }

    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < SWEEP) {
            return;
        }
        self.swept = Some(now);
        let rate = self.rate;
        self.buckets.retain(|_, bucket| {
            bucket.refill(rate, now);
            bucket.left < rate.burst
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "any instant will do as the beginning of virtual time")]
    fn epoch() -> Instant {
        Instant::now()
    }

    const RATE: Rate = Rate { burst: 2.0, per_second: 1.0 };

    #[test]
    fn a_burst_is_allowed_then_the_rate_and_names_do_not_share() {
        let (now, mut limiter) = (epoch(), RateLimiter::new(RATE, 10));
        assert_eq!([0, 0, 0].map(|_| limiter.take("a", now)), [true, true, false]);
        assert!(limiter.take("b", now));
        let later = now + Duration::from_secs(1);
        assert_eq!([0, 0].map(|_| limiter.take("a", later)), [true, false]);
    }

    #[test]
    fn asking_whether_something_may_happen_does_not_count() {
        let (now, mut limiter) = (epoch(), RateLimiter::new(RATE, 1));
        for name in ["a", "b"] {
            assert!((0..9).all(|_| limiter.allows(name, now)));
            assert_eq!([0, 0].map(|_| limiter.take(name, now)), [true, true]);
            assert!(!limiter.allows(name, now));
            assert!(limiter.allows(name, now + Duration::from_secs(1)));
        }
    }

    #[test]
    fn a_flood_of_names_takes_no_more_memory_and_leaves_known_names_their_share() {
        let (now, mut limiter) = (epoch(), RateLimiter::new(RATE, 100));
        assert!(limiter.take("known", now));
        let passed = (0..10_000).filter(|number| limiter.take(&number.to_string(), now)).count();
        assert_eq!((limiter.names(), passed), (100, 99 + 2));
        assert!(limiter.take("known", now));
        // The quiet ones make room.
        assert!(limiter.take("new", now + Duration::from_secs(5)));
        assert_eq!(limiter.names(), 1);
    }
}
