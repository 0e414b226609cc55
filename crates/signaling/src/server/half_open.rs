//! Connections that have not said yet what they want.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::task::AbortHandle;

/// Connections without a whole request so far, oldest first. When there are too many the oldest must go: an honest client
/// needs some milliseconds, so the oldest is the least likely to be one.
#[derive(Debug, Default)]
pub(super) struct HalfOpen(Mutex<BTreeMap<u64, Option<AbortHandle>>>);

impl HalfOpen {
    /// Before the task of connection `id` is started. Returns whether another one had to go.
    pub(super) fn enter(&self, id: u64, limit: usize) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(id, None);
        if open.len() <= limit {
            return false;
        }
        if let Some((_, Some(task))) = open.pop_first() {
            task.abort();
        }
        true
    }

    /// The task of connection `id`, which may have come beyond this already.
    pub(super) fn started(&self, id: u64, task: AbortHandle) {
        if let Some(entry) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&id) {
            *entry = Some(task);
        }
    }

    /// Connection `id` has sent a request, or has gone.
    pub(super) fn done(&self, id: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
