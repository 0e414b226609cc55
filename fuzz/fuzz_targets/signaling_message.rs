//! Frames of a signaling client or server, and agent URIs: refused, or written again in a form that means the same; streams of events:
//! the same in whatever pieces they come.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ossa_signaling::fuzz::frame(data);
    ossa_signaling::fuzz::uri(data);
    ossa_signaling::fuzz::events(data);
});
