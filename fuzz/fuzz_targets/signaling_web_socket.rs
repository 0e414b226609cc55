//! Bytes of a WebSocket client: refused or taken apart, and the same however they are cut.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_signaling::fuzz::web_socket(data));
