//! The observable state of a connection at one moment.

use bytes::Bytes;

use crate::ice::SelectedPair;
use crate::jsep::{DtlsRole, SessionDescription, SignalingState, Transceiver};
use crate::states::{ConnectionState, DtlsState, GatheringState, IceRole, IceState, SctpState};

/// Everything that the W3C attributes of a connection and its transports show.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// `signalingState`.
    pub signaling_state: SignalingState,
    /// `connectionState`.
    pub connection_state: ConnectionState,
    /// `iceConnectionState`.
    pub ice_connection_state: IceState,
    /// `iceGatheringState`.
    pub ice_gathering_state: GatheringState,
    /// The ICE generation of the newest local description, which events about candidates belong to; 0 without one. After the rollback of a
    /// restart it is the one of before.
    pub ice_generation: u32,
    /// How many descriptions have been set, of either side and of any type.
    pub descriptions: u32,
    /// `currentLocalDescription`, with the candidates found so far.
    pub current_local_description: Option<SessionDescription>,
    /// `pendingLocalDescription`, with the candidates found so far.
    pub pending_local_description: Option<SessionDescription>,
    /// `currentRemoteDescription`, with the candidates added so far.
    pub current_remote_description: Option<SessionDescription>,
    /// `pendingRemoteDescription`, with the candidates added so far.
    pub pending_remote_description: Option<SessionDescription>,
    /// `canTrickleIceCandidates`.
    pub can_trickle_ice_candidates: Option<bool>,
    /// Whether `negotiationneeded` is due.
    pub negotiation_needed: bool,
    /// `getTransceivers()`, without those that are stopped.
    pub transceivers: Vec<Transceiver>,
    /// `RTCSctpTransport`, once a data section has been negotiated.
    pub sctp: Option<SctpSnapshot>,
    /// `RTCDtlsTransport`, once any section has been negotiated.
    pub dtls: Option<DtlsSnapshot>,
    /// `RTCIceTransport`, together with the former.
    pub ice: Option<IceSnapshot>,
}

impl Snapshot {
    /// That of a closed connection of which nothing else is known.
    pub fn closed() -> Self {
        Snapshot {
            signaling_state: SignalingState::Closed,
            connection_state: ConnectionState::Closed,
            ice_connection_state: IceState::Closed,
            ice_gathering_state: GatheringState::New,
            ice_generation: 0,
            descriptions: 0,
            current_local_description: None,
            pending_local_description: None,
            current_remote_description: None,
            pending_remote_description: None,
            can_trickle_ice_candidates: None,
            negotiation_needed: false,
            transceivers: Vec::new(),
            sctp: None,
            dtls: None,
            ice: None,
        }
    }
}

/// `RTCSctpTransport`.
#[derive(Debug, Clone)]
pub struct SctpSnapshot {
    /// State.
    pub state: SctpState,
    /// Largest message that may be sent, in bytes; `None` is no limit.
    pub max_message_size: Option<u64>,
    /// Number of channels that can be open at once, once connected.
    pub max_channels: Option<u16>,
}

/// `RTCDtlsTransport`.
#[derive(Debug, Clone)]
pub struct DtlsSnapshot {
    /// State.
    pub state: DtlsState,
    /// Our role, once both descriptions are known.
    pub role: Option<DtlsRole>,
    /// Certificates of the peer in DER, leaf first.
    pub remote_certificates: Vec<Bytes>,
}

/// `RTCIceTransport`.
#[derive(Debug, Clone)]
pub struct IceSnapshot {
    /// State.
    pub state: IceState,
    /// Gathering state.
    pub gathering_state: GatheringState,
    /// Our role.
    pub role: IceRole,
    /// The pair in use.
    pub selected_pair: Option<SelectedPair>,
}
