//! Entries for fuzzing: everything here that reads what others send. Not part of the API.

use std::net::SocketAddr;
use std::time::Instant;

use crate::{mdns, turn, url};

/// A multicast DNS message.
pub fn mdns_message(data: &[u8]) {
    mdns::answers(data, "0e2d1a5c-8b1f-4f0e-9d4c-1a2b3c4d5e6f.local");
}

/// What a TURN server sends, in a stream or in datagrams.
pub fn turn_server(now: Instant, data: &[u8]) {
    turn::fuzz::stream(data);
    let server = SocketAddr::from(([192, 0, 2, 1], 3478));
    turn::fuzz::session(now, server, data);
}

/// A server URL.
pub fn server_url(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = url::parse_ice_server_url(text);
    }
}
