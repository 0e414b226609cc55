//! One ICE generation: an agent with the credentials, the candidates and the checklist of one (re)start.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use is::stun::{StunMessage, StunPacket};
use is::{
    Candidate as AgentCandidate, CandidateKind as AgentKind, IceAgent, IceCreds, Protocol,
    default_local_preference,
};
use tracing::trace;

use super::pairs::{MAX_REFLEXIVE, PairTable};
use super::path::{ACTIVE_PORT, Path, agent_protocol};
use super::remotes::{MAX_PAIRS, Place, Remotes};
use super::types::{CandidateInfo, CandidateKind, LocalCandidate, LocalCandidateKind};
use super::username;
use crate::config::IceConfig;
use crate::jsep::IceParameters;
use crate::sdp::{Candidate, CandidateAddress, CandidateProtocol, CandidateType, TcpType};

/// Local candidates per generation, relayed ones and those of TCP aside: each address of the machine, and as a few servers see it.
const MAX_DIRECT: usize = 64;
/// Those of TCP, two for each address of the machine.
const MAX_TCP: usize = 64;
/// Relayed ones: two for each of the 32 servers that are asked at most.
const MAX_RELAYED: usize = 64;
/// Active TCP candidates of the peer that are remembered: nothing can be done with them but show them.
const MAX_SHOWN: usize = 32;
/// Addresses of ours that the peer may tell us of. A host behind NATs has one per interface and path.
const MAX_MAPPED: usize = 64;
/// Checks that may leave at once when something new is known, instead of one per Ta: enough for the few pairs of an
/// ordinary connection, so that set-up does not wait for the pacing.
const KICK: usize = 10;
/// Unanswered checks after which the agent drops a pair. With the default timing that is well after consent expiry.
const MAX_RETRANSMITS: usize = 20;

/// A local candidate with what is shown of it.
pub(crate) struct LocalEntry {
    pub candidate: LocalCandidate,
    pub info: CandidateInfo,
    agent: AgentCandidate,
}

pub(crate) struct Generation {
    pub number: u32,
    pub agent: IceAgent,
    pub local: IceParameters,
    pub remote: Option<IceParameters>,
    pub locals: Vec<LocalEntry>,
    pub remotes: Vec<CandidateInfo>,
    choice: Remotes,
    pub gathering_done: bool,
    pub remote_end: bool,
    /// Addresses at which the peer says that it sees us.
    mapped: Vec<SocketAddr>,
    /// When something last happened that checks could profit from: credentials or a candidate.
    pub last_news: Instant,
}

impl Generation {
    pub(crate) fn new(
        number: u32,
        local: IceParameters,
        config: &IceConfig,
        tie_breaker: u64,
        now: Instant,
    ) -> Self {
        let mut agent = IceAgent::new(IceCreds { ufrag: local.ufrag.clone(), pass: local.pwd.clone() });
        agent.set_control_tie_breaker(tie_breaker);
        agent.set_timing_advance(config.check_interval);
        agent.set_initial_stun_rto(config.initial_rto);
        agent.set_max_stun_rto(config.max_rto);
        agent.set_max_stun_retransmits(MAX_RETRANSMITS);
        agent.set_local_preference(local_preference);
        // Never reached: what the agent drops without a word would be what has the lowest priority.
        agent.set_max_candidate_pairs(MAX_PAIRS + MAX_REFLEXIVE);
        Generation {
            number,
            agent,
            local,
            remote: None,
            locals: Vec::new(),
            remotes: Vec::new(),
            choice: Remotes::default(),
            gathering_done: false,
            remote_end: false,
            mapped: Vec::new(),
            last_news: now,
        }
    }

    /// Both sides' credentials are known, so checks can be sent.
    pub(crate) fn started(&self) -> bool {
        self.remote.is_some()
    }

    pub(crate) fn set_remote(&mut self, now: Instant, remote: IceParameters) {
        let ufrag = username::inside(&remote.ufrag).into_owned();
        self.agent.set_remote_credentials(IceCreds { ufrag, pass: remote.pwd.clone() });
        self.remote = Some(remote);
        self.last_news = now;
    }

