//! The ICE transport: up to two generations, the pair in use, and the W3C state.
//!
//! An ICE restart runs in a generation of its own beside the one in use. Data goes on over the old pair, and its
//! consent checks are still answered, until the new generation has nominated a pair; only then the old one goes. A
//! restart that is rolled back leaves no trace.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use super::embedding::Embedding;
use super::generation::Generation;
use super::pairs::{Pair, PairTable};
use super::path::{ACTIVE_PORT, Path};
use super::types::{LocalCandidate, LocalCandidateKind, SelectedPair};
use super::watch::Watch;
use crate::config::{IceConfig, IceTransportPolicy};
use crate::jsep::IceParameters;
use crate::sdp::CandidateProtocol;
use crate::states::{GatheringState, IceRole};

/// The pair in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub pair: u32,
    pub generation: u32,
    pub path: Path,
}

/// A STUN message to be sent.
pub(crate) struct StunDatagram {
    pub path: Path,
    pub payload: Vec<u8>,
}

pub(crate) struct IceTransport {
    pub(super) config: IceConfig,
    pub(super) policy: IceTransportPolicy,
    pub(super) tie_breaker: u64,
    pub(crate) controlling: Option<bool>,
    pub(super) current: Option<Box<Generation>>,
    pub(super) next: Option<Box<Generation>>,
    pub(super) last_number: u32,
    pub(crate) pairs: PairTable,
    /// What the checks carry of DTLS.
    pub(crate) embedding: Embedding,
    pub(super) route: Option<Route>,
    /// Consent has expired or no pair has worked; only new credentials (or candidates, in the latter case) help.
    pub(super) failed: bool,
    pub(super) closed: bool,
    pub(super) outgoing: VecDeque<StunDatagram>,
    /// When the agents want to be called, kept because asking them is a scan over their pairs.
    pub(super) agent_deadline: Option<Instant>,
    /// Silence on the pair in use was answered with an early check.
    pub(super) hurried: bool,
    pub(super) watch: Watch,
    /// The last time anything was done.
    pub(super) clock: Option<Instant>,
    pub(crate) route_changes: u32,
}

impl IceTransport {
    /// Gives back room for what is unlikely to come any more.
    pub(crate) fn shrink(&mut self) {
        self.outgoing.shrink_to_fit();
        self.pairs.shrink();
        for generation in [&mut self.current, &mut self.next].into_iter().flatten() {
            generation.locals.shrink_to_fit();
            generation.remotes.shrink_to_fit();
            generation.choice.shrink();
        }
    }

    /// `embeds`: the checks may carry DTLS.
    pub(crate) fn new(config: IceConfig, policy: IceTransportPolicy, tie_breaker: u64, embeds: bool) -> Self {
        IceTransport {
            config,
            policy,
            tie_breaker,
            controlling: None,
            current: None,
            next: None,
            last_number: 0,
            pairs: PairTable::default(),
            embedding: Embedding::new(embeds),
            route: None,
            failed: false,
            closed: false,
            outgoing: VecDeque::new(),
            agent_deadline: None,
            hurried: false,
            watch: Watch::default(),
            clock: None,
            route_changes: 0,
        }
    }

    /// Begins a generation. The first one is in use at once; any later one is a restart.
    pub(crate) fn begin(&mut self, now: Instant, local: IceParameters) -> u32 {
        self.last_number += 1;
        let number = self.last_number;
        let mut generation = Generation::new(number, local, &self.config, self.tie_breaker, now);
        if let Some(controlling) = self.controlling {
            generation.agent.set_controlling(controlling);
        }
        if let Some(replaced) = self.next.take() {
            self.pairs.forget(replaced.number);
        }
        match &self.current {
            // Without any remote credentials nothing can have been set up: nothing to keep alive either.
            Some(current) if current.started() => self.next = Some(Box::new(generation)),
            _ => self.current = Some(Box::new(generation)),
        }
        number
    }

    /// A restart was rolled back.
    pub(crate) fn rollback(&mut self) {
        if let Some(dropped) = self.next.take() {
            self.pairs.forget(dropped.number);
        } else if self.current.as_ref().is_some_and(|c| !c.started()) {
            self.current = None;
        }
    }

    /// The generation that is being negotiated or is in use: the newest one.
    pub(crate) fn newest(&self) -> Option<&Generation> {
        self.next.as_deref().or(self.current.as_deref())
    }

    /// Its number; 0 without one.
    pub(crate) fn newest_number(&self) -> u32 {
        self.newest().map_or(0, |generation| generation.number)
    }

    pub(crate) fn newest_mut(&mut self) -> Option<&mut Generation> {
        self.next.as_deref_mut().or(self.current.as_deref_mut())
    }

    pub(crate) fn generation_mut(&mut self, number: u32) -> Option<&mut Generation> {
        [&mut self.current, &mut self.next]
            .into_iter()
            .flatten()
            .map(Box::as_mut)
            .find(|g| g.number == number)
    }

    /// Numbers of the generation in use and of the one that is being negotiated.
    pub(crate) fn numbers(&self) -> [Option<u32>; 2] {
        [&self.current, &self.next].map(|g| g.as_ref().map(|g| g.number))
    }

    pub(crate) fn generations(&self) -> impl Iterator<Item = &Generation> {
        [&self.current, &self.next].into_iter().flatten().map(Box::as_ref)
    }

    pub(crate) fn set_controlling(&mut self, controlling: bool) {
        self.controlling = Some(controlling);
        // Pairs of a running generation have been ordered by the role it was started with; roles change there only
        // by conflict resolution.
        if let Some(generation) = self.newest_mut().filter(|g| !g.started()) {
            generation.agent.set_controlling(controlling);
        }
    }

