//! How much one client, one pair of agents and one session may send.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::rate::Rate;

#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full(rate: Rate, now: Instant) -> Self {
        Self { left: rate.burst, at: now }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + elapsed * rate.per_second).min(rate.burst);
        self.at = now;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

/// Refusals after which a client that goes on regardless is disconnected: enough for one that has sent a batch before it
/// could read the first refusal.
const PATIENCE: Rate = Rate { per_second: 10.0, burst: 100.0 };

/// Frames that a client of a distrusted network may send at once: a registration, an offer and its candidates.
const DISTRUSTED_BURST: f64 = 100.0;

/// What may be done with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Serve,
    /// It is over the limit; the client is told.
    Refuse,
    /// It is over the limit and the client has been told often enough.
    Disconnect,
}

/// The buckets of one client.
#[derive(Debug)]
pub(super) struct ClientLimits {
    frames: Bucket,
    rooms: Bucket,
    patience: Bucket,
}

impl ClientLimits {
    pub(super) fn new(frames: Rate, rooms: Rate) -> Self {
        let now = Instant::now();
        Self {
            frames: Bucket::full(frames, now),
            rooms: Bucket::full(rooms, now),
            patience: Bucket::full(PATIENCE, now),
        }
    }

    /// Somebody from the same network has just been disconnected for sending too much: it may be the same one again, so
    /// there is no more than what a set-up takes. The rate stays, since the others there have done nothing.
    pub(super) fn distrust(&mut self) {
        self.frames.left = self.frames.left.min(DISTRUSTED_BURST);
    }

    /// One more frame of any kind.
    pub(super) fn frame(&mut self, rate: Rate, now: Instant) -> Verdict {
        if self.frames.take(rate, now) { Verdict::Serve } else { self.refused(now) }
    }

    /// One more `join` or `leave`. Each is a notice to everybody in the room, so they cost more than other frames.
    pub(super) fn room(&mut self, rate: Rate, now: Instant) -> Verdict {
        if self.rooms.take(rate, now) { Verdict::Serve } else { self.refused(now) }
    }

    /// Something else was over its limit.
    pub(super) fn refused(&mut self, now: Instant) -> Verdict {
        if self.patience.take(PATIENCE, now) { Verdict::Refuse } else { Verdict::Disconnect }
    }
}

/// Entries of each table below: two million bytes, and more than honest agents fill in a minute.
const MAX_ENTRIES: usize = 65_536;

/// Offers of one pair are counted over this time.
const MINUTE: Duration = Duration::from_secs(60);

/// Candidates of one session are forgotten after this time without one.
const SESSION: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Copy)]
struct Tally {
    since: Instant,
    count: u32,
}

/// Counts by something that is hashed with a secret, so that nobody can choose names that collide.
#[derive(Debug)]
struct Tallies {
    tallies: HashMap<u64, Tally>,
    lifetime: Duration,
}

impl Tallies {
    fn new(lifetime: Duration) -> Self {
        Self { tallies: HashMap::new(), lifetime }
    }

    fn count(&mut self, key: u64, limit: u32, now: Instant) -> bool {
        if self.tallies.len() >= MAX_ENTRIES && !self.tallies.contains_key(&key) {
            self.make_room(limit, now);
        }
        let tally = self.tallies.entry(key).or_insert(Tally { since: now, count: 0 });
        if now.saturating_duration_since(tally.since) >= self.lifetime {
            *tally = Tally { since: now, count: 0 };
        }
        tally.count += u32::from(tally.count < limit.saturating_add(1));
        tally.count <= limit
    }

    /// Forgets what has expired and, if that is not enough, whoever is far from the limit: those are counted from the
    /// start again, while those that this is about are still known.
    fn make_room(&mut self, limit: u32, now: Instant) {
        let lifetime = self.lifetime;
        self.tallies.retain(|_, tally| now.saturating_duration_since(tally.since) < lifetime);
        if self.tallies.len() >= MAX_ENTRIES {
            self.tallies.retain(|_, tally| tally.count > limit / 2);
        }
        if self.tallies.len() >= MAX_ENTRIES {
            self.tallies.clear();
        }
    }
}

