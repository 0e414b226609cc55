//! One ICE generation: an agent with the credentials, the candidates and the checklist of one (re)start.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use is::stun::{StunMessage, StunPacket};
use is::{Candidate as AgentCandidate, CandidateKind as AgentKind, IceAgent, IceCreds, Protocol};
use tracing::trace;

use super::agent::make_agent;
use super::describe::{is_reachable, link_local, local_info, reflexive_info, remote_info};
use super::path::{ACTIVE_PORT, Path, agent_protocol};
use super::ports::is_blocked;
use super::remotes::{Place, Remotes};
use super::types::{CandidateInfo, LocalCandidate, LocalCandidateKind};
use super::username;
use crate::config::IceConfig;
use crate::jsep::IceParameters;
use crate::sdp::{Candidate, CandidateProtocol, CandidateType, TcpType};

/// Local candidates per generation, relayed ones and those of TCP aside: each address of the machine, and as a few servers see it.
const MAX_DIRECT: usize = 64;
/// Those of TCP, two for each address of the machine.
const MAX_TCP: usize = 64;
/// Relayed ones: two for each of the 32 servers that are asked at most.
const MAX_RELAYED: usize = 64;
/// Active TCP candidates of the peer that are remembered: nothing can be done with them but show them.
const MAX_SHOWN: usize = 32;
/// Checks that may leave at once when something new is known, instead of one per Ta: enough for the few pairs of an
/// ordinary connection, so that set-up does not wait for the pacing.
const KICK: usize = 10;
/// A local candidate with what is shown of it.
pub(crate) struct LocalEntry {
    pub candidate: LocalCandidate,
    pub info: CandidateInfo,
    pub(super) agent: AgentCandidate,
}

pub(crate) struct Generation {
    pub number: u32,
    pub agent: IceAgent,
    pub local: IceParameters,
    pub remote: Option<IceParameters>,
    pub locals: Vec<LocalEntry>,
    pub remotes: Vec<CandidateInfo>,
    pub(super) choice: Remotes,
    pub gathering_done: bool,
    pub remote_end: bool,
    /// Addresses at which the peer says that it sees us.
    pub(super) mapped: Vec<SocketAddr>,
    /// Candidates that the agent was told to give up, which it keeps.
    pub(super) given_up: usize,
    /// When the agent last began anew.
    pub(super) anew: Option<Instant>,
    pub(super) config: IceConfig,
    pub(super) tie_breaker: u64,
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
        Generation {
            number,
            agent: make_agent(&local, config, tie_breaker),
            local,
            remote: None,
            locals: Vec::new(),
            remotes: Vec::new(),
            choice: Remotes::default(),
            gathering_done: false,
            remote_end: false,
            mapped: Vec::new(),
            given_up: 0,
            anew: None,
            config: config.clone(),
            tie_breaker,
            last_news: now,
        }
    }

    /// Both sides' credentials are known, so checks can be sent.
    pub(crate) fn started(&self) -> bool {
        self.remote.is_some()
    }

    pub(crate) fn set_remote(&mut self, now: Instant, remote: IceParameters) {
        self.remote = Some(remote);
        self.tell_remote();
        self.last_news = now;
    }

    /// Gives the agent the peer's credentials, if they are known.
    pub(super) fn tell_remote(&mut self) {
        let Some(remote) = &self.remote else { return };
        let ufrag = username::inside(&remote.ufrag).into_owned();
        self.agent.set_remote_credentials(IceCreds { ufrag, pass: remote.pwd.clone() });
        if remote.ice_lite {
            // One of the two has to send checks.
            self.agent.set_ice_lite(false);
        }
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
            LocalCandidateKind::Host => match base.ip() {
                IpAddr::V4(ip) if ip.is_link_local() => Ok(link_local(base, ip, same)),
                _ => AgentCandidate::host(base, Protocol::Udp),
            },
            LocalCandidateKind::ServerReflexive => {
                AgentCandidate::server_reflexive(addr, base, Protocol::Udp)
            }
            LocalCandidateKind::Relay => AgentCandidate::relayed(addr, base, Protocol::Udp),
            LocalCandidateKind::TcpActive | LocalCandidateKind::TcpPassive => {
                AgentCandidate::host(base, Protocol::Tcp)
            }
        };
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                trace!(%error, "local candidate cannot be used");
                return None;
            }
        };
        let agent = match self.another_name(&candidate) {
            Some(known) => known,
            None => self.agent.add_local_candidate(made)?.clone(),
        };
        self.last_news = now;
        let info = local_info(&candidate, &agent, &self.local.ufrag);
        self.locals.push(LocalEntry { candidate, info, agent });
        self.choose();
        self.locals.last()
    }

    pub(crate) fn has_local(&self, candidate: &LocalCandidate) -> bool {
        let LocalCandidate { kind, addr, base, .. } = candidate;
        self.locals
            .iter()
            .any(|e| (e.candidate.kind, e.candidate.addr, e.candidate.base) == (*kind, *addr, *base))
    }

    /// The agent's candidate if this is one more address that leads to a socket which it has: it knows sockets only.
    fn another_name(&self, candidate: &LocalCandidate) -> Option<AgentCandidate> {
        let same = |e: &&LocalEntry| {
            e.candidate.kind == candidate.kind
                && e.candidate.base == candidate.base
                && e.candidate.addr != candidate.addr
                && (candidate.kind == LocalCandidateKind::Host
                    || candidate.kind == LocalCandidateKind::TcpPassive)
        };
        self.locals.iter().find(same).map(|e| e.agent.clone())
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

    pub(super) fn choose(&mut self) {
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
    pub(crate) fn tcp_closed(&mut self, now: Instant, path: Path) {
        if path.local.port() == ACTIVE_PORT {
            self.given_up += self.choice.renew((path.protocol, path.remote), &mut self.agent);
        } else {
            self.give_up(path);
        }
        if self.is_full() && self.may_begin_anew(now) {
            self.begin_anew(now);
        }
    }

    fn give_up(&mut self, path: Path) {
        let gone = |c: &AgentCandidate| {
            c.proto() == Protocol::Tcp && c.addr() == path.remote && c.kind() == AgentKind::PeerReflexive
        };
        let gone: Vec<AgentCandidate> = self.agent.remote_candidates().filter(gone).collect();
        self.given_up += gone.len();
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
        if candidate.tcptype == Some(TcpType::Passive) && is_blocked(candidate.port) {
            trace!(%candidate, "remote candidate has the port of another protocol");
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
            if kind == AgentKind::Relayed {
                self.unlearn(addr);
            }
            self.remotes.push(info);
            self.choose();
        }
    }

    /// The peer may have been heard from its relay before it has told of it. Then the agent takes that for a direct path, by the priority
    /// in the check (RFC 8445 section 7.1.1), and keeps its pairs when it learns better: they would win over what is direct. So they
    /// begin anew.
    fn unlearn(&mut self, relay: SocketAddr) {
        let heard = |c: &AgentCandidate| {
            c.kind() == AgentKind::PeerReflexive && c.proto() == Protocol::Udp && c.addr() == relay
        };
        let heard = self.agent.remote_candidates().find(heard);
        if let Some(candidate) = heard {
            self.agent.invalidate_candidate(&candidate);
        }
    }

    /// Whether no checks leave from here.
    pub(crate) fn is_lite(&self) -> bool {
        self.agent.ice_lite()
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
