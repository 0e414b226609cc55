//! What a server is told at its start.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::address::Network;
use super::auth::{Authenticator, OpenToAll};
use super::event::EventSink;
use super::origin::Origins;
use super::rooms::RoomLimits;
use super::tls::TlsIdentity;
use super::turn_server::TurnServer;
use crate::cluster::ClusterConfig;
use crate::rate::Rate;
use crate::turn::{Secret, TurnConfig};

/// Where a [`Server`] listens and what it allows. Every limit protects the server's memory or its other users.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address to listen on. The default, `127.0.0.1:0`, is for development: this host only, any free port.
    pub listen: SocketAddr,
    /// If set, only this path of the URL is served, with what is below it; others get 404.
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
    /// Connections of one address, and sessions over HTTP, default 1,000 of each; of IPv6 one /64 is one address. Above it new
    /// ones get 429. Half of the
    /// default `max_connections` needs ten addresses: one alone cannot take the server from all others.
    pub max_connections_per_address: usize,
    /// Connections without a whole request so far, default 1,000. Above it the oldest one of the address that has the most is
    /// dropped: an honest client needs some milliseconds for its request.
    pub max_half_open: usize,
    /// Frames of one connection. Default 500 in a second and 5,000 at once: an agent that connects to 250 others at once
    /// sends about 20 frames for each.
    pub message_rate: Rate,
    /// Frames `join` and `leave` of one connection, which cost a notice to everybody in the room. Default 10 in a second and
    /// 512 at once: 16 agents that enter 16 rooms each after a reconnection, twice.
    pub room_rate: Rate,
    /// Offers from one agent to another in a minute, default 60: one that redials every second is not working.
    pub offers_per_pair: u32,
    /// Candidates of one agent in one session since its last description, default 256: a host with ten interfaces and several
    /// TURN servers has less than 100.
    pub candidates_per_session: u32,
    /// Certificate and key for `wss:` and `https:`. Default: none, `ws:` and `http:`.
    pub tls: Option<TlsIdentity>,
    /// Which web pages are served.
    pub origins: Origins,
    /// Proxies whose `X-Forwarded-For` or `Forwarded` is believed. Default: none.
    pub trusted_proxies: Vec<Network>,
    /// Who may see metrics and status from elsewhere: whoever has this token. Default: nobody, only clients on this machine.
    pub admin_token: Option<Secret>,
    /// Takes events.
    pub events: Option<Arc<EventSink>>,
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
    /// A TURN server that shares the port: it gets the connections that speak STUN.
    pub relay: Option<Arc<dyn TurnServer>>,
    /// Other servers to share agents, rooms and messages with. Default: none, this server is alone.
    pub cluster: Option<ClusterConfig>,
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
            max_connections_per_address: 1000,
            max_half_open: 1000,
            message_rate: Rate { per_second: 500.0, burst: 5000.0 },
            room_rate: Rate { per_second: 10.0, burst: 512.0 },
            offers_per_pair: 60,
            candidates_per_session: 256,
            tls: None,
            origins: Origins::SameHost,
            trusted_proxies: Vec::new(),
            admin_token: None,
            events: None,
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
            relay: None,
            cluster: None,
        }
    }
}

impl ServerConfig {
    /// What stands before `/health` and the other paths: the path without a slash at its end.
    pub(super) fn base(&self) -> &str {
        self.path.as_deref().unwrap_or("").trim_end_matches('/')
    }

    pub(super) fn room_limits(&self) -> RoomLimits {
        RoomLimits { per_agent: self.max_rooms, members: self.max_room_members }
    }
}
