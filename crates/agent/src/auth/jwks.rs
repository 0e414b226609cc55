//! Published key sets (JWKS, RFC 7517): what to keep, and when to fetch. The fetching itself is the caller's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ossa_signaling::{AgentUri, Rate, RateLimiter};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{PublicKey, Refusal};

/// Bounds and times of a [`JwksCache`].
#[derive(Debug, Clone, Copy)]
pub struct JwksConfig {
    /// How long a set is used; a key that was withdrawn is refused after that. Default: 5 minutes.
    pub max_age: Duration,
    /// The pause between two attempts to fetch the same set, so that made-up `kid`s cannot make us flood its server.
    /// Default: 30 s.
    pub cool_down: Duration,
    /// Sets that are kept. Default: 256; the one that was fetched longest ago goes first.
    pub max_sets: usize,
    /// Keys in one set; larger sets are refused. Default: 256.
    pub max_keys: usize,
    /// How often sets are fetched at all. Default: 100 at once, 10 per second in the long run.
    pub fetches: Rate,
}

impl Default for JwksConfig {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(300),
            cool_down: Duration::from_secs(30),
            max_sets: 256,
            max_keys: 256,
            fetches: Rate { burst: 100.0, per_second: 10.0 },
        }
    }
}

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// These are the sender's keys with that `kid`.
    Found(Vec<PublicKey>),
    /// The set has to be fetched first: then call [`JwksCache::store`] or nothing, and look again. The cool-down has begun.
    Fetch,
    /// It is not there, and it is too early to fetch again.
    Refused(Refusal),
}

/// Key sets by URL.
#[derive(Debug)]
pub struct JwksCache {
    config: JwksConfig,
    sets: HashMap<Box<str>, Set>,
    fetches: RateLimiter,
}

#[derive(Debug)]
struct Set {
    keys: Vec<Published>,
    /// When the keys came; None if they never did.
    stored: Option<Instant>,
    /// When they were last asked for.
    asked: Instant,
}

#[derive(Debug)]
struct Published {
    kid: String,
    agent: Option<AgentUri>,
    key: PublicKey,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// What is read besides the key itself.
#[derive(Deserialize)]
struct Labels {
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "agentId")]
    agent_id: Option<String>,
}

impl JwksCache {
    /// An empty cache.
    pub fn new(config: JwksConfig) -> Self {
        // One name: the limit is for all sets together.
        Self { config, sets: HashMap::new(), fetches: RateLimiter::new(config.fetches, 1) }
    }

    /// The keys of `from` named `kid` in the set at `url`.
    ///
    /// A set that is `shared` by many agents must say whose each key is, or everyone in it could speak for everyone else: by
    /// a member `agentId`, or by a `kid` that is the agent's URI, alone or followed by `#` and a name. In a set that is
    /// one agent's own, keys without such a label count as well.
    pub fn lookup(&mut self, url: &str, from: &AgentUri, kid: &str, shared: bool, now: Instant) -> Lookup {
        let JwksConfig { max_age, cool_down, .. } = self.config;
        let set = self.sets.get_mut(url);
        let fresh =
            |set: &Set| set.stored.is_some_and(|stored| now.saturating_duration_since(stored) < max_age);
        let mut reason = Refusal::KeySetUnavailable;
        if let Some(set) = &set
            && fresh(set)
        {
            let owned = |key: &&Published| key.kid == kid && key.belongs_to(from, shared);
            let keys: Vec<_> = set.keys.iter().filter(owned).map(|key| key.key.clone()).collect();
            if !keys.is_empty() {
                return Lookup::Found(keys);
            }
            reason = Refusal::KeyUnknown;
        }
        if set.as_ref().is_some_and(|set| now.saturating_duration_since(set.asked) < cool_down) {
            return Lookup::Refused(reason);
        }
        if !self.fetches.take("", now) {
            return Lookup::Refused(Refusal::KeySetLimited);
        }
        match set {
            Some(set) => set.asked = now,
            None => {
                self.make_room();
                self.sets.insert(url.into(), Set { keys: Vec::new(), stored: None, asked: now });
            }
        }
        Lookup::Fetch
    }

    /// Takes what was fetched from `url`; replaces what was there. False: it is not a key set, or too large a one.
    /// Keys of kinds that are not supported, without a `kid`, or for other purposes than signatures are left out.
    pub fn store(&mut self, url: &str, body: &str, now: Instant) -> bool {
        let Some(set) = self.sets.get_mut(url) else { return false };
        let Ok(document) = serde_json::from_str::<Document<'_>>(body) else { return false };
        if document.keys.len() > self.config.max_keys {
            return false;
        }
        set.keys = document.keys.into_iter().filter_map(|key| Published::parse(key.get())).collect();
        set.stored = Some(now);
        true
    }

    /// Sets that are kept.
    pub fn sets(&self) -> usize {
        self.sets.len()
    }

    fn make_room(&mut self) {
        if self.sets.len() < self.config.max_sets {
            return;
        }
        let oldest = self.sets.iter().min_by_key(|(_, set)| set.asked).map(|(url, _)| url.clone());
        if let Some(url) = oldest {
            self.sets.remove(&url);
        }
    }
}

impl Published {
    fn parse(json: &str) -> Option<Self> {
        let Labels { kid, agent_id } = serde_json::from_str(json).ok()?;
        // A label that cannot be read must not turn into none.
        let agent = agent_id.map(|agent| AgentUri::parse(&agent)).transpose().ok()?;
        Some(Self { kid: kid?, agent, key: PublicKey::parse(json).ok()? })
    }

