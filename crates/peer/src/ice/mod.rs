//! ICE (RFC 8445, RFC 8838 trickle, RFC 7675 consent).

mod types;

pub use types::{
    CandidateInfo, CandidateKind, IceCandidateError, LocalCandidate, LocalCandidateKind, RelayProtocol,
    ResolveCandidate, SelectedPair,
};
