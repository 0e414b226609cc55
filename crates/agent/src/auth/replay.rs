//! Tokens that were used, until they expire: each counts once.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use super::Refusal;

/// Remembers (`iss`, `jti`) until the token has expired.
///
/// At its bound it refuses what is new rather than forget what is old: a forgotten token could be used again.
#[derive(Debug)]
pub struct ReplayCache {
    capacity: usize,
    used: HashSet<Arc<str>>,
    /// Earliest expiry first, in milliseconds since the Unix epoch.
    expiries: BinaryHeap<Reverse<(u64, Arc<str>)>>,
}

impl ReplayCache {
    /// A cache for at most `capacity` tokens that have not expired. Each takes at most 1.1 KiB.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, used: HashSet::new(), expiries: BinaryHeap::new() }
    }

    /// Remembers a token until `expiry`; refuses one that is there, and everything when there is no room.
    pub fn insert(&mut self, iss: &str, jti: &str, expiry: u64, unix_ms: u64) -> Result<(), Refusal> {
        while let Some(Reverse((until, _))) = self.expiries.peek()
            && *until <= unix_ms
        {
            if let Some(Reverse((_, name))) = self.expiries.pop() {
                self.used.remove(&name);
            }
        }
        // An agent URI has no space, so no two pairs are written alike.
        let name: Arc<str> = format!("{iss} {jti}").into();
        if self.used.contains(&name) {
            return Err(Refusal::Replayed);
        }
        if self.used.len() >= self.capacity {
            return Err(Refusal::ReplayCacheFull);
        }
        self.used.insert(name.clone());
        self.expiries.push(Reverse((expiry, name)));
        Ok(())
    }

    /// Tokens that are remembered.
    pub fn len(&self) -> usize {
        self.used.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.used.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_once_per_issuer_until_it_has_expired() {
        let mut cache = ReplayCache::new(10);
        assert_eq!(cache.insert("agent://a", "1", 100, 0), Ok(()));
        assert_eq!(cache.insert("agent://a", "1", 100, 99), Err(Refusal::Replayed));
        assert_eq!(cache.insert("agent://b", "1", 100, 99), Ok(()));
        assert_eq!(cache.insert("agent://a", "1", 200, 100), Ok(()));
    }

    #[test]
    fn a_full_cache_refuses_the_new_and_still_knows_the_old() {
        let mut cache = ReplayCache::new(2);
        for jti in ["1", "2"] {
            cache.insert("agent://a", jti, 100, 0).unwrap();
        }
        assert_eq!(cache.insert("agent://a", "3", 300, 50), Err(Refusal::ReplayCacheFull));
        assert_eq!(cache.insert("agent://a", "1", 100, 50), Err(Refusal::Replayed));
        // Room comes back as the old ones expire.
        assert_eq!(cache.insert("agent://a", "3", 300, 100), Ok(()));
        assert_eq!(cache.len(), 1);
    }
}
