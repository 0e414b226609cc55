//! The relay that shares the port of a signaling server, as `ts/signaling/server/relay.ts` sees it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use napi::Result;
use napi_derive::napi;
use ossa_relay::{Limits, Relay, RelayConfig};
use ossa_signaling::{Server, ServerConfig, TurnUser, code};
use tokio::net::TcpListener;

use crate::base::agent_error::coded;

/// A port that is free for TCP may be taken for UDP; so many are tried where any will do.
const ATTEMPTS: u32 = 16;

/// Options of a relay; what is left out has its default.
#[napi(object, object_to_js = false)]
pub struct SignalingRelayOptions {
    /// What credentials are made with.
    pub secret: String,
    /// Seconds that credentials are valid.
    pub ttl: u32,
    /// The user name shows the URI of the agent.
    pub show_agent: bool,
    /// Also for agents of an open server.
    pub allow_open: bool,
    /// `host` or `host:port` for URLs.
    pub host: Option<String>,
    /// IP addresses to relay from.
    pub addresses: Vec<String>,
    /// What those are called outside.
    pub announce: Vec<String>,
    /// The first port to relay from.
    pub first_port: Option<u16>,
    /// The last one.
    pub last_port: Option<u16>,
    /// Networks that may be reached although they are private.
    pub allow_peers: Vec<String>,
    /// Networks that may not be reached.
    pub deny_peers: Vec<String>,
    /// Most allocations.
    pub max_allocations: Option<u32>,
    /// Most allocations of one agent.
    pub max_allocations_per_agent: Option<u32>,
    /// Most allocations of one address.
    pub max_allocations_per_address: Option<u32>,
    /// The longest that an allocation lives without a refresh, in seconds.
    pub max_lifetime: Option<u32>,
    /// Bytes in a second.
    pub bandwidth: Option<f64>,
    /// Bytes in a second for one agent.
    pub bandwidth_per_agent: Option<f64>,
    /// Bytes in a second for one address.
    pub bandwidth_per_address: Option<f64>,
}

/// Counters of a relay.
#[napi(object, object_from_js = false)]
pub struct SignalingRelayStats {
    /// Allocations at this moment.
    pub allocations: f64,
    /// Allocations so far.
    pub total_allocations: f64,
    /// Datagrams passed on.
    pub relayed: f64,
    /// Bytes of those.
    pub relayed_bytes: f64,
    /// Datagrams dropped for a limit of bandwidth.
    pub over_bandwidth: f64,
    /// Datagrams dropped for a full socket or connection.
    pub congested: f64,
    /// Datagrams dropped for lack of a permission.
    pub not_permitted: f64,
    /// Requests for peers that are not allowed.
    pub forbidden_peers: f64,
    /// Allocations refused for a limit.
    pub refused: f64,
    /// Requests with wrong or expired credentials.
    pub denied: f64,
    /// Requests of strangers left unanswered.
    pub rate_limited: f64,
    /// Datagrams that are neither STUN nor of a client.
    pub malformed: f64,
}

impl From<&Relay> for SignalingRelayStats {
    fn from(relay: &Relay) -> Self {
        let stats = relay.stats();
        Self {
            allocations: stats.allocations as f64,
            total_allocations: stats.total_allocations as f64,
            relayed: stats.relayed as f64,
            relayed_bytes: stats.relayed_bytes as f64,
            over_bandwidth: stats.over_bandwidth as f64,
            congested: stats.congested as f64,
            not_permitted: stats.not_permitted as f64,
            forbidden_peers: stats.forbidden_peers as f64,
            refused: stats.refused as f64,
            denied: stats.denied as f64,
            rate_limited: stats.rate_limited as f64,
            malformed: stats.malformed as f64,
        }
    }
}

impl SignalingRelayOptions {
    /// The relay's own form. Where it listens is known later.
    pub(super) fn config(self, listen: SocketAddr, tls: bool) -> Result<RelayConfig> {
        let defaults = Limits::default();
        let size = |given: Option<u32>, default: usize| given.map_or(default, |value| value as usize);
        // Checked to be whole and positive in TypeScript.
        let rate = |given: Option<f64>, default: u64| given.map_or(default, |value| value as u64);
        let lifetime = self.max_lifetime.map(|seconds| Duration::from_secs(seconds.into()));
        let limits = Limits {
            allocations: size(self.max_allocations, defaults.allocations),
            allocations_per_agent: size(self.max_allocations_per_agent, defaults.allocations_per_agent),
            allocations_per_address: size(self.max_allocations_per_address, defaults.allocations_per_address),
            bandwidth: rate(self.bandwidth, defaults.bandwidth),
            bandwidth_per_agent: rate(self.bandwidth_per_agent, defaults.bandwidth_per_agent),
            bandwidth_per_address: rate(self.bandwidth_per_address, defaults.bandwidth_per_address),
            lifetime: lifetime.unwrap_or(defaults.lifetime),
        };
        let config = RelayConfig::new(listen, self.secret);
        Ok(RelayConfig {
            ttl: Duration::from_secs(self.ttl.into()),
            user: if self.show_agent { TurnUser::Uri } else { TurnUser::Hash },
            allow_open: self.allow_open,
            host: self.host,
            addresses: all(&self.addresses)?,
            announce: all(&self.announce)?,
            ports: self.first_port.unwrap_or(*config.ports.start())
                ..=self.last_port.unwrap_or(*config.ports.end()),
            allow_peers: all(&self.allow_peers)?,
            deny_peers: all(&self.deny_peers)?,
            limits,
            tls,
            ..config
        })
    }
}

fn all<T: std::str::FromStr>(texts: &[String]) -> Result<Vec<T>> {
    let read = |text: &String| {
        text.parse()
            .map_err(|_| coded(code::INVALID_MESSAGE, format!("{text:?} is not an IP address or range")))
    };
    texts.iter().map(read).collect()
}

/// Starts both on one port: signaling and TURN over TCP, TURN over UDP.
pub(super) async fn bind_both(config: ServerConfig, relay: RelayConfig) -> io::Result<(Server, Arc<Relay>)> {
    let mut attempt = 1;
    loop {
        let listener = TcpListener::bind(config.listen).await?;
        let listen = listener.local_addr()?;
        match Relay::bind(RelayConfig { listen, ..relay.clone() }, config.events.clone()) {
            Ok(relay) => {
                let relay = Arc::new(relay);
                let server = Server::listen(ServerConfig { relay: Some(relay.clone()), ..config }, listener)?;
                return Ok((server, relay));
            }
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && config.listen.port() == 0
                    && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}
