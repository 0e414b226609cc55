//! Loss recovery where packets are lost and overtake each other at the same time: what is sent again is what was lost,
//! give or take, and data keeps arriving.

mod support;

use std::time::Duration;

use ossa_sctp::Config;
use support::{Link, MS, Sim, pattern, reliable};

/// A path with jitter and loss, and how long it is used.
#[derive(Clone, Debug)]
struct Case {
    delay: u32,
    jitter: u32,
    loss: f64,
    /// When the loss begins: by then the window has grown.
    loss_from: Duration,
    whole: bool,
    max_mtu: usize,
    interleaving: bool,
    seed: u64,
}

struct Outcome {
    delivered: usize,
    /// Bytes sent again in the time in which packets are lost, and how much of all that was sent did not arrive.
    again: u64,
    lost: u64,
    longest_stall: Duration,
}

const RATE: u64 = 8_000_000;
const TIME: Duration = Duration::from_secs(10);

fn run(case: &Case) -> Outcome {
    let link = Link {
        delay: case.delay * MS,
        reorder: if case.jitter > 0 { 1.0 } else { 0.0 },
        reorder_by: case.jitter * MS,
        rate: RATE,
        queue: 8 << 20,
        ..Link::default()
    };
    let config = Config {
        interleaving: case.interleaving,
        path_inside_host: case.whole,
        max_mtu: case.max_mtu,
        ..Config::default()
    };
    let mut sim = Sim::connected(link, config, case.seed);
    let end = sim.now + TIME;
    let start = sim.now + case.loss_from;
    let (mut delivered, mut last, mut longest) = (0, start, Duration::ZERO);
    let (mut before, mut lost_before) = (0, 0);
    let mut lossy = false;
    while sim.now < end {
        if !lossy && sim.now >= start {
            lossy = true;
            let (to_b, to_a) = sim.link();
            (to_b.loss, to_a.loss) = (case.loss, case.loss);
            before = sim.a.association.metrics().retransmits;
            lost_before = sim.lost_to_b();
        }
        while sim.a.association.buffered_amount(0) < 1 << 20 {
            sim.send_from_a(0, pattern_of_64k(), reliable());
        }
        sim.step(end);
        let bytes: usize = sim.b.messages().iter().map(|message| message.payload.len()).sum();
        sim.b.received.clear();
        sim.a.events.clear();
        if lossy && bytes > 0 {
            delivered += bytes;
            longest = longest.max(sim.now - last);
            last = sim.now;
        }
    }
    longest = longest.max(sim.now.saturating_sub(last));
    let chunk = if case.whole { 16_280 } else { 1_160 };
    let again = (sim.a.association.metrics().retransmits - before) * chunk;
    Outcome { delivered, again, lost: sim.lost_to_b() - lost_before, longest_stall: longest }
}

fn pattern_of_64k() -> bytes::Bytes {
    static PATTERN: std::sync::OnceLock<bytes::Bytes> = std::sync::OnceLock::new();
    PATTERN.get_or_init(|| pattern(65_536, 1)).clone()
}

fn check(case: &Case) {
    let outcome = run(case);
    let Outcome { delivered, again, lost, longest_stall } = outcome;
    let what = format!(
        "{case:?}: {delivered} B delivered, {again} sent again, {lost} lost, {longest_stall:?} without data"
    );
    if std::env::var_os("SHOW").is_some() {
        println!("{what}");
    }
    assert!(longest_stall < Duration::from_secs(3), "{what}");
    let needless = again as i64 - lost as i64;
    assert!(needless < 2 * lost as i64 + (1 << 20), "{needless} B sent again without need: {what}");
    // What loss-based congestion control gets (RFC 3819 section 15.3), with a good margin.
    let round = f64::from(2 * case.delay + case.jitter) / 1000.0;
    let packet = 1191.0;
    let floor = 0.3 * packet / round * 1.22 / case.loss.sqrt();
    let seconds = (TIME - case.loss_from).as_secs_f64();
    assert!(delivered as f64 / seconds > floor.min(RATE as f64 / 2.0), "less than {floor:.0} B/s: {what}");
}

fn cases(delay: u32, jitter: u32, loss: f64, loss_from: Duration, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        for (whole, max_mtu, interleaving) in
            [(true, 16_300, true), (false, 16_300, true), (false, 1191, true), (false, 1191, false)]
        {
            check(&Case { delay, jitter, loss, loss_from, whole, max_mtu, interleaving, seed });
        }
    }
}

#[test]
fn loss_that_begins_on_a_path_with_jitter_does_not_stop_delivery() {
    cases(20, 60, 0.03, Duration::from_secs(4), 0..4);
}

#[test]
fn loss_from_the_start_on_a_path_with_jitter_does_not_stop_delivery() {
    cases(20, 60, 0.02, Duration::ZERO, 0..3);
}

#[test]
fn wide_jitter_without_loss_sends_little_twice() {
    cases(5, 100, 0.0001, Duration::from_secs(1), 0..2);
}

#[test]
fn little_jitter_and_much_loss_keep_moving() {
    cases(20, 5, 0.05, Duration::from_secs(2), 0..2);
}

#[test]
fn loss_without_jitter_keeps_moving() {
    cases(40, 0, 0.03, Duration::from_secs(3), 0..2);
}

#[test]
fn jitter_as_long_as_the_round_trip_keeps_moving() {
    cases(50, 100, 0.01, Duration::from_secs(4), 0..2);
}
