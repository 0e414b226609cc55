//! The TURN protocol of one allocation: `turn-client-proto`, and around it what that leaves to its user: error codes, whose
//! address is what, and which peer has a channel.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ossa_peer::Fault;
use stun_proto::Instant as ProtocolInstant;
use stun_proto::agent::Transmit;
use stun_proto::types::TransportType;
use stun_proto::types::attribute::{AlternateServer, ErrorCode, XorMappedAddress};
use stun_proto::types::message::{Message, TransactionId};
use turn_client_proto::api::{CreatePermissionError, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::prelude::{DelayedTransmitBuild, TurnClientApi};
use turn_client_proto::types::message::ALLOCATE;
use turn_client_proto::types::{AddressFamily, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use super::output::Output;
use super::refresh::Refresh;
use super::server::TurnError;
use crate::config::Credentials;

/// Datagrams kept for a peer until the server lets us send to it: the first connectivity checks, which would otherwise be
/// repeated only after their time-out.
const MAX_WAITING: usize = 8;

/// Peers an allocation talks to. ICE has fewer remote candidates than this; each costs the server a channel.
const MAX_PEERS: usize = 128;

/// Requests for the allocation whose answers are believed: each challenge, stale nonce and family refused makes one more.
const MAX_REQUESTS: usize = 16;

/// A refused channel is asked for again after this long.
const RETRY_TIME: Duration = Duration::from_secs(5);

/// RFC 8489 wants 500 ms at first unless the round trip is known to be shorter. 7 s in all.
const UDP_RETRANSMITS: (Duration, Duration, u32, Duration) =
    (Duration::from_millis(250), Duration::from_secs(2), 5, Duration::from_secs(2));

/// The same for one that takes the place of an allocation that was lost, perhaps with its server, which may be back any moment. 8 s in all.
const HASTY_RETRANSMITS: (Duration, Duration, u32, Duration) =
    (Duration::from_millis(250), Duration::from_millis(500), 16, Duration::from_millis(500));

/// A stream repeats nothing.
const STREAM_RETRANSMITS: (Duration, Duration, u32, Duration) =
    (Duration::ZERO, Duration::ZERO, 1, Duration::from_secs(7));

pub(super) struct Protocol {
    /// Also used over streams, which we cut into messages ourselves: the crate's own TCP client knows no padding.
    client: TurnClientUdp,
    refresh: Refresh,
    /// Zero of the client's time.
    epoch: Instant,
    local: SocketAddr,
    server: SocketAddr,
    ways: HashMap<SocketAddr, Way>,
    /// Our address as the server sees it.
    mapped: Option<SocketAddr>,
    /// Our addresses on the server: one, or one of each family.
    relayed: Vec<SocketAddr>,
    /// The server has no IPv4 addresses, so only the other family is asked for.
    without_ipv4: bool,
    /// Our requests for the allocation, and whether they are answered. One that was repeated is answered twice.
    requests: Vec<(TransactionId, bool)>,
    /// Times that we were asked for credentials: the second time they are wrong.
    challenges: u32,
    failure: Option<TurnError>,
    closed: bool,
}

/// What carries the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    Stream,
    Datagrams { hasty: bool },
}

/// Whether the server forwards to a peer.
enum Way {
    Requested(Vec<Vec<u8>>),
    Open,
    Refused(Instant),
}

impl Protocol {
    /// `local` and `server` are the ends of the connection, which repeats what is lost by itself or has to be helped.
    pub(super) fn new(
        local: SocketAddr,
        server: SocketAddr,
        credentials: &Credentials,
        carrier: Carrier,
    ) -> Self {
        let mut config =
            TurnConfig::new(TurnCredentials::new(&credentials.username, &credentials.credential));
        let (initial, max, count, last) = match carrier {
            Carrier::Stream => STREAM_RETRANSMITS,
            Carrier::Datagrams { hasty: false } => UDP_RETRANSMITS,
            Carrier::Datagrams { hasty: true } => HASTY_RETRANSMITS,
        };
        // RFC 8656, section 7.1: an IPv6 address in the same allocation, if the server has any. Others ignore the wish.
        config.add_address_family(AddressFamily::IPV6);
        config.set_request_retransmits(initial, max, count, last);
        let epoch = Instant::now();
        Self {
            client: TurnClientUdp::allocate(local, server, config),
            refresh: Refresh::new(credentials, epoch),
            epoch,
            local,
            server,
            ways: HashMap::new(),
            mapped: None,
            relayed: Vec::new(),
            without_ipv4: false,
            requests: Vec::new(),
            challenges: 0,
            failure: None,
            closed: false,
        }
    }

    /// Our addresses on the server, none before the allocation is there, and our address as the server sees it.
    pub(super) fn allocation(&self) -> (&[SocketAddr], SocketAddr) {
        (&self.relayed, self.mapped.unwrap_or(self.local))
    }

    pub(super) fn take_failure(&mut self) -> Option<TurnError> {
        self.failure.take()
    }

    /// Whether the server has answered a request for the allocation.
    pub(super) fn was_answered(&self) -> bool {
        self.requests.iter().any(|(_, answered)| *answered)
    }

    /// Whether the allocation is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the server does not accept our credentials any more.
    pub(super) fn is_refused(&self) -> bool {
        self.refresh.is_refused()
    }

    /// Whether the server has said since the last time that the allocation is there.
    pub(super) fn take_confirmation(&mut self) -> bool {
        self.refresh.take_confirmation()
    }

    /// Finds out whether the allocation is still there.
    pub(super) fn probe(&mut self, now: Instant) {
        self.refresh.probe(now);
    }

    /// Gives the allocation back.
    pub(super) fn delete(&mut self, now: Instant) {
        if self.client.delete(self.time(now)).is_err() {
            self.closed = true;
        }
    }

    /// Does what is due, and says when the next thing is.
    pub(super) fn advance(&mut self, now: Instant, output: &mut Output) -> Instant {
        let client = self.advance_client(now, output);
        if let Some(request) = self.refresh.poll(now) {
            output.push(request.len(), |buffer| buffer.copy_from_slice(&request));
        }
        self.closed |= self.refresh.is_lost();
        self.refresh.deadline().map_or(client, |at| at.min(client))
    }

    fn advance_client(&mut self, now: Instant, output: &mut Output) -> Instant {
        let time = self.time(now);
        // Each turn handles an event, a time-out or a message: few. The bound is for a client that never comes to rest.
        for _ in 0..256 {
            while let Some(transmit) = self.client.poll_transmit(time) {
                let data: &[u8] = &transmit.data;
                if self.relayed.is_empty() {
                    Self::remember(&mut self.requests, data);
                }
                if !data.is_empty() {
                    output.push(data.len(), |buffer| buffer.copy_from_slice(data));
                }
            }
            while let Some(event) = self.client.poll_event() {
                self.handle_event(event, now, output);
            }
            match self.client.poll(time) {
                TurnPollRet::WaitUntil(at) if at <= time => {}
                TurnPollRet::WaitUntil(at) => return now + at.duration_since(time),
                TurnPollRet::Closed => {
                    self.closed = true;
                    break;
                }
                // Of RFC 6062, which we don't ask for.
                TurnPollRet::AllocateTcpSocket { .. } | TurnPollRet::TcpClose { .. } => {}
            }
        }
        now + Duration::from_secs(1)
    }

    fn remember(requests: &mut Vec<(TransactionId, bool)>, data: &[u8]) {
        let Ok(message) = Message::from_bytes(data) else { return };
        let id = message.transaction_id();
        if requests.len() < MAX_REQUESTS && requests.iter().all(|(known, _)| *known != id) {
            requests.push((id, false));
        }
    }

    fn handle_event(&mut self, event: TurnEvent, now: Instant, output: &mut Output) {
        match event {
            TurnEvent::AllocationCreated(_, relayed) => self.relayed.push(relayed),
            TurnEvent::PermissionCreated(_, ip) => self.permission_created(ip, now, output),
            TurnEvent::PermissionCreateFailed(_, ip) => self.permission_refused(ip, now),
            TurnEvent::ChannelCreated(_, peer) => {
                let waiting = self.ways.insert(peer, Way::Open);
                if let Some(Way::Requested(waiting)) = waiting {
                    waiting.iter().for_each(|data| self.send(peer, data, now, output));
                }
            }
            TurnEvent::ChannelCreateFailed(_, peer) => {
                tracing::debug!("the TURN server refused a channel");
                self.ways.insert(peer, Way::Refused(now + RETRY_TIME));
            }
            TurnEvent::AllocationCreateFailed(_)
            | TurnEvent::TcpConnected(_)
            | TurnEvent::TcpConnectFailed(_) => {}
        }
    }

    /// Peers at an address that have no channel are sent to without one. A channel has its own answer.
    fn permission_created(&mut self, ip: IpAddr, now: Instant, output: &mut Output) {
        for peer in self.peers_without_channel(ip) {
            if let Some(Way::Requested(waiting)) = self.ways.insert(peer, Way::Open) {
                waiting.iter().for_each(|data| self.send(peer, data, now, output));
            }
        }
    }

    fn permission_refused(&mut self, ip: IpAddr, now: Instant) {
        for peer in self.peers_without_channel(ip) {
            tracing::debug!("the TURN server refused a permission");
            self.ways.insert(peer, Way::Refused(now + RETRY_TIME));
        }
    }

    fn peers_without_channel(&self, ip: IpAddr) -> Vec<SocketAddr> {
        let peers = self.ways.keys().copied();
        peers.filter(|peer| peer.ip() == ip && !self.gets_channel(*peer)).collect()
    }

    /// Channels are numbered for each of an allocation's addresses, by the client, and for all of them together by the server. So
    /// there are channels for one family only; to peers of the other one messages go with their address in them.
    fn gets_channel(&self, peer: SocketAddr) -> bool {
        peer.is_ipv4() || self.relayed.len() < 2
    }

    /// Takes a message from the server; data of a peer goes to `deliver`.
    pub(super) fn handle(
        &mut self,
        message: &[u8],
        now: Instant,
        deliver: &mut dyn FnMut(SocketAddr, &[u8]),
    ) {
        let mut shown = None;
        // STUN begins with 0 and 1, data of peers on a channel with 4 to 7 (RFC 8656, section 12).
        if message.first().is_some_and(|first| *first < 4)
            && let Ok(parsed) = Message::from_bytes(message)
        {
            if self.relayed.is_empty() {
                shown = self.inspect(&parsed, now);
            } else if self.refresh.handle(&parsed, now) {
                return;
            }
        }
        let message = shown.as_deref().unwrap_or(message);
        let transmit = Transmit::new(message, TransportType::Udp, self.server, self.local);
        if let TurnRecvRet::PeerData(data) = self.client.recv(transmit, self.time(now)) {
            deliver(data.peer, data.data());
        }
    }

    /// Learns from an answer to our allocation what the client doesn't tell. What the client is to see of it, if that is different.
    fn inspect(&mut self, message: &Message<'_>, now: Instant) -> Option<Vec<u8>> {
        if message.method() != ALLOCATE || !message.is_response() {
            return None;
        }
        // Whoever has not seen the request can't end the attempt with a made-up answer, or send us elsewhere.
        let id = message.transaction_id();
        let request = self.requests.iter_mut().find(|(known, answered)| *known == id && !answered);
        let (_, answered) = request?;
        *answered = true;
        let shown = self.refresh.allocated(message, now);
        if let Ok(mapped) = message.attribute::<XorMappedAddress>() {
            self.mapped = Some(mapped.addr(message.transaction_id()));
        }
        let Ok(error) = message.attribute::<ErrorCode>() else { return shown };
        let code = error.code();
        if code == ErrorCode::UNAUTHORIZED {
            self.challenges += 1;
        }
        let one_family_less = code == ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED && !self.without_ipv4;
        self.without_ipv4 |= one_family_less;
        let part_of_the_procedure = (code == ErrorCode::UNAUTHORIZED && self.challenges == 1)
            || code == ErrorCode::STALE_NONCE
            || one_family_less;
        if !part_of_the_procedure {
            let alternate = message.attribute::<AlternateServer>().ok().map(|a| a.server());
            self.failure = Some(TurnError {
                code,
                text: error.reason().to_owned(),
                local: Some(self.local),
                alternate: alternate.filter(|_| code == ErrorCode::TRY_ALTERNATE),
                fault: Fault::Refused,
            });
        }
        None
    }

    /// Sends a datagram to a peer, after the server was asked to let it pass.
    pub(super) fn send(&mut self, peer: SocketAddr, data: &[u8], now: Instant, output: &mut Output) {
        let room = self.ways.len() < MAX_PEERS;
        match self.ways.get_mut(&peer) {
            Some(Way::Open) => self.send_open(peer, data, now, output),
            Some(Way::Requested(waiting)) if waiting.len() < MAX_WAITING => waiting.push(data.to_vec()),
            Some(Way::Refused(until)) if *until <= now => self.ask(peer, data, now, output),
            None if room => self.ask(peer, data, now, output),
            Some(_) | None => {}
        }
    }

    /// Asks the server to let us send to a peer.
    fn ask(&mut self, peer: SocketAddr, data: &[u8], now: Instant, output: &mut Output) {
        let (udp, time) = (TransportType::Udp, self.time(now));
        let gets_channel = self.gets_channel(peer);
        if !gets_channel && self.client.have_permission(udp, peer.ip()) {
            // It was given for another port of the same address.
            self.ways.insert(peer, Way::Open);
            return self.send_open(peer, data, now, output);
        }
        let asked = if gets_channel {
            self.client.bind_channel(udp, peer, time).map_err(|e| e.to_string())
        } else {
            match self.client.create_permission(udp, peer.ip(), time) {
                // Asked for another port already: that answer counts.
                Err(CreatePermissionError::AlreadyExists) => Ok(()),
                result => result.map_err(|e| e.to_string()),
            }
        };
        let way = match asked {
            Ok(()) => Way::Requested(vec![data.to_vec()]),
            Err(error) => {
                tracing::debug!(%error, "no way through the TURN server");
                Way::Refused(now + RETRY_TIME)
            }
        };
        self.ways.insert(peer, way);
    }

    fn send_open(&mut self, peer: SocketAddr, data: &[u8], now: Instant, output: &mut Output) {
        match self.client.send_to(TransportType::Udp, peer, data, self.time(now)) {
            Ok(Some(transmit)) => {
                let message = transmit.data;
                output.push(message.len(), |buffer| {
                    message.write_into(buffer);
                });
            }
            Ok(None) => {}
            Err(error) => {
                // The permission has lapsed: the next datagram asks for it again.
                tracing::debug!(%error, "the TURN client refused a datagram");
                self.ways.insert(peer, Way::Refused(now));
            }
        }
    }

    fn time(&self, now: Instant) -> ProtocolInstant {
        let elapsed = now.saturating_duration_since(self.epoch);
        ProtocolInstant::from_nanos(i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX))
    }
}
