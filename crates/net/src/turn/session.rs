//! The task of an allocation.

use std::future::{pending, poll_fn};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ossa_peer::{LocalCandidate, LocalCandidateKind, RelayProtocol};
use tokio::time::sleep_until;

use super::input::Input;
use super::output::{Destination, Output};
use super::protocol::{Carrier, Protocol};
use super::server::{TurnError, TurnServer};
use super::stream::{self, Tls};
use crate::core::Core;
use crate::relay::{Outgoing, Relay};
use crate::shared::Shared;
use crate::socket::bind_in_range;
use crate::url::ServerTransport;

/// A server that has taken nothing for this long is stalled: what the peer sends through it is lost from then on, instead of
/// waiting in front of what it sends elsewhere.
const STALL_TIME: Duration = Duration::from_secs(1);

/// How long a closed allocation waits for the server's answer before it goes.
const FAREWELL_TIME: Duration = Duration::from_secs(1);

pub(super) struct Session {
    protocol: Protocol,
    input: Input,
    output: Output,
    server: SocketAddr,
    url: String,
    relay_protocol: RelayProtocol,
}

impl Session {
    /// Opens a socket or connection to the server.
    pub(super) async fn connect(
        shared: &Arc<Shared>,
        server: &TurnServer,
        address: SocketAddr,
    ) -> Result<Self, TurnError> {
        let (ports, bind, ca) = shared
            .run(|core, _| (core.config.port_range, core.config.bind_ip(), core.config.tls_ca_pem.clone()));
        let bind = bind.filter(|ip| ip.is_ipv4() == address.is_ipv4()).unwrap_or(unspecified(address));
        let url = &server.url;
        let (input, output, local, relay_protocol) = match (url.transport, url.scheme.is_secure()) {
            (ServerTransport::Udp, true) => {
                return Err(TurnError::unreachable("TURN over DTLS is not supported: use ?transport=tcp"));
            }
            (ServerTransport::Udp, false) => {
                let socket = bind_in_range(ports, |port| SocketAddr::new(bind, port))
                    .map_err(|e| TurnError::unreachable(format!("cannot open a UDP socket: {e}")))?;
                let (local, socket) = (socket.local(), Arc::new(socket));
                let to = Destination::Udp { socket: socket.clone(), server: address };
                (Input::Udp { socket, server: address }, to, local, RelayProtocol::Udp)
            }
            (ServerTransport::Tcp, secure) => {
                let tls = secure.then_some(Tls { host: &url.host, extra_ca_pem: ca.as_deref() });
                let (stream, local) = stream::connect(address, SocketAddr::new(bind, 0), tls).await?;
                let (read, write) = tokio::io::split(stream);
                let input = Input::Stream { stream: read, buffer: Vec::new(), filled: 0 };
                let protocol = if secure { RelayProtocol::Tls } else { RelayProtocol::Tcp };
                (input, Destination::Stream(write), local, protocol)
            }
        };
        let carrier = match relay_protocol {
            RelayProtocol::Udp => Carrier::Datagrams { hasty: server.hasty },
            RelayProtocol::Tcp | RelayProtocol::Tls => Carrier::Stream,
        };
        Ok(Self {
            protocol: Protocol::new(local, address, &server.credentials, carrier),
            input,
            output: Output::new(output),
            server: address,
            url: url.url.clone(),
            relay_protocol,
        })
    }

    /// Asks for the allocation. The candidates that it is good for.
    pub(super) async fn allocate(&mut self) -> Result<Vec<LocalCandidate>, TurnError> {
        loop {
            let until = self.protocol.advance(Instant::now(), &mut self.output);
            if let Some(failure) = self.protocol.take_failure() {
                return Err(failure);
            }
            let (relayed, base) = self.protocol.allocation();
            if !relayed.is_empty() {
                let candidate = |addr: &SocketAddr| LocalCandidate {
                    kind: LocalCandidateKind::Relay,
                    addr: *addr,
                    base,
                    url: Some(self.url.clone()),
                    relay_protocol: Some(self.relay_protocol),
                };
                return Ok(relayed.iter().map(candidate).collect());
            }
            if self.protocol.is_closed() {
                let what = match self.protocol.was_answered() {
                    true => "gave no usable answer",
                    false => "did not answer",
                };
                let text = format!("the TURN server {} {what}", self.server);
                return Err(TurnError::unreachable(text));
            }
            self.exchange(until, None, None).await.map_err(|e| {
                TurnError::unreachable(format!("the connection to {} was lost: {e}", self.server))
            })?;
        }
    }

    /// Serves the relay until it is closed or the server is lost.
    pub(super) async fn run(mut self, relay: Arc<Relay>, shared: Arc<Shared>) {
        let end = End { relay, shared };
        match self.serve(&end.relay, &end.shared).await {
            Ok(()) => self.take_leave().await,
            Err(error) => {
                tracing::debug!(%error, "an allocation was lost");
                end.lose();
            }
        }
    }