    /// Adds a gathered candidate. Returns what to signal, unless it duplicates another one or cannot be used.
    pub(crate) fn add_local(&mut self, now: Instant, candidate: LocalCandidate) -> Option<&LocalEntry> {
        let LocalCandidate { kind, addr, base, .. } = candidate;
        let most = limit(kind);
        // Each kind has a limit of its own that no other has.
        let same = self.locals.iter().filter(|e| limit(e.candidate.kind).0 == most.0).count();
        if same >= most.1 {
            return None;
        }
        let made = match kind {
            LocalCandidateKind::Host => match addr.ip() {
                IpAddr::V4(ip) if ip.is_link_local() => Ok(link_local(addr, ip, same)),
                _ => AgentCandidate::host(addr, Protocol::Udp),
            },
            LocalCandidateKind::ServerReflexive => {
                AgentCandidate::server_reflexive(addr, base, Protocol::Udp)
            }
            LocalCandidateKind::Relay => AgentCandidate::relayed(addr, base, Protocol::Udp),
            LocalCandidateKind::TcpActive | LocalCandidateKind::TcpPassive => {
                AgentCandidate::host(addr, Protocol::Tcp)
            }
        };
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                trace!(%error, "local candidate cannot be used");
                return None;
            }
        };
        let agent = self.agent.add_local_candidate(made)?.clone();
        self.last_news = now;
        let info = local_info(&candidate, &agent, &self.local.ufrag);
        self.locals.push(LocalEntry { candidate, info, agent });
        self.choose();
        self.locals.last()
    }

    /// Removes the candidates whose socket is gone.
    pub(crate) fn remove_local(&mut self, base: SocketAddr) {
        let gone = |e: &LocalEntry| match e.candidate.kind {
            LocalCandidateKind::Relay => e.candidate.addr == base,
            _ => e.candidate.base == base,
        };
        for entry in self.locals.iter().filter(|e| gone(e)) {
            self.agent.invalidate_candidate(&entry.agent);
        }
        self.locals.retain(|e| !gone(e));
        self.choose();
    }

    /// Addresses that checks leave from. To a passive TCP candidate none does before the peer has connected to it.
    fn bases(&self) -> Vec<Place> {
        let base = |e: &LocalEntry| match e.candidate.kind {
            LocalCandidateKind::Relay => Some((CandidateProtocol::Udp, e.candidate.addr)),
            LocalCandidateKind::TcpPassive => None,
            kind => Some((kind.protocol(), e.candidate.base)),
        };
        let mut bases: Vec<Place> = self.locals.iter().filter_map(base).collect();
        bases.sort_unstable();
        bases.dedup();
        bases
    }

    /// Whether the candidate that this path leaves from is still there. That of an active TCP candidate has a port of its own for
    /// each connection.
    pub(crate) fn has_base(&self, path: &Path) -> bool {
        self.locals.iter().any(|e| match (path.protocol, e.candidate.kind) {
            (CandidateProtocol::Udp, LocalCandidateKind::Relay) => e.candidate.addr == path.local,
            (CandidateProtocol::Udp, kind) => {
                kind.protocol() == CandidateProtocol::Udp && e.candidate.base == path.local
            }
            (CandidateProtocol::Tcp, kind) => {
                kind.protocol() == CandidateProtocol::Tcp && e.candidate.base.ip() == path.local.ip()
            }
        })
    }

    fn choose(&mut self) {
        self.choice.choose(&self.bases(), &mut self.agent);
    }

    /// What to tell the application if not all of the peer's candidates are checked.
    pub(crate) fn notice(&mut self) -> Option<String> {
        self.choice.notice(self.bases().len())
    }

    /// Whether the peer has told of this address.
    pub(crate) fn knows(&self, protocol: CandidateProtocol, addr: SocketAddr) -> bool {
        self.choice.knows((protocol, addr))
    }

    /// Whether a message of the agent can go this way. The agent pairs every TCP candidate with every other, but a connection is
    /// opened from an active one to a passive one only (RFC 6544 section 6.2), and from a passive one there are only those
    /// that the peer has opened, from addresses that it can't have told of.
    pub(crate) fn can_leave(&self, path: Path) -> bool {
        match path.protocol {
            CandidateProtocol::Udp => true,
            CandidateProtocol::Tcp => {
                let opens = path.local.port() == ACTIVE_PORT;
                opens == self.knows(CandidateProtocol::Tcp, path.remote)
            }
        }
    }

    /// A TCP connection is gone. One that the peer had opened may not be gone on with; one of ours begins anew, with a check at once.
    pub(crate) fn tcp_closed(&mut self, path: Path) {
        if path.local.port() == ACTIVE_PORT {
            return self.choice.renew((path.protocol, path.remote), &mut self.agent);
        }
        let gone = |c: &AgentCandidate| {
            c.proto() == Protocol::Tcp && c.addr() == path.remote && c.kind() == AgentKind::PeerReflexive
        };
        let gone: Vec<AgentCandidate> = self.agent.remote_candidates().filter(gone).collect();
        for candidate in &gone {
            self.agent.invalidate_candidate(candidate);
        }
    }

    /// Adds a remote candidate with its address. Those that no socket of ours can reach are ignored.
    pub(crate) fn add_remote(&mut self, now: Instant, candidate: &Candidate, ip: IpAddr, mid: &str) {
        if candidate.component != 1 || candidate.port == 0 {
            trace!(%candidate, "remote candidate cannot be paired");
            return;
        }
        if ip.is_unspecified() || ip.is_multicast() {
            trace!(%candidate, "remote candidate has no usable address");
            return;
        }
        let addr = SocketAddr::new(ip, candidate.port);
        let kind = match candidate.typ {
            CandidateType::Host => AgentKind::Host,
            CandidateType::ServerReflexive => AgentKind::ServerReflexive,
            CandidateType::PeerReflexive => AgentKind::PeerReflexive,
            CandidateType::Relay => AgentKind::Relayed,
        };
        let info = remote_info(candidate, addr, mid, self.remote.as_ref());
        self.last_news = now;
        if self.remotes.contains(&info) {
            return self.choice.repeat((info.protocol, addr), &mut self.agent);
        }
        if !is_reachable(candidate) {
            let shown = self.remotes.iter().filter(|c| c.tcp_type == candidate.tcptype).count();
            if candidate.tcptype.is_some() && shown < MAX_SHOWN {
                self.remotes.push(info);
            }
            return;
        }
        let agent = AgentCandidate::from_parts(
            candidate.foundation.clone(),
            candidate.component,
            agent_protocol(candidate.protocol),
            candidate.priority,
            addr,
            kind,
            None,
            None,
            None,
        );
        if self.choice.add(agent) {
            self.remotes.push(info);
            self.choose();
        }
    }

    /// Whether a message may reach the agent, which makes a candidate of every new address that it hears of, from the
    /// source of a check and from the content of an answer, and sets no limit to their number.
    pub(crate) fn admits(&mut self, message: &StunMessage<'_>, pairs: &PairTable, path: Path) -> bool {
        if message.is_binding_request() {
            if self.agent.accepts_message(message) && self.choice.hear((path.protocol, path.remote)) {
                self.choose();
            }
            return self.knows(path.protocol, path.remote) || pairs.admits(self.number, path);
        }
        let Some(addr) = message.mapped_address().filter(|_| message.is_successful_binding_response()) else {
            return true;
        };
        // Only what is genuine may take up room.
        if !self.mapped.contains(&addr)
            && self.mapped.len() < MAX_MAPPED
            && self.agent.accepts_message(message)
        {
            self.mapped.push(addr);
        }
        self.mapped.contains(&addr)
    }

    /// Gives a message to the agent. Returns whether it was for this generation.
    pub(crate) fn take(&mut self, now: Instant, message: &StunMessage<'_>, bytes: &[u8], path: Path) -> bool {
        let renamed = username::inward(message, bytes, &self.local.pwd);
        let message = renamed.as_deref().and_then(|bytes| StunMessage::parse(bytes).ok()).unwrap_or(*message);
        let (proto, source, destination) = (path.agent_protocol(), path.remote, path.local);
        let packet = StunPacket { proto, source, destination, message };
        self.agent.handle_packet(now, packet)
    }

    /// A message of the agent, as it has to leave.
    pub(crate) fn outward(&self, bytes: Vec<u8>) -> Vec<u8> {
        match &self.remote {
            Some(remote) => username::outward(bytes, &remote.ufrag, &remote.pwd),
            None => bytes,
        }
    }

    /// The peer has no further candidates.
    pub(crate) fn end_of_candidates(&mut self, now: Instant) {
        self.remote_end = true;
        self.last_news = now;
    }

    /// Lets checks that are due leave at once.
    pub(crate) fn kick(&mut self, now: Instant) {
        for _ in 0..KICK {
            self.agent.handle_timeout(now);
        }
    }

    /// What is known of the local end of a pair.
    pub(crate) fn local_side(&self, path: Path, mid: &str) -> CandidateInfo {
        let mut fitting = self.locals.iter().filter(|e| e.info.protocol == path.protocol);
        let found = fitting.clone().find(|e| e.info.addr == path.local).or_else(|| {
            // A host candidate may have been left out in favour of a reflexive one with the same base.
            fitting.find(|e| e.candidate.base == path.local)
        });
        match found {
            Some(entry) => CandidateInfo { mid: mid.to_owned(), ..entry.info.clone() },
            None => reflexive_info(path.protocol, None, path.local, &self.local.ufrag, mid),
        }
    }

    /// What is known of the remote end of a pair.
    pub(crate) fn remote_side(&self, path: Path, mid: &str) -> CandidateInfo {
        let ufrag = self.remote.as_ref().map_or("", |r| &r.ufrag);
        // Who connects to us is active, from whatever port (RFC 6544 section 7.2).
        let tcp_type = (path.protocol == CandidateProtocol::Tcp).then_some(TcpType::Active);
        self.remotes
            .iter()
            .find(|c| c.protocol == path.protocol && c.addr == path.remote)
            .cloned()
            .unwrap_or_else(|| reflexive_info(path.protocol, tcp_type, path.remote, ufrag, mid))
    }
}

