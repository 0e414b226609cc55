//! ICE (RFC 8445, RFC 8838 trickle, RFC 7675 consent).

mod agent;
mod anew;
mod describe;
mod drive;
mod embedding;
mod follow;
mod generation;
mod pairs;
mod path;
mod ports;
mod remotes;
mod rewrite;
mod state;
#[cfg(test)]
mod tests;
mod transport;
mod types;
mod username;
mod watch;

pub(crate) use describe::is_reachable;
pub(crate) use pairs::Pair;
pub(crate) use path::Path;
pub(crate) use state::next_change;
pub(crate) use transport::{IceTransport, Route};
pub use types::{
    CandidateInfo, CandidateKind, Fault, IceCandidateError, LocalCandidate, LocalCandidateKind,
    RelayProtocol, ResolveCandidate, SelectedPair,
};
