//! Limits: many streams, large messages, small windows, and peers that try to exhaust memory.

mod support;

use std::time::Duration;

use bytes::Bytes;
use ossa_sctp::{CloseReason, Config, Event, Reliability, SendOptions, State};
use support::{Link, MS, Sim, pattern, reliable};

#[test]
fn many_large_messages_on_many_streams_share_the_path_and_all_arrive() {
    let mut sim = Sim::connected(Link { rate: 50_000_000, ..Link::default() }, Config::default(), 1);
    for stream in 0..300 {
        sim.send_from_a(stream, pattern(262_144, u64::from(stream)), reliable());
    }
    for stream in 300..310 {
        sim.send_from_a(stream, pattern(100, 1), reliable());
    }
    // Small messages do not wait for the large ones.
    assert!(
        sim.run_until(200 * MS, |sim| sim
            .b
            .messages()
            .iter()
            .filter(|message| message.stream >= 300)
            .count()
            == 10)
    );
    assert!(
        sim.run_until(Duration::from_secs(30), |sim| sim.b.received.len() == 310),
        "{:?}",
        sim.b.events.last()
    );
    assert!(sim.b.messages_on(299) == [pattern(262_144, 299)]);
}

#[test]
fn a_message_may_be_larger_than_the_window() {
    for interleaving in [true, false] {
        let config = Config {
            receive_window_min: 65_536,
            receive_window_max: 65_536,
            max_receive_message_size: 64 << 20,
            interleaving,
            ..Config::default()
        };
        let link = Link { loss: 0.01, ..Link::default() };
        let mut sim = Sim::connected(link, config, 2);
        let message = pattern(8 << 20, 1);
        sim.send_from_a(0, message.clone(), reliable());
        assert!(sim.run_until(Duration::from_secs(60), |sim| sim.b.received.len() == 1));
        assert!(sim.b.messages_on(0) == [message]);
    }
}

#[test]
fn a_tiny_window_works() {
    let config = Config { receive_window_min: 2000, receive_window_max: 2000, ..Config::default() };
    let mut sim = Sim::connected(Link::default(), config, 3);
    sim.run_for(100 * MS);
    for index in 0..20 {
        sim.send_from_a(0, pattern(3000, index), reliable());
    }
    assert!(
        sim.run_until(Duration::from_secs(120), |sim| sim.b.received.len() == 20),
        "{}",
        sim.b.received.len()
    );
}

#[test]
fn the_window_grows_with_the_path() {
    let link = Link { delay: 50 * MS, rate: 125_000_000, queue: 4 << 20, ..Link::default() };
    let mut sim = Sim::connected(link, Config::default(), 4);
    for index in 0..400 {
        sim.send_from_a(0, pattern(262_144, index), reliable());
    }
    assert!(sim.run_until(Duration::from_secs(10), |sim| sim.b.received.len() == 400));
    assert!(sim.b.association.metrics().local_rwnd > 4 << 20, "{:?}", sim.b.association.metrics());
}

#[test]
fn a_message_beyond_the_maximum_ends_the_association_with_a_reason() {
    for interleaving in [true, false] {
        for size in [1001, 100_000] {
            let receiver = Config { max_receive_message_size: 1000, interleaving, ..Config::default() };
            let sender = Config { interleaving, ..Config::default() };
            let mut sim = Sim::with_configs(Link::default(), Link::default(), sender, receiver, 5);
            sim.connect();
            sim.send_from_a(0, pattern(size, 1), reliable());
            sim.run_for(100 * MS);
            assert!(matches!(
                sim.b.events.last(),
                Some(Event::Closed { reason: CloseReason::ProtocolViolation { cause: 13, message } })
                    if message.contains("maximum message size")
            ));
            assert!(matches!(
                sim.a.events.last(),
                Some(Event::Closed { reason: CloseReason::PeerAbort { cause: Some(13), .. } })
            ));
        }
    }
}

#[test]
fn priorities_share_a_slow_path() {
    let link = Link { rate: 1_000_000, queue: 60_000, ..Link::default() };
    let config = Config { max_mtu: 1191, ..Config::default() };
    let mut sim = Sim::connected(link, config, 6);
    for (stream, priority) in [(0, 128), (1, 1024)] {
        sim.a.association.set_stream_priority(stream, priority);
        for index in 0..400 {
            sim.send_from_a(stream, pattern(8000, index), reliable());
        }
    }
    sim.run_for(Duration::from_secs(2));
    let (low, high) = (sim.b.messages_on(0).len(), sim.b.messages_on(1).len());
    assert!(low > 10 && (6 * low..10 * low).contains(&high), "{low} and {high}");
}

/// A well-addressed packet to `b` with one chunk.
fn forged(sim: &mut Sim, kind: u8, flags: u8, value: &[u8]) -> Bytes {
    let now = sim.instant();
    sim.a.association.send(now, 0, 51, pattern(1, 1), reliable()).expect("a is connected");
    let mut packet = Vec::new();
    sim.a.association.poll_transmit(now, &mut packet).expect("a sends");
    packet.truncate(8);
    packet.extend_from_slice(&[0; 4]);
    packet.extend_from_slice(&[kind, flags]);
    packet.extend_from_slice(&(value.len() as u16 + 4).to_be_bytes());
    packet.extend_from_slice(value);
    packet.resize(packet.len().next_multiple_of(4), 0);
    Bytes::from(packet)
}

