//! Bad paths, in virtual time: reliable channels lose and reorder nothing, partial reliability keeps its
//! limits, memory stays bounded.

mod support;

use std::time::Duration;

use ossa_sctp::{Config, CongestionControl, Event, Reliability, SendOptions, State};
use support::{Link, MS, Random, Sim, pattern, reliable, unordered};

/// Sends messages of mixed sizes on three streams in both directions and checks that all arrive.
fn everything_arrives(name: &str, link: Link, config: Config, seed: u64, limit: Duration) -> Sim {
    let mut sim = Sim::connected(link, config, seed);
    let mut random = Random::new(seed);
    let mut sent = [vec![], vec![], vec![]];
    for index in 0..120 {
        let size = [1, 60, 1000, 1300, 5000, 40_000][random.below(6) as usize];
        let stream = random.below(3) as u16;
        let options = if stream == 2 { unordered() } else { reliable() };
        sim.send_from_a(stream, pattern(size, index), options);
        sim.send_from_b(stream, pattern(size, index), options);
        sent[usize::from(stream)].push(pattern(size, index));
        if index % 10 == 0 {
            sim.run_for(20 * MS);
        }
    }
    let count: usize = sent.iter().map(Vec::len).sum();
    let all = |sim: &Sim| sim.a.received.len() >= count && sim.b.received.len() >= count;
    assert!(
        sim.run_until(limit, all),
        "{name}: {}/{} of {count} after {:?}: {:?} {:?}",
        sim.a.received.len(),
        sim.b.received.len(),
        sim.now,
        sim.a.association.metrics(),
        sim.b.association.metrics()
    );
    for end in [&sim.a, &sim.b] {
        for stream in 0..2u16 {
            assert!(
                end.messages_on(stream) == sent[usize::from(stream)],
                "{name}: stream {stream} is not in order"
            );
        }
        let (mut got, mut expected) = (end.messages_on(2), sent[2].clone());
        got.sort();
        expected.sort();
        assert!(got == expected, "{name}: unordered stream differs");
    }
    sim
}

fn variants() -> [Config; 3] {
    [
        Config::default(),
        Config { interleaving: false, congestion: CongestionControl::NewReno, ..Config::default() },
        Config { zero_checksum: false, mtu_discovery: false, ..Config::default() },
    ]
}

#[test]
fn nothing_is_lost_or_reordered_at_any_loss_rate() {
    for (index, loss) in [0.0, 0.01, 0.05, 0.1, 0.2].into_iter().enumerate() {
        for (variant, config) in variants().into_iter().enumerate() {
            let link = Link { loss, delay: 20 * MS, ..Link::default() };
            let seed = (index * 10 + variant) as u64;
            everything_arrives(
                &format!("loss {loss}, variant {variant}"),
                link,
                config,
                seed,
                Duration::from_secs(300),
            );
        }
    }
}

#[test]
fn nothing_is_lost_at_any_delay() {
    for delay in [1, 10, 100, 500] {
        let link = Link { delay: delay * MS, loss: 0.02, ..Link::default() };
        everything_arrives(
            &format!("delay {delay}"),
            link,
            Config::default(),
            u64::from(delay),
            Duration::from_secs(600),
        );
    }
}

#[test]
fn reordering_and_duplicates_do_no_harm() {
    let link = Link {
        delay: 20 * MS,
        reorder: 0.3,
        reorder_by: 30 * MS,
        duplicate: 0.1,
        loss: 0.01,
        ..Link::default()
    };
    for (index, config) in variants().into_iter().enumerate() {
        everything_arrives("reorder", link.clone(), config, 40 + index as u64, Duration::from_secs(120));
    }
}

#[test]
fn corrupted_packets_are_dropped_when_checksums_are_on() {
    let config = Config { zero_checksum: false, ..Config::default() };
    let link = Link { delay: 10 * MS, corrupt: 0.05, ..Link::default() };
    let sim = everything_arrives("corruption", link, config, 50, Duration::from_secs(120));
    assert!(sim.b.association.metrics().packets_dropped > 0);
}

