//! The TURN protocol of one allocation: `turn-client-proto`, and around it what that leaves to its user: error codes, whose
//! address is what, and which peer has a channel.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun_proto::Instant as ProtocolInstant;
use stun_proto::agent::Transmit;
use stun_proto::types::TransportType;
use stun_proto::types::attribute::{AlternateServer, ErrorCode, XorMappedAddress};
use stun_proto::types::message::{Message, TransactionId};
use turn_client_proto::api::{TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::prelude::{DelayedTransmitBuild, TurnClientApi};
use turn_client_proto::types::TurnCredentials;
use turn_client_proto::types::message::ALLOCATE;
use turn_client_proto::udp::TurnClientUdp;

use super::output::Output;
use super::{Credentials, TurnError};

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

/// A stream repeats nothing.
const STREAM_RETRANSMITS: (Duration, Duration, u32, Duration) =
    (Duration::ZERO, Duration::ZERO, 1, Duration::from_secs(7));

pub(super) struct Protocol {
    /// Also used over streams, which we cut into messages ourselves: the crate's own TCP client knows no padding.
    client: TurnClientUdp,
    /// Zero of the client's time.
    epoch: Instant,
    local: SocketAddr,
    server: SocketAddr,
    channels: HashMap<SocketAddr, Channel>,
    /// Our address as the server sees it.
    mapped: Option<SocketAddr>,
    relayed: Option<SocketAddr>,
    /// Transaction ids of our requests for the allocation.
    requests: Vec<TransactionId>,
    /// Times that we were asked for credentials: the second time they are wrong.
    challenges: u32,
    failure: Option<TurnError>,
    closed: bool,
}

enum Channel {
    Requested(Vec<Vec<u8>>),
    Bound,
    Refused(Instant),
}

impl Protocol {
    /// `local` and `server` are the ends of the connection, which is a stream or not.
    pub(super) fn new(
        local: SocketAddr,
        server: SocketAddr,
        credentials: &Credentials,
        stream: bool,
    ) -> Self {
        let mut config =
            TurnConfig::new(TurnCredentials::new(&credentials.username, &credentials.credential));
        let (initial, max, count, last) = if stream { STREAM_RETRANSMITS } else { UDP_RETRANSMITS };
        config.set_request_retransmits(initial, max, count, last);
        Self {
            client: TurnClientUdp::allocate(local, server, config),
            epoch: Instant::now(),
            local,
            server,
            channels: HashMap::new(),
            mapped: None,
            relayed: None,
            requests: Vec::new(),
            challenges: 0,
            failure: None,
            closed: false,
        }
    }

    /// The allocation and our address as the server sees it, once it is there.
    pub(super) fn allocation(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.relayed.map(|relayed| (relayed, self.mapped.unwrap_or(self.local)))
    }

    pub(super) fn take_failure(&mut self) -> Option<TurnError> {
        self.failure.take()
    }

    /// Whether the allocation is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Gives the allocation back.
    pub(super) fn delete(&mut self, now: Instant) {
        if self.client.delete(self.time(now)).is_err() {
            self.closed = true;
        }
    }

    /// Does what is due, and says when the next thing is.
    pub(super) fn advance(&mut self, now: Instant, output: &mut Output) -> Instant {
        let time = self.time(now);
        // Each turn handles an event, a time-out or a message: few. The bound is for a client that never comes to rest.
        for _ in 0..256 {
            while let Some(transmit) = self.client.poll_transmit(time) {
                let data: &[u8] = &transmit.data;
                if self.relayed.is_none() {
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

    fn remember(requests: &mut Vec<TransactionId>, data: &[u8]) {
        let Ok(message) = Message::from_bytes(data) else { return };
        let id = message.transaction_id();
        if requests.len() < MAX_REQUESTS && !requests.contains(&id) {
            requests.push(id);
        }
    }

    fn handle_event(&mut self, event: TurnEvent, now: Instant, output: &mut Output) {
        match event {
            TurnEvent::AllocationCreated(_, relayed) => self.relayed = Some(relayed),
            TurnEvent::ChannelCreated(_, peer) => {
                let waiting = self.channels.insert(peer, Channel::Bound);
                if let Some(Channel::Requested(waiting)) = waiting {
                    waiting.iter().for_each(|data| self.send(peer, data, now, output));
                }
            }
            TurnEvent::ChannelCreateFailed(_, peer) => {
                tracing::debug!("the TURN server refused a channel");
                self.channels.insert(peer, Channel::Refused(now + RETRY_TIME));
            }
            TurnEvent::AllocationCreateFailed(_)
            | TurnEvent::PermissionCreated(..)
            | TurnEvent::PermissionCreateFailed(..)
            | TurnEvent::TcpConnected(_)
            | TurnEvent::TcpConnectFailed(_) => {}
        }
    }

    /// Takes a message from the server; data of a peer goes to `deliver`.
    pub(super) fn handle(
        &mut self,
        message: &[u8],
        now: Instant,
        deliver: &mut dyn FnMut(SocketAddr, &[u8]),
    ) {
        if self.relayed.is_none() {
            self.inspect(message);
        }
        let transmit = Transmit::new(message, TransportType::Udp, self.server, self.local);
        if let TurnRecvRet::PeerData(data) = self.client.recv(transmit, self.time(now)) {
            deliver(data.peer, data.data());
        }
    }

    /// Learns from an answer to our allocation what the client doesn't tell.
    fn inspect(&mut self, message: &[u8]) {
        let Ok(message) = Message::from_bytes(message) else { return };
        // Whoever has not seen the request can't end the attempt with a made-up answer, or send us elsewhere.
        let known = self.requests.contains(&message.transaction_id());
        if message.method() != ALLOCATE || !message.is_response() || !known {
            return;
        }
        if let Ok(mapped) = message.attribute::<XorMappedAddress>() {
            self.mapped = Some(mapped.addr(message.transaction_id()));
        }
        let Ok(error) = message.attribute::<ErrorCode>() else { return };
        let code = error.code();
        if code == ErrorCode::UNAUTHORIZED {
            self.challenges += 1;
        }
        let part_of_the_procedure =
            (code == ErrorCode::UNAUTHORIZED && self.challenges == 1) || code == ErrorCode::STALE_NONCE;
        if !part_of_the_procedure {
            let alternate = message.attribute::<AlternateServer>().ok().map(|a| a.server());
            self.failure = Some(TurnError {
                code,
                text: error.reason().to_owned(),
                local: Some(self.local),
                alternate: alternate.filter(|_| code == ErrorCode::TRY_ALTERNATE),
            });
        }
    }

    /// Sends a datagram to a peer, after a channel to it was bound.
    pub(super) fn send(&mut self, peer: SocketAddr, data: &[u8], now: Instant, output: &mut Output) {
        let room = self.channels.len() < MAX_PEERS;
        match self.channels.get_mut(&peer) {
            Some(Channel::Bound) => self.send_bound(peer, data, now, output),
            Some(Channel::Requested(waiting)) if waiting.len() < MAX_WAITING => waiting.push(data.to_vec()),
            Some(Channel::Refused(until)) if *until <= now => self.bind(peer, data, now),
            None if room => self.bind(peer, data, now),
            Some(_) | None => {}
        }
    }

    fn bind(&mut self, peer: SocketAddr, data: &[u8], now: Instant) {
        let state = match self.client.bind_channel(TransportType::Udp, peer, self.time(now)) {
            Ok(()) => Channel::Requested(vec![data.to_vec()]),
            Err(error) => {
                tracing::debug!(%error, "no channel on the TURN server");
                Channel::Refused(now + RETRY_TIME)
            }
        };
        self.channels.insert(peer, state);
    }

    fn send_bound(&mut self, peer: SocketAddr, data: &[u8], now: Instant, output: &mut Output) {
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
                self.channels.insert(peer, Channel::Refused(now));
            }
        }
    }

    fn time(&self, now: Instant) -> ProtocolInstant {
        let elapsed = now.saturating_duration_since(self.epoch);
        ProtocolInstant::from_nanos(i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX))
    }
}
