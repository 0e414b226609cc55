//! Calls that wait for their response, and their deadlines.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// The calls that this side has made and that are not answered yet.
#[derive(Debug)]
pub(crate) struct Calls {
    /// The key of `by_deadline` for each id.
    pending: HashMap<Arc<str>, (Instant, u64)>,
    /// The number makes calls with the same deadline different, and keeps their order.
    by_deadline: BTreeMap<(Instant, u64), Arc<str>>,
    next: u64,
    limit: usize,
}

impl Calls {
    pub(crate) fn new(limit: usize) -> Self {
        Self { pending: HashMap::new(), by_deadline: BTreeMap::new(), next: 0, limit }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= self.limit
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Starts to wait for the response to `id`.
    pub(crate) fn insert(&mut self, id: &str, deadline: Instant) {
        let id: Arc<str> = id.into();
        let key = (deadline, self.next);
        self.next += 1;
        self.by_deadline.insert(key, id.clone());
        self.pending.insert(id, key);
    }

    /// Stops waiting for `id`; false if nobody did.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let Some(key) = self.pending.remove(id) else { return false };
        self.by_deadline.remove(&key);
        true
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.by_deadline.first_key_value().map(|(&(deadline, _), _)| deadline)
    }

    /// Removes one call whose deadline has come.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Arc<str>> {
        if self.next_deadline()? > now {
            return None;
        }
        let (_, id) = self.by_deadline.pop_first()?;
        self.pending.remove(&id);
        Some(id)
    }

    /// Removes every call, those with the nearest deadline first.
    pub(crate) fn clear(&mut self) -> Vec<Arc<str>> {
        self.pending.clear();
        std::mem::take(&mut self.by_deadline).into_values().collect()
    }
}
