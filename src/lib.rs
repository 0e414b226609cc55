//! The Node-API binding: the only place where napi types appear.
//!
//! JavaScript sees three classes, used by `ts/native` only: a `Hub` per JavaScript thread, a `Peer` per connection and
//! a `Certificate`. Nothing is called once per packet in either direction: JavaScript hands over the messages of a turn
//! with one call of `Hub.flush`, is woken once per batch, and then takes what has come in with `Hub.drain`.
//!
//! ```text
//! JS send() -> slab -> Hub.flush -> outbox::Records -> ossa_net::Peer::send_batch
//! ossa_net -> sink::PeerSink -> inbox::Inbox -> mailbox::Mailbox::signal -> wake::Wake -> JS -> Hub.drain
//! ```
#![deny(unsafe_code)]

use napi_derive::napi;

mod auth;
mod base64;
mod calls;
mod certificate;
mod error;
mod event;
mod extra;
mod hub;
mod inbox;
mod mailbox;
mod meter;
mod options;
mod outbox;
mod peer;
mod reconnect;
mod schedule;
mod session;
mod signaling;
mod sink;
mod stats;
mod transfer;
mod values;
mod wake;

/// The version of the native core, equal to the npm package's version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
