//! The Node-API binding: the only place where napi types appear.
//!
//! Four rooms that do not know each other, `connection` (what the W3C classes call), `media` (audio as samples), `agent` (the state
//! machines of a link) and `signaling` (server and client), stand on `base`. Each method is one call of a crate below.
#![deny(unsafe_code)]

use napi_derive::napi;

mod agent;
mod base;
mod connection;
mod media;
mod signaling;

/// The version of the native core, equal to the npm package's version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// How many connections of this process an internal error has ended.
#[napi(catch_unwind)]
pub fn internal_errors() -> f64 {
    ossa_net::internal_errors() as f64
}
