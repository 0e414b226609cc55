//! What moves an ICE transport: messages, time, and what the agents make of them.

use std::time::{Duration, Instant};

use is::IceAgentEvent;
use is::stun::StunMessage;
use tracing::trace;

use super::embedding::{Carried, Embedding};
use super::generation::Generation;
use super::pairs::Pair;
use super::path::{Path, of_agent};
use super::rewrite;
use super::transport::{IceTransport, Route, StunDatagram};

/// STUN messages waiting to be sent. The agent makes at most a few per call; beyond this the oldest are dropped,
/// which the retransmissions make good.
const MAX_OUTGOING: usize = 64;

/// Longest message that carries something, in bytes of UDP payload: paths that IPv6 can use have room for 1,232.
const MAX_MESSAGE: usize = 1200;
/// Bytes that the two attributes take besides a datagram: their headers, four numbers, padding.
const LOAD: usize = 4 + 16 + 4 + 3;

impl IceTransport {
    /// To be called after anything about a generation has changed.
    pub(crate) fn kick(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        for generation in [&mut self.current, &mut self.next].into_iter().flatten() {
            generation.kick(now);
            self.pairs.set_lite(generation.number, generation.is_lite());
        }
        self.pump(now);
    }

    /// A datagram whose first byte says that it is STUN. Returns whether it was ours; then [`Self::pump`] follows, as soon as what it
    /// carries has been taken out of [`Self::embedding`] and answered there.
    pub(crate) fn handle_stun(&mut self, now: Instant, path: Path, data: &[u8]) -> bool {
        if self.closed {
            return false;
        }
        let Ok(message) = StunMessage::parse(data) else { return false };
        let (mut accepted, mut answered) = (false, false);
        let used = self.route.map(|route| route.pair);
        for generation in [&mut self.current, &mut self.next].into_iter().flatten() {
            if !generation.admits(now, &message, &mut self.pairs, path, used) {
                continue;
            }
            if !generation.take(now, &message, data, path) {
                continue;
            }
            accepted = true;
            if self.embedding.is_open() && !message.is_failed_binding_response() {
                self.embedding.take(rewrite::carried(data));
            }
            if message.is_binding_request() {
                let reflexive = !generation.knows(path.protocol, path.remote);
                if let Some(pair) = self.pairs.entry(now, generation.number, path) {
                    pair.authenticated = true;
                    pair.reflexive = reflexive;
                    pair.requests_received += 1;
                    pair.last_request = Some(now);
                    pair.lite = generation.is_lite();
                }
            } else if message.is_successful_binding_response() {
                self.pairs.response_received(now, message.trans_id());
                answered = true;
            }
            // Answers, triggered checks and nominations go out now instead of at the next tick.
            generation.agent.handle_timeout(now);
            break;
        }
        if answered {
            self.follow(now);
        }
        accepted
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.clock = Some(now);
        if self.resting() {
            return;
        }
        self.hurry(now);
        self.suspect(now);
        if self.agent_deadline.is_some_and(|deadline| deadline <= now) {
            for generation in [&mut self.current, &mut self.next].into_iter().flatten() {
                generation.agent.handle_timeout(now);
                // The agent has given up all its pairs, but whether the connection has failed is not for it to say.
                if generation.started() && generation.agent.state().is_disconnected() {
                    generation.agent.recreate_candidate_pairs();
                }
            }
            self.pump(now);
        }
    }

    /// One lost consent check must not look like an outage, so silence brings the next checks forward.
    fn hurry(&mut self, now: Instant) {
        let (Some(heard), Some(current)) = (self.heard(), &mut self.current) else { return };
        let due = heard.checked_add(self.config.patience()).is_some_and(|at| at <= now);
        if due && !self.hurried {
            // The agent recalculates the times of its checks when a setting changes, and only then.
            let max_rto = self.config.max_rto;
            current.agent.set_max_stun_rto(max_rto + Duration::from_millis(1));
            current.agent.set_max_stun_rto(max_rto);
            self.agent_deadline = Some(now);
        }
        self.hurried = due;
    }

    /// When the peer was last heard of on the pair in use.
    pub(super) fn heard(&self) -> Option<Instant> {
        self.route_pair().map(Pair::last_heard)
    }

