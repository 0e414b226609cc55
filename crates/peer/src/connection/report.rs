//! The statistics report.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Connection;
use crate::ice::{CandidateInfo, CandidateKind, Pair};
use crate::sdp::{CandidateProtocol, TcpType};
use crate::states::{DtlsState, IceState};
use crate::stats::{
    CandidatePairState, CandidatePairStats, CandidateStats, CertificateStats, DataChannelStats,
    PeerConnectionStats, Stats, StatsReport, TransportStats,
};

/// Ids are stable for the life of the object they name, and unlike those of any other.
const CONNECTION_ID: &str = "P";
const TRANSPORT_ID: &str = "T01";
const LOCAL_CERTIFICATE_ID: &str = "CFlocal";
const REMOTE_CERTIFICATE_ID: &str = "CFremote";

impl Connection {
    /// Statistics.
    pub fn stats(&self, now: Instant) -> StatsReport {
        let mut entries = vec![Stats::PeerConnection(PeerConnectionStats {
            id: CONNECTION_ID.to_owned(),
            data_channels_opened: self.channels.opened,
            data_channels_closed: self.channels.closed,
        })];
        if self.transport.is_some() || self.session.local_ice().is_some() {
            entries.push(Stats::Transport(self.transport_stats()));
            entries.push(certificate(LOCAL_CERTIFICATE_ID, self.config.certificate.der()));
            entries.extend(self.dtls.remote_certificate().map(|der| certificate(REMOTE_CERTIFICATE_ID, der)));
        }
        self.ice_stats(now, &mut entries);
        entries.extend(self.channels.iter().filter_map(|channel| {
            let info = self.channels.info(channel.id)?;
            Some(Stats::DataChannel(DataChannelStats {
                id: format!("D{}", channel.id),
                channel: channel.id,
                label: info.label,
                protocol: info.protocol,
                data_channel_identifier: info.stream_id,
                state: info.state,
                messages_sent: channel.counters.messages_sent,
                bytes_sent: channel.counters.bytes_sent,
                messages_received: channel.counters.messages_received,
                bytes_received: channel.counters.bytes_received,
            }))
        }));
        StatsReport { entries }
    }

    fn transport_stats(&self) -> TransportStats {
        let sctp = self.sctp.as_ref().map(|s| s.metrics());
        let bytes = |get: fn(&ossa_sctp::Metrics) -> usize| sctp.as_ref().map(|m| get(m) as u64);
        TransportStats {
            id: TRANSPORT_ID.to_owned(),
            packets_sent: self.counters.packets_sent,
            packets_received: self.counters.packets_received,
            bytes_sent: self.counters.bytes_sent,
            bytes_received: self.counters.bytes_received,
            ice_role: self.ice.role(),
            ice_local_username_fragment: self.session.local_ice().map(|ice| ice.ufrag.clone()),
            dtls_state: if self.closed { DtlsState::Closed } else { self.shown.dtls },
            ice_state: if self.closed { IceState::Closed } else { self.shown.ice },
            selected_candidate_pair_id: self.ice.route_pair().map(pair_id),
            local_certificate_id: Some(LOCAL_CERTIFICATE_ID.to_owned()),
            remote_certificate_id: self.dtls.remote_certificate().map(|_| REMOTE_CERTIFICATE_ID.to_owned()),
            tls_version: self.dtls.tls_version().map(str::to_owned),
            dtls_cipher: self.dtls.cipher().map(str::to_owned),
            srtp_cipher: self.dtls.srtp_keys().map(|keys| keys.profile.name().to_owned()),
            dtls_role: self.dtls.role(),
            selected_candidate_pair_changes: self.ice.route_changes,
            packets_discarded: self.counters.discarded + self.dtls.discarded,
            sctp_smoothed_round_trip_time: sctp.as_ref().and_then(|m| m.srtt),
            sctp_congestion_window: bytes(|m| m.cwnd),
            sctp_receiver_window: bytes(|m| m.peer_rwnd),
            sctp_mtu: bytes(|m| m.mtu),
            sctp_unacked_data: bytes(|m| m.in_flight),
        }
    }

