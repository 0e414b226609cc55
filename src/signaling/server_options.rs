//! Options of a signaling server, from JavaScript's to the server's.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use napi::Result;
use napi_derive::napi;
use ossa_signaling::{Network, Origins, Rate, Secret, ServerConfig, TlsIdentity, code};

use super::auth::SignalingTurnOptions;
use super::cluster::SignalingClusterOptions;
use super::relay::SignalingRelayOptions;
use crate::base::agent_error::coded;

/// Options of a signaling server; durations in milliseconds, sizes in bytes. What is left out has its default.
#[napi(object, object_to_js = false)]
pub struct SignalingServerOptions {
    /// IP address to listen on.
    pub host: String,
    /// 0 takes any free port.
    pub port: u16,
    /// The only path served.
    pub path: Option<String>,
    /// Longest message.
    pub max_message_size: Option<u32>,
    /// Most bytes waiting for one client.
    pub max_queue_bytes: Option<u32>,
    /// Most agents per connection.
    pub max_registrations: Option<u32>,
    /// Most connections.
    pub max_connections: Option<u32>,
    /// Most connections of one address.
    pub max_connections_per_address: Option<u32>,
    /// Most connections without a request so far.
    pub max_half_open: Option<u32>,
    /// Most rooms of one agent.
    pub max_rooms: Option<u32>,
    /// Most agents in one room.
    pub max_room_members: Option<u32>,
    /// Frames of a connection per second.
    pub message_rate: Option<u32>,
    /// Frames of a connection at once.
    pub message_burst: Option<u32>,
    /// Rooms entered and left on a connection per second.
    pub room_rate: Option<u32>,
    /// Rooms entered and left on a connection at once.
    pub room_burst: Option<u32>,
    /// Offers from one agent to another per minute.
    pub offers_per_pair: Option<u32>,
    /// Candidates of one agent in one session.
    pub candidates_per_session: Option<u32>,
    /// Time for the upgrade, and for the first registration.
    pub handshake_timeout: Option<u32>,
    /// Silence before a ping.
    pub ping_interval: Option<u32>,
    /// Silence before the end.
    pub idle_timeout: Option<u32>,
    /// Time for the owner of a name to answer when somebody else claims it.
    pub takeover_timeout: Option<u32>,
    /// Names of the server, `host` or `host:port`.
    pub audience: Option<Vec<String>>,
    /// TURN servers for its agents.
    pub turn: Option<SignalingTurnOptions>,
    /// PEM certificate chain; with `tls_key`.
    pub tls_cert: Option<String>,
    /// PEM key.
    pub tls_key: Option<String>,
    /// Origins of web pages that are served; `*` for all.
    pub origins: Option<Vec<String>>,
    /// Addresses and ranges of proxies that are believed.
    pub trusted_proxies: Option<Vec<String>>,
    /// Who may see metrics and status from elsewhere.
    pub admin_token: Option<String>,
    /// Threads that serve clients.
    pub threads: Option<u32>,
    /// Listens nowhere.
    pub embedded: Option<bool>,
    /// Events are wanted.
    pub log: Option<bool>,
    /// A TURN server on the same port.
    pub relay: Option<SignalingRelayOptions>,
    /// Other servers to be one with.
    pub cluster: Option<SignalingClusterOptions>,
}

impl SignalingServerOptions {
    /// The server's own form.
    pub(super) fn config(self) -> Result<ServerConfig> {
        let wrong = |text: String| coded(code::INVALID_MESSAGE, text);
        let defaults = ServerConfig::default();
        let ip: IpAddr =
            self.host.parse().map_err(|_| wrong(format!("{:?} is not an IP address", self.host)))?;
        let size = |given: Option<u32>, default: usize| given.map_or(default, |value| value as usize);
        let time = |given: Option<u32>, default| given.map_or(default, |ms| Duration::from_millis(ms.into()));
        let rate = |per_second: Option<u32>, burst: Option<u32>, default: Rate| {
            let per_second = per_second.map_or(default.per_second, f64::from);
            // Whoever allows more in a second than the default burst allows that much at once.
            Rate { per_second, burst: burst.map_or(default.burst.max(per_second), f64::from) }
        };
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => {
                Some(TlsIdentity::from_pem(cert, key).map_err(|error| wrong(error.to_string()))?)
            }
            _ => None,
        };
        let origins = match self.origins {
            None => Origins::SameHost,
            Some(list) if list.iter().any(|origin| origin == "*") => Origins::Any,
            Some(list) => Origins::Only(list),
        };
        let proxies = self.trusted_proxies.unwrap_or_default();
        let trusted_proxies = proxies
            .iter()
            .map(|text| text.parse::<Network>())
            .collect::<std::result::Result<_, _>>()
            .map_err(wrong)?;
        Ok(ServerConfig {
            listen: SocketAddr::new(ip, self.port),
            path: self.path,
            max_message_size: size(self.max_message_size, defaults.max_message_size),
            max_queue_bytes: size(self.max_queue_bytes, defaults.max_queue_bytes),
            max_registrations: size(self.max_registrations, defaults.max_registrations),
            max_connections: size(self.max_connections, defaults.max_connections),
            max_connections_per_address: size(
                self.max_connections_per_address,
                defaults.max_connections_per_address,
            ),
            max_half_open: size(self.max_half_open, defaults.max_half_open),
            max_rooms: size(self.max_rooms, defaults.max_rooms),
            max_room_members: size(self.max_room_members, defaults.max_room_members),
            message_rate: rate(self.message_rate, self.message_burst, defaults.message_rate),
            room_rate: rate(self.room_rate, self.room_burst, defaults.room_rate),
            offers_per_pair: self.offers_per_pair.unwrap_or(defaults.offers_per_pair),
            candidates_per_session: self.candidates_per_session.unwrap_or(defaults.candidates_per_session),
            handshake_timeout: time(self.handshake_timeout, defaults.handshake_timeout),
            ping_interval: time(self.ping_interval, defaults.ping_interval),
            idle_timeout: time(self.idle_timeout, defaults.idle_timeout),
            takeover_timeout: time(self.takeover_timeout, defaults.takeover_timeout),
            audience: self.audience.unwrap_or_default(),
            turn: self.turn.map(Into::into),
            tls,
            origins,
            trusted_proxies,
            admin_token: self.admin_token.map(Secret::from),
            cluster: self.cluster.map(SignalingClusterOptions::resolve).transpose()?,
            ..defaults
        })
    }
}
