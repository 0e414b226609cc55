//! The vocabulary of a negotiation.

use ossa_sctp::InitChunk;

use super::media::{MediaConfig, TrackChange};
use crate::sdp::{Candidate, Fingerprint};

/// Kind of a description (`RTCSdpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdpType {
    /// Proposes a session.
    Offer,
    /// Answers an offer for the time being.
    Pranswer,
    /// Answers an offer for good.
    Answer,
    /// Withdraws a pending offer; carries no text.
    Rollback,
}

impl SdpType {
    /// The W3C name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        }
    }
}

/// A description with its kind (`RTCSessionDescription`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    /// Offer, pranswer or answer.
    pub kind: SdpType,
    /// The text.
    pub sdp: String,
}

/// How far a round of offer and answer has come (`RTCSignalingState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignalingState {
    /// No round is under way.
    Stable,
    /// Our offer waits for its answer.
    HaveLocalOffer,
    /// The peer's offer waits for our answer.
    HaveRemoteOffer,
    /// We have answered provisionally.
    HaveLocalPranswer,
    /// The peer has answered provisionally.
    HaveRemotePranswer,
    /// The connection was closed.
    Closed,
}

impl SignalingState {
    /// The W3C name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::HaveLocalOffer => "have-local-offer",
            Self::HaveRemoteOffer => "have-remote-offer",
            Self::HaveLocalPranswer => "have-local-pranswer",
            Self::HaveRemotePranswer => "have-remote-pranswer",
            Self::Closed => "closed",
        }
    }
}

/// ICE credentials of one side and one generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IceParameters {
    /// Username fragment: 4 to 256 ICE characters.
    pub ufrag: String,
    /// Password: 22 to 256 ICE characters.
    pub pwd: String,
    /// The side is a lite implementation (RFC 8445, section 2.5). Without checks of its own it never controls.
    pub ice_lite: bool,
}

/// Who opens the DTLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DtlsRole {
    /// Sends the ClientHello (`a=setup:active`).
    Client,
    /// Waits for it (`a=setup:passive`).
    Server,
}

impl DtlsRole {
    /// The W3C name (`RTCDtlsRole`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The role of the other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// What a [`Session`](super::Session) needs to know from the start.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Of our certificate, one or more; written into every description.
    pub fingerprints: Vec<Fingerprint>,
    /// Longest message we take, in bytes; 0 for no limit (RFC 8841, section 6).
    pub max_message_size: u64,
    /// Our SCTP port, usually 5000.
    pub sctp_port: u16,
    /// SCTP's INIT, for the descriptions; `None`: the association is set up by a handshake.
    pub sctp_init: Option<InitChunk>,
    /// Random, below 2^63 (RFC 9429, section 5.2.1).
    pub session_id: u64,
    /// Offer a data section even without a data channel (`alwaysNegotiateDataChannels`).
    pub always_negotiate: bool,
    /// Negotiate audio and video as well.
    pub media: Option<MediaConfig>,
}

/// Both sides are known: how the transport has to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportParameters {
    /// Our role in DTLS.
    pub dtls_role: DtlsRole,
    /// Whether we choose the pair (RFC 8445, section 6.1.1). A lite peer is always controlled.
    pub ice_controlling: bool,
    /// The peer's certificate has to match one of these. Never empty.
    pub remote_fingerprints: Vec<Fingerprint>,
    /// What the association needs to know, if there is a data section.
    pub data: Option<DataParameters>,
}

/// What the peer says about the association.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataParameters {
    /// SCTP port of the peer.
    pub remote_sctp_port: u16,
    /// Longest message the peer takes, in bytes; 0 for no limit; 65536 if the peer does not say.
    pub remote_max_message_size: u64,
    /// Largest SCTP packet the peer takes, in bytes, if it says so: only then may larger ones than usual be tried.
    pub remote_max_packet: Option<u32>,
    /// The peer's INIT, when it was agreed that the association goes without a handshake.
    pub remote_sctp_init: Option<InitChunk>,
    /// The section has the old form `DTLS/SCTP 5000` with `a=sctpmap`.
    pub legacy: bool,
}

/// What the transport has to do after a description was set, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// A pending offer was withdrawn, by `rollback` or because the peer's offer took its place.
    pub rolled_back: bool,
    /// After a rollback of an ICE restart: the local credentials that are in force again.
    pub restored_ice: Option<IceParameters>,
    /// There is no data section any more: the association is to be dropped, with its channels unless `rolled_back`
    /// (the first offer was withdrawn: the channels wait for the next one).
    pub data_section_removed: bool,
    /// There is no section in use any more: the transport is to be dropped.
    pub transport_removed: bool,
    /// Gather candidates with these local credentials (anew).
    pub gather: Option<IceParameters>,
    /// The peer's credentials, when they are new to the transport.
    pub remote_ice: Option<IceParameters>,
    /// `remote_ice` replaces other credentials: the peer has restarted ICE.
    pub remote_ice_restarted: bool,
    /// The peer's candidates of this generation that the transport has not been given yet.
    pub remote_candidates: Vec<Candidate>,
    /// The peer has no further candidates.
    pub remote_end_of_candidates: bool,
    /// Both sides are known: start, or go on with these parameters.
    pub transport: Option<TransportParameters>,
    /// What [`Session::media_parameters`](super::Session::media_parameters) says may have changed.
    pub media: bool,
    /// What has become of tracks that are received.
    pub tracks: Vec<TrackChange>,
}

/// Argument of `addIceCandidate` (`RTCIceCandidateInit`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CandidateInit {
    /// The candidate-attribute; empty for the end of candidates.
    pub candidate: String,
    /// Mid of the section it belongs to.
    pub sdp_mid: Option<String>,
    /// Index of the section it belongs to; looked at if there is no mid.
    pub sdp_m_line_index: Option<u16>,
    /// ICE generation it belongs to.
    pub username_fragment: Option<String>,
}

/// What became of a remote candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteCandidate {
    /// Give it to the transport now.
    Add(Candidate),
    /// The peer has no further candidates in the running generation.
    EndOfCandidates,
    /// Kept: it comes with the [`Change`] of the answer that its offer waits for.
    Kept,
    /// Nothing to do, and why.
    Ignored(&'static str),
}

/// Section to which a local candidate belongs, for `RTCIceCandidate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidatePlace {
    /// Its mid.
    pub mid: String,
    /// Its index.
    pub m_line_index: u16,
}
