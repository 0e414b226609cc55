//! A DCEP message that parses is written in a form that parses to the same message.
#![no_main]
use libfuzzer_sys::fuzz_target;
use ossa_peer::dcep::{Message, parse, write_open};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Message::Open(open)) = parse(bytes) {
        // Bytes that are no UTF-8 become longer when they are replaced, possibly too long to be written.
        if open.label.len() <= 65_535 && open.protocol.len() <= 65_535 {
            assert_eq!(parse(&write_open(&open)), Ok(Message::Open(open)));
        }
    }
});
