//! Accepting connections, and what becomes of each.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::address::{Place, place_of};
use super::event::ServerEvent;
use super::io::Io;
use super::turn_server::StunConnection;
use super::{Phase, Shared, closing, http, stats::count, websocket};

/// A connection that another server in this process has accepted, and the address of its client.
pub(super) type Embedded = (DuplexStream, SocketAddr);

enum Incoming {
    Tcp(TcpStream),
    Memory(DuplexStream),
}

/// Serves until the server is closed, and waits for the connections then.
pub(super) async fn run(
    listener: Option<TcpListener>,
    mut embedded: mpsc::Receiver<Embedded>,
    shared: Arc<Shared>,
    mut shutdown: watch::Receiver<Phase>,
) {
    let mut connections = JoinSet::new();
    let mut trouble = Trouble::default();
    loop {
        tokio::select! {
            () = closing(&mut shutdown) => break,
            Some(_) = connections.join_next() => {}
            Some((stream, peer)) = embedded.recv() => {
                admit(&shared, &mut connections, Incoming::Memory(stream), peer, &shutdown);
            }
            accepted = accept(listener.as_ref()) => match accepted {
                Ok((stream, peer)) => admit(&shared, &mut connections, Incoming::Tcp(stream), peer, &shutdown),
                Err(error) => trouble.has_come(&shared, &error).await,
            }
        }
    }
    drop((listener, embedded));
    let all_gone = async { while connections.join_next().await.is_some() {} };
    // Connections bound their own goodbye by `close_timeout`; this catches one stuck in its handshake.
    if timeout(shared.config.close_timeout * 2, all_gone).await.is_err() {
        connections.shutdown().await;
    }
}

/// Connections cannot be accepted.
#[derive(Default)]
struct Trouble {
    told: Option<Instant>,
}

impl Trouble {
    /// The pause before the next attempt, which would fail as well: somebody waits already.
    const PAUSE: Duration = Duration::from_millis(50);

    /// The pause before the operator is told again.
    const SILENCE: Duration = Duration::from_secs(1);

    async fn has_come(&mut self, shared: &Shared, error: &io::Error) {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
            NetworkUnreachable,
        };
        // It was one connection that has failed, and the next one may be in order (accept(2)).
        if matches!(
            error.kind(),
            ConnectionAborted
                | ConnectionRefused
                | ConnectionReset
                | HostUnreachable
                | NetworkDown
                | NetworkUnreachable
        ) {
            return;
        }
        // Out of file descriptors, most likely: connections that end free some.
        count(&shared.counters.accept_failures);
        if self.told.is_none_or(|told| told.elapsed() >= Self::SILENCE) {
            self.told = Some(Instant::now());
            shared.emit(|| ServerEvent::AcceptFailed { error: error.to_string() });
        }
        sleep(Self::PAUSE).await;
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

fn admit(
    shared: &Arc<Shared>,
    connections: &mut JoinSet<()>,
    incoming: Incoming,
    peer: SocketAddr,
    shutdown: &watch::Receiver<Phase>,
) {
    let config = &shared.config;
    let turn_away = |connections: &mut JoinSet<()>, incoming, why, response| {
        count(&shared.counters.turned_away);
        shared.emit(|| ServerEvent::Turned { address: peer.ip(), why });
        if shared.tls.is_none() {
            connections.spawn(refuse(incoming, response, config.handshake_timeout));
        }
    };
    if connections.len() >= config.max_connections {
        return turn_away(connections, incoming, "too many connections", FULL);
    }
    // The clients of a proxy are counted by their own addresses, once those are known.
    let is_proxy = config.trusted_proxies.iter().any(|proxy| proxy.contains(peer.ip().to_canonical()));
    let place = match shared.places.enter(peer.ip(), config.max_connections_per_address) {
        _ if is_proxy => None,
        None => return turn_away(connections, incoming, "too many connections from this address", TOO_MANY),
        place => place,
    };
    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
    if shared.half_open.enter(place_of(peer.ip()), id, config.max_half_open) {
        count(&shared.counters.turned_away);
        let why = "too many connections without a request; the oldest had to go";
        shared.emit(|| ServerEvent::Turned { address: peer.ip(), why });
    }
    let task = connections.spawn(serve(shared.clone(), incoming, peer, id, place, shutdown.clone()));
    shared.half_open.started(place_of(peer.ip()), id, task);
}

/// Takes a connection out of the half-open ones, also when its task is aborted.
struct HalfOpen<'a>(&'a Shared, IpAddr, u64);