#[test]
fn outages_of_any_length_are_survived() {
    for outage in [100, 1000, 10_000, 120_000] {
        let from = 400 * MS;
        let link = Link {
            delay: 20 * MS,
            rate: 1_000_000,
            outages: vec![(from, from + outage * MS)],
            ..Link::default()
        };
        let mut sim = Sim::connected(link, Config::default(), 60);
        for index in 0..150 {
            sim.send_from_a(0, pattern(10_000, index), reliable());
        }
        let end = from + outage * MS;
        sim.run_to(end);
        let at_end = sim.b.received.len();
        assert!(at_end < 150, "the outage came too late to test anything");
        // Retransmission never backs off beyond 4 seconds, so this is how long it takes to notice the end.
        assert!(
            sim.run_until(Duration::from_secs(8), |sim| sim.b.received.len() == 150),
            "after {outage} ms: {:?}",
            sim.a.association.metrics()
        );
        assert_eq!(sim.a.association.state(), State::Established);
    }
}

#[test]
fn the_handshake_survives_loss_and_outage() {
    for seed in 0..20 {
        let link =
            Link { loss: 0.3, delay: 50 * MS, outages: vec![(Duration::ZERO, 3000 * MS)], ..Link::default() };
        Sim::connected(link, Config::default(), seed);
    }
}

#[test]
fn a_narrow_path_with_a_short_queue_is_used_well() {
    for congestion in [CongestionControl::NewReno, CongestionControl::Cubic, CongestionControl::Bbr] {
        let link = Link { delay: 25 * MS, rate: 1_250_000, queue: 62_500, mtu: 1435, ..Link::default() };
        let config = Config { congestion, ..Config::default() };
        let mut sim = Sim::connected(link, config, 70);
        sim.run_for(5000 * MS);
        let start = sim.now;
        for index in 0..100 {
            sim.send_from_a(0, pattern(100_000, index), reliable());
        }
        assert!(sim.run_until(Duration::from_secs(100), |sim| sim.b.received.len() == 100));
        let share = 10_000_000.0 / (sim.now - start).as_secs_f64() / 1_250_000.0;
        assert!(
            share > 0.75,
            "{congestion:?} used {share:.2} of the link: {:?}",
            sim.a.association.metrics()
        );
    }
}

#[test]
fn messages_without_retransmission_are_sent_once() {
    for config in variants() {
        let link = Link { delay: 10 * MS, loss: 0.1, ..Link::default() };
        let mut sim = Sim::connected(link, config, 80);
        sim.run_for(1000 * MS);
        let before = sim.a.association.metrics().retransmits;
        let options = SendOptions { unordered: false, reliability: Reliability::MaxRetransmits(0) };
        for index in 0..500u64 {
            sim.send_from_a(0, pattern(100 + index as usize, index), options);
            sim.run_for(2 * MS);
        }
        sim.run_for(Duration::from_secs(10));
        assert_eq!(sim.a.association.metrics().retransmits, before);
        let received = sim.b.messages_on(0);
        assert!((380..500).contains(&received.len()), "{} arrived", received.len());
        assert!(received.is_sorted_by_key(|payload| payload.len()), "order is kept");
        let abandoned = sim.a.events.iter().filter(|event| matches!(event, Event::Abandoned { .. })).count();
        assert!(received.len() + abandoned >= 500, "{} arrived, {abandoned} abandoned", received.len());
        assert_eq!(sim.a.association.metrics().in_flight, 0);
    }
}

#[test]
fn given_up_messages_never_hold_up_later_ones() {
    for config in variants() {
        for (unordered, size) in [(false, 100), (true, 100), (false, 9000), (true, 9000)] {
            let link = Link { delay: 10 * MS, loss: 0.2, ..Link::default() };
            let mut sim = Sim::connected(link, config.clone(), 90);
            let lossy = SendOptions { unordered, reliability: Reliability::MaxRetransmits(1) };
            for index in 0..100 {
                sim.send_from_a(1, pattern(size, index), lossy);
                sim.send_from_a(2, pattern(10, index), reliable());
                sim.run_for(5 * MS);
            }
            sim.send_from_a(1, pattern(size, 1000), reliable());
            sim.run_for(Duration::from_secs(20));
            assert!(
                sim.b.messages_on(1).contains(&pattern(size, 1000)),
                "unordered {unordered}, size {size}"
            );
            assert_eq!(sim.b.messages_on(2).len(), 100);
            assert!(sim.b.messages_on(1).len() > 50);
        }
    }
}

