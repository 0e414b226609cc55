//! A client that registers an agent and keeps it registered, over WebSockets or HTTP, with one server or several. Nothing in here
//! knows the server's side.
//!
//! `driver` goes from one server to the next; `session` is one connection, from `registration` to its `end`; `transport` carries its
//! frames over what `dial` opens; `state` outlives it.

mod address;
mod config;
mod config_error;
mod dial;
mod driver;
mod end;
mod event;
mod handle;
mod outbox;
mod prover;
mod registration;
mod rooms;
mod rotation;
mod session;
mod state;
mod tls;
mod transport;
mod writer;

pub use config::{ClientConfig, ClientIdentity, Reconnect};
pub use config_error::ConfigError;
pub use dial::{ProxyConfig, ProxySetting};
pub use event::{ClientEvent, Events};
pub use handle::{Client, SendError};
pub use prover::{Challenge, Proof, Prover, Proving};
pub use rooms::RoomEvent;
pub(crate) use transport::EventParser;