#[test]
fn fragments_without_an_end_take_bounded_memory() {
    let config = Config { interleaving: false, mtu_discovery: false, ..Config::default() };
    let mut sim = Sim::connected(Link::default(), config, 7);
    let template = forged(&mut sim, 0, 0, &[0; 1100]);
    let first = {
        let now = sim.instant();
        let mut packet = Vec::new();
        sim.a.association.send(now, 0, 51, pattern(1, 1), reliable()).expect("a is connected");
        sim.a.association.poll_transmit(now, &mut packet).expect("a sends");
        u32::from_be_bytes([packet[16], packet[17], packet[18], packet[19]])
    };
    // A gap in front, so that nothing can be delivered: 65,000 fragments of 1,088 bytes would be 70 MB.
    for index in 0..65_000u32 {
        let mut packet = template.to_vec();
        packet[16..20].copy_from_slice(&(first.wrapping_add(2 + index)).to_be_bytes());
        let now = sim.instant();
        sim.b.association.handle_packet(now, Bytes::from(packet));
    }
    let rwnd = {
        let mut out = Vec::new();
        let now = sim.instant();
        while sim.b.association.poll_transmit(now, &mut out).is_some() {}
        sim.b.association.metrics().local_rwnd
    };
    assert_eq!(rwnd, 0, "the window is closed");
    assert_eq!(sim.b.association.state(), State::Established);
}

#[test]
fn data_for_streams_that_do_not_exist_is_reported_not_kept() {
    let config = Config { streams: 4, interleaving: false, ..Config::default() };
    let mut sim = Sim::connected(Link::default(), config, 8);
    let mut value = vec![0; 16];
    let packet = forged(&mut sim, 0, 3, &value);
    value.clear();
    sim.run_for(10 * MS);
    let now = sim.instant();
    let mut packet = packet.to_vec();
    let mut probe = Vec::new();
    sim.a.association.send(now, 0, 51, pattern(1, 1), reliable()).expect("a is connected");
    sim.a.association.poll_transmit(now, &mut probe).expect("a sends");
    packet[16..20].copy_from_slice(&probe[16..20]);
    packet[20..22].copy_from_slice(&9u16.to_be_bytes());
    sim.b.association.handle_packet(now, Bytes::from(packet));
    let mut answer = Vec::new();
    sim.b.association.poll_transmit(now, &mut answer).expect("b answers");
    // ERROR with cause 1, invalid stream identifier, and the number.
    assert_eq!(answer[12..22], [9, 0, 0, 12, 0, 1, 0, 8, 0, 9]);
    assert!(sim.b.received.is_empty());
}

#[test]
fn a_slow_reader_of_small_messages_slows_the_sender_down_instead_of_losing_them() {
    for len in [1, 64, 1000] {
        let config = Config { receive_window_max: 1 << 20, ..Config::default() };
        let mut sim = Sim::connected(Link { delay: 2 * MS, ..Link::default() }, config, 9);
        sim.b.reads = false;
        let count = 60_000;
        for index in 0..count {
            sim.send_from_a(0, pattern(len, index), reliable());
        }
        let mut taken = 0;
        while taken < count {
            for _ in 0..400 {
                taken += u64::from(sim.b.association.recv().is_some());
            }
            assert!(sim.b.association.metrics().unread < 2_000_000);
            sim.run_for(5 * MS);
            assert!(sim.now < Duration::from_secs(100), "{taken} of {count}");
        }
        let metrics = sim.a.association.metrics();
        assert!(metrics.retransmits < count / 20, "{len} bytes: {metrics:?}");
    }
}

#[test]
fn more_streams_are_skipped_than_one_packet_can_name() {
    for interleaving in [true, false] {
        let config = Config { interleaving, mtu_discovery: false, ..Config::default() };
        let mut sim = Sim::connected(Link { delay: 2 * MS, ..Link::default() }, config, 10);
        let once = SendOptions { unordered: false, reliability: Reliability::MaxRetransmits(0) };
        let set_loss = |sim: &mut Sim, loss: f64| {
            let (to_b, _) = sim.link();
            to_b.loss = loss;
        };
        set_loss(&mut sim, 1.0);
        for stream in 0..3000 {
            sim.send_from_a(stream, pattern(10, 1), once);
            if stream % 100 == 0 {
                sim.run_for(300 * MS);
            }
        }
        sim.run_for(Duration::from_secs(30));
        set_loss(&mut sim, 0.0);
        for stream in 0..3000 {
            sim.send_from_a(stream, pattern(10, 2), reliable());
        }
        sim.run_for(Duration::from_secs(10));
        let second = sim.b.messages().iter().filter(|message| message.payload == pattern(10, 2)).count();
        assert_eq!(second, 3000);
        assert_eq!(sim.a.association.metrics().in_flight, 0);
    }
}
