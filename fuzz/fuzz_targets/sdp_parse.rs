//! Any text is either refused or parsed into something whose text is kept; what is read of its sections for RTP can be written.
#![no_main]
use libfuzzer_sys::fuzz_target;
use ossa_peer::ErrorKind;
use ossa_peer::sdp::Description;

fuzz_target!(|text: &str| {
    if let Ok(description) = Description::parse(text) {
        let again = Description::parse(description.text()).expect("the kept text parses again");
        assert_eq!(description.text(), again.text());
        for attributes in description.rtp_sections().into_iter().flatten().flatten() {
            let text = format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n{attributes}");
            let again = Description::parse(&text).expect("it is a description");
            // It is longer than what was read by the lines that are written in any case.
            let read = again.rtp_sections().map_err(|error| error.kind);
            assert!(!matches!(read, Err(ErrorKind::Syntax)), "what was read can be written");
        }
    }
});
