//! What the network crate reads itself: multicast DNS, TURN servers, server URLs.
#![no_main]
use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ossa_net::fuzz::mdns_message(data);
    ossa_net::fuzz::turn_server(Instant::now(), data);
    ossa_net::fuzz::server_url(data);
});
