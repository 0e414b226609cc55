//! Leaving a pair that has died for one that works, without new credentials: a NAT forgets its mapping, a router or an interface goes away,
//! and the consent checks would notice only after many seconds.
//!
//! Data that suddenly stops coming makes the pair suspect: for a moment all pairs are checked often. Each check also shows the peer under
//! which address this side is seen now. A pair that answers while the one in use does not takes its place; the peer does the same, so that
//! nobody has to signal.

use std::time::{Duration, Instant};

use tracing::trace;

use super::pairs::Pair;
use super::transport::{IceTransport, Route};

/// Datagrams since the last suspicion that make a pair busy: silence after fewer is a conversation that has ended.
const BUSY: u64 = 32;

/// Silence on a busy pair that makes it suspect, and a multiple of its round trip for long ones: windows come in bursts.
const SILENCE: Duration = Duration::from_millis(400);
const ROUND_TRIPS: u32 = 3;

/// How often pairs are checked meanwhile, and for how long: the agent drops pairs after twenty checks without an answer.
const HASTE: Duration = Duration::from_millis(200);
const SUSPECT: Duration = Duration::from_millis(2500);

/// Checks in a row without an answer that tell a dead pair from a lost datagram.
const UNANSWERED: u32 = 2;

impl IceTransport {
    /// When silence on the pair in use becomes suspicious, or the suspicion is over.
    pub(crate) fn suspicion_due(&self) -> Option<Instant> {
        if self.resting() {
            return None;
        }
        self.watch.until.or_else(|| {
            let pair = self.route_pair()?;
            let before = self.watch.seen.filter(|(id, _)| *id == pair.id).map_or(0, |(_, packets)| packets);
            let last = pair.last_received.filter(|_| pair.packets_received >= before + BUSY)?;
            let silence = SILENCE.max(pair.rtt.unwrap_or_default().saturating_mul(ROUND_TRIPS));
            last.checked_add(silence)
        })
    }

    /// Begins or ends to suspect.
    pub(super) fn suspect(&mut self, now: Instant) {
        if self.suspicion_due().is_none_or(|due| due > now) {
            return;
        }
        let begins = self.watch.until.is_none();
        self.watch.seen = self.route_pair().map(|pair| (pair.id, pair.packets_received));
        self.watch.until = if begins { now.checked_add(SUSPECT) } else { None };
        let rto = if begins { HASTE.min(self.config.max_rto) } else { self.config.max_rto };
        trace!(begins, "the pair in use is suspected");
        if let Some(current) = &mut self.current {
            current.agent.set_max_stun_rto(rto);
        }
        self.agent_deadline = Some(now);
    }

    /// Whether checks are more frequent than usual at the moment: something may have happened to the network.
    pub(crate) fn is_suspicious(&self) -> bool {
        self.watch.until.is_some()
    }

    /// Whether the peer is missed: data has stopped suddenly, or a consent check stays without an answer.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_suspicious() || (self.hurried && self.can_send())
    }

    /// Whether the peer is missed, and checks of the pair in use stay without an answer.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_in_doubt() && self.route_pair().is_some_and(|pair| pair.unanswered > UNANSWERED)
    }

    /// Whether the pair in use is dead as far as can be told, and none has taken its place.
    pub(crate) fn is_cut_off(&self) -> bool {
        let (Some(route), Some(pair), Some(current)) = (self.route, self.route_pair(), &self.current) else {
            return false;
        };
        let gone = route.generation == current.number && !current.has_base(&route.path);
        self.can_send() && (gone || pair.unanswered >= UNANSWERED)
    }

    /// Leaves the pair in use if it is dead and another one of its generation works.
    pub(super) fn follow(&mut self, now: Instant) {
        let (Some(route), Some(current)) = (self.route, &self.current) else { return };
        if self.failed || route.generation != current.number {
            return;
        }
        let gone = !current.has_base(&route.path);
        let since = match self.route_pair() {
            Some(used) if gone => Some(used.last_answer()),
            Some(used) => used.asked.filter(|_| used.unanswered >= UNANSWERED),
            None => None,
        };
        let Some(since) = since else { return };
        let works = |pair: &&Pair| {
            pair.generation == route.generation
                && pair.id != route.pair
                && pair.unanswered == 0
                && pair.last_response.is_some_and(|at| at > since || gone)
                && current.has_base(&pair.path)
        };
        // Of those that have just answered, the quickest; over TCP only if there is none of UDP.
        let rank = |pair: &&Pair| (pair.path.protocol, pair.rtt.unwrap_or(Duration::MAX));
        let best = self.pairs.iter().filter(works).min_by_key(rank);
        if let Some(pair) = best {
            trace!(generation = route.generation, "the pair in use is dead: another one takes its place");
            self.route = Some(Route { pair: pair.id, path: pair.path, ..route });
            self.route_changes += 1;
            self.watch.until = self.watch.until.map(|_| now);
        }
    }
}
