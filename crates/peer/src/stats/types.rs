//! The dictionaries of the statistics report. Fields have the W3C names in snake case.

use std::time::Duration;

use crate::channels::ChannelId;
use crate::ice::{CandidateKind, RelayProtocol};
use crate::jsep::DtlsRole;
use crate::states::{ChannelState, DtlsState, IceRole, IceState, w3c_enum};

/// `RTCStatsReport`: entries with unique ids.
#[derive(Debug, Clone, Default)]
pub struct StatsReport {
    /// The entries, in a stable order.
    pub entries: Vec<Stats>,
}

/// One entry.
#[derive(Debug, Clone)]
pub enum Stats {
    /// `peer-connection`.
    PeerConnection(PeerConnectionStats),
    /// `transport`.
    Transport(TransportStats),
    /// `candidate-pair`.
    CandidatePair(CandidatePairStats),
    /// `local-candidate`.
    LocalCandidate(CandidateStats),
    /// `remote-candidate`.
    RemoteCandidate(CandidateStats),
    /// `certificate`.
    Certificate(CertificateStats),
    /// `data-channel`.
    DataChannel(DataChannelStats),
}

impl Stats {
    /// `id`.
    pub fn id(&self) -> &str {
        match self {
            Stats::PeerConnection(s) => &s.id,
            Stats::Transport(s) => &s.id,
            Stats::CandidatePair(s) => &s.id,
            Stats::LocalCandidate(s) | Stats::RemoteCandidate(s) => &s.id,
            Stats::Certificate(s) => &s.id,
            Stats::DataChannel(s) => &s.id,
        }
    }

    /// `type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Stats::PeerConnection(_) => "peer-connection",
            Stats::Transport(_) => "transport",
            Stats::CandidatePair(_) => "candidate-pair",
            Stats::LocalCandidate(_) => "local-candidate",
            Stats::RemoteCandidate(_) => "remote-candidate",
            Stats::Certificate(_) => "certificate",
            Stats::DataChannel(_) => "data-channel",
        }
    }
}

/// `RTCPeerConnectionStats`.
#[derive(Debug, Clone)]
pub struct PeerConnectionStats {
    /// Id.
    pub id: String,
    /// Channels that have ever been open.
    pub data_channels_opened: u32,
    /// Channels that have been open and no longer are.
    pub data_channels_closed: u32,
}

/// `RTCTransportStats`, with the figures of SCTP (`RTCSctpTransportStats` of older drafts) as additions.
#[derive(Debug, Clone)]
pub struct TransportStats {
    /// Id.
    pub id: String,
    /// Datagrams sent, without STUN.
    pub packets_sent: u64,
    /// Datagrams received, without STUN.
    pub packets_received: u64,
    /// Payload bytes of those sent.
    pub bytes_sent: u64,
    /// Payload bytes of those received.
    pub bytes_received: u64,
    /// `iceRole`.
    pub ice_role: IceRole,
    /// `iceLocalUsernameFragment`.
    pub ice_local_username_fragment: Option<String>,
    /// `dtlsState`.
    pub dtls_state: DtlsState,
    /// `iceState`.
    pub ice_state: IceState,
    /// `selectedCandidatePairId`.
    pub selected_candidate_pair_id: Option<String>,
    /// `localCertificateId`.
    pub local_certificate_id: Option<String>,
    /// `remoteCertificateId`.
    pub remote_certificate_id: Option<String>,
    /// `tlsVersion`: four hex digits, `FEFD` for DTLS 1.2 and `FEFC` for 1.3.
    pub tls_version: Option<String>,
    /// `dtlsCipher`, IANA name.
    pub dtls_cipher: Option<String>,
    /// `srtpCipher`, IANA name of the protection profile.
    pub srtp_cipher: Option<String>,
    /// `dtlsRole`.
    pub dtls_role: Option<DtlsRole>,
    /// `selectedCandidatePairChanges`.
    pub selected_candidate_pair_changes: u32,
    /// Datagrams that were neither STUN nor DTLS, or did not belong to this connection, and were ignored.
    pub packets_discarded: u64,
    /// SCTP smoothed round-trip time.
    pub sctp_smoothed_round_trip_time: Option<Duration>,
    /// SCTP congestion window in bytes.
    pub sctp_congestion_window: Option<u64>,
    /// Receive window of the peer in bytes.
    pub sctp_receiver_window: Option<u64>,
    /// SCTP path MTU in bytes.
    pub sctp_mtu: Option<u64>,
    /// SCTP bytes sent and not acknowledged.
    pub sctp_unacked_data: Option<u64>,
}