impl Drop for HalfOpen<'_> {
    fn drop(&mut self) {
        self.0.half_open.done(self.1, self.2);
    }
}

async fn serve(
    shared: Arc<Shared>,
    incoming: Incoming,
    peer: SocketAddr,
    id: u64,
    _place: Option<Place>,
    shutdown: watch::Receiver<Phase>,
) {
    let _half_open = HalfOpen(&shared, place_of(peer.ip()), id);
    // Boxed, since they are large and soon over: what an idle client keeps is the future of its WebSocket.
    let Some(io) = Box::pin(secure(&shared, incoming)).await else { return };
    let mut closing_too = shutdown.clone();
    let io = tokio::select! {
        io = Box::pin(relayed(&shared, io, peer, id)) => io,
        () = closing(&mut closing_too) => return,
    };
    let Some(io) = io else { return };
    let request = Box::pin(http::serve(shared.clone(), io, peer, id, shutdown.clone()));
    if let Some((io, early, upgraded)) = request.await {
        websocket::run(&shared, io, &early, upgraded, id, shutdown).await;
    }
}

/// Speaks TLS if the server does.
async fn secure(shared: &Shared, incoming: Incoming) -> Option<Io> {
    let stream = match incoming {
        Incoming::Memory(stream) => return Some(Io::Memory(stream)),
        Incoming::Tcp(stream) => stream,
    };
    // Signaling is small messages that somebody waits for.
    let _ = stream.set_nodelay(true);
    let Some(identity) = shared.identity() else { return Some(Io::Tcp(stream)) };
    // TURN without TLS is as good where the network lets it through: what is relayed is encrypted anyway.
    if shared.config.relay.is_some()
        && timeout(shared.config.handshake_timeout, speaks_stun(&stream)).await.ok()?
    {
        return Some(Io::Tcp(stream));
    }
    let accepted = tokio_rustls::TlsAcceptor::from(identity.0).accept(stream);
    let stream = timeout(shared.config.handshake_timeout, accepted).await.ok()?.ok()?;
    Some(Io::Tls(Box::new(stream)))
}

/// Whether a connection begins with a STUN request: HTTP begins with a letter, TLS with 22.
async fn speaks_stun(stream: &TcpStream) -> bool {
    let mut first = [0xff];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0] <= STUN
}

/// The first byte of a STUN message is at most this (RFC 7983, 7).
const STUN: u8 = 3;

/// Gives a connection that speaks STUN to the relay; `None` when that has ended.
async fn relayed(shared: &Arc<Shared>, mut io: Io, from: SocketAddr, id: u64) -> Option<Io> {
    let Some(relay) = &shared.config.relay else { return Some(io) };
    let begins = async {
        match &mut io {
            Io::Tcp(stream) => speaks_stun(stream).await,
            Io::Tls(stream) => {
                stream.fill_buf().await.is_ok_and(|begun| begun.first().is_some_and(|first| *first <= STUN))
            }
            Io::Memory(_) => false,
        }
    };
    if !timeout(shared.config.handshake_timeout, begins).await.ok()? {
        return Some(io);
    }
    let to = match &io {
        Io::Tcp(stream) => stream.local_addr(),
        Io::Tls(stream) => stream.get_ref().0.local_addr(),
        Io::Memory(_) => return Some(io),
    };
    let shared = shared.clone();
    let admitted = Box::new(move || shared.half_open.done(place_of(from.ip()), id));
    relay.serve(StunConnection { stream: Box::new(io), from, to: to.ok()?, admitted }).await;
    None
}

const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n";

const TOO_MANY: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n";

/// Tells a client that there is no room for to come back later.
async fn refuse(incoming: Incoming, response: &'static [u8], patience: Duration) {
    let _ = match incoming {
        Incoming::Tcp(mut stream) => timeout(patience, stream.write_all(response)).await,
        Incoming::Memory(mut stream) => timeout(patience, stream.write_all(response)).await,
    };
}
