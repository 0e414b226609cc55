//! Session descriptions as text (RFC 8866), as far as data channels need them.

mod candidate;
mod fingerprint;

pub use candidate::{Candidate, CandidateAddress, CandidateProtocol, CandidateType, TcpType};
pub use fingerprint::Fingerprint;
