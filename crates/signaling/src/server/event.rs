//! What a server has to tell its operator.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::limits::Bucket;
use crate::error::close_code;
use crate::rate::Rate;
use crate::uri::AgentUri;

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Single steps.
    Debug,
    /// The normal life of a server.
    Info,
    /// Somebody was refused, and the server goes on.
    Warn,
    /// Something does not work.
    Error,
}

impl Level {
    /// `debug`, `info`, `warn` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Something that happened. Never contains a secret: no tokens, proofs, session secrets or messages.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client has connected.
    Connected {
        /// Number of the connection, the same in all events about it.
        connection: u64,
        /// Where from.
        address: IpAddr,
        /// `websocket` or `http`.
        transport: &'static str,
    },
    /// A connection has ended.
    Disconnected {
        /// Number of the connection.
        connection: u64,
        /// Close code and reason if the server ended it.
        closed: Option<(u16, &'static str)>,
    },
    /// An agent is registered.
    Registered {
        /// Number of the connection.
        connection: u64,
        /// The agent.
        agent: AgentUri,
    },
    /// An agent is not registered any more.
    Unregistered {
        /// Number of the connection.
        connection: u64,
        /// The agent.
        agent: AgentUri,
    },
    /// A connection or request was refused before it became a client.
    Turned {
        /// Where from.
        address: IpAddr,
        /// Why, in plain words.
        why: &'static str,
    },
    /// A frame or registration was refused.
    Refused {
        /// Number of the connection.
        connection: u64,
        /// The code that the client was told.
        code: String,
        /// The agent concerned, where known.
        agent: Option<AgentUri>,
    },
    /// An agent could not show who it is.
    Denied {
        /// Number of the connection.
        connection: u64,
        /// Where from.
        address: IpAddr,
        /// The agent.
        agent: AgentUri,
        /// A stable name, such as `signature-invalid`.
        reason: Cow<'static, str>,
    },
    /// Accepting connections failed; the server tries again.
    AcceptFailed {
        /// What the system says.
        error: String,
    },
    /// The server lets no new clients in and sends those that it has away.
    Draining {
        /// Clients at this moment.
        connections: u64,
    },
    /// The server is in its cluster, and everything that it has is published.
    ClusterConnected,
    /// Redis is lost: the server goes on for its own agents, and those of other servers are unreachable.
    ClusterLost {
        /// Why.
        reason: String,
    },
    /// Of the TURN server that shares the port.
    Relay {
        /// How much it matters.
        level: Level,
        /// What happened, in plain words.
        message: &'static str,
        /// Facts about it.
        fields: Value,
    },
    /// There were more events than were read or than are useful.
    LeftOut {
        /// So many are missing.
        count: u64,
    },
}

impl ServerEvent {
    /// Whether it is about the server, not about somebody who comes to it. Those are rare, whatever clients do.
    fn is_own(&self) -> bool {
        matches!(
            self,
            Self::AcceptFailed { .. }
                | Self::Draining { .. }
                | Self::ClusterConnected
                | Self::ClusterLost { .. }
                | Self::LeftOut { .. }
        )
    }

