//! What every user relies on, over a clean path.

mod support;

use std::time::Duration;

use ossa_sctp::{CloseReason, Config, Event, Received, ResetError, SendError, SendOptions, State};
use support::{Link, MS, Sim, pattern, reliable, unordered};

fn without_interleaving() -> Config {
    Config { interleaving: false, ..Config::default() }
}

#[test]
fn both_sides_connect_at_once_and_agree() {
    let sim = Sim::connected(Link::default(), Config::default(), 1);
    for end in [&sim.a, &sim.b] {
        let connected = Event::Connected { outbound_streams: 65535, inbound_streams: 65535 };
        assert_eq!(end.events.first(), Some(&connected));
        assert_eq!(end.association.peer_streams(), Some((65535, 65535)));
        assert!(end.association.metrics().interleaving && end.association.metrics().zero_checksum);
    }
}

#[test]
fn one_side_may_start_alone() {
    let mut sim = Sim::new(Link::default(), Config::default(), 2);
    let now = sim.instant();
    sim.a.association.connect(now);
    sim.run_for(100 * MS);
    assert_eq!(sim.a.association.state(), State::Established);
    assert_eq!(sim.b.association.state(), State::Established);
}

#[test]
fn messages_of_every_size_arrive_whole_and_in_order() {
    for config in [Config::default(), without_interleaving()] {
        let config = Config { max_receive_message_size: 1 << 20, ..config };
        let mut sim = Sim::connected(Link::default(), config, 3);
        let sizes = [1, 2, 3, 4, 1100, 1159, 1160, 1161, 1191, 5000, 65_536, 262_144, 1 << 20, 1];
        for (index, size) in sizes.iter().enumerate() {
            sim.send_from_a(7, pattern(*size, index as u64), reliable());
        }
        sim.run_for(Duration::from_secs(5));
        let received = sim.b.messages_on(7);
        assert_eq!(received.len(), sizes.len());
        for (index, payload) in received.iter().enumerate() {
            assert_eq!(*payload, pattern(sizes[index], index as u64), "message {index}");
        }
        assert_eq!(sim.a.association.buffered_amount(7), 0);
        let released: usize = sim
            .a
            .events
            .iter()
            .map(|event| if let Event::Released { stream: 7, bytes } = event { *bytes } else { 0 })
            .sum();
        assert_eq!(released, sizes.iter().sum::<usize>());
    }
}

#[test]
fn both_directions_carry_data_at_the_same_time() {
    let mut sim = Sim::connected(Link::default(), Config::default(), 4);
    for index in 0..200 {
        sim.send_from_a(
            index as u16 % 5,
            pattern(3000, index),
            if index % 2 == 0 { reliable() } else { unordered() },
        );
        sim.send_from_b(index as u16 % 3, pattern(700, index), reliable());
    }
    sim.run_for(Duration::from_secs(5));
    assert_eq!(sim.b.messages().len(), 200);
    assert_eq!(sim.a.messages().len(), 200);
}

#[test]
fn room_is_given_back_at_any_time_and_nothing_is_lost() {
    let link = Link { loss: 0.05, delay: 10 * MS, ..Link::default() };
    let mut sim = Sim::connected(link, Config::default(), 6);
    for index in 0..300 {
        sim.send_from_a(index as u16 % 5, pattern(3000, index), reliable());
        sim.send_from_b(index as u16 % 3, pattern(700, index), reliable());
        // Busy and idle by turns.
        sim.run_for(if index % 50 == 0 { 2000 * MS } else { 3 * MS });
        sim.a.association.shrink();
        sim.b.association.shrink();
    }
    sim.run_for(Duration::from_secs(10));
    let of = |stream: u64, streams: u64, len: usize| {
        (0..300)
            .filter(move |index| index % streams == stream)
            .map(move |index| pattern(len, index))
            .collect::<Vec<_>>()
    };
    assert!((0..5).all(|stream| sim.b.messages_on(stream) == of(stream.into(), 5, 3000)));
    assert!((0..3).all(|stream| sim.a.messages_on(stream) == of(stream.into(), 3, 700)));
}

