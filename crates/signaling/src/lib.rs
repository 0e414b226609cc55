//! The OSSA signaling protocol: how agents that know only each other's URI exchange what a WebRTC connection needs.
//!
//! - [`AgentUri`], [`SignalingMessage`]: what the specification defines, parsed strictly.
//! - [`ClientFrame`], [`ServerFrame`]: registration with a server, the part the specification leaves open.
//! - [`Server`]: an embeddable WebSocket server that relays messages between registered agents.
//! - [`Client`]: a WebSocket client that stays registered.
#![forbid(unsafe_code)]

mod client;
mod control;
pub mod fuzz;
mod message;
mod room;
mod server;
mod uri;

pub use client::{Client, ClientConfig, ClientEvent, ConfigError, Events, Reconnect, RoomEvent, SendError};
pub use control::{ClientFrame, ErrorBody, FEATURE_ROOMS, SUBPROTOCOL, ServerFrame, close_code, code};
pub use message::{Body, IceCandidate, InvalidMessage, SignalingMessage};
pub use room::{RoomName, RoomNameError};
pub use server::{Server, ServerConfig, Stats};
pub use uri::{AgentUri, AgentUriError};
