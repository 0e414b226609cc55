//! What needs a look or a hand inside: numbers about to wrap.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use crate::config::Config;
use crate::event::Event;
use crate::options::{Reliability, SendOptions};
use support::{Link, MS, Sim, pattern, reliable};

/// Two connected ends whose numbers wrap after a few chunks.
fn about_to_wrap(link: Link, interleaving: bool, seed: u64) -> Sim {
    let config = Config { interleaving, ..Config::default() };
    let mut sim = Sim::new(link, config, seed);
    sim.a.association.local.initial_tsn = u32::MAX - 20;
    sim.b.association.local.initial_tsn = u32::MAX - 3;
    sim.connect();
    sim
}

#[test]
fn transmission_sequence_numbers_wrap_under_loss() {
    for seed in 0..20 {
        let link = Link { loss: 0.1, delay: 10 * MS, reorder: 0.1, reorder_by: 10 * MS, ..Link::default() };
        let mut sim = about_to_wrap(link, seed % 2 == 0, seed);
        for index in 0..60 {
            sim.send_from_a(0, pattern(5000, index), reliable());
            sim.send_from_b(1, pattern(900, index), reliable());
        }
        let all = |sim: &Sim| sim.a.received.len() == 60 && sim.b.received.len() == 60;
        assert!(sim.run_until(Duration::from_secs(60), all), "seed {seed}");
        assert!((0..60).all(|index| sim.b.messages_on(0)[index] == pattern(5000, index as u64)));
        assert!(sim.a.association.sender.last_tsn() < 1000, "the numbers wrapped");
    }
}

#[test]
fn resets_and_skipped_messages_work_across_a_wrap() {
    for interleaving in [false, true] {
        let link = Link { loss: 0.2, delay: 10 * MS, ..Link::default() };
        let mut sim = about_to_wrap(link, interleaving, 30);
        let once = SendOptions { unordered: false, reliability: Reliability::MaxRetransmits(0) };
        for round in 0..30 {
            sim.send_from_a(3, pattern(1000, round), once);
            sim.send_from_a(4, pattern(100, round), reliable());
            sim.a.association.reset_stream(3).expect("the reset starts");
            let resets = |sim: &Sim| {
                sim.a.events.iter().filter(|event| matches!(event, Event::OutgoingResetDone { .. })).count()
            };
            let done = |sim: &Sim| resets(sim) == round as usize + 1;
            assert!(sim.run_until(Duration::from_secs(60), done), "round {round}");
        }
        sim.run_for(Duration::from_secs(10));
        assert_eq!(sim.b.messages_on(4).len(), 30);
        assert!(sim.b.messages_on(3).len() > 10);
    }
}

#[test]
fn stream_sequence_numbers_wrap_with_much_in_flight() {
    for interleaving in [false, true] {
        let link = Link { loss: 0.002, delay: 20 * MS, ..Link::default() };
        let mut sim = about_to_wrap(link, interleaving, 40);
        let count = 150_000u32;
        for index in 0..count {
            sim.send_from_a(0, index.to_be_bytes().to_vec(), reliable());
        }
        let all = |sim: &Sim| sim.b.received.len() == count as usize;
        assert!(sim.run_until(Duration::from_secs(600), all), "{}", sim.b.received.len());
        let messages = sim.b.messages();
        assert!(
            messages
                .iter()
                .enumerate()
                .all(|(index, message)| message.payload[..] == (index as u32).to_be_bytes())
        );
    }
}

#[test]
fn short_lived_messages_take_bounded_memory_during_an_outage() {
    let outage = (1000 * MS, 121_000 * MS);
    let link = Link { delay: 10 * MS, outages: vec![outage], ..Link::default() };
    let mut sim = Sim::connected(link, Config::default(), 60);
    sim.run_to(1000 * MS);
    let options = SendOptions { unordered: true, reliability: Reliability::MaxLifetime(100 * MS) };
    let mut most = 0;
    while sim.now < 121_000 * MS {
        for index in 0..10 {
            sim.send_from_a(index, pattern(200, 1), options);
        }
        sim.run_for(20 * MS);
        most = most.max(sim.a.association.sender.kept());
    }
    // 60,000 were sent.
    assert!(most < 6000, "{most} messages are kept");
    sim.run_for(Duration::from_secs(10));
    assert_eq!(sim.a.association.sender.kept(), 0);
    sim.send_from_a(0, pattern(5, 5), options);
    sim.run_for(100 * MS);
    assert_eq!(sim.b.messages_on(0).last(), Some(&pattern(5, 5)));
}
