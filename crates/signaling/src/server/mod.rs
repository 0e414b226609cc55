//! An embeddable WebSocket server that relays signaling messages between agents.

mod auth;
mod client;
mod handshake;
mod registration;
mod registry;
#[cfg(test)]
mod registry_tests;
mod renewal;
mod rooms;
mod stats;
mod websocket;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinHandle, JoinSet};

pub use auth::{Attempt, AuthMode, Authenticator, Denied, Evidence, Identity, OpenToAll, Verdict};
use registration::Failures;
use registry::Registry;
use rooms::RoomLimits;
pub use stats::Stats;

use crate::TurnConfig;

/// Where a [`Server`] listens and what it allows. Every limit protects the server's memory or its other users.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address to listen on. The default, `127.0.0.1:0`, is for development: this host only, any free port.
    pub listen: SocketAddr,
    /// If set, only this path of the URL is served; others get 404.
    pub path: Option<String>,
    /// Longest message accepted, in bytes. An offer with data channels has about 1 KiB, one with media of a browser
    /// about 10 KiB and a token 8 KiB at most; the default of 64 KiB leaves room.
    pub max_message_size: usize,
    /// Bytes that may wait for one client that does not read; at this mark it is disconnected. Default 256 KiB:
    /// a hundred set-ups at once.
    pub max_queue_bytes: usize,
    /// Agents per connection, default 16: a process may host several agents.
    pub max_registrations: usize,
    /// Connections in total, default 20,000. Above it new ones get 503.
    pub max_connections: usize,
    /// Rooms that one agent may be in at the same time, default 16.
    pub max_rooms: usize,
    /// Agents in one room, default 256: each that comes or goes is one notice for all others, and a full mesh of more
    /// makes no sense. Whatever this says, the list of members fits 60 KiB.
    pub max_room_members: usize,
    /// Time for the HTTP upgrade, and again for the first registration. Default 10 s.
    pub handshake_timeout: Duration,
    /// A client that was silent for this long gets a ping. Default 25 s, below the 30 s and more after which
    /// routers forget a mapping.
    pub ping_interval: Duration,
    /// A client that was silent for this long is disconnected. Default 60 s.
    pub idle_timeout: Duration,
    /// How long the owner of an agent URI has to answer a ping when somebody else claims the URI. Default 2 s.
    pub takeover_timeout: Duration,
    /// How long `close()` waits for clients to say goodbye. Default 1 s.
    pub close_timeout: Duration,
    /// Who may register what. Default: everybody everything, [`OpenToAll`].
    pub authenticator: Arc<dyn Authenticator>,
    /// The names under which clients dial this server, `host` or `host:port`: proofs must be made for one of them. Default:
    /// none, which means the `Host` of each request. Then another server that an agent dials could pass our challenge on to
    /// it, and register in its name here: set it wherever agents use more than one server.
    pub audience: Vec<String>,
    /// TURN servers for agents that have proven who they are.
    pub turn: Option<TurnConfig>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            path: None,
            max_message_size: 64 * 1024,
            max_queue_bytes: 256 * 1024,
            max_registrations: 16,
            max_connections: 20_000,
            max_rooms: 16,
            max_room_members: 256,
            handshake_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            idle_timeout: Duration::from_secs(60),
            takeover_timeout: Duration::from_secs(2),
            close_timeout: Duration::from_secs(1),
            authenticator: Arc::new(OpenToAll),
            audience: Vec::new(),
            turn: None,
        }
    }
}

impl ServerConfig {
    fn room_limits(&self) -> RoomLimits {
        RoomLimits { per_agent: self.max_rooms, members: self.max_room_members }
    }
}

/// A running signaling server. Dropping it closes it without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    shutdown: watch::Sender<bool>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

/// What all connections of one server share.
#[derive(Debug)]
struct Shared {
    config: ServerConfig,
    registry: Registry,
    counters: stats::Counters,
    next_id: AtomicU64,
    failures: Failures,
}

impl Server {
    /// Starts listening; needs a tokio runtime with time and I/O enabled, on which everything runs.
    ///
    /// # Errors
    /// Those of binding the address.
    pub async fn bind(config: ServerConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            config,
            registry: Registry::default(),
            counters: stats::Counters::default(),
            next_id: AtomicU64::new(0),
            failures: Failures::default(),
        });
        let (shutdown, watcher) = watch::channel(false);
        if let Some(turn) = shared.config.turn.clone() {
            tokio::spawn(renewal::run(shared.clone(), turn, shutdown.subscribe()));
        }
        let acceptor = tokio::spawn(accept_loop(listener, shared.clone(), watcher));
        Ok(Self { address, shared, shutdown, acceptor: Mutex::new(Some(acceptor)) })
    }

    /// The address listened on, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients on this host. A server that listens on all addresses is named by its loopback address.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let path = self.shared.config.path.as_deref().unwrap_or("");
        format!("ws://{}{path}", SocketAddr::new(ip, self.address.port()))
    }

    /// Counters at this moment.
    pub fn stats(&self) -> Stats {
        self.shared.counters.snapshot(self.shared.registry.len(), self.shared.registry.rooms())
    }

    /// Stops listening, tells the clients (close code 1001) and waits for them, at most `close_timeout`.
    /// Idempotent; every call returns when the server is gone.
    pub async fn close(&self) {
        self.shutdown.send_replace(true);
        let mut acceptor = self.acceptor.lock().await;
        if let Some(task) = acceptor.as_mut() {
            // An error would mean that the task was aborted or panicked: it is gone either way.
            let _ = task.await;
            *acceptor = None;
        }
    }
}

async fn accept_loop(listener: TcpListener, shared: Arc<Shared>, mut shutdown: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = told_to_close(&mut shutdown) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() >= shared.config.max_connections => {
                    connections.spawn(refuse(stream, shared.config.handshake_timeout));
                }
                Ok((stream, _)) => {
                    let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(websocket::run(shared.clone(), stream, id, shutdown.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: connections that end free some.
                    tracing::warn!(%error, "accepting a signaling connection failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
    drop(listener);
    let all_gone = async { while connections.join_next().await.is_some() {} };
    // Connections bound their own goodbye by `close_timeout`; this catches one stuck in its handshake.
    if tokio::time::timeout(shared.config.close_timeout * 2, all_gone).await.is_err() {
        connections.shutdown().await;
    }
}

/// Waits until the server is closed or dropped.
async fn told_to_close(shutdown: &mut watch::Receiver<bool>) {
    // An error means that the `Server` was dropped.
    let _ = shutdown.wait_for(|closing| *closing).await;
}

/// Tells a client beyond `max_connections` to come back later.
async fn refuse(mut stream: TcpStream, patience: Duration) {
    const RESPONSE: &[u8] =
        b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n";
    let _ = tokio::time::timeout(patience, stream.write_all(RESPONSE)).await;
}