    fn belongs_to(&self, from: &AgentUri, shared: bool) -> bool {
        if let Some(agent) = &self.agent {
            return agent == from;
        }
        if self.kid.starts_with("agent://") {
            let agent = self.kid.split_once('#').map_or(self.kid.as_str(), |(agent, _)| agent);
            return AgentUri::parse(agent).is_ok_and(|agent| agent == *from);
        }
        !shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::epoch;

    const URL: &str = "https://keys.example/set";

    fn agent(name: &str) -> AgentUri {
        format!("agent://{name}").parse().unwrap()
    }

    /// A key whose bytes do not matter here, with further members.
    fn jwk(byte: u8, members: &str) -> String {
        let x = "AQID".repeat(10) + "AQ" + ["A", "Q", "g", "w"][usize::from(byte % 4)];
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}",{members}}}"#)
    }

    fn set(keys: &[String]) -> String {
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    fn found(lookup: Lookup) -> bool {
        matches!(lookup, Lookup::Found(_))
    }

    #[test]
    fn a_set_is_fetched_once_and_used_until_it_is_too_old() {
        let (now, mut cache, a) = (epoch(), JwksCache::new(JwksConfig::default()), agent("a"));
        assert_eq!(cache.lookup(URL, &a, "1", false, now), Lookup::Fetch);
        assert!(cache.store(URL, &set(&[jwk(0, r#""kid":"1""#)]), now));
        let later = now + Duration::from_secs(299);
        assert!(found(cache.lookup(URL, &a, "1", false, later)));
        // A withdrawn key must not live on because its server cannot be reached.
        let too_late = now + Duration::from_secs(300);
        assert_eq!(cache.lookup(URL, &a, "1", false, too_late), Lookup::Fetch);
        assert_eq!(cache.lookup(URL, &a, "1", false, too_late), Lookup::Refused(Refusal::KeySetUnavailable));
    }

    #[test]
    fn a_flood_of_unknown_kids_fetches_once_per_cool_down() {
        let (now, mut cache, a) = (epoch(), JwksCache::new(JwksConfig::default()), agent("a"));
        cache.lookup(URL, &a, "1", false, now);
        cache.store(URL, &set(&[jwk(0, r#""kid":"1""#)]), now);
        let mut fetches = 0;
        for number in 0..60_000u32 {
            let at = now + Duration::from_millis(number.into());
            match cache.lookup(URL, &a, &format!("made-up {number}"), false, at) {
                Lookup::Fetch => fetches += 1,
                other => assert_eq!(other, Lookup::Refused(Refusal::KeyUnknown)),
            }
        }
        assert_eq!((fetches, cache.sets()), (1, 1));
    }

    #[test]
    fn made_up_urls_neither_take_memory_nor_cause_requests_without_bound() {
        let (now, mut cache, a) = (epoch(), JwksCache::new(JwksConfig::default()), agent("a"));
        let fetches = (0..10_000)
            .filter(|number| cache.lookup(&format!("{URL}/{number}"), &a, "1", false, now) == Lookup::Fetch)
            .count();
        assert_eq!((fetches, cache.sets()), (100, 100));
        assert_eq!(cache.lookup("new", &a, "1", false, now), Lookup::Refused(Refusal::KeySetLimited));
        let hours_later = (0..1000).filter(|second| {
            let at = now + Duration::from_secs(3600 + second);
            cache.lookup(&format!("{URL}/later/{second}"), &a, "1", false, at) == Lookup::Fetch
        });
        assert_eq!((hours_later.count(), cache.sets()), (1000, 256));
    }

    #[test]
    fn in_a_shared_set_nobody_speaks_for_another_agent() {
        let (now, mut cache) = (epoch(), JwksCache::new(JwksConfig::default()));
        cache.lookup(URL, &agent("a"), "1", true, now);
        cache.store(
            URL,
            &set(&[
                jwk(0, r#""kid":"1","agentId":"agent://a""#),
                jwk(1, r#""kid":"agent://b#key""#),
                jwk(2, r#""kid":"nobody's""#),
                jwk(3, r#""kid":"broken","agentId":"a""#),
            ]),
            now,
        );
        let mut lookup = |from, kid, shared| found(cache.lookup(URL, &agent(from), kid, shared, now));
        assert!(lookup("a", "1", true) && lookup("b", "agent://b#key", true));
        assert!(
            !lookup("b", "1", true) && !lookup("a", "agent://b#key", true) && !lookup("a", "nobody's", true)
        );
        // In a set of its own, what carries no name is the agent's; another's name stays another's.
        assert!(lookup("a", "nobody's", false));
        assert!(!lookup("a", "agent://b#key", false) && !lookup("a", "broken", false));
    }

    #[test]
    fn what_is_not_a_key_set_or_too_large_a_one_is_refused() {
        let (now, mut cache, a) = (epoch(), JwksCache::new(JwksConfig::default()), agent("a"));
        cache.lookup(URL, &a, "1", false, now);
        for body in ["", "[]", "{}", r#"{"keys":7}"#, &set(&vec![jwk(0, r#""kid":"1""#); 257])] {
            assert!(!cache.store(URL, body, now));
        }
        // Unknown kinds of keys do not spoil the others.
        let mixed =
            [r#"{"kty":"oct","k":"AAAA","kid":"1"}"#.to_owned(), "7".to_owned(), jwk(0, r#""kid":"2""#)];
        assert!(cache.store(URL, &set(&mixed), now));
        assert!(found(cache.lookup(URL, &a, "2", false, now)));
        assert_eq!(cache.lookup(URL, &a, "1", false, now), Lookup::Refused(Refusal::KeyUnknown));
    }
}
