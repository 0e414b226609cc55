//! The simulation says what it should of paths whose outcome is known, and `docs/congestion-control.md` has what it says today.

mod simulation;
mod support;

use std::time::Duration;

use ossa_sctp::CongestionControl;
use simulation::network::{FlowSpec, Scenario, run};
use simulation::outcome::{FlowOutcome, jain};
use simulation::tables::tables;
use support::link::{Bursts, Policer, Wire};
use support::{Link, MS, Random};

const SECOND: Duration = Duration::from_secs(1);
const RATE: u64 = 1_250_000;
/// What is left of a packet of 1,469 bytes with 1,400 bytes of payload.
const PAYLOAD: f64 = 1400.0 / 1469.0;

fn flow() -> FlowSpec {
    let congestion = CongestionControl::Cubic;
    FlowSpec { congestion, starts: Duration::ZERO, extra_delay: Duration::ZERO, bytes: None }
}

/// 10 Mbit/s and 40 ms, with a queue of 100 ms.
fn scenario() -> Scenario {
    let link =
        Link { delay: 20 * MS, rate: RATE, queue: RATE / 10, mtu: 1435, overhead: 37, ..Link::default() };
    Scenario { link, rates: Vec::new(), flows: vec![flow()], from: 5 * SECOND, to: 25 * SECOND, seed: 1 }
}

/// Sends so many packets of 1,000 bytes (and no more on the line), one every `gap`, and tells when each arrived.
fn arrivals(link: Link, count: u64, gap: Duration, seed: u64) -> Vec<Option<Duration>> {
    let mut wire = Wire::new(Link { overhead: 0, ..link });
    let mut random = Random::new(seed);
    let mut arrived = vec![None; count as usize];
    let note = |wire: &mut Wire, until: Duration, arrived: &mut Vec<Option<Duration>>| {
        while let Some(at) = wire.next().filter(|at| *at <= until) {
            while let Some(packet) = wire.take(at) {
                let number = u64::from_le_bytes(packet.bytes[..8].try_into().expect("eight bytes"));
                arrived[number as usize].get_or_insert(at);
            }
        }
    };
    for number in 0..count {
        let now = gap * number as u32;
        note(&mut wire, now, &mut arrived);
        let mut packet = vec![0; 1000];
        packet[..8].copy_from_slice(&number.to_le_bytes());
        wire.enter(now, &packet, 0, Duration::ZERO, &mut random);
    }
    note(&mut wire, Duration::MAX, &mut arrived);
    arrived
}

/// Packets leave in portions of a millisecond, and the last of each waits for the others at the line: that is no queue.
#[test]
fn a_long_path_whose_queue_runs_empty_is_not_drained_every_five_seconds() {
    let link = Link { delay: 150 * MS, rate: 12_500_000, queue: 512_000, ..Link::default() };
    let flows = vec![FlowSpec { congestion: CongestionControl::Bbr, ..flow() }];
    // The first drain would be in here.
    let flows = run(&Scenario { link, flows, from: 7 * SECOND, to: 9 * SECOND, ..scenario() });
    let share = flows[0].bytes as f64 / 25_000_000.0;
    assert!(share > 0.95, "{share}");
}

#[test]
fn packets_leave_at_the_rate_of_the_line_and_arrive_after_its_delay() {
    let link = Link { delay: 20 * MS, rate: 1_000_000, queue: 1 << 20, ..Link::default() };
    let arrived = arrivals(link, 100, Duration::ZERO, 1);
    for (index, at) in arrived.into_iter().enumerate() {
        assert_eq!(at, Some(21 * MS + index as u32 * MS), "packet {index}");
    }
}

#[test]
fn a_queue_holds_what_it_should_and_drops_the_rest() {
    let link = Link { rate: 1_000_000, queue: 10_000, ..Link::default() };
    let arrived = arrivals(link, 100, Duration::ZERO, 1);
    // One is on the line, which counts.
    assert_eq!(arrived.iter().flatten().count(), 10);
    assert!(arrived[..10].iter().all(Option::is_some), "the last ones are dropped, not the first");
}

