//! The signaling server and client as `ts/agent` sees them. Both run on one thread of their own, started with the first
//! of them: signaling is rare and small, and must not wait for data traffic.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status};
use napi_derive::napi;
use ossa_signaling::{
    Client, ClientConfig, ClientEvent, Events, Reconnect, RoomEvent, RoomName, SendError, Server,
    ServerConfig, SignalingMessage, code,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::session::{agent_uri, coded};

/// Type of an event, and its content as JSON where it has one.
type EventArgs = FnArgs<(String, Option<String>)>;

/// Keeps the process alive while the server or client is open, as a socket does.
type Callback = ThreadsafeFunction<EventArgs, (), EventArgs, Status, false>;

fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("ossa-signaling")
                .enable_all()
                .build()
        })
        .as_ref()
        .map_err(|error| {
            coded("INTERNAL_ERROR", format!("the signaling thread could not be started: {error}"))
        })
}

/// Calls JavaScript and waits until it has returned. False if its thread has ended.
async fn tell(callback: &Callback, kind: &str, content: Option<String>) -> bool {
    let (returned, done) = oneshot::channel();
    let status = callback.call_with_return_value(
        (kind.to_owned(), content).into(),
        ThreadsafeFunctionCallMode::NonBlocking,
        move |_, _| {
            let _ = returned.send(());
            Ok(())
        },
    );
    status == Status::Ok && done.await.is_ok()
}

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
            close_timeout: defaults.close_timeout,
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

/// Options of a signaling client; durations in milliseconds. What is left out has its default.
#[napi(object, object_to_js = false)]
pub struct SignalingClientOptions {
    /// Time for connection and registration.
    pub connect_timeout: Option<u32>,
    /// Longest first delay of a reconnection.
    pub reconnect_delay: Option<u32>,
    /// Longest delay of a reconnection.
    pub max_reconnect_delay: Option<u32>,
    /// Attempts in a row before the first registration.
    pub first_attempts: Option<u32>,
    /// Attempts in a row after a loss; no limit if left out.
    pub attempts: Option<u32>,
    /// PEM certificates of authorities to trust besides the system's.
    pub ca: Option<String>,
}

/// Keeps one agent registered with a signaling server.
#[napi]
pub struct SignalingClient {
    client: Arc<Client>,
}

#[napi]
impl SignalingClient {
    /// Starts connecting. Events: `registered`; `message`, a signaling message; `room`, see [`room_json`];
    /// `disconnected`, `{error, retryIn}`;
    /// `closed`, an error `{code, message}` or nothing, the last one.
    #[napi(constructor)]
    pub fn new(
        url: String,
        agent: String,
        options: SignalingClientOptions,
        on_event: Function<'_, FnArgs<(String, Option<String>)>, ()>,
    ) -> Result<Self> {
        let mut config = ClientConfig::new(url, agent_uri(&agent)?);
        let defaults = Reconnect::default();
        let time = |given: Option<u32>, default| given.map_or(default, |ms| Duration::from_millis(ms.into()));
        config.connect_timeout = time(options.connect_timeout, config.connect_timeout);
        config.reconnect = Reconnect {
            initial: time(options.reconnect_delay, defaults.initial),
            max: time(options.max_reconnect_delay, defaults.max),
            first_attempts: options.first_attempts.unwrap_or(defaults.first_attempts),
            attempts: options.attempts,
        };
        if let Some(pem) = options.ca {
            config.extra_roots = certificates(&pem)?;
        }
        let runtime = runtime()?;
        let started = {
            let _on_its_thread = runtime.enter();
            Client::start(config)
        };
        let (client, events) = started.map_err(|error| coded(code::INVALID_MESSAGE, error))?;
        let client = Arc::new(client);
        let callback = on_event.build_threadsafe_function().build()?;
        runtime.spawn(deliver(events, callback, client.clone()));
        Ok(Self { client })
    }

    /// Queues a signaling message, as JSON.
    #[napi]
    pub fn send(&self, message: String) -> Result<()> {
        let message =
            SignalingMessage::parse(&message).map_err(|error| coded(code::INVALID_MESSAGE, error))?;
        self.client.send(message).map_err(not_sent)
    }

    /// Enters a room, and enters it again after every loss of the connection.
    #[napi]
    pub fn join(&self, room: String) -> Result<()> {
        self.client.join(room_name(&room)?).map_err(not_sent)
    }

    /// Leaves a room.
    #[napi]
    pub fn leave(&self, room: String) -> Result<()> {
        self.client.leave(room_name(&room)?).map_err(not_sent)
    }

    /// Starts to close; the event `closed` tells when it is done.
    #[napi]
    pub fn close(&self) {
        self.client.start_close();
    }
}

impl Drop for SignalingClient {
    /// Its JavaScript thread has ended without closing it: a worker was terminated. The agent must not seem alive.
    fn drop(&mut self) {
        self.client.start_close();
    }
}

fn room_name(text: &str) -> Result<RoomName> {
    RoomName::parse(text).map_err(|error| coded(code::INVALID_MESSAGE, error))
}

fn not_sent(error: SendError) -> napi::Error {
    let code = match error {
        SendError::TooLarge { .. } => code::MESSAGE_TOO_LARGE,
        SendError::QueueFull(_) => code::RATE_LIMIT_EXCEEDED,
        SendError::Closed => code::AGENT_UNREACHABLE,
    };
    coded(code, error)
}

/// An event about a room as `RoomEvent` in `ts/agent/signaling-rooms.ts`.
fn room_json(event: RoomEvent) -> String {
    match event {
        RoomEvent::Entered { room, members } => {
            json!({ "event": "entered", "room": room, "members": members })
        }
        RoomEvent::Changed { room, joined, left, lost } => {
            json!({ "event": "changed", "room": room, "joined": joined, "left": left, "lost": lost })
        }
        RoomEvent::Left(room) => json!({ "event": "left", "room": room }),
        RoomEvent::Refused { room, error, again } => {
            json!({ "event": "refused", "room": room, "error": error, "again": again })
        }
    }
    .to_string()
}

/// One event at a time: what JavaScript does not take stays on the network.
async fn deliver(mut events: Events, callback: Callback, client: Arc<Client>) {
    while let Some(event) = events.recv().await {
        let alive = match event {
            ClientEvent::Registered => tell(&callback, "registered", None).await,
            ClientEvent::Message(message) => tell(&callback, "message", Some(message.to_json())).await,
            ClientEvent::Room(event) => tell(&callback, "room", Some(room_json(event))).await,
            ClientEvent::Disconnected { error, retry_in } => {
                let content = json!({ "error": error, "retryIn": retry_in.as_secs_f64() * 1000.0 });
                tell(&callback, "disconnected", Some(content.to_string())).await
            }
            ClientEvent::Closed(error) => {
                tell(&callback, "closed", error.map(|error| json!(error).to_string())).await;
                return;
            }
        };
        if !alive {
            // Its JavaScript thread has ended: a worker was terminated.
            client.start_close();
            return;
        }
    }
    // There was no room for the last event among the others.
    tell(&callback, "closed", None).await;
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(coded(code::INVALID_MESSAGE, "the option \"ca\" has no PEM certificate in it")),
        Err(error) => Err(coded(code::INVALID_MESSAGE, format!("the option \"ca\" is not PEM: {error}"))),
    }
}
