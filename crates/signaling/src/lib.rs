//! The OSSA signaling protocol: how agents that know only each other's URI exchange what a WebRTC connection needs.
//!
//! - [`AgentUri`], [`SignalingMessage`]: what the specification defines, parsed strictly.
//! - [`ClientFrame`], [`ServerFrame`]: registration with a server, the part the specification leaves open.
//! - [`Server`]: an embeddable WebSocket server that relays messages between registered agents.
//! - [`Authenticator`], [`Prover`]: how a server asks an agent who it is, and how the agent answers.
//! - [`TurnConfig`]: credentials for TURN servers that it gets then; [`TurnServer`]: one that shares the port of the server.
//! - [`Client`]: a client that stays registered, over WebSockets or HTTP.
#![forbid(unsafe_code)]

mod client;
mod cluster;
mod control;
#[cfg(test)]
mod control_tests;
mod envelope;
mod error;
mod first_use;
mod frames;
pub mod fuzz;
mod message;
mod notify;
mod rate;
mod room;
mod server;
mod turn;
mod uri;

pub use client::{
    Challenge, Client, ClientConfig, ClientEvent, ClientIdentity, ConfigError, Events, Proof, Prover,
    Proving, ProxyConfig, ProxySetting, Reconnect, RoomEvent, SendError,
};
pub use cluster::{ClusterConfig, ClusterConfigError, ClusterState, ClusterStats, Place as ClusterPlace};
pub use control::{AuthMode, ClientFrame, FEATURE_ROOMS, SUBPROTOCOL, ServerFrame};
pub use error::{ErrorBody, close_code, code};
pub use first_use::{FirstUsePolicy, KnownName};
pub use hyper::http;
pub use message::{Body, IceCandidate, InvalidMessage, SignalingMessage};
pub use notify::notify;
pub use rate::{Rate, RateLimiter};
pub use room::{RoomName, RoomNameError};
pub use server::{
    Attempt, Authenticator, Denied, Duplex, EventSink, Evidence, Identity, Level, Network, OpenToAll,
    Origins, Server, ServerConfig, ServerEvent, ServerEvents, Stats, StunConnection, TlsError, TlsIdentity,
    TurnServer, Verdict, place_of,
};
pub use turn::{IceServer, Secret, TurnConfig, TurnUser, turn_credentials, turn_password};
pub use uri::{AgentUri, AgentUriError};
