//! What a peer remembers of the machine's addresses, to follow it from network to network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::interfaces::LocalAddress;

/// How old the list of addresses may be when nothing seems to have happened.
pub(crate) const USUAL: Duration = Duration::from_secs(2);

/// What a peer has seen of the machine's addresses.
#[derive(Default)]
pub(crate) struct Roaming {
    /// Host candidates have been gathered.
    pub(crate) enabled: bool,
    pub(crate) looked: Option<Instant>,
    /// Looks in a row that found an address which could not be opened.
    pub(crate) failed: u32,
    pub(crate) seen: Option<Arc<[LocalAddress]>>,
}

impl Roaming {
    /// Without any socket nothing else would wake the driver.
    pub(crate) fn deadline(&self, has_sockets: bool) -> Option<Instant> {
        self.looked.filter(|_| self.enabled && !has_sockets)?.checked_add(USUAL)
    }
}
