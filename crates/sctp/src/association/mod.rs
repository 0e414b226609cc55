//! The association: one SCTP connection between two endpoints.

mod api;
mod close;
mod control;
mod handshake;
mod heartbeat;
mod receive;
#[cfg(test)]
mod tests;
mod timers;
mod transmit;

use std::collections::VecDeque;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::chunk::init::{Endpoint, Features};
use crate::config::Config;
use crate::cookie::CookieKey;
use crate::event::{CloseReason, Event};
use crate::pmtud::Pmtud;
use crate::random::Randomness;
use crate::recv::{Receiver, RecvTerms};
use crate::reset::Resets;
use crate::send::{SendTerms, Sender};
use crate::state::State;
use crate::time::{Clock, Time};

use control::Control;
use handshake::Handshake;
use heartbeat::Heartbeat;

/// Largest packet that is built, whatever the settings: chunk lengths have 16 bits.
const MAX_PACKET: usize = 65_000;
/// Smallest packet size that still takes every control chunk.
const MIN_PACKET: usize = 512;

/// One SCTP association. See the crate's documentation for how to drive it.
///
/// After every call that may have changed something (`handle_packet`, `handle_timeout`, `send`, `recv`, ...) call
/// [`poll_transmit`](Self::poll_transmit) until it returns `None`, and look at
/// [`poll_timeout`](Self::poll_timeout) again.
#[derive(Debug)]
pub struct Association {
    config: Config,
    clock: Clock,
    /// The time of the last call that told it.
    now: Time,
    randomness: Randomness,
    cookie_key: CookieKey,
    state: State,
    /// It is over and will not start again.
    ended: bool,
    local: Endpoint,
    /// Known from the peer's INIT ACK or from the cookie.
    peer: Option<Endpoint>,
    handshake: Handshake,
    heartbeat: Heartbeat,
    control: Control,
    sender: Sender,
    receiver: Receiver,
    resets: Resets,
    pmtud: Pmtud,
    shutdown: close::Shutdown,
    events: VecDeque<Event>,
    closing: Option<CloseReason>,
    traffic: Traffic,
}

/// Counters of packets.
#[derive(Debug, Default)]
struct Traffic {
    packets_sent: u64,
    packets_received: u64,
    packets_dropped: u64,
    bytes_sent: u64,
    bytes_received: u64,
}

impl Association {
    /// Creates an association that has not started. `seed` must come from a cryptographic random source: tags,
    /// initial TSN and the cookie key are derived from it.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let config = sanitize(config);
        let mut rng = ChaCha12Rng::from_seed(seed);
        let mut cookie_key = [0; 32];
        rng.fill_bytes(&mut cookie_key);
        let local = local_endpoint(&config, &mut rng);
        let initial_tsn = local.initial_tsn;
        let send = SendTerms { initial_tsn, peer_window: 0, interleaving: false, forward_tsn: false };
        let receive = RecvTerms { peer_tsn: 0, interleaving: false, inbound_streams: 0 };
        Self {
            clock: Clock::default(),
            now: Time::default(),
            randomness: Randomness::after(&mut rng),
            cookie_key: CookieKey(cookie_key),
            state: State::Closed,
            ended: false,
            local,
            peer: None,
            handshake: Handshake::default(),
            heartbeat: Heartbeat::default(),
            control: Control::default(),
            sender: Sender::new(&config, send),
            receiver: Receiver::new(&config, receive),
            resets: Resets::new(initial_tsn, 0),
            pmtud: Pmtud::new(&config),
            shutdown: close::Shutdown::default(),
            events: VecDeque::new(),
            closing: None,
            traffic: Traffic::default(),
            config,
        }
    }

    /// Features that both sides have.
    fn agreed(&self) -> Features {
        let Some(peer) = &self.peer else { return Features::default() };
        let (ours, theirs) = (self.local.features, peer.features);
        Features {
            forward_tsn: ours.forward_tsn && theirs.forward_tsn,
            reconfig: ours.reconfig && theirs.reconfig,
            interleaving: ours.interleaving && theirs.interleaving,
            // Each direction for itself: what counts is what the receiver accepts.
            zero_checksum: ours.zero_checksum && theirs.zero_checksum,
            pad: theirs.pad,
        }
    }

    fn outbound_streams(&self) -> u16 {
        self.peer.as_ref().map_or(0, |peer| peer.inbound_streams.min(self.local.outbound_streams))
    }

    /// Whether a peer is known and data may flow in some direction.
    fn is_up(&self) -> bool {
        !matches!(self.state, State::Closed | State::CookieWait | State::CookieEchoed)
    }

    /// Time of a call.
    fn at(&mut self, instant: std::time::Instant) -> Time {
        // Time never goes back, even if a caller's does.
        self.now = self.now.max(self.clock.time(instant));
        self.now
    }
}

/// Brings settings into the range that works.
fn sanitize(mut config: Config) -> Config {
    config.streams = config.streams.max(1);
    config.initial_mtu = config.initial_mtu.clamp(MIN_PACKET, MAX_PACKET);
    config.max_mtu = config.max_mtu.clamp(config.initial_mtu, MAX_PACKET);
    config.max_receive_message_size = config.max_receive_message_size.max(1);
    config
}

/// Our side of the handshake, with a fresh tag and TSN.
fn local_endpoint(config: &Config, rng: &mut ChaCha12Rng) -> Endpoint {
    let tag = std::iter::repeat_with(|| rng.next_u32()).find(|tag| *tag != 0).unwrap_or(1);
    Endpoint {
        tag,
        window: u32::try_from(config.receive_window_min.max(1500)).unwrap_or(u32::MAX),
        outbound_streams: config.streams,
        inbound_streams: config.streams,
        initial_tsn: rng.next_u32(),
        features: Features {
            forward_tsn: true,
            reconfig: true,
            interleaving: config.interleaving,
            zero_checksum: config.zero_checksum,
            pad: true,
        },
    }
}
