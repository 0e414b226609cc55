//! Statistics as JSON: plain objects with the names of the W3C specification.

use std::time::Duration;

use ossa_peer::stats::{
    CandidatePairStats, CandidateStats, CertificateStats, DataChannelStats, PeerConnectionStats, Stats,
    StatsReport, TransportStats,
};
use ossa_peer::{DtlsRole, RelayProtocol};
use serde_json::{Map, Value, json};

/// The JSON of a report, with what there is to tell of `media`, taken at `timestamp`, in Unix milliseconds. Members without a value are left out, but for an
/// address that the application may not know: that one is null.
pub(crate) fn encode(report: &StatsReport, media: Vec<Value>, timestamp: f64) -> String {
    let mut entries: Vec<Value> = report.entries.iter().map(|entry| encode_entry(entry, timestamp)).collect();
    entries.extend(media);
    Value::Array(entries).to_string()
}

fn encode_entry(entry: &Stats, timestamp: f64) -> Value {
    let members = match entry {
        Stats::PeerConnection(stats) => peer_connection(stats),
        Stats::Transport(stats) => transport(stats),
        Stats::CandidatePair(stats) => candidate_pair(stats, timestamp),
        Stats::LocalCandidate(stats) | Stats::RemoteCandidate(stats) => candidate(stats),
        Stats::Certificate(stats) => certificate(stats),
        Stats::DataChannel(stats) => data_channel(stats),
    };
    let mut object = Map::new();
    object.insert("id".into(), entry.id().into());
    object.insert("timestamp".into(), timestamp.into());
    object.insert("type".into(), entry.type_name().into());
    if let Value::Object(members) = members {
        object.extend(members.into_iter().filter(|(name, value)| !value.is_null() || name == "address"));
    }
    Value::Object(object)
}

fn peer_connection(stats: &PeerConnectionStats) -> Value {
    json!({
        "dataChannelsOpened": stats.data_channels_opened,
        "dataChannelsClosed": stats.data_channels_closed,
    })
}

fn transport(stats: &TransportStats) -> Value {
    json!({
        "packetsSent": stats.packets_sent,
        "packetsReceived": stats.packets_received,
        "bytesSent": stats.bytes_sent,
        "bytesReceived": stats.bytes_received,
        "iceRole": stats.ice_role.as_str(),
        "iceLocalUsernameFragment": stats.ice_local_username_fragment,
        "dtlsState": stats.dtls_state.as_str(),
        "iceState": stats.ice_state.as_str(),
        "selectedCandidatePairId": stats.selected_candidate_pair_id,
        "localCertificateId": stats.local_certificate_id,
        "remoteCertificateId": stats.remote_certificate_id,
        "tlsVersion": stats.tls_version,
        "dtlsCipher": stats.dtls_cipher,
        "srtpCipher": stats.srtp_cipher,
        "dtlsRole": stats.dtls_role.map_or("unknown", DtlsRole::as_str),
        "selectedCandidatePairChanges": stats.selected_candidate_pair_changes,
        "packetsDiscarded": stats.packets_discarded,
        "sctpSmoothedRoundTripTime": stats.sctp_smoothed_round_trip_time.map(seconds),
        "sctpCongestionWindow": stats.sctp_congestion_window,
        "sctpReceiverWindow": stats.sctp_receiver_window,
        "sctpMtu": stats.sctp_mtu,
        "sctpUnackedData": stats.sctp_unacked_data,
    })
}

fn candidate_pair(stats: &CandidatePairStats, timestamp: f64) -> Value {
    let ago = |age: Option<Duration>| age.map(|age| timestamp - age.as_secs_f64() * 1000.0);
    json!({
        "transportId": stats.transport_id,
        "localCandidateId": stats.local_candidate_id,
        "remoteCandidateId": stats.remote_candidate_id,
        "state": stats.state.as_str(),
        "nominated": stats.nominated,
        "packetsSent": stats.packets_sent,
        "packetsReceived": stats.packets_received,
        "bytesSent": stats.bytes_sent,
        "bytesReceived": stats.bytes_received,
        "lastPacketSentTimestamp": ago(stats.last_packet_sent),
        "lastPacketReceivedTimestamp": ago(stats.last_packet_received),
        "totalRoundTripTime": seconds(stats.total_round_trip_time),
        "currentRoundTripTime": stats.current_round_trip_time.map(seconds),
        "availableOutgoingBitrate": stats.available_outgoing_bitrate,
        "requestsReceived": stats.requests_received,
        "requestsSent": stats.requests_sent,
        "responsesReceived": stats.responses_received,
        "responsesSent": stats.responses_sent,
        "consentRequestsSent": stats.consent_requests_sent,
    })
}

fn candidate(stats: &CandidateStats) -> Value {
    json!({
        "transportId": stats.transport_id,
        "address": stats.address,
        "port": stats.port,
        "protocol": stats.protocol,
        "tcpType": stats.tcp_type,
        "candidateType": stats.candidate_type.as_str(),
        "priority": stats.priority,
        "url": stats.url,
        "relayProtocol": stats.relay_protocol.map(RelayProtocol::as_str),
        "foundation": stats.foundation,
        "relatedAddress": stats.related_address,
        "relatedPort": stats.related_port,
        "usernameFragment": stats.username_fragment,
    })
}

fn certificate(stats: &CertificateStats) -> Value {
    json!({
        "fingerprint": stats.fingerprint,
        "fingerprintAlgorithm": stats.fingerprint_algorithm,
        "base64Certificate": stats.base64_certificate,
    })
}

fn data_channel(stats: &DataChannelStats) -> Value {
    json!({
        "label": stats.label,
        "protocol": stats.protocol,
        "dataChannelIdentifier": stats.data_channel_identifier,
        "state": stats.state.as_str(),
        "messagesSent": stats.messages_sent,
        "bytesSent": stats.bytes_sent,
        "messagesReceived": stats.messages_received,
        "bytesReceived": stats.bytes_received,
    })
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
