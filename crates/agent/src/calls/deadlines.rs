//! Calls by the time at which something is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The place of a deadline among the others.
pub(crate) type Key = (Instant, u64);

/// Deadlines of calls, the nearest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// The number makes equal deadlines different, and keeps their order.
    calls: BTreeMap<Key, Arc<str>>,
    next: u64,
}

impl Deadlines {
    /// Adds a deadline `wait` from `now`.
    pub(crate) fn add(&mut self, call: Arc<str>, now: Instant, wait: Duration) -> Key {
        // A time too long for the clock is one that nobody will see: a year stands for it.
        let at = now.checked_add(wait).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600));
        let key = (at, self.next);
        self.next += 1;
        self.calls.insert(key, call);
        key
    }

    pub(crate) fn remove(&mut self, key: Option<Key>) {
        if let Some(key) = key {
            self.calls.remove(&key);
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.calls.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Removes one call whose time has come.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Arc<str>> {
        if self.next()? > now {
            return None;
        }
        self.calls.pop_first().map(|(_, call)| call)
    }

    /// Removes everything; the nearest deadline comes first.
    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }
}
