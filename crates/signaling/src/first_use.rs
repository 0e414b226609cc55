//! Names that belong to whoever proves itself under them first, as the servers of a cluster remember them together.

use std::time::Duration;

use crate::uri::AgentUri;

/// What is to be remembered of a name, and how firmly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstUsePolicy {
    /// This server knows the name as the owner's from before. While the cluster is out of reach only such names are
    /// registered: any other may be somebody else's.
    pub known: bool,
    /// The first use that this server knows of, in milliseconds since 1970. Should servers ever disagree, the earlier counts.
    pub since: u64,
    /// How long the name stays the owner's after its last registration.
    pub retention: Duration,
    /// Names that the cluster remembers at most; beyond it new ones are refused.
    pub capacity: usize,
}

/// A name, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownName {
    /// The name.
    pub agent: AgentUri,
    /// As in [`Identity::owner`](crate::Identity).
    pub owner: String,
    /// As in [`FirstUsePolicy`].
    pub since: u64,
    /// How long it stays the owner's from now on. Not more than `retention`, which it is for one that is registered.
    pub left: Duration,
    /// As in [`FirstUsePolicy`].
    pub retention: Duration,
}
