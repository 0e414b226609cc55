//! Heartbeats in virtual time.

use super::*;
use crate::testing::epoch;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

/// Lets time pass until `end`, timer by timer; what came up, with the seconds since `start`.
fn run(keepalive: &mut KeepAlive, start: Instant, end: Duration) -> Vec<(u64, Beat)> {
    let mut seen = Vec::new();
    while let Some(at) = keepalive.poll_timeout().filter(|at| *at <= start + end) {
        while let Some(beat) = keepalive.handle_timeout(at) {
            seen.push(((at - start).as_secs(), beat));
        }
    }
    seen
}

#[test]
fn a_heartbeat_goes_out_every_thirty_seconds() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(Some(HEARTBEAT_INTERVAL), 3, start);
    let times: Vec<_> = run(&mut keepalive, start, 100 * SECOND);
    assert_eq!(times, [(30, Beat::Send), (60, Beat::Send), (90, Beat::Send)]);
}

#[test]
fn an_agent_that_never_sent_a_heartbeat_is_never_declared_dead() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(Some(HEARTBEAT_INTERVAL), 3, start);
    keepalive.handle_traffic(start + SECOND);
    assert!(run(&mut keepalive, start, 10_000 * SECOND).iter().all(|(_, beat)| *beat == Beat::Send));
}

#[test]
fn an_agent_that_sent_one_is_dead_after_three_missed_intervals() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(None, 3, start);
    keepalive.handle_heartbeat(start + 10 * SECOND);
    assert_eq!(run(&mut keepalive, start, 99 * SECOND), []);
    let dead = Beat::Dead { silence: 90 * SECOND };
    assert_eq!(run(&mut keepalive, start, 1000 * SECOND), [(100, dead)]);
}

#[test]
fn the_interval_that_the_other_side_announced_counts_and_not_ours() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(None, 3, start);
    keepalive.announced(Some(SECOND), start);
    assert_eq!(run(&mut keepalive, start, 10 * SECOND), [(3, Beat::Dead { silence: 3 * SECOND })]);
    let mut impatient = KeepAlive::new(Some(SECOND), 3, start);
    impatient.handle_heartbeat(start);
    assert!(run(&mut impatient, start, 89 * SECOND).iter().all(|(_, beat)| *beat == Beat::Send));
}

#[test]
fn an_agent_that_said_it_sends_none_is_never_declared_dead() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(None, 3, start);
    keepalive.handle_heartbeat(start);
    keepalive.announced(None, start);
    keepalive.handle_heartbeat(start + SECOND);
    assert_eq!(keepalive.poll_timeout(), None);
}

#[test]
fn anything_that_comes_is_a_sign_of_life() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(None, 3, start);
    keepalive.handle_heartbeat(start);
    keepalive.handle_traffic(start + 80 * SECOND);
    // Older than what is known already.
    keepalive.handle_traffic(start + 40 * SECOND);
    assert_eq!(keepalive.poll_timeout(), Some(start + 170 * SECOND));
}

#[test]
fn a_program_that_stood_still_gives_the_other_side_another_interval_and_says_so_at_once() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(Some(HEARTBEAT_INTERVAL), 3, start);
    keepalive.handle_heartbeat(start);
    let woken = start + 3600 * SECOND;
    assert_eq!(keepalive.handle_timeout(woken), Some(Beat::Late { by: 3570 * SECOND }));
    assert_eq!(keepalive.handle_timeout(woken), Some(Beat::Send));
    assert_eq!(keepalive.handle_timeout(woken), None);
    // Heard in time: alive.
    keepalive.handle_heartbeat(woken + SECOND);
    assert_eq!(keepalive.handle_timeout(woken + 30 * SECOND), Some(Beat::Send));
    // Not heard in time: dead, as anybody else.
    let mut lonely = KeepAlive::new(None, 3, start);
    lonely.handle_heartbeat(start);
    assert!(matches!(lonely.handle_timeout(woken), Some(Beat::Late { .. })));
    assert!(matches!(lonely.handle_timeout(woken + 30 * SECOND), Some(Beat::Dead { .. })));
}

proptest! {
    /// Whatever comes and whenever the program gets round to it: it is quiet in the end, and never dead too early.
    #[test]
    fn nobody_is_declared_dead_before_the_silence_is_long_enough(
        own in proptest::option::of(1u64..100),
        announced in proptest::option::of(proptest::option::of(1u64..100)),
        steps in proptest::collection::vec((0u64..200, 0u8..4), 1..60),
    ) {
        let mut now = epoch();
        let mut heard = now;
        let mut expected = None;
        let mut keepalive = KeepAlive::new(own.map(Duration::from_secs), 3, now);
        if let Some(interval) = announced {
            keepalive.announced(interval.map(Duration::from_secs), now);
            expected = interval;
        }
        for (seconds, what) in steps {
            now += Duration::from_secs(seconds);
            match what {
                0 => {
                    keepalive.handle_heartbeat(now);
                    heard = now;
                    if announced.is_none() {
                        expected = Some(own.unwrap_or(0).max(30));
                    }
                }
                1 => {
                    keepalive.handle_traffic(now);
                    heard = now;
                }
                _ => {}
            }
            for round in 0.. {
                prop_assert!(round < 4, "it does not come to rest");
                match keepalive.handle_timeout(now) {
                    None => break,
                    Some(Beat::Dead { silence }) => {
                        prop_assert_eq!(silence, now - heard);
                        prop_assert!(silence.as_secs() >= 3 * expected.expect("one was expected"));
                        return Ok(());
                    }
                    Some(_) => {}
                }
            }
            prop_assert!(keepalive.poll_timeout().is_none_or(|due| due > now));
        }
    }
}

#[test]
fn a_heartbeat_that_waits_to_be_read_when_a_busy_program_gets_round_to_judging_counts() {
    let start = epoch();
    let busy = |by: u64| {
        let mut keepalive = KeepAlive::new(None, 3, start);
        keepalive.announced(Some(SECOND), start);
        let now = start + 3 * SECOND + Duration::from_millis(by);
        assert_eq!(keepalive.handle_timeout(now), None, "late by {by} ms");
        assert_eq!(keepalive.poll_timeout(), Some(now + READING));
        (keepalive, now)
    };
    // It was there all the time: alive, and judged anew from then on.
    let (mut alive, now) = busy(4999);
    alive.handle_heartbeat(now);
    assert_eq!(alive.poll_timeout(), Some(now + 3 * SECOND));
    assert_eq!(alive.handle_timeout(now + 3 * SECOND), Some(Beat::Dead { silence: 3 * SECOND }));
    // There was none: dead, however busy the program still is.
    let (mut dead, now) = busy(100);
    assert!(matches!(dead.handle_timeout(now + 4 * SECOND), Some(Beat::Dead { .. })));
}

#[test]
fn waiting_for_the_other_side_holds_up_no_heartbeat_of_this_one() {
    let start = epoch();
    let mut keepalive = KeepAlive::new(Some(SECOND), 3, start);
    keepalive.announced(Some(SECOND), start);
    let now = start + 4 * SECOND;
    assert_eq!(keepalive.handle_timeout(now), Some(Beat::Send));
    assert_eq!(keepalive.handle_timeout(now), None);
}