#[test]
fn loss_in_bursts_has_the_share_and_the_length_that_were_asked_for() {
    for (loss, length) in [(0.01, 5.0), (0.05, 20.0), (0.2, 3.0)] {
        let link = Link { bursts: Some(Bursts { loss, length }), ..Link::default() };
        let arrived = arrivals(link, 400_000, MS, 3);
        let lost = arrived.iter().filter(|at| at.is_none()).count() as f64;
        let bursts = arrived.windows(2).filter(|pair| pair[0].is_some() && pair[1].is_none()).count();
        let (share, mean) = (lost / arrived.len() as f64, lost / bursts as f64);
        assert!((share / loss - 1.0).abs() < 0.15, "{share} of {loss}");
        assert!((mean / length - 1.0).abs() < 0.15, "{mean} of {length}");
    }
}

#[test]
fn a_policer_passes_its_rate_and_its_bucket() {
    let policer = Policer { rate: 500_000, bucket: 20_000 };
    let link = Link { policer: Some(policer), ..Link::default() };
    // 1 MB/s for two seconds.
    let passed = arrivals(link, 2000, MS, 1).iter().flatten().count();
    assert!((1018..=1021).contains(&passed), "{passed}");
}

#[test]
fn jitter_keeps_the_order_and_reordering_does_not() {
    let jitter = Link { jitter: 20 * MS, ..Link::default() };
    let arrived: Vec<_> = arrivals(jitter, 1000, MS, 1).into_iter().flatten().collect();
    assert!(arrived.is_sorted());
    assert!(arrived.windows(2).any(|pair| pair[0] == pair[1]), "some catch up");
    let reorder = Link { reorder: 0.1, reorder_by: 20 * MS, ..Link::default() };
    let arrived: Vec<_> = arrivals(reorder, 1000, MS, 1).into_iter().flatten().collect();
    assert!(!arrived.is_sorted());
}

#[test]
fn a_clean_path_is_filled_but_for_the_headers() {
    let scenario = scenario();
    let [outcome] = &run(&scenario)[..] else { panic!("one flow") };
    let share = outcome.bytes as f64 / 20.0 / RATE as f64;
    assert!(share > PAYLOAD - 0.02 && share <= PAYLOAD, "{share}");
    assert!(
        outcome.queueing(1.0) <= 100.0,
        "no packet waits longer than the queue is: {}",
        outcome.queueing(1.0)
    );
}

#[test]
fn a_line_that_becomes_slower_carries_its_new_rate() {
    let rates = vec![(10 * SECOND, RATE / 10)];
    let scenario = Scenario { rates, from: 15 * SECOND, ..scenario() };
    let [outcome] = &run(&scenario)[..] else { panic!("one flow") };
    let share = outcome.bytes as f64 / (RATE / 10 * 10) as f64;
    assert!(share > PAYLOAD - 0.05 && share <= PAYLOAD, "{share}");
}

#[test]
fn flows_that_share_a_line_fill_it_and_no_more() {
    let later = FlowSpec { starts: 2 * SECOND, ..flow() };
    let scenario = Scenario { flows: vec![flow(), flow(), later], ..scenario() };
    let outcomes = run(&scenario);
    let share = outcomes.iter().map(|flow| flow.bytes).sum::<u64>() as f64 / 20.0 / RATE as f64;
    assert!(share > PAYLOAD - 0.02 && share <= PAYLOAD, "{share}");
    assert!(jain(&outcomes) > 0.8, "{}", jain(&outcomes));
}

/// Flows of BBR that begin one after the other, on 20 Mbit/s and 40 ms, for 30 s from when the last has begun.
fn one_after_the_other(queue: Duration, count: u32, seed: u64) -> Vec<FlowOutcome> {
    let flow = |index| FlowSpec { congestion: CongestionControl::Bbr, starts: index * 5 * SECOND, ..flow() };
    let queue = (2 * RATE * queue.as_millis() as u64) / 1000;
    let link = Link { rate: 2 * RATE, queue, ..scenario().link };
    let from = (count - 1) * 5 * SECOND + 10 * SECOND;
    run(&Scenario {
        link,
        flows: (0..count).map(flow).collect(),
        from,
        to: from + 30 * SECOND,
        seed,
        ..scenario()
    })
}

