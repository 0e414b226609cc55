//! Any text is either refused or parsed into something whose text is kept.
#![no_main]
use libfuzzer_sys::fuzz_target;
use ossa_peer::sdp::Description;

fuzz_target!(|text: &str| {
    if let Ok(description) = Description::parse(text) {
        let again = Description::parse(description.text()).expect("the kept text parses again");
        assert_eq!(description.text(), again.text());
    }
});
