//! What is remembered of the pair in use, to find out that it has died.

use std::time::Instant;

/// What is watched of the pair in use.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The pair, and how many datagrams had come on it when it was last found alive or suspected.
    pub(super) seen: Option<(u32, u64)>,
    /// Checks are sent often until then.
    pub(super) until: Option<Instant>,
}
