//! Offer and answer (RFC 9429 and W3C WebRTC) for a connection that carries data only.
//!
//! [`Session`] is the state machine: descriptions go in and come out as text, and each one that is set yields a
//! [`Change`], the list of what the transport has to do. It knows no time, no sockets and no randomness.
//!
//! ```text
//!                  set_local(offer)                      set_remote(offer)
//!             +------------------------ stable -----------------------------+
//!             v                         ^  ^                                v
//!     have-local-offer --- answer ------+  +------ answer ------- have-remote-offer
//!             |  set_remote(pranswer)      |       set_local(pranswer)      |
//!             v                            |                                v
//!     have-remote-pranswer -- answer ------+------ answer ----- have-local-pranswer
//! ```
//!
//! `rollback` leads from the two offer states back to `stable`; a remote offer in `have-local-offer` does the same
//! by itself first. The transport learns about the peer only with an answer: what an offer says can be withdrawn,
//! so its candidates are [kept](RemoteCandidate::Kept) until then.
//!
//! Sections for anything but data are rejected in our answers and stay, rejected, in all later descriptions. If the
//! rejected one is the first of a bundle, the data section takes its place as the carrier of the transport. Firefox
//! follows; Chromium does so except with `bundlePolicy: 'max-bundle'`, where it takes the rejection of the first
//! section for that of the whole bundle: such a page has to put its data section first.

mod apply;
mod candidates;
mod create;
mod layout;
mod local;
mod remote;
mod session;
#[cfg(test)]
mod tests;
mod types;

pub use session::Session;
pub use types::{
    CandidateInit, CandidatePlace, Change, DtlsRole, IceParameters, RemoteCandidate, SdpType, SessionConfig,
    SessionDescription, SignalingState, TransportParameters,
};
