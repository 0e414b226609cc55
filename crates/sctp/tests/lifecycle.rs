//! How associations begin, begin again and end.

mod support;

use std::time::Duration;

use bytes::Bytes;
use ossa_sctp::{Association, CloseReason, Config, Event, State};
use support::{Link, MS, Sim, pattern, reliable};

#[test]
fn a_peer_that_lost_its_state_is_taken_back() {
    let mut sim = Sim::connected(Link::default(), Config::default(), 1);
    sim.send_from_a(0, pattern(5000, 1), reliable());
    sim.run_for(1000 * MS);
    sim.b.association = Association::new(Config::default(), [77; 32]);
    sim.send_from_a(0, pattern(5000, 2), reliable());
    let now = sim.instant();
    sim.b.association.connect(now);
    sim.run_for(Duration::from_secs(5));
    assert!(sim.a.events.contains(&Event::Restarted));
    assert_eq!(sim.a.association.state(), State::Established);
    let before = sim.b.received.len();
    sim.send_from_a(0, pattern(5000, 3), reliable());
    sim.send_from_b(0, pattern(5000, 4), reliable());
    sim.run_for(1000 * MS);
    assert!(sim.b.messages_on(0)[before..] == [pattern(5000, 3)]);
    assert!(sim.a.messages_on(0).last() == Some(&pattern(5000, 4)));
    let count = |end: &support::End| {
        end.events.iter().filter(|event| matches!(event, Event::Released { .. })).count()
    };
    assert!(count(&sim.a) >= 3, "what was given up is released");
}

#[test]
fn a_handshake_without_an_answer_gives_up_after_its_time_and_says_so() {
    for waited in [Duration::from_millis(300), Duration::from_secs(3), Duration::from_secs(30)] {
        let config = Config { handshake_timeout: Some(waited), ..Config::default() };
        let mut sim = Sim::new(Link { loss: 1.0, ..Link::default() }, config, 2);
        let now = sim.instant();
        sim.a.association.connect(now);
        sim.run_for(waited - MS);
        assert_eq!(sim.a.events, []);
        sim.run_for(2 * MS);
        assert_eq!(sim.a.events, [Event::Closed { reason: CloseReason::HandshakeTimeout { waited } }]);
    }
}

#[test]
fn a_handshake_that_stops_half_way_gives_up_as_well() {
    let mut sim = Sim::new(Link { delay: 10 * MS, ..Link::default() }, Config::default(), 2);
    let now = sim.instant();
    sim.a.association.connect(now);
    // The answer to INIT comes, that to COOKIE ECHO does not.
    sim.run_for(15 * MS);
    let (to_b, _) = sim.link();
    to_b.loss = 1.0;
    sim.run_for(Duration::from_secs(40));
    assert!(
        matches!(sim.a.events[..], [Event::Closed { reason: CloseReason::HandshakeTimeout { .. } }]),
        "{:?}",
        sim.a.events
    );
}

#[test]
fn a_handshake_without_a_limit_goes_on() {
    let config = Config { handshake_timeout: None, ..Config::default() };
    let mut sim = Sim::new(Link { loss: 1.0, ..Link::default() }, config, 2);
    let now = sim.instant();
    sim.a.association.connect(now);
    sim.run_for(Duration::from_secs(3600));
    assert_eq!((sim.a.events.len(), sim.a.association.state()), (0, State::CookieWait));
}

#[test]
fn a_cookie_that_was_under_way_too_long_is_replaced() {
    let config = Config { cookie_lifetime: 100 * MS, ..Config::default() };
    let slow = Link { delay: 400 * MS, ..Link::default() };
    let mut sim = Sim::new(slow, config, 3);
    let now = sim.instant();
    sim.a.association.connect(now);
    sim.run_for(1500 * MS);
    assert_ne!(sim.a.association.state(), State::Established);
    sim.set_links(&Link { delay: 10 * MS, ..Link::default() });
    sim.run_for(Duration::from_secs(10));
    assert_eq!(sim.a.association.state(), State::Established);
    assert_eq!(sim.b.association.state(), State::Established);
}

#[test]
fn shutdown_survives_loss_and_may_be_asked_for_by_both() {
    for seed in 0..20 {
        let link = Link { loss: 0.2, delay: 10 * MS, ..Link::default() };
        let mut sim = Sim::connected(link, Config::default(), 10 + seed);
        sim.send_from_a(0, pattern(20_000, 1), reliable());
        sim.send_from_b(0, pattern(20_000, 2), reliable());
        sim.run_until(Duration::from_secs(20), |sim| sim.a.received.len() + sim.b.received.len() == 2);
        let now = sim.instant();
        sim.a.association.shutdown(now);
        if seed % 2 == 0 {
            sim.b.association.shutdown(now);
        }
        sim.run_for(Duration::from_secs(60));
        for end in [&sim.a, &sim.b] {
            assert_eq!(
                end.events.last(),
                Some(&Event::Closed { reason: CloseReason::Shutdown }),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn a_lost_abort_is_repeated_when_the_peer_goes_on() {
    let mut sim = Sim::connected(Link::default(), Config::default(), 40);
    sim.run_for(100 * MS);
    sim.a.association.abort("gone");
    let (to_b, _) = sim.link();
    to_b.loss = 1.0;
    sim.run_for(10 * MS);
    assert_eq!(sim.b.association.state(), State::Established);
    let (to_b, _) = sim.link();
    to_b.loss = 0.0;
    sim.send_from_b(0, pattern(10, 1), reliable());
    sim.run_for(100 * MS);
    assert!(matches!(sim.b.events.last(), Some(Event::Closed { reason: CloseReason::PeerAbort { .. } })));
}

#[test]
fn an_idle_association_costs_a_few_kilobytes() {
    assert!(size_of::<Association>() < 3072, "{}", size_of::<Association>());
}

#[test]
fn nothing_leaves_an_association_that_was_not_started() {
    let mut association = Association::new(Config::default(), [1; 32]);
    let now = support::start_of_time();
    association.handle_packet(now, Bytes::from_static(&[0; 64]));
    association.handle_timeout(now);
    let mut out = Vec::new();
    assert_eq!(association.poll_transmit(now, &mut out), None);
    assert_eq!((out.len(), association.poll_timeout(), association.poll_event()), (0, None, None));
}
