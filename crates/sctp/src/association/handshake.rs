//! The four-way handshake (RFC 9260 section 5), its collisions and restarts.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::control::ControlChunk;
use super::{Association, local_endpoint};
use crate::chunk::init::{Endpoint, Init};
use crate::chunk::{cause, kind, param};
use crate::cookie::Cookie;
use crate::event::{CloseReason, Event};
use crate::init_chunk::InitChunk;
use crate::packet::CommonHeader;
use crate::recv::{Receiver, RecvTerms};
use crate::reset::Resets;
use crate::send::SendTerms;
use crate::state::State;
use crate::time::{Nanos, Time, nanos};

/// Largest cookie of a peer that we carry.
const MAX_COOKIE: usize = 1024;

/// Two stacks do not announce PAD and are known to skip it; both begin their cookies with their name.
fn is_cookie_of_a_stack_that_skips_pad(cookie: &[u8]) -> bool {
    const USRSCTP: &[u8] = b"KAME-BSD";
    const DCSCTP: &[u8] = b"dcSCTP";
    cookie.starts_with(USRSCTP) || cookie.starts_with(DCSCTP)
}

/// Our side of a handshake under way.
#[derive(Debug, Default)]
pub(super) struct Handshake {
    /// INIT or COOKIE ECHO is to be sent.
    pub(super) due: bool,
    /// When it is repeated (T1).
    pub(super) timer: Option<Time>,
    pub(super) attempts: u32,
    sent_at: Time,
    /// How long answers were waited for so far.
    waited: Nanos,
    /// The peer's cookie, to be echoed.
    pub(super) cookie: Bytes,
    /// The INITs came with the descriptions.
    skipped: bool,
    /// And nothing has come from the peer since.
    pub(super) unproven: bool,
}

impl Handshake {
    fn begin(&mut self, cookie: Bytes) {
        *self = Self { due: true, cookie, waited: self.waited, ..Self::default() };
    }
}

impl Association {
    /// Starts the handshake. Both sides of a WebRTC connection call it (RFC 9260 section 5.2). Without effect if
    /// it has started before.
    pub fn connect(&mut self, now: Instant) {
        self.at(now);
        if self.state == State::Closed && !self.ended {
            self.state = State::CookieWait;
            self.handshake.begin(Bytes::new());
        }
    }

    /// Our INIT, for a description: what [`Self::connect`] would send. It follows from the settings and the seed.
    pub fn init_chunk(&self) -> InitChunk {
        InitChunk(self.local)
    }

    /// Goes without the handshake, because `peer` came with the description, and [`Self::init_chunk`] went there with ours
    /// (draft-hancke-tsvwg-snap): data may be sent at once. `rtt` is the round trip time of the path as far as it is known, which
    /// the handshake would have measured. Without effect if it has started before.
    ///
    /// The time limit of the handshake holds for the first packet of the peer, once there was something to answer. A peer that knows
    /// nothing of this is answered when its own INIT comes, as long as it is the one from its description.
    pub fn connect_with(&mut self, now: Instant, peer: &InitChunk, rtt: Option<Duration>) {
        let now = self.at(now);
        if self.state == State::Closed && !self.ended {
            if let Some(rtt) = rtt {
                self.sender.rtt.sample(nanos(rtt));
            }
            self.establish(now, peer.0);
            self.handshake.skipped = true;
            self.handshake.unproven = true;
        }
    }

    /// Notes that INIT or COOKIE ECHO went out.
    pub(super) fn on_handshake_sent(&mut self, now: Time) {
        let left = self.handshake_time_left();
        let handshake = &mut self.handshake;
        handshake.due = false;
        handshake.sent_at = now;
        handshake.timer = Some(now.after(self.sender.rtt.backed_off(handshake.attempts).min(left)));
        handshake.attempts += 1;
    }

    /// Without a handshake the first packet of the peer is the proof that it is there. All that can be sent before gets an answer.
    pub(super) fn on_unproven_sent(&mut self, now: Time) {
        let patience = self.handshake_time_left().min(nanos(self.config.rto_max));
        if self.config.handshake_timeout.is_some() && self.handshake.timer.is_none() {
            self.handshake.sent_at = now;
            self.handshake.timer = Some(now.after(patience));
        }
    }

    fn handshake_time_left(&self) -> Nanos {
        let limit = self.config.handshake_timeout.map_or(Nanos::MAX, nanos);
        limit.saturating_sub(self.handshake.waited)
    }

