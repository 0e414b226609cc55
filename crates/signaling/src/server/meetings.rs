//! Which agents have set up connections to each other, as far as this server has passed their descriptions on. It is no more than
//! that: what becomes of a connection the two alone know.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Pairs of one generation. There are two, of which the older is forgotten when the newer is full: what is kept are the latest
/// 4,096 pairs at least, in about a million bytes with names as they usually are, and eight at most.
const GENERATION: usize = 4096;

/// A meeting is remembered for as long as the history of the rates goes back.
pub(super) const MEMORY: Duration = Duration::from_secs(3600);

/// Two agents of which one has answered an offer of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meeting {
    pub(super) caller: Arc<str>,
    pub(super) callee: Arc<str>,
    pub(super) at: Instant,
}

#[derive(Debug, Default)]
struct Generations {
    new: HashMap<u64, Meeting>,
    old: HashMap<u64, Meeting>,
}

/// The latest meetings, one of each pair.
#[derive(Debug, Default)]
pub(super) struct Meetings {
    /// Names are hashed with it, so that nobody can choose some that collide.
    secret: RandomState,
    generations: Mutex<Generations>,
}

impl Meetings {
    /// `callee` has answered an offer of `caller`.
    pub(super) fn met(&self, caller: &str, callee: &str, now: Instant) {
        let key = self.secret.hash_one((caller.min(callee), caller.max(callee)));
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { new, old } = &mut *generations;
        if let Some(known) = new.get_mut(&key) {
            known.at = now;
            return;
        }
        if new.len() >= GENERATION {
            *old = std::mem::take(new);
        }
        let meeting = old.remove(&key).map_or_else(
            || Meeting { caller: caller.into(), callee: callee.into(), at: now },
            |known| Meeting { at: now, ..known },
        );
        new.insert(key, meeting);
    }

    /// The meetings of the last hour, the latest first.
    pub(super) fn latest(&self, now: Instant) -> Vec<Meeting> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let all = generations.new.values().chain(generations.old.values());
        let mut meetings: Vec<_> =
            all.filter(|meeting| now.saturating_duration_since(meeting.at) < MEMORY).cloned().collect();
        drop(generations);
        meetings.sort_unstable_by(|a, b| b.at.cmp(&a.at).then_with(|| a.caller.cmp(&b.caller)));
        meetings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(meetings: &Meetings, now: Instant) -> Vec<(String, String)> {
        meetings.latest(now).iter().map(|one| (one.caller.to_string(), one.callee.to_string())).collect()
    }

    #[test]
    fn a_pair_is_known_once_whoever_calls_and_is_forgotten_after_an_hour() {
        let (meetings, start) = (Meetings::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        meetings.met("agent://a", "agent://b", start);
        meetings.met("agent://c", "agent://a", at(1));
        meetings.met("agent://b", "agent://a", at(2));
        let (ab, ca) = (("agent://a".into(), "agent://b".into()), ("agent://c".into(), "agent://a".into()));
        assert_eq!(pairs(&meetings, at(3)), [ab, ca.clone()].map(|pair: (String, String)| pair));
        assert_eq!(pairs(&meetings, at(3601)).len(), 1);
        assert!(pairs(&meetings, at(3602)).is_empty());
    }

    #[test]
    fn a_flood_of_pairs_costs_bounded_memory_and_leaves_those_who_meet_still() {
        let (meetings, start) = (Meetings::default(), Instant::now());
        for other in 0..10 * GENERATION {
            let now = start + Duration::from_millis(other as u64);
            meetings.met("agent://flooder", &format!("agent://{other}"), now);
            if other % 1000 == 0 {
                meetings.met("agent://a", "agent://b", now);
            }
        }
        let latest = meetings.latest(start + Duration::from_secs(60));
        assert!((GENERATION..=2 * GENERATION).contains(&latest.len()), "{}", latest.len());
        assert!(latest.iter().any(|meeting| &*meeting.caller == "agent://a"));
    }
}
