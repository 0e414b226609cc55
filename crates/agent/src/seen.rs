//! The window in which duplicates of a message are recognised.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// The ids of the last messages, oldest first.
#[derive(Debug)]
pub(crate) struct Seen {
    ids: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
    limit: usize,
}

impl Seen {
    /// Remembers `limit` ids.
    pub(crate) fn new(limit: usize) -> Self {
        Self { ids: HashSet::new(), order: VecDeque::new(), limit }
    }

    /// Remembers `id`; false if it is in the window already.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        if self.limit == 0 {
            return true;
        }
        let id: Arc<str> = id.into();
        if !self.ids.insert(id.clone()) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_duplicate_until_the_window_has_moved_past_it() {
        let mut seen = Seen::new(2);
        assert!(seen.insert("a"));
        assert!(!seen.insert("a"));
        assert!(seen.insert("b"));
        assert!(seen.insert("c"));
        assert!(seen.insert("a"));
        assert!(!seen.insert("c"));
        assert_eq!(seen.ids.len(), 2);
    }
}