    /// Level, text and facts for a log.
    pub fn describe(&self) -> (Level, &'static str, Value) {
        match self {
            Self::Connected { connection, address, transport } => (
                Level::Debug,
                "a client has connected",
                json!({ "connection": connection, "address": address, "transport": transport }),
            ),
            Self::Disconnected { connection, closed: None } => {
                (Level::Debug, "a client has gone", json!({ "connection": connection }))
            }
            Self::Disconnected { connection, closed: Some((code, reason)) } => {
                let level = match *code {
                    close_code::SLOW_CONSUMER | close_code::RATE_LIMITED | 1009 => Level::Warn,
                    _ => Level::Info,
                };
                let fields = json!({ "connection": connection, "code": code, "reason": reason });
                (level, "a client was disconnected", fields)
            }
            Self::Registered { connection, agent } => {
                (Level::Info, "an agent is registered", json!({ "agent": agent, "connection": connection }))
            }
            Self::Unregistered { connection, agent } => {
                (Level::Info, "an agent is gone", json!({ "agent": agent, "connection": connection }))
            }
            Self::Turned { address, why } => {
                (Level::Warn, "a connection was refused", json!({ "address": address, "why": why }))
            }
            Self::Refused { connection, code, agent } => (
                Level::Warn,
                "a frame was refused",
                json!({ "connection": connection, "code": code, "agent": agent }),
            ),
            Self::Denied { connection, address, agent, reason } => (
                Level::Warn,
                "a registration was denied",
                json!({ "connection": connection, "address": address, "agent": agent, "reason": reason }),
            ),
            Self::AcceptFailed { error } => {
                (Level::Error, "connections cannot be accepted", json!({ "error": error }))
            }
            Self::Draining { connections } => {
                (Level::Info, "the server is draining", json!({ "connections": connections }))
            }
            Self::ClusterConnected => (Level::Info, "the cluster is connected", json!({})),
            Self::ClusterLost { reason } => {
                (Level::Error, "the cluster is lost", json!({ "reason": reason }))
            }
            Self::Relay { level, message, fields } => (*level, message, fields.clone()),
            Self::LeftOut { count } => (Level::Warn, "events were left out", json!({ "count": count })),
        }
    }
}

/// Events waiting for their reader; more are left out.
const CAPACITY: usize = 1024;

/// Places of these that are kept for events of the server itself: what attackers cause must not hide them.
const RESERVED: usize = 64;

/// Whoever attacks a server must not fill its operator's disk: beyond this, events are counted and left out.
const RATE: Rate = Rate { per_second: 200.0, burst: 2000.0 };

/// Where a server puts its events. Never waits.
#[derive(Debug)]
pub struct EventSink {
    sender: mpsc::Sender<ServerEvent>,
    rate: Mutex<Bucket>,
    left_out: AtomicU64,
}

/// The events of a server.
pub type ServerEvents = mpsc::Receiver<ServerEvent>;

impl EventSink {
    /// A sink for [`ServerConfig::events`](crate::ServerConfig), and what comes out of it.
    pub fn new() -> (Self, ServerEvents) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let rate = Mutex::new(Bucket::full(RATE, Instant::now()));
        (Self { sender, rate, left_out: AtomicU64::new(0) }, receiver)
    }

    /// Takes one event, or counts it as left out.
    pub fn emit(&self, event: ServerEvent) {
        let allowed = event.is_own() || (self.sender.capacity() > RESERVED && self.may_come());
        if !allowed || self.sender.try_send(event).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let missing = self.left_out.swap(0, Ordering::Relaxed);
        if missing > 0 && self.sender.try_send(ServerEvent::LeftOut { count: missing }).is_err() {
            self.left_out.fetch_add(missing, Ordering::Relaxed);
        }
    }

    fn may_come(&self) -> bool {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(RATE, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> ServerEvent {
        ServerEvent::Refused { connection: 1, code: "x".into(), agent: None }
    }

    #[tokio::test]
    async fn a_flood_of_events_is_cut_and_said_to_be() {
        let (sink, mut events) = EventSink::new();
        for _ in 0..CAPACITY {
            sink.emit(refused());
        }
        for _ in 0..CAPACITY - RESERVED {
            assert_eq!(events.recv().await, Some(refused()));
        }
        sink.emit(ServerEvent::Draining { connections: 1 });
        assert!(matches!(events.recv().await, Some(ServerEvent::Draining { .. })));
        assert_eq!(events.recv().await, Some(ServerEvent::LeftOut { count: RESERVED as u64 }));
    }

    #[tokio::test]
    async fn a_flood_of_events_does_not_hide_what_happens_to_the_server_itself() {
        let (sink, mut events) = EventSink::new();
        for _ in 0..100_000 {
            sink.emit(refused());
        }
        let trouble = ServerEvent::AcceptFailed { error: "x".into() };
        sink.emit(trouble.clone());
        // Read or not: beyond the rate nothing else comes.
        while events.recv().await != Some(trouble.clone()) {}
        for _ in 0..100_000 {
            sink.emit(refused());
        }
        sink.emit(trouble.clone());
        while events.recv().await != Some(trouble.clone()) {}
    }
}
