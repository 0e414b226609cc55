//! Answers, items, cancellations and acknowledgements of a remote agent, with calls under way in both directions.
#![no_main]
use std::time::Instant;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_agent::fuzz::calls(Instant::now(), data));