    /// Ends with `Ok` when the relay was closed.
    async fn serve(&mut self, relay: &Relay, shared: &Shared) -> io::Result<()> {
        let mut outgoing = Outgoing::default();
        let (mut progress, mut sent) = (Instant::now(), 0);
        loop {
            let now = Instant::now();
            if relay.is_doubted() {
                self.protocol.probe(now);
            }
            let mut until = self.protocol.advance(now, &mut self.output);
            if self.protocol.take_confirmation() {
                relay.confirm(now);
            }
            if self.protocol.is_refused() && relay.refuse() {
                shared.run(|core, _| core.replace_relay(relay));
            }
            if self.protocol.is_closed() {
                return Err(io::Error::new(
                    io::ErrorKind::ConnectionAborted,
                    "the server ended the allocation",
                ));
            }
            if self.output.is_empty() || self.output.sent() != sent {
                (progress, sent) = (now, self.output.sent());
            }
            let stalled = now.saturating_duration_since(progress) >= STALL_TIME;
            relay.set_stalled(stalled);
            match relay.retires() {
                Some(at) if at <= now => relay.close(),
                Some(at) => until = until.min(at),
                None => {}
            }
            // A stalled server isn't told what was queued last, only that we leave.
            if relay.is_closed() && (stalled || self.output.has_room()) {
                self.forward(relay, &mut outgoing);
                return Ok(());
            }
            if !self.output.is_empty() {
                until = until.min(if stalled { now } else { progress } + STALL_TIME);
            }
            if self.exchange(until, Some(relay), Some(shared)).await? == Happened::Queued {
                self.forward(relay, &mut outgoing);
            }
        }
    }

    /// Sends what the peer has queued.
    fn forward(&mut self, relay: &Relay, outgoing: &mut Outgoing) {
        relay.take(outgoing);
        let now = Instant::now();
        outgoing.for_each(|peer, data| self.protocol.send(peer, data, now, &mut self.output));
    }

    /// Deletes the allocation, so that the server needn't keep it until it expires.
    async fn take_leave(&mut self) {
        let farewell = async {
            self.protocol.delete(Instant::now());
            loop {
                let until = self.protocol.advance(Instant::now(), &mut self.output);
                if self.protocol.is_closed() || self.exchange(until, None, None).await.is_err() {
                    return;
                }
            }
        };
        // A server that doesn't answer will notice by itself.
        let _ = tokio::time::timeout(FAREWELL_TIME, farewell).await;
    }

    /// Waits for one thing to happen: a message from the server, room for ours, datagrams of the relay, or the time.
    async fn exchange(
        &mut self,
        until: Instant,
        relay: Option<&Relay>,
        shared: Option<&Shared>,
    ) -> io::Result<Happened> {
        let Self { protocol, input, output, .. } = self;
        let (idle, has_room) = (output.is_empty(), output.has_room());
        let queued = async {
            match relay {
                Some(relay) => relay.changed.notified().await,
                None => pending().await,
            }
        };
        let received = poll_fn(|cx| {
            input.poll_recv(cx, &mut |messages| {
                let mut handle = |now, deliver: &mut dyn FnMut(SocketAddr, &[u8])| {
                    messages.for_each(|message| protocol.handle(message, now, deliver));
                };
                match (relay, shared) {
                    (Some(relay), Some(shared)) => shared.run(|core, now| {
                        handle(now, &mut |peer, data| {
                            if let Some(relayed) = relay.reached_by(peer) {
                                core.connection.handle_datagram(now, relayed, peer, data);
                            }
                        });
                    }),
                    _ => handle(Instant::now(), &mut |_, _| {}),
                }
            })
        });
        tokio::select! {
            result = received => result.map(|()| Happened::Other),
            result = poll_fn(|cx| output.poll_flush(cx)), if !idle => result.map(|()| Happened::Other),
            () = queued, if has_room => Ok(Happened::Queued),
            () = sleep_until(until.into()) => Ok(Happened::Other),
        }
    }
}

/// However the task ends, its candidates end with it.
struct End {
    relay: Arc<Relay>,
    shared: Arc<Shared>,
}

impl End {
    /// The server has ended it, or was lost.
    fn lose(&self) {
        self.shared.run(|core, now| {
            self.remove(core, now);
            core.replace_relay(&self.relay);
        });
    }

    fn remove(&self, core: &mut Core, now: Instant) {
        for candidate in self.relay.candidates() {
            core.remove_link(now, candidate.addr);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.relay.close();
        self.shared.run(|core, now| self.remove(core, now));
    }
}

#[derive(PartialEq, Eq)]
enum Happened {
    Queued,
    Other,
}

fn unspecified(like: SocketAddr) -> IpAddr {
    if like.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}
