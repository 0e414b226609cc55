//! The agent of a generation, which can begin anew: it never forgets what it has been told of, so that a generation with many TCP
//! connections one after the other, or many addresses behind NATs, would fill it.

use std::time::{Duration, Instant};

use is::stun::StunMessage;

use super::agent::make_agent;
use super::generation::Generation;
use super::pairs::PairTable;
use super::path::Path;

/// Addresses of ours that the peer may tell us of before the agent begins anew. A host behind NATs has one per interface and path,
/// and another one for each TCP connection.
const MAX_MAPPED: usize = 64;

/// An agent does not begin anew more often: a peer could keep it from ever finishing its checks.
const SELDOM: Duration = Duration::from_secs(10);

impl Generation {
    pub(super) fn may_begin_anew(&self, now: Instant) -> bool {
        self.anew.is_none_or(|at| now.saturating_duration_since(at) >= SELDOM)
    }

    /// Another agent with the same credentials, the same role and the candidates of this moment. The pair in use goes on being used meanwhile.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        let mut agent = make_agent(&self.local, &self.config, self.tie_breaker);
        agent.set_controlling(self.agent.controlling());
        agent.set_ice_lite(self.agent.ice_lite());
        for entry in &mut self.locals {
            // Of two names of one socket the agent takes the first.
            if let Some(candidate) = agent.add_local_candidate(entry.agent.clone()) {
                entry.agent = candidate.clone();
            }
        }
        self.agent = agent;
        self.tell_remote();
        self.mapped.clear();
        self.given_up = 0;
        self.anew = Some(now);
        self.choice.begin_anew();
        self.choose();
    }

    /// The agent has collected as much of what is over as it may.
    pub(super) fn is_full(&self) -> bool {
        self.given_up + self.mapped.len() >= MAX_MAPPED
    }

    /// Whether a message may reach the agent, which makes a candidate of every new address that it hears of, from the
    /// source of a check and from the content of an answer, and sets no limit to their number. Where there is no room for an address, those
    /// before are history if they have long been silent: then the agent begins anew. `used` is the pair in use.
    pub(crate) fn admits(
        &mut self,
        now: Instant,
        message: &StunMessage<'_>,
        pairs: &mut PairTable,
        path: Path,
        used: Option<u32>,
    ) -> bool {
        if message.is_binding_request() {
            let genuine = self.agent.accepts_message(message);
            if genuine && self.choice.hear((path.protocol, path.remote)) {
                self.choose();
            }
            if self.knows(path.protocol, path.remote) || pairs.admits(self.number, path) {
                return true;
            }
            if genuine && self.may_begin_anew(now) && pairs.forget_silent(self.number, used, now) {
                self.begin_anew(now);
            }
            return pairs.admits(self.number, path);
        }
        let Some(addr) = message.mapped_address().filter(|_| message.is_successful_binding_response()) else {
            return true;
        };
        // Only what is genuine may take up room.
        if !self.mapped.contains(&addr) && self.agent.accepts_message(message) {
            if self.mapped.len() >= MAX_MAPPED && self.may_begin_anew(now) {
                self.begin_anew(now);
            }
            if self.mapped.len() < MAX_MAPPED {
                self.mapped.push(addr);
            }
        }
        self.mapped.contains(&addr)
    }
}