    /// T1 expired: repeat, unless it has taken too long.
    pub(super) fn on_handshake_timeout(&mut self, now: Time) {
        self.handshake.timer = None;
        self.handshake.waited += now.since(self.handshake.sent_at);
        if self.handshake_time_left() == 0 {
            let waited = Duration::from_nanos(self.handshake.waited);
            self.end(CloseReason::HandshakeTimeout { waited });
        } else {
            self.handshake.due = !self.handshake.unproven;
        }
    }

    /// A round trip of the handshake is a good first estimate, if nothing was repeated.
    fn sample_handshake(&mut self, now: Time) {
        if self.handshake.attempts == 1 {
            self.sender.rtt.sample(now.since(self.handshake.sent_at));
        }
    }

    /// Answers an INIT with an INIT ACK that carries everything in its cookie.
    pub(super) fn on_init(&mut self, now: Time, value: &[u8]) {
        let Some(init) = Init::parse(value) else { return };
        if self.ended {
            return;
        }
        if self.state == State::ShutdownAckSent {
            self.shutdown.due = true;
            return;
        }
        if !init.is_valid() {
            let mut abort = ControlChunk::with_cause(kind::ABORT, cause::INVALID_PARAMETER, &[]);
            abort.tag = Some(init.endpoint.tag);
            self.control.push(abort);
            return;
        }
        // Before the association is up, repeated and colliding INITs get the same tag, so that either side's
        // cookie works. Afterwards the peer may have restarted: it gets a new one.
        let fresh = self.is_up() && !self.expects_init(&init.endpoint);
        let local =
            if fresh { local_endpoint(&self.config, &mut self.randomness.generator()) } else { self.local };
        let ties = self.peer.filter(|_| self.state != State::CookieWait);
        let cookie = Cookie {
            created: now,
            local,
            peer: init.endpoint,
            tie_local: ties.map_or(0, |_| self.local.tag),
            tie_peer: ties.map_or(0, |peer| peer.tag),
        };
        let mut reply = Vec::with_capacity(256);
        local.write(&mut reply, Some(&self.cookie_key.sign(&cookie)), &init.unrecognized);
        let mut chunk = ControlChunk::new(kind::INIT_ACK, reply);
        chunk.tag = Some(init.endpoint.tag);
        self.control.push(chunk);
    }

    /// The peer performs the handshake that we have gone without, since our description has lost its INIT on the way: it gets the
    /// association that is there already.
    fn expects_init(&self, init: &Endpoint) -> bool {
        let known = self.peer.as_ref();
        self.handshake.skipped
            && known.is_some_and(|peer| (peer.tag, peer.initial_tsn) == (init.tag, init.initial_tsn))
    }

    /// Takes the peer's answer to our INIT.
    pub(super) fn on_init_ack(&mut self, now: Time, value: &[u8]) {
        if self.state != State::CookieWait {
            return;
        }
        let Some(init) = Init::parse(value) else { return };
        let cookie = init.cookie.filter(|cookie| cookie.len() <= MAX_COOKIE);
        if !init.is_valid() || cookie.is_none() {
            self.peer = Some(init.endpoint);
            let code = if cookie.is_none() { cause::MISSING_PARAMETER } else { cause::INVALID_PARAMETER };
            self.violation(code, format!("INIT ACK is not acceptable: {}", cause::name(code)));
            return;
        }
        self.sample_handshake(now);
        let mut peer = init.endpoint;
        peer.features.pad |= cookie.is_some_and(is_cookie_of_a_stack_that_skips_pad);
        self.peer = Some(peer);
        self.state = State::CookieEchoed;
        self.handshake.begin(Bytes::copy_from_slice(cookie.unwrap_or_default()));
        if !init.unrecognized.is_empty() {
            let report = &init.unrecognized;
            self.control.push(ControlChunk::with_cause(kind::ERROR, cause::UNRECOGNIZED_PARAMETERS, report));
        }
    }

