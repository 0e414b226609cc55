//! Connections that have not said yet what they want.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tokio::task::AbortHandle;

/// Connections without a whole request so far, by [place](super::place_of) and oldest first. When there are too many, the oldest
/// one of the place that has the most must go: an honest client needs some milliseconds, so the oldest is the least likely to
/// be one, and whoever opens many makes room for its own, not for those of others.
#[derive(Debug, Default)]
pub(super) struct HalfOpen(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    /// No place without connections.
    places: HashMap<IpAddr, BTreeMap<u64, Option<AbortHandle>>>,
    count: usize,
}

impl Open {
    fn take(&mut self, place: IpAddr, id: u64) -> Option<Option<AbortHandle>> {
        let connections = self.places.get_mut(&place)?;
        let taken = connections.remove(&id)?;
        if connections.is_empty() {
            self.places.remove(&place);
        }
        self.count -= 1;
        Some(taken)
    }

    fn weakest(&self) -> Option<(IpAddr, u64)> {
        let oldest = |connections: &BTreeMap<u64, _>| connections.first_key_value().map(|(id, _)| *id);
        let places = self.places.iter().filter_map(|(place, open)| Some((*place, open.len(), oldest(open)?)));
        let (place, _, id) = places.max_by_key(|(_, count, oldest)| (*count, Reverse(*oldest)))?;
        Some((place, id))
    }
}

impl HalfOpen {
    /// Before the task of connection `id` is started. Returns whether one had to go.
    pub(super) fn enter(&self, place: IpAddr, id: u64, limit: usize) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.places.entry(place).or_default().insert(id, None);
        open.count += 1;
        if open.count <= limit {
            return false;
        }
        let weakest = open.weakest().and_then(|(place, id)| open.take(place, id));
        if let Some(Some(task)) = weakest {
            task.abort();
        }
        true
    }

    /// The task of connection `id`, which may have come beyond this already.
    pub(super) fn started(&self, place: IpAddr, id: u64, task: AbortHandle) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = open.places.get_mut(&place).and_then(|connections| connections.get_mut(&id)) {
            *entry = Some(task);
        }
    }

    /// Connection `id` has sent a request, or has gone.
    pub(super) fn done(&self, place: IpAddr, id: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(place, id);
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn is_there(open: &HalfOpen, last: u8, id: u64) -> bool {
        open.0.lock().unwrap().places.get(&place(last)).is_some_and(|there| there.contains_key(&id))
    }

    #[test]
    fn whoever_has_the_most_makes_room_and_the_others_stay() {
        let open = HalfOpen::default();
        assert!(!open.enter(place(1), 0, 3));
        for id in 1..100 {
            assert_eq!(open.enter(place(2), id, 3), id > 2);
        }
        assert!(is_there(&open, 1, 0) && is_there(&open, 2, 98) && is_there(&open, 2, 99));
        assert_eq!(open.len(), 3);
        open.done(place(2), 98);
        open.done(place(2), 98);
        open.done(place(2), 99);
        open.done(place(1), 0);
        assert_eq!(open.len(), 0);
        assert!(open.0.lock().unwrap().places.is_empty());
    }

    #[test]
    fn where_all_have_the_same_the_oldest_goes() {
        let open = HalfOpen::default();
        for id in 0..4 {
            open.enter(place(id), id.into(), 3);
        }
        assert!(!is_there(&open, 0, 0) && is_there(&open, 3, 3));
    }
}
