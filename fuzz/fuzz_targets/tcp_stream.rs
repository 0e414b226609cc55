//! Messages in a TCP stream (RFC 4571), cut anywhere.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_net::fuzz::tcp_stream(data));