/// What all clients together count, so that a new connection does not start from zero.
#[derive(Debug)]
pub(super) struct PairLimits {
    secret: RandomState,
    offers: Mutex<Tallies>,
    candidates: Mutex<Tallies>,
}

impl Default for PairLimits {
    fn default() -> Self {
        Self {
            secret: RandomState::new(),
            offers: Mutex::new(Tallies::new(MINUTE)),
            candidates: Mutex::new(Tallies::new(SESSION)),
        }
    }
}

impl PairLimits {
    /// One more offer `from` one agent `to` another. False: beyond `limit` in a minute.
    pub(super) fn offer(&self, from: &str, to: &str, limit: u32, now: Instant) -> bool {
        let key = self.secret.hash_one((from, to));
        lock(&self.offers).count(key, limit, now)
    }

    /// Whether `from` has made `to` an offer within the last minute, as far as that is known.
    pub(super) fn has_offered(&self, from: &str, to: &str, now: Instant) -> bool {
        let key = self.secret.hash_one((from, to));
        let offers = lock(&self.offers);
        offers.tallies.get(&key).is_some_and(|tally| now.saturating_duration_since(tally.since) < MINUTE)
    }

    /// A description starts a session, or its next generation of candidates.
    pub(super) fn described(&self, from: &str, to: &str, session: Option<&str>) {
        let key = self.session(from, to, session);
        lock(&self.candidates).tallies.remove(&key);
    }

    /// One more candidate since the last description. False: beyond `limit`.
    pub(super) fn candidate(
        &self,
        from: &str,
        to: &str,
        session: Option<&str>,
        limit: u32,
        now: Instant,
    ) -> bool {
        let key = self.session(from, to, session);
        lock(&self.candidates).count(key, limit, now)
    }

    fn session(&self, from: &str, to: &str, session: Option<&str>) -> u64 {
        self.secret.hash_one((from, to, session))
    }
}

/// The pause between two searches for waits that are over.
const SWEEP: Duration = Duration::from_secs(1);

/// Who was disconnected for sending too much, so that coming back does not bring a new allowance.
#[derive(Debug, Default)]
pub(super) struct Flooders {
    secret: RandomState,
    waits: Mutex<Waits>,
}

#[derive(Debug, Default)]
struct Waits {
    until: HashMap<u64, Instant>,
    /// When those that are over were last looked for: that costs a pass over all of them.
    swept: Option<Instant>,
}

impl Flooders {
    /// `who`, an agent or a place, has used up its allowance, which `rate` fills again.
    pub(super) fn add<W: Hash + ?Sized>(&self, who: &W, rate: Rate, now: Instant) {
        self.add_for(who, Self::penalty(rate), now);
    }

    /// The time in which `rate` fills an allowance again, within reason.
    pub(super) fn penalty(rate: Rate) -> Duration {
        Duration::from_secs_f64((rate.burst / rate.per_second).clamp(1.0, MINUTE.as_secs_f64()))
    }

    /// As [`add`](Self::add), for a time that another server has said.
    pub(super) fn add_for<W: Hash + ?Sized>(&self, who: &W, time: Duration, now: Instant) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let Waits { until, swept } = &mut *waits;
        let rested = swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP);
        if until.len() >= MAX_ENTRIES && rested {
            *swept = Some(now);
            until.retain(|_, end| *end > now);
        }
        // Still full: more flooders than that have other ways than coming back.
        if until.len() < MAX_ENTRIES {
            until.insert(self.secret.hash_one(who), now + time.min(MINUTE));
        }
    }

    /// How long `who` has to wait still.
    pub(super) fn wait<W: Hash + ?Sized>(&self, who: &W, now: Instant) -> Option<Duration> {
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = waits.until.get(&self.secret.hash_one(who))?.saturating_duration_since(now);
        (!wait.is_zero()).then_some(wait)
    }
}

