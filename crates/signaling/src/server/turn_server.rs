//! A TURN server that shares the port of this server: what either must know of the other.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::stats::Metric;
use crate::turn::IceServer;
use crate::uri::AgentUri;

/// Something to read from and write to.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to the port of the signaling server that speaks STUN (RFC 8489) instead of HTTP.
pub struct StunConnection {
    /// Nothing has been read from it; TLS, if there is any, is done with.
    pub stream: Box<dyn Duplex>,
    /// Where it comes from.
    pub from: SocketAddr,
    /// Where it has arrived.
    pub to: SocketAddr,
    /// To be called when its client has shown who it is; until then the connection goes first where there are too many.
    pub admitted: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for StunConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StunConnection")
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// A TURN server (RFC 8656) that takes its TCP and TLS connections from this server, and whose credentials agents get from it.
pub trait TurnServer: fmt::Debug + Send + Sync + 'static {
    /// Serves a connection until its end.
    fn serve(&self, connection: StunConnection) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Where `agent` finds it, with credentials that are good from now on. `dialled` is the host, perhaps with a port, by which the
    /// agent has reached the signaling server, if it has reached it directly. `unix_ms`: milliseconds since the Unix epoch.
    fn ice_servers(&self, agent: &AgentUri, dialled: Option<&str>, unix_ms: u64) -> Vec<IceServer>;

    /// How long credentials are good.
    fn ttl(&self) -> Duration;

    /// Credentials also for agents of a server that is open.
    fn allow_open(&self) -> bool;

    /// Sizes at this moment.
    fn gauges(&self) -> Vec<Metric>;

    /// Counts since the start.
    fn totals(&self) -> Vec<Metric>;

    /// Takes nothing new from now on. Ready when nothing is left.
    fn drain(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Ends everything at once.
    fn close(&self);
}