#[test]
fn a_message_is_not_sent_after_its_lifetime() {
    let outage = vec![(1000 * MS, 6000 * MS)];
    for config in variants() {
        let link = Link { delay: 10 * MS, outages: outage.clone(), ..Link::default() };
        let mut sim = Sim::connected(link, config, 100);
        sim.run_to(1100 * MS);
        let options = SendOptions { unordered: false, reliability: Reliability::MaxLifetime(500 * MS) };
        for index in 0..300 {
            sim.send_from_a(0, pattern(1000, index), options);
            sim.run_for(10 * MS);
        }
        sim.run_to(5900 * MS);
        assert_eq!(sim.a.association.buffered_amount(0), 0, "expired messages leave the buffer");
        sim.run_to(12_000 * MS);
        sim.send_from_a(0, pattern(1000, 5000), options);
        sim.run_for(1000 * MS);
        let received = sim.b.messages_on(0);
        assert!(received.last() == Some(&pattern(1000, 5000)));
        assert!(received.len() < 60, "{} stale messages arrived", received.len());
    }
}

#[test]
fn a_path_that_shrinks_silently_is_noticed_at_once() {
    let mut sim = Sim::connected(Link { delay: 5 * MS, ..Link::default() }, Config::default(), 110);
    sim.send_from_a(0, pattern(20_000, 0), reliable());
    sim.run_for(500 * MS);
    assert_eq!(sim.a.association.metrics().mtu, 16_300);
    // Only what was in flight as large packets passes, as by IP fragmentation, with some delay.
    for index in 1..200 {
        sim.send_from_a(0, pattern(20_000, index), reliable());
    }
    let (to_b, to_a) = sim.link();
    (to_b.mtu, to_a.mtu) = (1435, 1435);
    let start = sim.now;
    sim.run_until(Duration::from_secs(10), |sim| sim.a.association.metrics().mtu == 1191);
    assert!(sim.now - start < 500 * MS, "{:?}", sim.now - start);
    let (to_b, to_a) = sim.link();
    (to_b.mtu, to_a.mtu) = (16_400, 16_400);
    assert!(sim.run_until(Duration::from_secs(20), |sim| sim.b.received.len() == 200));
}

#[test]
fn a_path_that_swallows_large_packets_without_a_word_stops_delivery_for_no_longer_than_a_timeout() {
    // SCTP packets: Ethernet over IPv4 and jumbo frames before; IPv6's smallest MTU, and exactly the base, after.
    for (before, after) in [(1435, 1203), (1435, 1191), (8935, 1203), (8935, 1435), (16_400, 1191)] {
        for interleaving in [true, false] {
            let link = Link { delay: 20 * MS, rate: 5_000_000, mtu: before, ..Link::default() };
            let config = Config { interleaving, ..Config::default() };
            let mut sim = Sim::connected(link, config, 111);
            for index in 0..400 {
                sim.send_from_a(0, pattern(50_000, index), reliable());
            }
            let count = |sim: &Sim| sim.b.received.len();
            sim.run_until(Duration::from_secs(10), |sim| count(sim) == 100);
            assert!(sim.a.association.metrics().mtu > after, "{before}: {:?}", sim.a.association.metrics());
            let (to_b, to_a) = sim.link();
            (to_b.mtu, to_a.mtu) = (after, after);
            for stage in (100..400).step_by(10) {
                let start = sim.now;
                assert!(
                    sim.run_until(Duration::from_secs(2), |sim| count(sim) >= stage + 10),
                    "{before} to {after}: {} after {:?}: {:?}",
                    count(&sim),
                    sim.now - start,
                    sim.a.association.metrics()
                );
            }
            assert!(sim.b.messages_on(0).into_iter().eq((0..400).map(|index| pattern(50_000, index))));
        }
    }
}