fn lock(tallies: &Mutex<Tallies>) -> std::sync::MutexGuard<'_, Tallies> {
    tallies.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10.0, burst: 2.0 };

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(RATE, start);
        assert!(bucket.take(RATE, start) && bucket.take(RATE, start) && !bucket.take(RATE, start));
        assert!(bucket.take(RATE, start + Duration::from_millis(100)));
        assert!(!bucket.take(RATE, start + Duration::from_millis(150)));
        let later = start + Duration::from_secs(3600);
        assert!(bucket.take(RATE, later) && bucket.take(RATE, later) && !bucket.take(RATE, later));
    }

    #[test]
    fn whoever_goes_on_after_many_refusals_must_leave() {
        let now = Instant::now();
        let mut limits = ClientLimits::new(RATE, RATE);
        let verdicts: Vec<_> = (0..103).map(|_| limits.frame(RATE, now)).collect();
        assert_eq!(verdicts[..2], [Verdict::Serve; 2]);
        assert_eq!(verdicts[2..102], [Verdict::Refuse; 100]);
        assert_eq!(verdicts[102], Verdict::Disconnect);
        assert_eq!(limits.frame(RATE, now + Duration::from_secs(1)), Verdict::Serve);
    }

    #[test]
    fn whoever_was_disconnected_waits_until_its_allowance_is_full_again() {
        let (flooders, now) = (Flooders::default(), Instant::now());
        let rate = Rate { per_second: 10.0, burst: 50.0 };
        flooders.add("agent://a", rate, now);
        assert_eq!(flooders.wait("agent://b", now), None);
        let half = now + Duration::from_millis(2500);
        assert_eq!(flooders.wait("agent://a", half), Some(Duration::from_millis(2500)));
        assert_eq!(flooders.wait("agent://a", now + Duration::from_secs(5)), None);
        for other in 0..2 * MAX_ENTRIES {
            flooders.add(&other.to_string(), rate, now);
        }
        assert!(flooders.wait("agent://a", half).is_some());
        assert!(flooders.waits.lock().unwrap().until.len() <= MAX_ENTRIES);
    }

    #[test]
    fn a_distrusted_network_has_a_small_burst_and_the_same_rate() {
        let (rate, now) = (Rate { per_second: 1000.0, burst: 5000.0 }, Instant::now());
        let mut limits = ClientLimits::new(rate, rate);
        limits.distrust();
        let served = (0..5000).filter(|_| limits.frame(rate, now) == Verdict::Serve).count();
        assert!((100..=110).contains(&served), "{served}");
        assert_eq!(limits.frame(rate, now + Duration::from_millis(100)), Verdict::Serve);
    }

    #[test]
    fn offers_are_counted_by_pair_and_minute_whoever_carries_them() {
        let (limits, now) = (PairLimits::default(), Instant::now());
        let offer = |from, to, at| limits.offer(from, to, 2, at);
        assert!(offer("a", "b", now) && offer("a", "b", now) && !offer("a", "b", now));
        assert!(offer("b", "a", now) && offer("a", "c", now));
        assert!(limits.has_offered("a", "c", now) && !limits.has_offered("c", "a", now));
        assert!(!limits.has_offered("a", "c", now + MINUTE));
        assert!(offer("a", "b", now + MINUTE));
    }

    #[test]
    fn a_description_starts_the_count_of_candidates_anew() {
        let (limits, now) = (PairLimits::default(), Instant::now());
        let candidate = |session| limits.candidate("a", "b", session, 1, now);
        assert!(candidate(Some("s")) && !candidate(Some("s")));
        assert!(candidate(Some("t")) && candidate(None));
        limits.described("a", "b", Some("s"));
        assert!(candidate(Some("s")));
    }

    #[test]
    fn a_flood_of_pairs_does_not_make_the_server_forget_those_over_their_limit() {
        let (limits, now) = (PairLimits::default(), Instant::now());
        while limits.offer("flooder", "victim", 3, now) {}
        for other in 0..2 * MAX_ENTRIES {
            limits.offer("flooder", &other.to_string(), 3, now);
        }
        assert!(!limits.offer("flooder", "victim", 3, now));
        assert!(lock(&limits.offers).tallies.len() <= MAX_ENTRIES);
    }
}
