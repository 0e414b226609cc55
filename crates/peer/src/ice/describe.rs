//! Candidates as the agent takes them, and as they are shown.

use std::net::{Ipv4Addr, SocketAddr};

use is::{Candidate as AgentCandidate, CandidateKind as AgentKind, Protocol, default_local_preference};

use super::path::ACTIVE_PORT;
use super::types::{CandidateInfo, CandidateKind, LocalCandidate, LocalCandidateKind};
use crate::jsep::IceParameters;
use crate::sdp::{Candidate, CandidateAddress, CandidateProtocol, CandidateType, TcpType};

/// Whether checks can be sent to a candidate: over TCP, to those that accept connections. Simultaneous open is not done.
pub(crate) fn is_reachable(candidate: &Candidate) -> bool {
    candidate.protocol == CandidateProtocol::Udp || candidate.tcptype == Some(TcpType::Passive)
}

/// RFC 6544 section 4.2: whoever opens the connection is preferred, as that works from behind a NAT. The type preference, which the
/// agent knows, puts all of TCP below what goes directly over UDP and above relays.
pub(super) fn local_preference(candidate: &AgentCandidate, others: usize) -> u32 {
    if candidate.proto() == Protocol::Udp {
        return default_local_preference(candidate, others);
    }
    let direction = if candidate.addr().port() == ACTIVE_PORT { 6 } else { 4 };
    let others = u32::try_from(2 * others).unwrap_or(8_190) + u32::from(candidate.addr().is_ipv4());
    (direction << 13) + 8_191_u32.saturating_sub(others)
}

/// A host candidate that the agent's own constructor refuses, though it has nothing against the IPv6 ones of this kind. Preferred
/// less than any other host candidate: it works within one network only.
pub(super) fn link_local(addr: SocketAddr, ip: Ipv4Addr, others: usize) -> AgentCandidate {
    // RFC 8445, section 5.1.2.1: the type's preference, the candidate's own, which no other has, and the component.
    let preference = 16_384 - u32::try_from(others).unwrap_or(0);
    let priority = (126 << 24) + (preference << 8) + 255;
    let foundation = u32::from(ip).to_string();
    AgentCandidate::from_parts(
        foundation,
        1,
        Protocol::Udp,
        priority,
        addr,
        AgentKind::Host,
        None,
        None,
        None,
    )
}

pub(super) fn local_info(candidate: &LocalCandidate, agent: &AgentCandidate, ufrag: &str) -> CandidateInfo {
    let kind = match candidate.kind {
        LocalCandidateKind::Host | LocalCandidateKind::TcpActive | LocalCandidateKind::TcpPassive => {
            CandidateKind::Host
        }
        LocalCandidateKind::ServerReflexive => CandidateKind::ServerReflexive,
        LocalCandidateKind::Relay => CandidateKind::Relay,
    };
    let related = (kind != CandidateKind::Host).then_some(candidate.base);
    // The agent shows the foundation it has computed only inside of its candidate line.
    let agent_line = agent.to_sdp_string();
    let foundation = agent_line.trim_start_matches("candidate:").split(' ').next().unwrap_or("1");
    let line = Candidate {
        foundation: foundation.to_owned(),
        component: 1,
        protocol: candidate.kind.protocol(),
        priority: agent.prio(),
        address: CandidateAddress::Ip(candidate.addr.ip()),
        port: candidate.addr.port(),
        typ: match kind {
            CandidateKind::Host => CandidateType::Host,
            CandidateKind::Relay => CandidateType::Relay,
            _ => CandidateType::ServerReflexive,
        },
        raddr: related.map(|a| CandidateAddress::Ip(a.ip())),
        rport: related.map(|a| a.port()),
        tcptype: candidate.kind.tcp_type(),
        ufrag: Some(ufrag.to_owned()),
    };
    CandidateInfo {
        candidate: line.to_string(),
        kind,
        protocol: line.protocol,
        tcp_type: line.tcptype,
        addr: candidate.addr,
        priority: line.priority,
        foundation: line.foundation,
        related,
        ufrag: ufrag.to_owned(),
        mid: String::new(),
        url: candidate.url.clone(),
        relay_protocol: candidate.relay_protocol,
    }
}

pub(super) fn remote_info(
    candidate: &Candidate,
    addr: SocketAddr,
    mid: &str,
    remote: Option<&IceParameters>,
) -> CandidateInfo {
    let related = candidate.raddr.as_ref().and_then(CandidateAddress::ip).zip(candidate.rport);
    CandidateInfo {
        candidate: candidate.to_string(),
        kind: match candidate.typ {
            CandidateType::Host => CandidateKind::Host,
            CandidateType::ServerReflexive => CandidateKind::ServerReflexive,
            CandidateType::PeerReflexive => CandidateKind::PeerReflexive,
            CandidateType::Relay => CandidateKind::Relay,
        },
        protocol: candidate.protocol,
        tcp_type: candidate.tcptype,
        addr,
        priority: candidate.priority,
        foundation: candidate.foundation.clone(),
        related: related.map(|(ip, port)| SocketAddr::new(ip, port)),
        ufrag: remote.map(|r| r.ufrag.clone()).unwrap_or_default(),
        mid: mid.to_owned(),
        url: None,
        relay_protocol: None,
    }
}

/// A peer-reflexive candidate has no line of its own: it was never signaled.
pub(super) fn reflexive_info(
    protocol: CandidateProtocol,
    tcp_type: Option<TcpType>,
    addr: SocketAddr,
    ufrag: &str,
    mid: &str,
) -> CandidateInfo {
    CandidateInfo {
        candidate: String::new(),
        kind: CandidateKind::PeerReflexive,
        protocol,
        tcp_type,
        addr,
        priority: 0,
        foundation: String::new(),
        related: None,
        ufrag: ufrag.to_owned(),
        mid: mid.to_owned(),
        url: None,
        relay_protocol: None,
    }
}
