//! Datagrams of peers and strangers at a port that peers share.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_net::fuzz::shared_port(Instant::now(), data));