#[test]
fn large_packets_carry_several_chunks_unless_the_path_stays_inside_one_host() {
    for (path_inside_host, packets) in [(false, 100..112), (true, 100..112)] {
        let link = Link { delay: 5 * MS, mtu: 8935, ..Link::default() };
        let config = Config { path_inside_host, max_mtu: 8932, ..Config::default() };
        let mut sim = Sim::connected(link, config, 112);
        sim.send_from_a(0, pattern(20_000, 0), reliable());
        sim.run_for(Duration::from_secs(2));
        let before = sim.a.association.metrics();
        assert_eq!(before.mtu, 8932);
        for index in 0..4 {
            sim.send_from_a(0, pattern(223_000, index), reliable());
        }
        sim.run_for(Duration::from_secs(5));
        assert_eq!(sim.b.received.len(), 5);
        let sent = sim.a.association.metrics().packets_sent - before.packets_sent;
        assert!(packets.contains(&sent), "{sent} packets");
    }
}

#[test]
fn a_path_of_an_ethernet_gets_packets_that_fill_it() {
    let link = Link { mtu: 1435, delay: 10 * MS, ..Link::default() };
    let mut sim = Sim::connected(link, Config::default(), 120);
    sim.send_from_a(0, pattern(20_000, 0), reliable());
    sim.run_for(Duration::from_secs(10));
    assert_eq!(sim.a.association.metrics().mtu, 1432);
    sim.send_from_a(0, pattern(1_000_000 / 4, 0), reliable());
    sim.run_for(Duration::from_secs(10));
    assert_eq!(sim.b.received.len(), 2);
}

#[test]
fn resets_survive_loss_and_may_cross() {
    for seed in 0..10 {
        let link = Link { loss: 0.15, delay: 20 * MS, ..Link::default() };
        let mut sim = Sim::connected(link, Config::default(), 130 + seed);
        for round in 0..20 {
            for stream in 0..4 {
                sim.send_from_a(stream, pattern(500, round), reliable());
                sim.send_from_b(stream, pattern(500, round), reliable());
                sim.a.association.reset_stream(stream).expect("a resets");
                sim.b.association.reset_stream(stream).expect("b resets");
            }
            let expected = (round as usize + 1) * 4;
            let done = |events: &[Event]| {
                events.iter().filter(|event| matches!(event, Event::OutgoingResetDone { .. })).count()
            };
            let all = |sim: &Sim| done(&sim.a.events) == expected && done(&sim.b.events) == expected;
            assert!(sim.run_until(Duration::from_secs(60), all), "seed {seed}, round {round}");
        }
        for end in [&sim.a, &sim.b] {
            assert_eq!(end.messages().len(), 80);
        }
    }
}

#[test]
fn a_pause_of_the_path_does_not_send_everything_again() {
    let config = Config { path_inside_host: true, ..Config::default() };
    let mut sim = Sim::connected(Link { delay: 2 * MS, rate: 12_500_000, ..Link::default() }, config, 140);
    sim.run_for(100 * MS);
    for index in 0..200 {
        sim.send_from_a(0, pattern(50_000, index), reliable());
    }
    for _ in 0..3 {
        sim.run_for(150 * MS);
        // Nothing is lost, but for a while everything takes half a second longer.
        let (to_b, _) = sim.link();
        to_b.delay = 500 * MS;
        sim.run_for(5 * MS);
        let (to_b, _) = sim.link();
        to_b.delay = 2 * MS;
    }
    assert!(sim.run_until(Duration::from_secs(20), |sim| sim.b.received.len() == 200));
    let metrics = sim.a.association.metrics();
    assert!(metrics.retransmits < 60, "{metrics:?}");
}

#[test]
fn a_lost_last_packet_is_repaired_within_a_few_round_trips() {
    let mut sim = Sim::connected(Link { delay: 5 * MS, ..Link::default() }, Config::default(), 150);
    sim.run_for(100 * MS);
    for round in 0..20u64 {
        let (to_b, _) = sim.link();
        to_b.loss = 1.0;
        sim.send_from_a(0, pattern(100, round), reliable());
        sim.pump();
        let (to_b, _) = sim.link();
        to_b.loss = 0.0;
        let start = sim.now;
        assert!(sim.run_until(Duration::from_secs(5), |sim| sim.b.received.len() == round as usize + 1));
        assert!(sim.now - start < 100 * MS, "round {round} took {:?}", sim.now - start);
        sim.run_for(200 * MS);
    }
    assert_eq!(sim.a.association.metrics().timeouts, 0);
}
