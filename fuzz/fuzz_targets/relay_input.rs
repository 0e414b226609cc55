//! What clients and peers of the TURN relay send, in datagrams and in streams.
#![no_main]
use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_relay::fuzz::relay(Instant::now(), data));