    /// Takes out of the agents what they have to say.
    pub(crate) fn pump(&mut self, now: Instant) {
        self.clock = Some(now);
        self.pump_one(now, false);
        self.pump_one(now, true);
        self.use_valid_pair();
        self.agent_deadline = [&mut self.current, &mut self.next]
            .into_iter()
            .flatten()
            .filter_map(|g| g.agent.poll_timeout())
            .min();
    }

    fn pump_one(&mut self, now: Instant, of_next: bool) {
        let slot = if of_next { &mut self.next } else { &mut self.current };
        let Some(generation) = slot else { return };
        let number = generation.number;
        while let Some(transmit) = generation.agent.poll_transmit() {
            let path = Path {
                protocol: of_agent(transmit.proto),
                local: transmit.source,
                remote: transmit.destination,
            };
            if !generation.can_leave(path) {
                continue;
            }
            let mut payload = generation.outward(transmit.contents.into());
            let consent = self.route.is_some_and(|r| r.generation == number);
            if let Some(pair) = self.pairs.entry(now, number, path) {
                payload = load(payload, &mut self.embedding, pair, generation);
                let pair_id = pair.id;
                match StunMessage::parse(&payload) {
                    Ok(m) if m.is_binding_request() => {
                        self.pairs.request_sent(now, pair_id, m.trans_id(), consent);
                    }
                    _ => pair.responses_sent += 1,
                }
            }
            if self.outgoing.len() >= MAX_OUTGOING {
                self.outgoing.pop_front();
            }
            self.outgoing.push_back(StunDatagram { path, payload });
        }
        let mut nominated = None;
        while let Some(event) = generation.agent.poll_event() {
            if let IceAgentEvent::NominatedSend { proto, source, destination } = event {
                nominated = Some(Path { protocol: of_agent(proto), local: source, remote: destination });
            }
        }
        if let Some(path) = nominated {
            self.select(now, number, path);
        }
    }

    /// Until the peer has nominated a pair, the first one that has worked is used: either side may send on any valid pair (RFC 8445
    /// section 12.1), and the nomination takes half a round trip more.
    fn use_valid_pair(&mut self) {
        let Some(number) =
            self.current.as_ref().map(|current| current.number).filter(|_| self.route.is_none())
        else {
            return;
        };
        let valid = self.pairs.iter().find(|p| p.generation == number && p.last_response.is_some());
        if let Some(pair) = valid {
            trace!(number, "pair used before nomination");
            self.route = Some(Route { pair: pair.id, generation: number, path: pair.path });
            self.route_changes += 1;
            self.failed = false;
        }
    }

    /// A pair was nominated: use it, and its generation.
    fn select(&mut self, now: Instant, number: u32, path: Path) {
        trace!(number, "pair nominated");
        if self.next.as_ref().is_some_and(|n| n.number == number) {
            self.current = self.next.take();
            // One generation back is kept: datagrams on the old pair may still be under way.
            self.pairs.forget_before(number.saturating_sub(1));
        }
        let Some(pair) = self.pairs.entry(now, number, path) else { return };
        pair.nominated = true;
        pair.authenticated = true;
        let route = Route { pair: pair.id, generation: number, path };
        if self.route != Some(route) {
            self.route = Some(route);
            self.route_changes += 1;
        }
        self.failed = false;
    }
}

/// Puts into a message what it is to carry.
fn load(bytes: Vec<u8>, embedding: &mut Embedding, pair: &Pair, generation: &Generation) -> Vec<u8> {
    if !embedding.is_open() {
        return bytes;
    }
    let Ok(message) = StunMessage::parse(&bytes) else { return bytes };
    let (count, pwd) = match (message.is_binding_request(), message.is_successful_binding_response()) {
        (true, _) => (pair.requests_sent, generation.remote.as_ref().map(|remote| &remote.pwd)),
        (_, true) => (pair.responses_sent, Some(&generation.local.pwd)),
        _ => return bytes,
    };
    let carried = embedding.next(count, pair.authenticated, MAX_MESSAGE.saturating_sub(bytes.len() + LOAD));
    let loaded =
        pwd.filter(|_| carried != Carried::default()).and_then(|pwd| rewrite::loaded(&bytes, pwd, &carried));
    loaded.unwrap_or(bytes)
}
