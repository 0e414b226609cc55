//! Offer and answer (RFC 9429 and W3C WebRTC) for a connection that carries data only.

mod session;
mod types;

pub use session::Session;
pub use types::{
    CandidateInit, CandidatePlace, Change, DtlsRole, IceParameters, RemoteCandidate, SdpType, SessionConfig,
    SessionDescription, SignalingState, TransportParameters,
};
