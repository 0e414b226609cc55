//! Remote candidates with names.

mod common;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use common::{PATIENCE, TestPeer, loopback_config, runtime, signaled};
use ossa_peer::{CandidateInit, Event};

/// The candidate with a name in the place of its address.
fn named(init: &CandidateInit, name: &str) -> CandidateInit {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST).to_string();
    assert!(init.candidate.contains(&address), "{}", init.candidate);
    CandidateInit { candidate: init.candidate.replace(&address, name), ..init.clone() }
}

#[test]
fn names_that_are_not_found_leave_room_for_those_that_are() {
    let runtime = runtime();
    let [a, b] = [0, 1].map(|_| TestPeer::new(&runtime, loopback_config()));
    a.channel("test");
    let offer = a.offer(false);
    let answer = b.answer(&offer);
    a.accept(&answer);
    let [at_a, at_b] = [&a, &b].map(|peer| {
        peer.wait("a candidate", |event| signaled(&event).filter(|init| !init.candidate.is_empty()))
    });
    // A label has at most 63 characters: no resolver looks far for these.
    for i in 0..40 {
        let unknown = format!("{}{i}.invalid", "x".repeat(64));
        a.add_candidate(&named(&at_b, &unknown));
        b.add_candidate(&named(&at_a, &unknown));
    }
    // Names that come while many are looked up may be passed over, so these come until one is not.
    let deadline = Instant::now() + PATIENCE;
    let (mut open, mut count) = (false, 0);
    while !open {
        assert!(Instant::now() < deadline, "no candidate with a name is taken any more");
        // Each is another candidate, or it would be passed over as known.
        count += 1;
        let another = |init: &CandidateInit| {
            let found = named(init, "localhost");
            CandidateInit {
                candidate: found.candidate.replace("candidate:", &format!("candidate:{count}")),
                ..found
            }
        };
        a.add_candidate(&another(&at_b));
        b.add_candidate(&another(&at_a));
        let soon = Instant::now() + std::time::Duration::from_millis(500);
        while let Some(event) = a.sink.next(soon) {
            open |= matches!(event, Event::ChannelOpen { .. });
        }
    }
}
