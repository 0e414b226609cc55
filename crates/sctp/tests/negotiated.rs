//! Associations whose INITs came with the descriptions, on both sides and on one.

mod support;

use std::time::Duration;

use ossa_sctp::{Association, CloseReason, Config, Event, InitChunk, State};
use support::{Link, MS, Sim, pattern, reliable};

/// What stands in a description and comes out of it.
fn described(association: &Association) -> InitChunk {
    InitChunk::parse(&association.init_chunk().to_bytes()).expect("our own INIT is acceptable")
}

fn connect_both(sim: &mut Sim) {
    let (a, b) = (described(&sim.a.association), described(&sim.b.association));
    let now = sim.instant();
    sim.a.association.connect_with(now, &b, Some(100 * MS));
    sim.b.association.connect_with(now, &a, None);
}

#[test]
fn the_first_packet_carries_data() {
    for config in
        [Config::default(), Config { interleaving: false, zero_checksum: false, ..Config::default() }]
    {
        let mut sim = Sim::new(Link { delay: 50 * MS, ..Link::default() }, config.clone(), 1);
        connect_both(&mut sim);
        let connected = Event::Connected { outbound_streams: 65535, inbound_streams: 65535 };
        assert_eq!(sim.a.association.poll_event(), Some(connected));
        sim.send_from_a(3, pattern(800, 1), reliable());
        sim.send_from_b(4, pattern(700, 2), reliable());
        sim.run_for(50 * MS);
        assert_eq!(sim.b.messages_on(3), [pattern(800, 1)]);
        assert_eq!(sim.a.messages_on(4), [pattern(700, 2)]);
        let metrics = sim.a.association.metrics();
        assert_eq!(
            (metrics.interleaving, metrics.zero_checksum),
            (config.interleaving, config.zero_checksum)
        );
    }
}

#[test]
fn everything_works_as_after_a_handshake() {
    let link = Link { delay: 20 * MS, loss: 0.1, ..Link::default() };
    let mut sim = Sim::new(link, Config::default(), 2);
    connect_both(&mut sim);
    for index in 0..50 {
        sim.send_from_a(1, pattern(4000, index), reliable());
        sim.send_from_b(2, pattern(3000, index), reliable());
    }
    let all = |sim: &Sim| sim.b.messages_on(1).len() == 50 && sim.a.messages_on(2).len() == 50;
    assert!(sim.run_until(Duration::from_secs(60), all));
    sim.a.association.reset_stream(1).expect("both know stream resets");
    let reset = |sim: &Sim| sim.a.events.contains(&Event::OutgoingResetDone { stream: 1 });
    assert!(sim.run_until(Duration::from_secs(60), reset));
}

#[test]
fn the_round_trip_time_told_takes_the_place_of_the_one_measured() {
    let mut sim = Sim::new(Link::default(), Config::default(), 3);
    connect_both(&mut sim);
    assert_eq!(sim.a.association.metrics().srtt, Some(100 * MS));
    assert_eq!(sim.b.association.metrics().srtt, None);
}

#[test]
fn features_are_those_that_both_have() {
    let plain = Config { interleaving: false, zero_checksum: false, streams: 10, ..Config::default() };
    let mut sim = Sim::with_configs(Link::default(), Link::default(), Config::default(), plain, 4);
    connect_both(&mut sim);
    sim.send_from_a(9, pattern(5000, 1), reliable());
    sim.send_from_b(9, pattern(5000, 2), reliable());
    sim.run_for(100 * MS);
    assert_eq!(sim.b.messages_on(9), [pattern(5000, 1)]);
    assert_eq!(sim.a.messages_on(9), [pattern(5000, 2)]);
    for end in [&sim.a, &sim.b] {
        let metrics = end.association.metrics();
        assert!(!metrics.interleaving && !metrics.zero_checksum);
        assert_eq!(end.association.peer_streams(), Some((10, 10)));
    }
}

