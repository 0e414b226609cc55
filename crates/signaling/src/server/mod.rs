//! An embeddable WebSocket server that relays signaling messages between agents. Nothing in here knows how tokens are verified, or the
//! client.
//!
//! In here is what all connections share, [`Shared`]. `listener` takes a connection; `http` and its `visit` lead it to `admin` (and `status`),
//! to a WebSocket (`upgrade`, `websocket`) or to `transport` and `session`; a `client` says what its frames do, by `registration`,
//! `relay`, `rooms` and the `registry`.

mod address;
mod admin;
mod attempts;
mod auth;
mod client;
mod config;
mod credentials;
mod event;
mod half_open;
mod handle;
mod history;
mod http;
mod io;
mod limits;
mod listener;
mod meetings;
mod origin;
mod outbox;
mod registration;
mod registry;
#[cfg(test)]
mod registry_tests;
mod relay;
mod renewal;
mod reply;
mod rooms;
mod session;
mod stats;
mod status;
mod tls;
pub(crate) mod transport;
mod turn_server;
mod upgrade;
mod visit;
mod websocket;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

pub use address::{Network, place_of};
pub use auth::{Attempt, Authenticator, Denied, Evidence, Identity, OpenToAll, Verdict};
pub use config::ServerConfig;
pub use event::{EventSink, Level, ServerEvent, ServerEvents};
pub use origin::Origins;
use registration::Failures;
use registry::{Close, Registry};
pub use stats::Stats;
pub use tls::{TlsError, TlsIdentity};
pub use turn_server::{Duplex, StunConnection, TurnServer};

use crate::cluster::{self, ClusterState, ClusterStats};

/// A running signaling server. Dropping it closes it without waiting.
#[derive(Debug)]
pub struct Server {
    address: Option<SocketAddr>,
    shared: Arc<Shared>,
    embedded: mpsc::Sender<listener::Embedded>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
    /// Ends the link to the cluster, after the last client.
    unlink: watch::Sender<bool>,
    link: Mutex<Option<JoinHandle<()>>>,
}

/// Connections from an embedding server that wait to be taken; more are refused.
const MAX_EMBEDDED: usize = 1024;

/// Between serving and closed.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Serving,
    /// No new clients; those that are there leave one after the other.
    Draining {
        since: Instant,
        until: Instant,
    },
    Closing,
}

/// What all connections of one server share.
#[derive(Debug)]
struct Shared {
    config: ServerConfig,
    tls: Option<RwLock<TlsIdentity>>,
    phase: watch::Sender<Phase>,
    registry: Registry,
    sessions: session::Sessions,
    counters: stats::Counters,
    /// Connections, and clients that have come through proxies.
    places: Arc<address::Places>,
    /// Clients of the HTTP transport.
    session_places: Arc<address::Places>,
    half_open: half_open::HalfOpen,
    pairs: limits::PairLimits,
    meetings: meetings::Meetings,
    history: history::History,
    viewers: status::Viewers,
    flooders: limits::Flooders,
    /// A client has gone.
    left: Notify,
    next_id: AtomicU64,
    failures: Failures,
    started: Instant,
    cluster: Arc<cluster::Status>,
}

impl Shared {
    fn clients(&self) -> usize {
        usize::try_from(self.counters.connections.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    fn stats(&self) -> Stats {
        self.counters.snapshot(self.registry.len(), self.registry.rooms())
    }

    /// Every size and count of this server, in an order that stays.
    fn counts(&self) -> Vec<stats::Metric> {
        let stats = self.stats();
        let mut counts = [&stats.gauges()[..], &stats.totals()[..]].concat();
        if let Some(relay) = &self.config.relay {
            counts.extend(relay.gauges());
            counts.extend(relay.totals());
        }
        counts
    }

    fn cluster_stats(&self) -> Option<ClusterStats> {
        self.config.cluster.as_ref()?;
        Some(self.cluster.stats(self.registry.queued_for_cluster()))
    }

    /// Why the server should get no new clients now.
    fn not_ready(&self) -> Option<&'static str> {
        if !matches!(*self.phase.borrow(), Phase::Serving) {
            return Some("draining");
        }
        // Only that much for everybody; the log and the statistics say why.
        self.config.cluster.as_ref().and_then(|_| self.cluster.absence())
    }

    fn identity(&self) -> Option<TlsIdentity> {
        self.tls.as_ref().map(|tls| tls.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn emit(&self, event: impl FnOnce() -> ServerEvent) {
        if let Some(sink) = &self.config.events {
            sink.emit(event());
        }
    }
}

impl Server {
    /// Starts listening; needs a tokio runtime with time and I/O enabled, on which everything runs.
    ///
    /// # Errors
    /// Those of binding the address.
    pub async fn bind(config: ServerConfig) -> std::io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        Self::listen(config, listener)
    }

    /// Like [`bind`](Self::bind), with a listener that is there already.
    ///
    /// # Errors
    /// Those of asking for its address.
    pub fn listen(config: ServerConfig, listener: TcpListener) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self::start(config, Some(listener), Some(address)))
    }