w3c_enum! {
    /// `RTCStatsIceCandidatePairState`.
    CandidatePairState {
        /// No check was sent yet.
        Waiting => "waiting",
        /// A check is under way.
        InProgress => "in-progress",
        /// Checks are given up.
        Failed => "failed",
        /// A check was answered.
        Succeeded => "succeeded",
    }
}

/// `RTCIceCandidatePairStats`.
#[derive(Debug, Clone)]
pub struct CandidatePairStats {
    /// Id.
    pub id: String,
    /// `transportId`.
    pub transport_id: String,
    /// `localCandidateId`.
    pub local_candidate_id: String,
    /// `remoteCandidateId`.
    pub remote_candidate_id: String,
    /// State.
    pub state: CandidatePairState,
    /// The pair is, or was, the selected one.
    pub nominated: bool,
    /// Datagrams sent, without STUN.
    pub packets_sent: u64,
    /// Datagrams received, without STUN.
    pub packets_received: u64,
    /// Bytes of those sent.
    pub bytes_sent: u64,
    /// Bytes of those received.
    pub bytes_received: u64,
    /// How long ago the last datagram was sent.
    pub last_packet_sent: Option<Duration>,
    /// How long ago the last datagram was received.
    pub last_packet_received: Option<Duration>,
    /// `totalRoundTripTime`.
    pub total_round_trip_time: Duration,
    /// `currentRoundTripTime`.
    pub current_round_trip_time: Option<Duration>,
    /// `availableOutgoingBitrate`: bit/s that media may take, by the other side's feedback. Of the selected pair only.
    pub available_outgoing_bitrate: Option<u64>,
    /// Checks received.
    pub requests_received: u64,
    /// Checks sent.
    pub requests_sent: u64,
    /// Answers received.
    pub responses_received: u64,
    /// Answers sent.
    pub responses_sent: u64,
    /// Consent checks sent.
    pub consent_requests_sent: u64,
}

/// `RTCIceCandidateStats`.
#[derive(Debug, Clone)]
pub struct CandidateStats {
    /// Id.
    pub id: String,
    /// `transportId`.
    pub transport_id: String,
    /// IP address; `None` for a peer-reflexive candidate that was never signaled: it is not known to the application.
    pub address: Option<String>,
    /// Port.
    pub port: u16,
    /// `udp` or `tcp`.
    pub protocol: &'static str,
    /// `tcpType`, over TCP.
    pub tcp_type: Option<&'static str>,
    /// `candidateType`.
    pub candidate_type: CandidateKind,
    /// Priority.
    pub priority: u32,
    /// Server it came from (local candidates).
    pub url: Option<String>,
    /// Transport to the TURN server (local relayed candidates).
    pub relay_protocol: Option<RelayProtocol>,
    /// Foundation.
    pub foundation: String,
    /// `relatedAddress`.
    pub related_address: Option<String>,
    /// `relatedPort`.
    pub related_port: Option<u16>,
    /// `usernameFragment`.
    pub username_fragment: String,
}

/// `RTCCertificateStats`.
#[derive(Debug, Clone)]
pub struct CertificateStats {
    /// Id.
    pub id: String,
    /// Upper-case hex with colons.
    pub fingerprint: String,
    /// Hash, such as `sha-256`.
    pub fingerprint_algorithm: String,
    /// DER, in base64.
    pub base64_certificate: String,
}

/// `RTCDataChannelStats`.
#[derive(Debug, Clone)]
pub struct DataChannelStats {
    /// Id.
    pub id: String,
    /// Our handle.
    pub channel: ChannelId,
    /// Label.
    pub label: String,
    /// Protocol.
    pub protocol: String,
    /// `dataChannelIdentifier`.
    pub data_channel_identifier: Option<u16>,
    /// State.
    pub state: ChannelState,
    /// Messages sent.
    pub messages_sent: u64,
    /// Payload bytes sent.
    pub bytes_sent: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Payload bytes received.
    pub bytes_received: u64,
}
