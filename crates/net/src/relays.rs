//! What a peer does with its allocations on TURN servers: gives back those of the past, and has those replaced that are lost.

use std::time::{Duration, Instant};

use ossa_peer::CandidateProtocol;

use crate::config::IceServer;
use crate::core::Core;
use crate::link::Link;
use crate::relay::Relay;
use crate::renewal::AGAIN;

/// How long an allocation outlives its ICE generation: what the peer has sent to it may still be under way.
const RETIRE_TIME: Duration = Duration::from_secs(5);

impl Core {
    /// Gives back the allocations of generations that are over: the server would be asked to keep them for as long as the peer lives. Their
    /// names are forgotten.
    pub(crate) fn retire(&mut self, now: Instant) {
        let generations = self.connection.ice_generations();
        if generations == self.generations {
            return;
        }
        self.generations = generations;
        self.be_forgotten(generations);
        for link in self.links() {
            if let Link::Relay(relay, _) = link
                && !generations.contains(&Some(relay.generation()))
            {
                relay.retire(now + RETIRE_TIME);
            }
        }
    }

    /// The server of the allocation that is in use is not among these any more: there is to be another one before it goes.
    pub(crate) fn set_ice_servers(&mut self, servers: Vec<IceServer>) {
        self.config.ice_servers = servers;
        let stays = |relay: &Relay| {
            self.config.ice_servers.iter().flat_map(|server| &server.urls).any(|url| relay.is_at(&url.url))
        };
        if self.relay_in_use().is_some_and(|relay| !stays(relay)) {
            self.renewal.want();
        }
    }

    /// Its server does not answer, or not from this allocation.
    pub(crate) fn doubt_relay(&self) {
        if let Some(relay) = self.relay_in_use() {
            relay.doubt();
        }
    }

    /// Whether nothing comes by the allocation in use, nor from its server, which was asked. If only the peer is silent, another allocation is
    /// of no use.
    pub(crate) fn has_silent_relay(&self, now: Instant) -> bool {
        let recent = |at| now.saturating_duration_since(at) < AGAIN;
        self.connection.has_lost_its_relay()
            && !self.relay_in_use().is_some_and(|relay| relay.confirmed().is_some_and(recent))
    }

    /// An allocation is lost, or will be. It is replaced if it is in use.
    pub(crate) fn replace_relay(&mut self, relay: &Relay) {
        let used = self.connection.relay_in_use();
        if relay.candidates().iter().any(|candidate| Some(candidate.addr) == used) {
            self.renewal.want();
        }
    }

    fn relay_in_use(&self) -> Option<&Relay> {
        match self.link(CandidateProtocol::Udp, self.connection.relay_in_use()?) {
            Some(Link::Relay(relay, _)) => Some(relay),
            _ => None,
        }
    }
}
