//! What a remote agent says about a file: refused, or kept within the bounds of the transfer.
#![no_main]
use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_agent::fuzz::transfer(Instant::now(), data));
