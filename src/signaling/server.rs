//! The signaling server as `ts/agent/signaling-server.ts` sees it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use napi::Result;
use napi::bindgen_prelude::{FnArgs, Function};
use napi_derive::napi;
use ossa_signaling::{Server, ServerConfig, code};

use super::{Callback, runtime, tell};
use crate::session::coded;

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
    /// Most rooms of one agent.
    pub max_rooms: Option<u32>,
    /// Most agents in one room.
    pub max_room_members: Option<u32>,
    /// Time for the upgrade, and for the first registration.
    pub handshake_timeout: Option<u32>,
    /// Silence before a ping.
    pub ping_interval: Option<u32>,
    /// Silence before the end.
    pub idle_timeout: Option<u32>,
    /// Time for the owner of a name to answer when somebody else claims it.
    pub takeover_timeout: Option<u32>,
}

/// Counters of a signaling server.
#[napi(object, object_from_js = false)]
pub struct SignalingServerStats {
    /// Open connections.
    pub connections: f64,
    /// Registered agents.
    pub agents: f64,
    /// Rooms that somebody is in.
    pub rooms: f64,
    /// Connections so far.
    pub total_connections: f64,
    /// Messages handed on.
    pub relayed: f64,
    /// Bytes of those.
    pub relayed_bytes: f64,
    /// Messages whose recipient was not registered.
    pub undeliverable: f64,
    /// Frames and registrations refused.
    pub refused: f64,
    /// Clients disconnected because they did not read.
    pub slow_consumers: f64,
}

/// A signaling server that is listening.
#[napi]
pub struct SignalingServer {
    server: Arc<Server>,
    /// Taken by the first `close`.
    closed: Option<Callback>,
}

#[napi]
impl SignalingServer {
    /// Starts listening. `closed` is called once, after `close`.
    #[napi(constructor)]
    pub fn new(
        options: SignalingServerOptions,
        closed: Function<'_, FnArgs<(String, Option<String>)>, ()>,
    ) -> Result<Self> {
        let defaults = ServerConfig::default();
        let ip: IpAddr = options
            .host
            .parse()
            .map_err(|_| coded(code::INVALID_MESSAGE, format!("{:?} is not an IP address", options.host)))?;
        let size = |given: Option<u32>, default: usize| given.map_or(default, |value| value as usize);
        let time = |given: Option<u32>, default| given.map_or(default, |ms| Duration::from_millis(ms.into()));
        let config = ServerConfig {
            listen: SocketAddr::new(ip, options.port),
            path: options.path,
            max_message_size: size(options.max_message_size, defaults.max_message_size),
            max_queue_bytes: size(options.max_queue_bytes, defaults.max_queue_bytes),
            max_registrations: size(options.max_registrations, defaults.max_registrations),
            max_connections: size(options.max_connections, defaults.max_connections),
            max_rooms: size(options.max_rooms, defaults.max_rooms),
            max_room_members: size(options.max_room_members, defaults.max_room_members),
            handshake_timeout: time(options.handshake_timeout, defaults.handshake_timeout),
            ping_interval: time(options.ping_interval, defaults.ping_interval),
            idle_timeout: time(options.idle_timeout, defaults.idle_timeout),
            takeover_timeout: time(options.takeover_timeout, defaults.takeover_timeout),
            ..defaults
        };
        let listen = config.listen;
        // Binding does not wait for anything.
        let server = runtime()?.block_on(Server::bind(config)).map_err(|error| {
            coded(code::AGENT_UNREACHABLE, format!("the signaling server cannot listen on {listen}: {error}"))
        })?;
        let closed = closed.build_threadsafe_function().build()?;
        Ok(Self { server: Arc::new(server), closed: Some(closed) })
    }

    /// Where clients on this host find it.
    #[napi(getter)]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The port listened on.
    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.server.local_addr().port()
    }

    /// Counters at this moment.
    #[napi]
    pub fn stats(&self) -> SignalingServerStats {
        let stats = self.server.stats();
        SignalingServerStats {
            connections: stats.connections as f64,
            agents: stats.agents as f64,
            rooms: stats.rooms as f64,
            total_connections: stats.total_connections as f64,
            relayed: stats.relayed as f64,
            relayed_bytes: stats.relayed_bytes as f64,
            undeliverable: stats.undeliverable as f64,
            refused: stats.refused as f64,
            slow_consumers: stats.slow_consumers as f64,
        }
    }

    /// Closes; later calls do nothing.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        if let Some(closed) = self.closed.take() {
            let server = self.server.clone();
            runtime()?.spawn(async move {
                server.close().await;
                tell(&closed, "closed", None).await;
            });
        }
        Ok(())
    }
}