/// Which limit counts for a candidate, and how many it allows.
fn limit(kind: LocalCandidateKind) -> (&'static str, usize) {
    match kind {
        LocalCandidateKind::Relay => ("relayed", MAX_RELAYED),
        LocalCandidateKind::TcpActive | LocalCandidateKind::TcpPassive => ("tcp", MAX_TCP),
        LocalCandidateKind::Host | LocalCandidateKind::ServerReflexive => ("direct", MAX_DIRECT),
    }
}

/// Whether checks can be sent to a candidate: over TCP, to those that accept connections. Simultaneous open is not done.
pub(crate) fn is_reachable(candidate: &Candidate) -> bool {
    candidate.protocol == CandidateProtocol::Udp || candidate.tcptype == Some(TcpType::Passive)
}

/// RFC 6544 section 4.2: whoever opens the connection is preferred, as that works from behind a NAT. The type preference, which the
/// agent knows, puts all of TCP below what goes directly over UDP and above relays.
fn local_preference(candidate: &AgentCandidate, others: usize) -> u32 {
    if candidate.proto() == Protocol::Udp {
        return default_local_preference(candidate, others);
    }
    let direction = if candidate.addr().port() == ACTIVE_PORT { 6 } else { 4 };
    let others = u32::try_from(2 * others).unwrap_or(8_190) + u32::from(candidate.addr().is_ipv4());
    (direction << 13) + 8_191_u32.saturating_sub(others)
}

/// A host candidate that the agent's own constructor refuses, though it has nothing against the IPv6 ones of this kind. Preferred
/// less than any other host candidate: it works within one network only.
fn link_local(addr: SocketAddr, ip: Ipv4Addr, others: usize) -> AgentCandidate {
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

fn local_info(candidate: &LocalCandidate, agent: &AgentCandidate, ufrag: &str) -> CandidateInfo {
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

fn remote_info(
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
fn reflexive_info(
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
