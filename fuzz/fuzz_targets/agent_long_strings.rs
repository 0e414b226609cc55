//! Long strings that are taken out of messages and put into them.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| ossa_agent::fuzz::long_strings(data));