    /// A server that listens nowhere: it serves the connections that are handed to [`accept`](Self::accept). Must be called
    /// on a tokio runtime with time enabled, on which everything runs. `listen` and `tls` mean nothing here.
    pub fn embedded(config: ServerConfig) -> Self {
        Self::start(ServerConfig { tls: None, ..config }, None, None)
    }

    fn start(config: ServerConfig, listener: Option<TcpListener>, address: Option<SocketAddr>) -> Self {
        let (phase, watcher) = watch::channel(Phase::Serving);
        let registry = match &config.cluster {
            Some(_) => Registry::clustered(config.room_limits(), config.takeover_timeout),
            None => Registry::default(),
        };
        let shared = Arc::new(Shared {
            tls: config.tls.clone().map(|tls| RwLock::new(for_all_of(&config, tls))),
            config,
            phase,
            registry,
            sessions: session::Sessions::default(),
            counters: stats::Counters::default(),
            places: Arc::default(),
            session_places: Arc::default(),
            half_open: half_open::HalfOpen::default(),
            pairs: limits::PairLimits::default(),
            meetings: meetings::Meetings::default(),
            history: history::History::default(),
            viewers: status::Viewers::default(),
            flooders: limits::Flooders::default(),
            failures: Failures::default(),
            left: Notify::new(),
            next_id: AtomicU64::new(0),
            started: Instant::now(),
            cluster: Arc::default(),
        });
        let unlink = watch::Sender::new(false);
        let link = shared.config.cluster.clone().map(|config| {
            let (shared, status) = (shared.clone(), shared.cluster.clone());
            tokio::spawn(cluster::run(Arc::new(config), shared, status, unlink.subscribe()))
        });
        if let Some(ttl) = shared.credentials_ttl() {
            tokio::spawn(renewal::run(shared.clone(), ttl, shared.phase.subscribe()));
        }
        tokio::spawn(history::run(shared.clone(), shared.phase.subscribe()));
        let (embedded, incoming) = mpsc::channel(MAX_EMBEDDED);
        let acceptor = tokio::spawn(listener::run(listener, incoming, shared.clone(), watcher));
        Self {
            address,
            shared,
            embedded,
            acceptor: Mutex::new(Some(acceptor)),
            unlink,
            link: Mutex::new(link),
        }
    }

    /// Serves a connection that somebody else has accepted, from its first request on. `peer` is where it comes from. False:
    /// the server is closed or far behind, and the connection is dropped.
    pub fn accept(&self, stream: tokio::io::DuplexStream, peer: SocketAddr) -> bool {
        self.embedded.try_send((stream, peer)).is_ok()
    }

    /// The address listened on, with the port that was chosen. An embedded server has the unspecified one.
    pub fn local_addr(&self) -> SocketAddr {
        self.address.unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
    }

    /// The URL for clients on this host. A server that listens on all addresses is named by its loopback address.
    pub fn url(&self) -> String {
        let address = self.local_addr();
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let scheme = if self.shared.tls.is_some() { "wss" } else { "ws" };
        let path = self.shared.config.path.as_deref().unwrap_or("");
        format!("{scheme}://{}{path}", SocketAddr::new(ip, address.port()))
    }

