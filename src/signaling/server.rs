//! The signaling server as `ts/signaling/server/server.ts` sees it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi::Result;
use napi::bindgen_prelude::{FnArgs, Function};
use napi_derive::napi;
use ossa_relay::{Relay, RelayConfig};
use ossa_signaling::{EventSink, Server, ServerConfig, ServerEvents, TlsIdentity, code};
use serde_json::json;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::auth::SignalingAuth;
use super::cluster::SignalingClusterStats;
use super::embedded::{IN_FLIGHT, SignalingConnection};
use super::relay::{SignalingRelayStats, bind_both};
use super::server_options::SignalingServerOptions;
use super::{Callback, runtime, tell};
use crate::base::agent_error::{coded, refused_by_system};

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
    /// Frames refused because of a rate limit.
    pub rate_limited: f64,
    /// Registrations whose proof or token was wrong.
    pub denied: f64,
    /// Connections and requests refused before they became clients.
    pub turned_away: f64,
    /// Attempts to accept a connection that have failed.
    pub accept_failures: f64,
    /// The relay, if the server has one.
    pub relay: Option<SignalingRelayStats>,
    /// The cluster, if the server is part of one.
    pub cluster: Option<SignalingClusterStats>,
}

/// A signaling server that is listening.
#[napi]
pub struct SignalingServer {
    server: Arc<Server>,
    relay: Option<Arc<Relay>>,
    threads: Arc<Threads>,
    /// Taken by the first `close`.
    open: Option<Open>,
}

/// What JavaScript is told with.
struct Open {
    callback: Arc<Callback>,
    /// Delivers events, until it is told to stop.
    logs: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// The threads of one server. They end when the last user is gone, without waiting for anything.
struct Threads(Mutex<Option<Runtime>>, Handle);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}

impl Threads {
    fn start(count: Option<u32>) -> Result<Self> {
        // One thread relays more than 100,000 messages in a second; beyond four they wait for each other.
        let available = || std::thread::available_parallelism().map_or(1, usize::from).min(4);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(count.map_or_else(available, |count| count as usize))
            .thread_name("ossa-signal-srv")
            .enable_all()
            .build()
            .map_err(|error| refused_by_system(&error))?;
        let handle = runtime.handle().clone();
        Ok(Self(Mutex::new(Some(runtime)), handle))
    }
}

#[napi]
impl SignalingServer {
    /// Starts listening, unless it is embedded. `on_event` gets `log`, `{level, message, fields}`, and once `closed`.
    #[napi(constructor)]
    pub fn new(
        mut options: SignalingServerOptions,
        on_event: Function<'_, FnArgs<(String, Option<String>)>, ()>,
        auth: Option<&SignalingAuth>,
    ) -> Result<Self> {
        let threads = Threads::start(options.threads)?;
        let (embedded, logs) = (options.embedded.unwrap_or(false), options.log.unwrap_or(false));
        let relay = options.relay.take();
        let mut config = options.config()?;
        let relay = relay.map(|relay| relay.config(config.listen, config.tls.is_some())).transpose()?;
        if let Some(auth) = auth {
            config.authenticator = auth.authenticator();
        }
        let events = logs.then(EventSink::new);
        let events = events.map(|(sink, events)| {
            config.events = Some(Arc::new(sink));
            events
        });
        let (server, relay) = start(config, relay, embedded, &threads)?;
        let callback = Arc::new(on_event.build_threadsafe_function().build()?);
        let runtime = runtime()?;
        let logs = events.map(|events| {
            let (stop, stopped) = oneshot::channel();
            (stop, runtime.spawn(deliver(events, callback.clone(), stopped)))
        });
        let open = Some(Open { callback, logs });
        Ok(Self { server: Arc::new(server), relay, threads: Arc::new(threads), open })
    }

    /// Where clients on this host find it. Means nothing if it is embedded.
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
            rate_limited: stats.rate_limited as f64,
            denied: stats.denied as f64,
            turned_away: stats.turned_away as f64,
            accept_failures: stats.accept_failures as f64,
            relay: self.relay.as_deref().map(Into::into),
            cluster: self.server.cluster().map(Into::into),
        }
    }

    /// Uses another certificate for new connections.
    #[napi]
    pub fn update_tls(&self, cert: String, key: String) -> Result<()> {
        let identity =
            TlsIdentity::from_pem(&cert, &key).map_err(|error| coded(code::INVALID_MESSAGE, error))?;
        if self.server.update_tls(identity) {
            return Ok(());
        }
        let text = "this server was started without \"tls\"; it cannot change to it while clients use it";
        Err(coded(code::INVALID_MESSAGE, text))
    }

    /// Serves a connection that a Node server has accepted. `on_event` gets `data`, `written` and `end`.
    #[napi]
    pub fn accept(
        &self,
        address: String,
        port: u16,
        on_event: Function<'_, FnArgs<(String, Option<napi::bindgen_prelude::Buffer>)>, ()>,
    ) -> Result<SignalingConnection> {
        let ip: IpAddr = address
            .parse()
            .map_err(|_| coded(code::INVALID_MESSAGE, format!("{address:?} is not an IP address")))?;
        let (near, far) = tokio::io::duplex(IN_FLIGHT);
        if !self.server.accept(far, SocketAddr::new(ip, port)) {
            let text = "the signaling server is closed, or too many connections wait for it";
            return Err(coded(code::AGENT_UNREACHABLE, text));
        }
        // Not on the server's threads: what they have said last must still get out when they have ended.
        SignalingConnection::start(runtime()?.handle(), near, &on_event)
    }

    /// Closes, after draining for so many milliseconds; later calls do nothing but cut the draining short.
    #[napi]
    pub fn close(&mut self, drain: Option<u32>) -> Result<()> {
        let server = self.server.clone();
        let Some(Open { callback, logs }) = self.open.take() else {
            runtime()?.spawn(async move { server.close().await });
            return Ok(());
        };
        let threads = self.threads.clone();
        runtime()?.spawn(async move {
            match drain.filter(|time| *time > 0) {
                Some(time) => server.drain(Duration::from_millis(time.into())).await,
                None => server.close().await,
            }
            if let Some(runtime) = threads.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
                runtime.shutdown_background();
            }
            if let Some((stop, delivery)) = logs {
                let _ = stop.send(());
                let _ = delivery.await;
            }
            tell(&callback, "closed", None).await;
        });
        Ok(())
    }
}

fn start(
    config: ServerConfig,
    relay: Option<RelayConfig>,
    embedded: bool,
    threads: &Threads,
) -> Result<(Server, Option<Arc<Relay>>)> {
    if embedded {
        let _on_its_threads = threads.1.enter();
        return Ok((Server::embedded(config), None));
    }
    // Binding does not wait for anything.
    let bound = threads.1.block_on(async {
        match relay {
            Some(relay) => bind_both(config, relay).await.map(|(server, relay)| (server, Some(relay))),
            None => Ok((Server::bind(config).await?, None)),
        }
    });
    bound.map_err(|error| refused_by_system(&error))
}

/// One event at a time: what JavaScript does not take in time is left out, and counted. When it is told to stop it delivers
/// what is there already.
async fn deliver(mut events: ServerEvents, callback: Arc<Callback>, mut stop: oneshot::Receiver<()>) {
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            _ = &mut stop => return,
        };
        let Some(event) = event else { return };
        let (level, message, fields) = event.describe();
        let content = json!({ "level": level.name(), "message": message, "fields": fields });
        if !tell(&callback, "log", Some(content.to_string())).await {
            return;
        }
    }
}
