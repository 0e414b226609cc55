//! Messages of a remote agent: refused with an error, or an envelope that survives being written and read again.
#![no_main]
use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_agent::fuzz::session(Instant::now(), data));
