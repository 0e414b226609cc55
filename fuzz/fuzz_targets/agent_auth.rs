//! Tokens, keys and key sets of strangers: refused with a reason, and never accepted for somebody whose key is known.
#![no_main]
use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_agent::fuzz::auth(Instant::now(), data));