#[test]
fn small_messages_alone_do_not_start_the_search_for_larger_packets() {
    let mut sim = Sim::connected(Link::default(), Config::default(), 5);
    for index in 0..100 {
        sim.send_from_a(0, pattern(500, index), reliable());
        sim.run_for(10 * MS);
    }
    assert_eq!(sim.b.messages().len(), 100);
    assert_eq!(sim.a.association.metrics().mtu, 1191);
}

#[test]
fn packets_grow_to_the_maximum_with_the_first_bulk_data() {
    let mut sim = Sim::connected(Link::default(), Config::default(), 5);
    sim.send_from_a(0, pattern(20_000, 1), reliable());
    sim.run_for(10 * MS);
    assert_eq!(sim.a.association.metrics().mtu, 16_300);
    assert!(sim.a.events.contains(&Event::MtuChanged { mtu: 16_300 }));
}

#[test]
fn a_reset_stream_starts_again_at_zero_after_its_data_was_delivered() {
    for config in [Config::default(), without_interleaving()] {
        let mut sim = Sim::connected(Link::default(), config, 6);
        sim.send_from_a(1, pattern(100_000, 1), reliable());
        sim.send_from_a(2, pattern(100_000, 2), reliable());
        sim.a.association.reset_stream(1).expect("reset starts");
        assert_eq!(sim.a.association.reset_stream(1), Err(ResetError::InProgress { stream: 1 }));
        // It waits for the next life of the stream.
        sim.send_from_a(1, pattern(10, 3), reliable());
        assert_eq!(sim.a.association.buffered_amount(1), 100_010);
        sim.run_for(Duration::from_secs(2));
        assert!(sim.a.events.contains(&Event::OutgoingResetDone { stream: 1 }));
        assert_eq!(sim.a.association.buffered_amount(1), 0);
        sim.send_from_a(1, pattern(11, 3), reliable());
        sim.run_for(Duration::from_secs(2));
        let of_one: Vec<_> = sim
            .b
            .received
            .iter()
            .filter(|received| !matches!(received, Received::Message(message) if message.stream != 1))
            .collect();
        assert!(matches!(of_one[0], Received::Message(message) if message.payload.len() == 100_000));
        assert_eq!(*of_one[1], Received::StreamsReset(vec![1]));
        assert!(matches!(of_one[2], Received::Message(message) if message.payload.len() == 10));
        assert!(matches!(of_one[3], Received::Message(message) if message.payload.len() == 11));
        assert_eq!(sim.b.messages_on(2).len(), 1);
    }
}

#[test]
fn shutdown_delivers_what_was_queued_and_closes_both_sides() {
    let mut sim = Sim::connected(Link::default(), Config::default(), 7);
    sim.send_from_a(0, pattern(200_000, 1), reliable());
    let now = sim.instant();
    sim.a.association.shutdown(now);
    sim.run_for(Duration::from_secs(2));
    assert_eq!(sim.b.messages_on(0), [pattern(200_000, 1)]);
    for end in [&sim.a, &sim.b] {
        assert_eq!(end.association.state(), State::Closed);
        assert_eq!(end.events.last(), Some(&Event::Closed { reason: CloseReason::Shutdown }));
        assert_eq!(end.association.poll_timeout(), None);
    }
}

#[test]
fn an_abort_tells_the_peer_why() {
    let mut sim = Sim::connected(Link::default(), Config::default(), 8);
    sim.a.association.abort("enough");
    sim.run_for(10 * MS);
    let local = CloseReason::LocalAbort { message: "enough".into() };
    let remote = CloseReason::PeerAbort { cause: Some(12), message: "enough".into() };
    assert_eq!(sim.a.events.last(), Some(&Event::Closed { reason: local }));
    assert_eq!(sim.b.events.last(), Some(&Event::Closed { reason: remote }));
}