    fn ice_stats(&self, now: Instant, entries: &mut Vec<Stats>) {
        let mid = self.session.transport_mid().unwrap_or_default();
        let selected = self.ice.route_pair().map(|pair| pair.id);
        let available = self.available_outgoing_bitrate();
        for generation in self.ice.generations() {
            let mut locals: Vec<CandidateInfo> = generation.locals.iter().map(|e| e.info.clone()).collect();
            let mut remotes = generation.remotes.clone();
            let mut pairs = Vec::new();
            for pair in self.ice.pairs.iter().filter(|p| p.generation == generation.number) {
                let local = generation.local_side(pair.path, mid);
                let remote = generation.remote_side(pair.path, mid);
                let mut stats = pair_stats(pair, &local, &remote, now);
                stats.available_outgoing_bitrate = available.filter(|_| selected == Some(pair.id));
                pairs.push(Stats::CandidatePair(stats));
                for (list, info) in [(&mut locals, local), (&mut remotes, remote)] {
                    if !list.iter().any(|c| (c.protocol, c.addr) == (info.protocol, info.addr)) {
                        list.push(info);
                    }
                }
            }
            let number = generation.number;
            entries.extend(locals.iter().map(|c| Stats::LocalCandidate(candidate_stats('L', number, c))));
            entries.extend(remotes.iter().map(|c| Stats::RemoteCandidate(candidate_stats('R', number, c))));
            entries.append(&mut pairs);
        }
    }
}

fn pair_id(pair: &Pair) -> String {
    format!("CP{}", pair.id)
}

fn candidate_id(side: char, generation: u32, info: &CandidateInfo) -> String {
    let tcp = match info.protocol {
        CandidateProtocol::Udp => "",
        CandidateProtocol::Tcp => "tcp-",
    };
    format!("I{side}{generation}-{tcp}{}", info.addr)
}

fn candidate_stats(side: char, generation: u32, info: &CandidateInfo) -> CandidateStats {
    CandidateStats {
        id: candidate_id(side, generation, info),
        transport_id: TRANSPORT_ID.to_owned(),
        address: (info.kind != CandidateKind::PeerReflexive).then(|| info.addr.ip().to_string()),
        port: info.addr.port(),
        protocol: info.protocol.as_str(),
        tcp_type: info.tcp_type.map(TcpType::as_str),
        candidate_type: info.kind,
        priority: info.priority,
        url: info.url.clone(),
        relay_protocol: info.relay_protocol,
        foundation: info.foundation.clone(),
        related_address: info.related.map(|a| a.ip().to_string()),
        related_port: info.related.map(|a| a.port()),
        username_fragment: info.ufrag.clone(),
    }
}

fn pair_stats(
    pair: &Pair,
    local: &CandidateInfo,
    remote: &CandidateInfo,
    now: Instant,
) -> CandidatePairStats {
    let ago = |t: Option<Instant>| t.map(|t| now.saturating_duration_since(t));
    CandidatePairStats {
        id: pair_id(pair),
        transport_id: TRANSPORT_ID.to_owned(),
        local_candidate_id: candidate_id('L', pair.generation, local),
        remote_candidate_id: candidate_id('R', pair.generation, remote),
        state: match (pair.responses_received, pair.requests_sent) {
            (0, 0) => CandidatePairState::Waiting,
            (0, _) => CandidatePairState::InProgress,
            _ => CandidatePairState::Succeeded,
        },
        nominated: pair.nominated,
        packets_sent: pair.packets_sent,
        packets_received: pair.packets_received,
        bytes_sent: pair.bytes_sent,
        bytes_received: pair.bytes_received,
        last_packet_sent: ago(pair.last_sent),
        last_packet_received: ago(pair.last_received),
        total_round_trip_time: pair.total_rtt,
        available_outgoing_bitrate: None,
        current_round_trip_time: pair.rtt,
        requests_received: pair.requests_received,
        requests_sent: pair.requests_sent,
        responses_received: pair.responses_received,
        responses_sent: pair.responses_sent,
        consent_requests_sent: pair.consent_requests_sent,
    }
}

fn certificate(id: &str, der: &[u8]) -> Stats {
    let fingerprint = crate::certificate::sha256_fingerprint(der);
    let (algorithm, value) = fingerprint.to_string().split_once(' ').map_or_else(
        || (fingerprint.algorithm.clone(), String::new()),
        |(a, v)| (a.to_owned(), v.to_owned()),
    );
    Stats::Certificate(CertificateStats {
        id: id.to_owned(),
        fingerprint: value,
        fingerprint_algorithm: algorithm,
        base64_certificate: STANDARD.encode(der),
    })
}
