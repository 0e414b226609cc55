//! Entries for fuzzing: everything here that reads what others send. Not part of the API.

use std::net::SocketAddr;
use std::time::Instant;

use crate::tcp::Deframer;
use crate::{listen, mdns, turn, url};

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

/// A stream of framed messages, cut after as many bytes as the first byte says: what comes out must not depend on where it is cut.
pub fn tcp_stream(data: &[u8]) {
    let [cut, stream @ ..] = data else { return };
    let (mut whole, mut cut_up) = (Vec::new(), Vec::new());
    Deframer::default().feed(stream, &mut |message| whole.push(message.to_vec()));
    let mut deframer = Deframer::default();
    for piece in stream.chunks(usize::from(*cut).max(1)) {
        deframer.feed(piece, &mut |message| cut_up.push(message.to_vec()));
    }
    assert_eq!(whole, cut_up);
}

/// Datagrams at a shared port.
pub fn shared_port(now: Instant, data: &[u8]) {
    listen::fuzz::datagrams(now, data);
}

/// A server URL.
pub fn server_url(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = url::parse_ice_server_url(text);
    }
}