#[test]
fn the_end_of_an_association_is_told_in_words() {
    let aborted =
        |cause, message: &str| CloseReason::PeerAbort { cause, message: message.into() }.to_string();
    assert_eq!(aborted(Some(12), "enough"), "aborted by the peer: User-Initiated Abort: enough");
    assert_eq!(aborted(Some(12), "User-Initiated Abort"), "aborted by the peer: User-Initiated Abort");
    assert_eq!(aborted(Some(3), "Stale Cookie"), "aborted by the peer: Stale Cookie");
    assert_eq!(aborted(Some(99), "x"), "aborted by the peer: a cause that RFC 9260 does not name: x");
    assert_eq!(aborted(None, "no cause given"), "aborted by the peer: no cause given");
    let violation = CloseReason::ProtocolViolation { cause: 13, message: "no TSN".into() };
    assert_eq!(violation.to_string(), "the peer violated the protocol (Protocol Violation): no TSN");
    let late = CloseReason::HandshakeTimeout { waited: Duration::from_millis(1500) };
    assert_eq!(late.to_string(), "the peer has not completed the SCTP handshake within 1500 ms");
    let early = SendError::NotConnected { state: State::CookieWait };
    assert_eq!(early.to_string(), "cannot send in state \"COOKIE-WAIT\": wait for Event::Connected");
}

#[test]
fn a_closed_window_stops_the_sender_and_reading_starts_it_again() {
    let config = Config { receive_window_min: 100_000, receive_window_max: 100_000, ..Config::default() };
    let mut sim = Sim::connected(Link::default(), config, 9);
    sim.b.reads = false;
    for index in 0..100 {
        sim.send_from_a(0, pattern(10_000, index), reliable());
    }
    sim.run_for(Duration::from_secs(30));
    assert!(sim.b.association.metrics().unread <= 200_000, "{:?}", sim.b.association.metrics());
    assert!(sim.a.association.buffered_amount(0) > 700_000);
    sim.b.reads = true;
    sim.run_for(Duration::from_secs(5));
    assert_eq!(sim.b.messages_on(0).len(), 100);
}

#[test]
fn wrong_calls_are_refused_with_the_reason() {
    let config =
        Config { max_send_message_size: 1000, send_buffer_limit: 1500, streams: 10, ..Config::default() };
    let mut sim = Sim::new(Link::default(), config, 10);
    let now = sim.instant();
    let send = |sim: &mut Sim, stream, len| {
        sim.a.association.send(now, stream, 53, pattern(len, 0), SendOptions::default())
    };
    assert_eq!(send(&mut sim, 0, 1), Err(SendError::NotConnected { state: State::Closed }));
    sim.connect();
    assert_eq!(send(&mut sim, 0, 0), Err(SendError::Empty));
    assert_eq!(send(&mut sim, 0, 1001), Err(SendError::TooLarge { size: 1001, limit: 1000 }));
    assert_eq!(send(&mut sim, 10, 1), Err(SendError::NoSuchStream { stream: 10, streams: 10 }));
    assert_eq!(send(&mut sim, 0, 1000), Ok(()));
    assert_eq!(send(&mut sim, 0, 1000), Ok(()));
    assert_eq!(send(&mut sim, 0, 1), Err(SendError::BufferFull { buffered: 2000, limit: 1500 }));
    assert_eq!(sim.a.association.reset_stream(10), Err(ResetError::NoSuchStream { stream: 10, streams: 10 }));
}

#[test]
fn an_acknowledgement_that_can_wait_does_not_hold_up_a_full_packet() {
    let config = Config { mtu_discovery: false, ..Config::default() };
    for len in 1100..1170 {
        let mut sim = Sim::connected(Link::default(), config.clone(), 11);
        sim.send_from_b(0, pattern(100, 1), reliable());
        sim.run_until(100 * MS, |sim| sim.a.received.len() == 1);
        let start = sim.now;
        sim.send_from_a(0, pattern(len, 2), reliable());
        assert!(sim.run_until(100 * MS, |sim| sim.b.received.len() == 1));
        assert_eq!(sim.now - start, MS, "{len} bytes");
    }
}