    pub(crate) fn accepts(&self, candidate: &LocalCandidate) -> bool {
        self.policy == IceTransportPolicy::All || candidate.kind == LocalCandidateKind::Relay
    }

    pub(crate) fn set_policy(&mut self, policy: IceTransportPolicy) {
        self.policy = policy;
    }

    /// Generations of a transport that takes the place of another one are numbered on.
    pub(crate) fn continue_numbers(&mut self, before: &IceTransport) {
        self.last_number = before.last_number;
    }

    /// Whether datagrams may be sent: there is a pair, and consent has not expired.
    pub(crate) fn can_send(&self) -> bool {
        self.route.is_some() && !self.failed && !self.closed
    }

    /// Whether the checks of this moment can carry DTLS.
    pub(crate) fn carries_dtls(&self) -> bool {
        self.embedding.is_open() && !self.closed && self.current.as_deref().is_some_and(Generation::started)
    }

    /// Counts datagrams sent over the pair in use.
    pub(crate) fn sent(&mut self, now: Instant, packets: u64, bytes: u64) {
        if let Some(pair) = self.route.and_then(|r| self.pairs.get_mut(r.pair)) {
            pair.packets_sent += packets;
            pair.bytes_sent += bytes;
            pair.last_sent = Some(now);
        }
    }

    /// Stops everything.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.current = None;
        self.next = None;
        self.outgoing.clear();
        self.agent_deadline = None;
    }

    /// A candidate for all generations: a restart may wait for its answer for long, or never get one, and the path in use has to move
    /// meanwhile.
    pub(crate) fn share(&mut self, now: Instant, candidate: &LocalCandidate) {
        for generation in [&mut self.current, &mut self.next].into_iter().flatten() {
            if !generation.has_local(candidate) {
                generation.add_local(now, candidate.clone());
            }
        }
    }

    pub(crate) fn remove_local(&mut self, now: Instant, base: SocketAddr) {
        for generation in [&mut self.current, &mut self.next].into_iter().flatten() {
            generation.remove_local(base);
        }
        self.follow(now);
        self.kick(now);
    }

    /// A TCP connection has ended.
    pub(crate) fn tcp_closed(&mut self, now: Instant, path: Path) {
        for generation in [&mut self.current, &mut self.next].into_iter().flatten() {
            generation.tcp_closed(now, path);
        }
        if path.local.port() != ACTIVE_PORT {
            self.pairs.close(path, self.route.map(|route| route.pair));
        }
        self.kick(now);
    }

    pub(crate) fn poll_outgoing(&mut self) -> Option<StunDatagram> {
        let datagram = self.outgoing.pop_front();
        if self.outgoing.is_empty() && self.outgoing.capacity() > 8 {
            // A busy check phase is over; an idle connection should not keep its buffers.
            self.outgoing = VecDeque::new();
        }
        datagram
    }

    /// Where data goes.
    pub(crate) fn route(&self) -> Option<Route> {
        self.route
    }

    /// Whether a route goes from this host to itself, so that no router is on it.
    pub(crate) fn is_inside_host(&self, route: Route) -> bool {
        let hosts = |generation: &Generation| {
            let entries = generation.locals.iter().map(|entry| &entry.candidate);
            let hosts: Vec<SocketAddr> =
                entries.filter(|c| c.kind == LocalCandidateKind::Host).map(|c| c.base).collect();
            let path = route.path;
            path.protocol == CandidateProtocol::Udp
                && hosts.contains(&path.local)
                && hosts.iter().any(|host| host.ip() == path.remote.ip())
        };
        self.generations().any(hosts)
    }

    pub(crate) fn route_pair(&self) -> Option<&Pair> {
        self.route.and_then(|r| self.pairs.get(r.pair))
    }

    pub(crate) fn selected_pair(&self, mid: &str) -> Option<SelectedPair> {
        let route = self.route?;
        let generation = self.generations().find(|g| g.number == route.generation)?;
        Some(SelectedPair {
            local: generation.local_side(route.path, mid),
            remote: generation.remote_side(route.path, mid),
        })
    }

    pub(crate) fn agent_deadline(&self) -> Option<Instant> {
        if self.resting() { None } else { self.agent_deadline }
    }

    /// Consent has expired, so nothing may be sent any more (RFC 7675 section 5.1), and no restart is under way.
    pub(super) fn resting(&self) -> bool {
        self.closed || (self.failed && self.next.is_none())
    }

    /// Makes `failed` final until something new is known.
    pub(crate) fn mark_failed(&mut self) {
        self.failed = true;
    }

    /// New remote candidates: if no pair has ever worked, try again.
    pub(crate) fn clear_failed(&mut self) {
        if self.route.is_none() {
            self.failed = false;
        }
    }

    pub(crate) fn gathering_state(&self) -> GatheringState {
        match self.newest() {
            None => GatheringState::New,
            Some(g) if g.gathering_done => GatheringState::Complete,
            Some(_) => GatheringState::Gathering,
        }
    }

    pub(crate) fn role(&self) -> IceRole {
        match self.current.as_ref().filter(|g| g.started()) {
            Some(g) if g.agent.controlling() => IceRole::Controlling,
            Some(_) => IceRole::Controlled,
            None => match self.controlling {
                None => IceRole::Unknown,
                Some(true) => IceRole::Controlling,
                Some(false) => IceRole::Controlled,
            },
        }
    }

    /// The last time anything was done; states are derived for it.
    pub(crate) fn clock(&self) -> Option<Instant> {
        self.clock
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}
