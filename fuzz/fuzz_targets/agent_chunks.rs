//! A message of any content arrives from its chunks, in any order.
#![no_main]
use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_agent::fuzz::chunks(Instant::now(), data));