/// The answer has lost its INIT on the way: its sender counts on it, its receiver does not know.
#[test]
fn a_peer_that_performs_the_handshake_all_the_same_gets_the_association_that_is_there() {
    for (seed, loss) in [(5, 0.0), (6, 0.2), (7, 0.4)] {
        let mut sim = Sim::new(Link { delay: 30 * MS, loss, ..Link::default() }, Config::default(), seed);
        let a = described(&sim.a.association);
        let now = sim.instant();
        sim.b.association.connect_with(now, &a, None);
        // This is lost: the other side has no association yet.
        sim.send_from_b(2, pattern(3000, 1), reliable());
        sim.run_for(100 * MS);
        let now = sim.instant();
        sim.a.association.connect(now);
        let up = |sim: &Sim| sim.a.association.state() == State::Established;
        assert!(sim.run_until(Duration::from_secs(60), up), "loss {loss}");
        sim.send_from_a(1, pattern(3000, 2), reliable());
        let all = |sim: &Sim| sim.a.messages_on(2).len() == 1 && sim.b.messages_on(1).len() == 1;
        assert!(sim.run_until(Duration::from_secs(60), all), "loss {loss}");
        assert!(!sim.b.events.contains(&Event::Restarted), "loss {loss}");
    }
}

#[test]
fn a_peer_that_has_lost_its_state_is_taken_back_as_ever() {
    let mut sim = Sim::new(Link::default(), Config::default(), 8);
    connect_both(&mut sim);
    sim.send_from_b(0, pattern(100, 1), reliable());
    sim.run_for(100 * MS);
    sim.b.association = Association::new(Config::default(), [99; 32]);
    let now = sim.instant();
    sim.b.association.connect(now);
    let restarted = |sim: &Sim| sim.a.events.contains(&Event::Restarted);
    assert!(sim.run_until(Duration::from_secs(10), restarted));
}

#[test]
fn what_has_started_or_ended_is_left_alone() {
    let mut sim = Sim::new(Link::default(), Config::default(), 9);
    let (now, b) = (sim.instant(), described(&sim.b.association));
    sim.a.association.connect(now);
    sim.a.association.connect_with(now, &b, None);
    assert_eq!(sim.a.association.state(), State::CookieWait);
    sim.b.association.abort("enough");
    sim.b.association.connect_with(now, &b, None);
    assert_eq!(sim.b.association.state(), State::Closed);
}

#[test]
fn a_peer_that_never_says_anything_is_given_up_after_the_time_limit_of_the_handshake() {
    for waited in [Duration::from_millis(700), Duration::from_secs(30)] {
        // Heartbeats want an answer as well.
        let config =
            Config { handshake_timeout: Some(waited), heartbeat_interval: None, ..Config::default() };
        let mut sim = Sim::new(Link { loss: 1.0, ..Link::default() }, config, 10);
        connect_both(&mut sim);
        sim.run_for(Duration::from_secs(100));
        assert_eq!(sim.a.association.state(), State::Established, "there was nothing to answer");
        sim.send_from_a(0, pattern(100, 1), reliable());
        sim.run_for(waited - MS);
        assert_eq!(sim.a.association.state(), State::Established);
        sim.run_for(waited + Duration::from_secs(5));
        assert!(
            matches!(
                sim.a.events.last(),
                Some(Event::Closed { reason: CloseReason::HandshakeTimeout { .. } })
            ),
            "{:?}",
            sim.a.events
        );
    }
}

#[test]
fn a_peer_that_has_spoken_once_is_never_given_up() {
    let mut sim = Sim::new(Link::default(), Config::default(), 11);
    connect_both(&mut sim);
    sim.send_from_b(0, pattern(100, 1), reliable());
    sim.run_for(100 * MS);
    sim.set_links(&Link { loss: 1.0, ..Link::default() });
    sim.send_from_a(0, pattern(100, 2), reliable());
    sim.run_for(Duration::from_secs(300));
    assert_eq!(sim.a.association.state(), State::Established);
    sim.set_links(&Link::default());
    sim.run_for(Duration::from_secs(10));
    assert_eq!(sim.b.messages_on(0), [pattern(100, 2)]);
}