#[test]
fn flows_of_bbr_that_come_later_get_their_share_behind_any_queue() {
    for (queue, seed) in [(10, 1), (10, 2), (40, 2), (40, 5), (200, 1)] {
        let outcomes = one_after_the_other(queue * MS, 4, seed);
        let bytes: Vec<_> = outcomes.iter().map(|flow| flow.bytes).collect();
        assert!(jain(&outcomes) > 0.85, "queue of {queue} ms, seed {seed}: {bytes:?}");
        for outcome in &outcomes {
            // None takes what the queue drops for chance.
            assert!(outcome.resent < 0.1, "queue of {queue} ms, seed {seed}: {} sent again", outcome.resent);
        }
    }
}

#[test]
fn a_transfer_with_an_end_takes_the_time_of_its_bytes_and_its_round_trips() {
    let flows = vec![FlowSpec { bytes: Some(1_000_000), ..flow() }];
    let [outcome] = &run(&Scenario { flows, ..scenario() })[..] else { panic!("one flow") };
    let took = outcome.took.expect("it is over").as_secs_f64();
    assert!(took > 1_000_000.0 / PAYLOAD / RATE as f64 && took < 1.2, "{took} s");
}

#[test]
fn the_same_scenario_has_the_same_outcome() {
    let link = Link { loss: 0.01, reorder: 0.05, reorder_by: 10 * MS, ..scenario().link };
    let scenario = Scenario { link, flows: vec![flow(); 3], ..scenario() };
    let figures = || run(&scenario).into_iter().map(|flow| (flow.bytes, flow.messages, flow.waits));
    assert!(figures().eq(figures()));
    let other = run(&Scenario { seed: 2, ..scenario.clone() });
    assert!(!figures().eq(other.into_iter().map(|flow| (flow.bytes, flow.messages, flow.waits))));
}

fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/congestion-control.md");
    std::fs::read_to_string(path).expect("docs/congestion-control.md is there")
}

/// The lines of the document that begin like this.
fn lines<'a>(document: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    document.lines().filter(move |line| line.starts_with(start))
}

#[test]
fn the_document_has_every_table_and_every_row() {
    let document = document();
    let hint = "run `node scripts/simulate.mjs`";
    for table in tables() {
        let start = document.find(&format!("### {}\n", table.title));
        let section = &document[start.unwrap_or_else(|| panic!("no table {:?}; {hint}", table.title))..];
        let head = format!("{}\n\n{}", table.text, table.head());
        assert!(section.contains(&head), "the columns of {:?} are others by now; {hint}", table.title);
        for row in &table.rows {
            let labels = format!("| {} |", row.labels.join(" | "));
            assert!(
                lines(section, &labels).next().is_some(),
                "{:?} has no row {labels}; {hint}",
                table.title
            );
        }
    }
}

/// Rows of the document that are quick to compute.
const SAMPLES: [(&str, &[&str]); 5] = [
    ("Delay and random loss", &["100", "1"]),
    ("Rate and delay", &["10", "20"]),
    ("A policer instead of a queue", &["15"]),
    ("One megabyte", &["10", "100", "1"]),
    ("Bursts of loss, reordering, jitter", &["1 % lost, 20 in a row"]),
];

#[test]
fn the_document_has_what_the_code_does_now() {
    let document = document();
    for table in tables() {
        let Some((_, labels)) = SAMPLES.iter().find(|(title, _)| *title == table.title) else { continue };
        let row = table.rows.iter().find(|row| row.labels == *labels).expect("the row is in the table");
        let now = table.line(row);
        let section =
            &document[document.find(&format!("### {}\n", table.title)).expect("the table is there")..];
        assert!(
            section.lines().any(|line| line == now),
            "docs/congestion-control.md is of other code; run `node scripts/simulate.mjs`. {:?}, now: {now}",
            table.title
        );
    }
}
