//! Bodies of requests with frames, and the events that frames become: taken apart as they were put together, or refused.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_signaling::fuzz::http_body(data));