    /// Counters at this moment.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Uses another certificate from the next connection on. False: the server does not speak TLS.
    pub fn update_tls(&self, identity: TlsIdentity) -> bool {
        let Some(tls) = &self.shared.tls else { return false };
        let identity = for_all_of(&self.shared.config, identity);
        *tls.write().unwrap_or_else(PoisonError::into_inner) = identity;
        true
    }

    /// Lets no new clients in and closes the present ones (code 1001) one after the other within `time`, so that they do not
    /// all come to other servers at the same moment. Meanwhile `ready` says no. Then [`close`](Self::close).
    pub async fn drain(&self, time: Duration) {
        let (since, connections) = (Instant::now(), self.shared.clients() as u64);
        let started = self.shared.phase.send_if_modified(|phase| {
            let serving = matches!(phase, Phase::Serving);
            if serving {
                *phase = Phase::Draining { since, until: since + time };
            }
            serving
        });
        if started {
            self.shared.emit(|| ServerEvent::Draining { connections });
            let empty = async {
                loop {
                    let left = self.shared.left.notified();
                    tokio::pin!(left);
                    // From here on none is missed.
                    left.as_mut().enable();
                    if self.shared.clients() == 0 {
                        break;
                    }
                    left.await;
                }
            };
            // Whoever has found others by this server may still talk to them through its relay.
            let relay = async {
                if let Some(relay) = &self.shared.config.relay {
                    relay.drain().await;
                }
            };
            let _ = timeout(time, async { tokio::join!(empty, relay) }).await;
        }
        self.close().await;
    }

    /// What this server knows of its cluster; `None` if it is alone.
    pub fn cluster(&self) -> Option<ClusterStats> {
        self.shared.config.cluster.as_ref()?;
        Some(self.shared.cluster.stats(self.shared.registry.queued_for_cluster()))
    }

    /// How this server stands to its cluster, as it changes; `None` if it is alone.
    pub fn watch_cluster(&self) -> Option<watch::Receiver<ClusterState>> {
        self.shared.config.cluster.as_ref()?;
        Some(self.shared.cluster.watch())
    }

    /// Stops listening, tells the clients (close code 1001) and waits for them, at most `close_timeout`.
    /// Idempotent; every call returns when the server is gone.
    pub async fn close(&self) {
        self.shared.phase.send_replace(Phase::Closing);
        let mut acceptor = self.acceptor.lock().await;
        if let Some(task) = acceptor.as_mut() {
            // An error would mean that the task was aborted or panicked: it is gone either way.
            let _ = task.await;
            *acceptor = None;
        }
        if let Some(relay) = &self.shared.config.relay {
            relay.close();
        }
        self.unlink.send_replace(true);
        let mut link = self.link.lock().await;
        if let Some(task) = link.as_mut() {
            let _ = task.await;
            *link = None;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.phase.send_replace(Phase::Closing);
        if let Some(relay) = &self.shared.config.relay {
            relay.close();
        }
    }
}

/// The identity for everything that shares the port.
fn for_all_of(config: &ServerConfig, identity: TlsIdentity) -> TlsIdentity {
    if config.relay.is_some() { identity.with_turn() } else { identity }
}

/// Waits until the server is closed or dropped.
async fn closing(shutdown: &mut watch::Receiver<Phase>) {
    let _ = shutdown.wait_for(|phase| matches!(phase, Phase::Closing)).await;
}

const GOING_AWAY: Close = Close { code: 1001, reason: "the server is shutting down" };

/// Waits until the client with number `id` is to leave: when the server closes, or at its moment while the server drains.
async fn told_to_leave(shutdown: &mut watch::Receiver<Phase>, id: u64) -> Close {
    let phase = shutdown.wait_for(|phase| !matches!(phase, Phase::Serving)).await.map(|phase| *phase);
    if let Ok(Phase::Draining { since, until }) = phase {
        // Spread evenly: successive multiples of the golden ratio fill an interval without gaps and clusters.
        let fraction = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) as f64 / u64::MAX as f64;
        tokio::select! {
            () = sleep_until(since + (until - since).mul_f64(fraction)) => {}
            () = closing(shutdown) => {}
        }
    }
    GOING_AWAY
}
