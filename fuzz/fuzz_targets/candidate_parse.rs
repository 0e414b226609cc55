//! A candidate that parses is written in a form that parses to the same candidate.
#![no_main]
use libfuzzer_sys::fuzz_target;
use ossa_peer::sdp::{Candidate, Fingerprint};

fuzz_target!(|line: &str| {
    if let Ok(candidate) = Candidate::parse(line) {
        assert_eq!(Candidate::parse(&candidate.to_string()).as_ref(), Ok(&candidate));
    }
    let _ = Fingerprint::parse(line);
});