    /// Takes our own cookie back (RFC 9260 section 5.2.4).
    pub(super) fn on_cookie_echo(&mut self, now: Time, header: &CommonHeader, value: &[u8]) {
        let Some(cookie) = self.cookie_key.open(value) else { return };
        if self.ended || header.tag != cookie.local.tag {
            return;
        }
        let same_local = cookie.local.tag == self.local.tag;
        let same_peer = self.peer.is_some_and(|peer| peer.tag == cookie.peer.tag);
        let age = now.since(cookie.created);
        let lifetime = nanos(self.config.cookie_lifetime);
        if age > lifetime && !(same_local && same_peer) {
            self.refuse_stale_cookie(&cookie, age - lifetime);
            return;
        }
        let tied =
            self.peer.is_some_and(|peer| cookie.tie_peer == peer.tag) && cookie.tie_local == self.local.tag;
        match (self.is_up(), same_local, same_peer) {
            // Action D: our COOKIE ACK was lost.
            (true, true, true) => self.control.push(ControlChunk::new(kind::COOKIE_ACK, Bytes::new())),
            // Not yet up: first cookie, or a collision (actions B and D).
            (false, true, _) => {
                self.establish(now, cookie.peer);
                self.control.push(ControlChunk::new(kind::COOKIE_ACK, Bytes::new()));
            }
            (true, false, false) if tied => self.restart(now, &cookie),
            // Action C, and cookies of an earlier life.
            _ => {}
        }
    }

    fn refuse_stale_cookie(&mut self, cookie: &Cookie, staleness: u64) {
        let micros = u32::try_from(staleness / 1000).unwrap_or(u32::MAX);
        let mut error = ControlChunk::with_cause(kind::ERROR, cause::STALE_COOKIE, &micros.to_be_bytes());
        error.tag = Some(cookie.peer.tag);
        self.control.push(error);
    }

    /// The peer found our cookie echo too old: start over.
    pub(super) fn on_stale_cookie(&mut self) {
        if self.state == State::CookieEchoed {
            self.state = State::CookieWait;
            self.peer = None;
            // A peer that finds every cookie too old is not asked at the pace of its answers for ever.
            self.handshake.waited += self.sender.rtt.rto();
            self.handshake.begin(Bytes::new());
        }
    }

    /// Takes the end of our handshake.
    pub(super) fn on_cookie_ack(&mut self, now: Time) {
        if let (State::CookieEchoed, Some(peer)) = (self.state, self.peer) {
            self.sample_handshake(now);
            self.establish(now, peer);
        }
    }

    /// Both sides know each other: data may flow.
    fn establish(&mut self, now: Time, mut peer: Endpoint) {
        // What its INIT ACK told beyond what our cookie holds.
        peer.features.pad |= self.peer.is_some_and(|known| known.tag == peer.tag && known.features.pad);
        self.peer = Some(peer);
        self.state = State::Established;
        self.handshake = Handshake::default();
        self.start_halves(&peer);
        let inbound_streams = self.receiver.inbound_streams();
        let outbound_streams = self.outbound_streams();
        self.events.push_back(Event::Connected { outbound_streams, inbound_streams });
        self.pmtud.restart();
        self.heartbeat.on_activity(now, self.config.heartbeat_interval);
    }

    /// The peer lost its state and begins anew (action A).
    fn restart(&mut self, now: Time, cookie: &Cookie) {
        if self.state == State::ShutdownAckSent {
            let code = cause::COOKIE_WHILE_SHUTTING_DOWN;
            self.control.push(ControlChunk::with_cause(kind::ERROR, code, &[]));
            self.shutdown.due = true;
            return;
        }
        self.local = cookie.local;
        self.establish(now, cookie.peer);
        self.events.pop_back();
        self.events.push_back(Event::Restarted);
        self.control.push(ControlChunk::new(kind::COOKIE_ACK, Bytes::new()));
    }

    /// Makes both halves anew for what was agreed.
    fn start_halves(&mut self, peer: &Endpoint) {
        let agreed = self.agreed();
        let send = SendTerms {
            initial_tsn: self.local.initial_tsn,
            peer_window: peer.window,
            interleaving: agreed.interleaving,
            forward_tsn: agreed.forward_tsn,
        };
        let receive = RecvTerms {
            peer_tsn: peer.initial_tsn,
            interleaving: agreed.interleaving,
            inbound_streams: peer.outbound_streams.min(self.local.inbound_streams),
        };
        self.sender.restart(&self.config, send);
        let fresh = Receiver::new(&self.config, receive);
        let old = std::mem::replace(&mut self.receiver, fresh);
        self.receiver.inherit(old);
        self.resets = Resets::new(self.local.initial_tsn, peer.initial_tsn);
    }

    /// An INIT for `poll_transmit`.
    pub(super) fn init_value(&self) -> Vec<u8> {
        let mut value = Vec::with_capacity(64);
        self.local.write(&mut value, None, &[]);
        value
    }

    /// Takes an ERROR chunk.
    pub(super) fn on_error(&mut self, value: &[u8]) {
        if param::Params(value).any(|error| error.kind == cause::STALE_COOKIE) {
            self.on_stale_cookie();
        }
    }
}
