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
//! A section for RTP that is offered in one BUNDLE group with the data section stays in it, `a=inactive` and with one codec: the
//! first section of a group carries the transport of all and can't be rejected without them (RFC 9143, section 7.3.3). All other
//! sections that are not for data are rejected in our answers and stay, rejected, in all later descriptions.
//!
//! ```
//! use ossa_peer::jsep::{IceParameters, SdpType, Session, SessionConfig};
//! use ossa_peer::sdp::Fingerprint;
//!
//! # fn main() -> Result<(), ossa_peer::error::Error> {
//! let session = |id| {
//!     Session::new(SessionConfig {
//!         fingerprints: vec![Fingerprint { algorithm: "sha-256".into(), value: vec![id; 32] }],
//!         max_message_size: 262_144,
//!         sctp_port: 5000,
//!         sctp_init: None,
//!         session_id: id.into(),
//!         always_negotiate: false,
//!         media: None,
//!     })
//! };
//! // Random in earnest: 24 bits of it in the fragment and 128 in the password are the minimum.
//! let credentials = |ufrag: &str| IceParameters {
//!     ufrag: ufrag.into(),
//!     pwd: format!("{ufrag}/twenty/two/characters"),
//!     ice_lite: false,
//! };
//! let (mut alice, mut bob) = (session(1), session(2));
//! alice.add_data_channel();
//! assert!(alice.negotiation_needed());
//!
//! let offer = alice.create_offer(false, credentials("alice"))?;
//! let change = alice.set_local(SdpType::Offer, &offer)?;
//! assert!(change.gather.is_some());
//!
//! bob.set_remote(SdpType::Offer, &offer)?;
//! let answer = bob.create_answer(credentials("bob1"))?;
//! let change = bob.set_local(SdpType::Answer, &answer)?;
//! assert!(change.gather.is_some() && change.transport.is_some());
//!
//! let change = alice.set_remote(SdpType::Answer, &answer)?;
//! assert_eq!(change.remote_ice.map(|ice| ice.ufrag).as_deref(), Some("bob1"));
//! # Ok(())
//! # }
//! ```

mod apply;
mod candidates;
mod check;
mod create;
mod layout;
mod local;
mod media;
mod remote;
mod session;
#[cfg(test)]
mod tests;
mod types;

pub use media::{
    CodecCapability, EncodingInit, MediaCapabilities, MediaConfig, ReceiveParameters, SectionParameters,
    SendParameters, TrackChange, Transceiver, TransceiverId, TransceiverInit,
};
pub use session::Session;
pub use types::{
    CandidateInit, CandidatePlace, Change, DataParameters, DtlsRole, IceParameters, RemoteCandidate, SdpType,
    SessionConfig, SessionDescription, SignalingState, TransportParameters,
};
