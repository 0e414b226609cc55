//! Losses and recoveries in virtual time.

use super::*;
use crate::testing::epoch;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn exact() -> ReconnectConfig {
    ReconnectConfig { jitter: 0.0, ..ReconnectConfig::default() }
}

fn offerer(config: ReconnectConfig) -> Reconnect {
    Reconnect::new(config, true, [1; 32])
}

fn answerer(config: ReconnectConfig) -> Reconnect {
    Reconnect::new(config, false, [2; 32])
}

/// Lets time pass until `end` seconds, timer by timer; what came up, with the seconds since `start`.
fn run(reconnect: &mut Reconnect, start: Instant, end: u32) -> Vec<(u64, Action)> {
    let mut seen = Vec::new();
    while let Some(at) = reconnect.poll_timeout().filter(|at| *at <= start + end * SECOND) {
        while let Some(action) = reconnect.handle_timeout(at) {
            seen.push(((at - start).as_secs(), action));
        }
    }
    seen
}

#[test]
fn a_short_disturbance_passes_without_any_action() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_disconnected(start);
    assert_eq!(run(&mut reconnect, start, 4), []);
    let recovered = Action::Recovered { after: 4 * SECOND, attempts: 0 };
    assert_eq!(reconnect.handle_connected(start + 4 * SECOND), Some(recovered));
    assert_eq!(reconnect.poll_timeout(), None);
}

#[test]
fn after_five_seconds_of_it_ice_is_restarted_and_that_may_be_all() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_disconnected(start);
    assert_eq!(run(&mut reconnect, start, 10), [(5, Action::RestartIce { lost: true, attempt: 1 })]);
    let recovered = Action::Recovered { after: 10 * SECOND, attempts: 0 };
    assert_eq!(reconnect.handle_connected(start + 10 * SECOND), Some(recovered));
    assert_eq!(run(&mut reconnect, start, 1000), []);
}

#[test]
fn an_agent_that_signaling_does_not_know_is_looked_for_every_two_seconds_before_any_attempt_is_spent() {
    let start = epoch();
    let config = exact();
    let window = config.window();
    let mut reconnect = offerer(config);
    assert_eq!(reconnect.handle_failed(start), Some(Action::Schedule { attempt: 1, delay: Duration::ZERO }));
    let (mut now, mut looked, mut spent) = (start, 0, 0);
    loop {
        match reconnect.handle_timeout(now) {
            Some(Action::Rebuild { attempt: 1 }) => looked += 1,
            Some(Action::Rebuild { .. }) => spent += 1,
            other => panic!("{other:?}"),
        }
        match reconnect.handle_absent(now) {
            Some(Action::Schedule { delay, .. }) => now += delay,
            Some(Action::GiveUp { attempts }) => break assert_eq!(attempts, 5),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looked, window.as_secs().div_ceil(2) + 1);
    assert_eq!((spent, (now - start) >= window), (4, true));
}

#[test]
fn a_path_that_is_lost_for_good_is_replaced_at_once_however_recently_the_last_one_was() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    assert_eq!(reconnect.handle_network_change(start), Some(Action::RestartIce { lost: false, attempt: 1 }));
    assert_eq!(
        reconnect.handle_path_lost(start + SECOND),
        Some(Action::RestartIce { lost: false, attempt: 2 })
    );
    reconnect.handle_disconnected(start + 2 * SECOND);
    assert_eq!(
        reconnect.handle_path_lost(start + 3 * SECOND),
        Some(Action::RestartIce { lost: true, attempt: 3 })
    );
    reconnect.handle_failed(start + 4 * SECOND);
    assert_eq!(reconnect.handle_path_lost(start + 5 * SECOND), None, "a new connection is made already");
}

#[test]
fn when_nobody_answers_that_new_connections_are_tried_on_the_schedule_and_then_no_more() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_disconnected(start);
    let schedule = |attempt, seconds| Action::Schedule { attempt, delay: seconds * SECOND };
    // 15 s for the restart and for each attempt; waits of 2, 4, 8 and 16 s; none after the last.
    let expected = [
        (5, Action::RestartIce { lost: true, attempt: 1 }),
        (20, schedule(1, 0)),
        (20, Action::Rebuild { attempt: 1 }),
        (35, schedule(2, 2)),
        (37, Action::Rebuild { attempt: 2 }),
        (52, schedule(3, 4)),
        (56, Action::Rebuild { attempt: 3 }),
        (71, schedule(4, 8)),
        (79, Action::Rebuild { attempt: 4 }),
        (94, schedule(5, 16)),
        (110, Action::Rebuild { attempt: 5 }),
        (125, Action::GiveUp { attempts: 5 }),
    ];
    assert_eq!(run(&mut reconnect, start, 10_000), expected);
    // The other side has waited at least as long.
    assert!(exact().window() >= 125 * SECOND);
}

#[test]
fn a_failed_connection_is_rebuilt_at_once_and_a_refused_attempt_does_not_wait_for_its_time() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    assert_eq!(reconnect.handle_failed(start), Some(Action::Schedule { attempt: 1, delay: Duration::ZERO }));
    assert_eq!(reconnect.handle_timeout(start), Some(Action::Rebuild { attempt: 1 }));
    let now = start + SECOND;
    assert_eq!(reconnect.handle_failed(now), Some(Action::Schedule { attempt: 2, delay: 2 * SECOND }));
    // Single flight: the same loss reported again changes nothing.
    assert_eq!(reconnect.handle_failed(now), None);
    reconnect.handle_disconnected(now);
    assert_eq!(run(&mut reconnect, start, 3), [(3, Action::Rebuild { attempt: 2 })]);
}

#[test]
fn success_starts_the_count_anew() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_failed(start);
    assert_eq!(run(&mut reconnect, start, 40).last(), Some(&(36, Action::Rebuild { attempt: 3 })));
    let recovered = Action::Recovered { after: 40 * SECOND, attempts: 3 };
    assert_eq!(reconnect.handle_connected(start + 40 * SECOND), Some(recovered));
    let again = reconnect.handle_failed(start + 50 * SECOND);
    assert_eq!(again, Some(Action::Schedule { attempt: 1, delay: Duration::ZERO }));
}

#[test]
fn delays_grow_to_thirty_seconds_and_chance_only_shortens_them() {
    let config = ReconnectConfig { attempts: 40, ..ReconnectConfig::default() };
    let longest: Vec<_> = (1..=8).map(|attempt| config.longest_delay(attempt).as_secs()).collect();
    assert_eq!(longest, [0, 2, 4, 8, 16, 30, 30, 30]);
    let mut different = 0;
    for seed in 0..50 {
        let mut reconnect = Reconnect::new(config.clone(), true, [seed; 32]);
        reconnect.handle_failed(epoch());
        for (_, action) in run(&mut reconnect, epoch(), 5000) {
            if let Action::Schedule { attempt, delay } = action {
                let longest = config.longest_delay(attempt);
                assert!(delay <= longest && delay >= longest.mul_f64(0.75), "{attempt}: {delay:?}");
                different += usize::from(delay != longest);
            }
        }
    }
    assert!(different > 1000);
}

#[test]
fn the_side_that_answered_waits_for_the_other_and_gives_up_in_the_end() {
    let start = epoch();
    let mut reconnect = answerer(exact());
    reconnect.handle_disconnected(start);
    assert_eq!(run(&mut reconnect, start, 100), []);
    let patience = exact().window();
    assert_eq!(reconnect.handle_failed(start + 25 * SECOND), Some(Action::Wait { patience }));
    reconnect.handle_redialled(start + 30 * SECOND);
    let recovered = Action::Recovered { after: 31 * SECOND, attempts: 1 };
    assert_eq!(reconnect.handle_connected(start + 31 * SECOND), Some(recovered));
    // Nobody comes.
    assert!(matches!(reconnect.handle_failed(start + 40 * SECOND), Some(Action::Wait { .. })));
    let end = run(&mut reconnect, start, 10_000);
    assert_eq!(end, [(40 + patience.as_secs(), Action::GiveUp { attempts: 0 })]);
}

#[test]
fn an_attempt_of_the_other_side_that_fails_leaves_this_side_waiting_for_the_rest_of_the_time() {
    let start = epoch();
    let mut reconnect = answerer(exact());
    reconnect.handle_failed(start);
    let patience = exact().window();
    reconnect.handle_redialled(start + 10 * SECOND);
    let rest = patience - 25 * SECOND;
    let seen = run(&mut reconnect, start, 10_000);
    assert_eq!(seen[0], (25, Action::Wait { patience: rest }));
    assert_eq!(seen[1], (patience.as_secs(), Action::GiveUp { attempts: 0 }));
}

#[test]
fn a_redial_of_the_other_side_takes_the_place_of_an_own_attempt_and_success_makes_it_the_one_to_dial() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_failed(start);
    assert_eq!(run(&mut reconnect, start, 1).last(), Some(&(0, Action::Rebuild { attempt: 1 })));
    reconnect.handle_redialled(start + SECOND);
    assert!(matches!(reconnect.handle_connected(start + 2 * SECOND), Some(Action::Recovered { .. })));
    assert!(!reconnect.is_offerer());
    assert!(matches!(reconnect.handle_failed(start + 3 * SECOND), Some(Action::Wait { .. })));
}

#[test]
fn when_the_other_sides_redial_fails_this_side_goes_on_with_its_own() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_failed(start);
    run(&mut reconnect, start, 1);
    reconnect.handle_redialled(start + SECOND);
    let seen = run(&mut reconnect, start, 18);
    assert_eq!(seen[0], (16, Action::Schedule { attempt: 2, delay: 2 * SECOND }));
    assert_eq!(seen[1], (18, Action::Rebuild { attempt: 2 }));
}

#[test]
fn a_change_of_the_network_restarts_ice_at_once_on_either_side_and_not_at_every_flicker() {
    for mut reconnect in [offerer(exact()), answerer(exact())] {
        let start = epoch();
        reconnect.handle_greeted();
        assert_eq!(
            reconnect.handle_network_change(start),
            Some(Action::RestartIce { lost: false, attempt: 1 })
        );
        assert_eq!(reconnect.handle_network_change(start + SECOND), None);
        // It went on working: nothing to recover from.
        assert_eq!(run(&mut reconnect, start, 100), []);
        let later = start + 100 * SECOND;
        reconnect.handle_disconnected(later);
        assert_eq!(
            reconnect.handle_network_change(later),
            Some(Action::RestartIce { lost: true, attempt: 1 })
        );
    }
}

#[test]
fn a_change_of_the_network_ends_a_wait_between_attempts() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_failed(start);
    run(&mut reconnect, start, 1);
    reconnect.handle_failed(start + SECOND);
    let action = reconnect.handle_network_change(start + SECOND);
    assert_eq!(action, Some(Action::Rebuild { attempt: 2 }));
}

#[test]
fn a_connection_lost_during_a_restart_is_rebuilt_when_the_restart_has_had_its_time() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_network_change(start);
    reconnect.handle_disconnected(start + 5 * SECOND);
    assert_eq!(run(&mut reconnect, start, 16).last(), Some(&(15, Action::Rebuild { attempt: 1 })));
}

#[test]
fn while_there_is_no_network_nothing_is_tried_and_then_attempts_are_counted_anew() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_disconnected(start);
    assert_eq!(reconnect.handle_network(false, start + SECOND), None);
    assert_eq!(run(&mut reconnect, start, 100_000), []);
    // ICE gives up meanwhile; the new connection waits for the network as well.
    let schedule = Action::Schedule { attempt: 1, delay: Duration::ZERO };
    assert_eq!(reconnect.handle_failed(start + 30 * SECOND), Some(schedule));
    assert_eq!(run(&mut reconnect, start, 100_000), []);
    let back = start + 120 * SECOND;
    assert_eq!(reconnect.handle_network(true, back), Some(Action::Rebuild { attempt: 1 }));
    let attempts =
        run(&mut reconnect, back, 1000).iter().filter(|(_, a)| matches!(a, Action::Rebuild { .. })).count();
    assert_eq!(attempts, 4, "all the others are still there");
}

#[test]
fn an_attempt_that_fails_for_want_of_a_network_does_not_count() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_failed(start);
    assert_eq!(run(&mut reconnect, start, 1), [(0, Action::Rebuild { attempt: 1 })]);
    reconnect.handle_network(false, start);
    let schedule = Action::Schedule { attempt: 1, delay: Duration::ZERO };
    assert_eq!(reconnect.handle_failed(start + SECOND), Some(schedule));
    assert_eq!(reconnect.handle_network(true, start + 60 * SECOND), Some(Action::Rebuild { attempt: 1 }));
}

#[test]
fn the_side_that_waits_waits_as_long_again_when_its_network_is_back() {
    let start = epoch();
    let mut reconnect = answerer(exact());
    reconnect.handle_failed(start);
    reconnect.handle_network(false, start);
    assert_eq!(run(&mut reconnect, start, 100_000), []);
    let back = start + 1000 * SECOND;
    assert_eq!(reconnect.handle_network(true, back), None);
    let patience = exact().window().as_secs();
    assert_eq!(run(&mut reconnect, back, 1000), [(patience, Action::GiveUp { attempts: 0 })]);
}

#[test]
fn a_short_absence_of_the_network_looks_for_a_path_at_once_when_it_is_over() {
    for lost in [true, false] {
        let start = epoch();
        let mut reconnect = offerer(exact());
        reconnect.handle_network(false, start);
        if lost {
            reconnect.handle_disconnected(start + SECOND);
        }
        let action = reconnect.handle_network(true, start + 2 * SECOND);
        assert_eq!(action, Some(Action::RestartIce { lost, attempt: 1 }));
    }
}

#[test]
fn who_was_called_by_a_stranger_to_our_ways_leaves_every_restart_to_the_caller() {
    let start = epoch();
    let mut reconnect = answerer(exact());
    assert_eq!(reconnect.handle_network_change(start), None);
    reconnect.handle_network(false, start);
    reconnect.handle_disconnected(start + SECOND);
    let back = start + 1000 * SECOND;
    assert_eq!(reconnect.handle_network(true, back), None);
    let patience = exact().patience().as_secs();
    assert_eq!(run(&mut reconnect, back, 1000), [(patience, Action::GiveUp { attempts: 0 })]);
}

#[test]
fn a_link_that_goes_on_forever_neither_gives_up_nor_waits_longer_than_it_is_told_to() {
    let start = epoch();
    let mut reconnect = offerer(ReconnectConfig { attempts: ReconnectConfig::FOREVER, ..exact() });
    reconnect.handle_failed(start);
    let seen = run(&mut reconnect, start, 100_000);
    assert!(seen.iter().all(|(_, action)| !matches!(action, Action::GiveUp { .. })));
    let dials: Vec<u64> =
        seen.iter().filter(|(_, a)| matches!(a, Action::Rebuild { .. })).map(|(at, _)| *at).collect();
    assert!(dials.len() > 2000);
    assert!(dials.windows(2).all(|pair| pair[1] - pair[0] <= 45));
    let config = ReconnectConfig { attempts: ReconnectConfig::FOREVER, ..exact() };
    assert!(config.window() > Duration::from_secs(300 * 24 * 3600));
}

#[test]
fn without_attempts_a_failure_is_the_end() {
    for mut reconnect in [offerer, answerer].map(|make| make(ReconnectConfig { attempts: 0, ..exact() })) {
        assert_eq!(reconnect.handle_failed(epoch()), Some(Action::GiveUp { attempts: 0 }));
        assert_eq!(reconnect.poll_timeout(), None);
    }
}

#[test]
fn a_closed_link_does_nothing_any_more() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_disconnected(start);
    reconnect.close();
    assert_eq!(reconnect.poll_timeout(), None);
    assert_eq!(reconnect.handle_failed(start), None);
    assert_eq!(reconnect.handle_network_change(start), None);
    reconnect.handle_redialled(start);
    assert_eq!(reconnect.handle_connected(start), None);
}

#[test]
fn the_longest_times_that_can_be_set_do_not_overflow_the_clock() {
    let forever = Duration::from_millis(u64::MAX);
    let config = ReconnectConfig { attempts: u32::MAX >> 12, delay: forever, max_delay: forever, ..exact() };
    let mut reconnect = answerer(config);
    assert!(matches!(reconnect.handle_failed(epoch()), Some(Action::Wait { .. })));
}

#[test]
fn a_busy_program_reads_what_has_come_before_it_gives_anything_up() {
    let start = epoch();
    let held_up = start + 100 * SECOND;
    // ICE restart: that it has helped may wait to be read.
    let mut restarting = offerer(exact());
    restarting.handle_disconnected(start);
    assert_eq!(run(&mut restarting, start, 5), [(5, Action::RestartIce { lost: true, attempt: 1 })]);
    assert_eq!(restarting.handle_timeout(held_up), None);
    let recovered = Action::Recovered { after: 100 * SECOND, attempts: 0 };
    assert_eq!(restarting.handle_connected(held_up), Some(recovered));
    // So may the new connection.
    let mut rebuilding = offerer(exact());
    rebuilding.handle_failed(start);
    assert_eq!(
        rebuilding.handle_timeout(held_up),
        Some(Action::Rebuild { attempt: 1 }),
        "dialling is no verdict"
    );
    assert_eq!(rebuilding.handle_timeout(held_up + 16 * SECOND), None);
    assert!(matches!(rebuilding.handle_connected(held_up + 16 * SECOND), Some(Action::Recovered { .. })));
    // And the other side's offer of one.
    let mut waiting = answerer(exact());
    waiting.handle_failed(start);
    let end = start + exact().window();
    assert_eq!(waiting.handle_timeout(end + SECOND), None);
    assert_eq!(waiting.handle_timeout(end + 2 * SECOND), Some(Action::GiveUp { attempts: 0 }));
}

#[test]
fn a_failure_that_is_heard_while_a_late_verdict_is_put_off_counts_at_once() {
    let start = epoch();
    let mut reconnect = offerer(exact());
    reconnect.handle_disconnected(start);
    let now = start + 6 * SECOND;
    assert_eq!(reconnect.handle_timeout(now), None);
    assert_eq!(reconnect.handle_failed(now), Some(Action::Schedule { attempt: 1, delay: Duration::ZERO }));
    assert_eq!(reconnect.poll_timeout(), Some(now));
}

proptest! {
    /// Whatever happens in whatever order: a link that is down always has a next step, there are never more attempts
    /// in a row than allowed, and the end is the end.
    #[test]
    fn a_lost_link_always_comes_back_or_ends(
        dials in any::<bool>(),
        attempts in 0u32..7,
        seed in any::<u8>(),
        ours in any::<bool>(),
        steps in proptest::collection::vec((0u64..20_000, 0u8..12), 1..200),
    ) {
        let config = ReconnectConfig { attempts, ..ReconnectConfig::default() };
        let mut reconnect = Reconnect::new(config, dials, [seed; 32]);
        if ours {
            reconnect.handle_greeted();
        }
        let mut now = epoch();
        let (mut down, mut over) = (false, false);
        let mut in_a_row = 0;
        for (milliseconds, what) in steps {
            now += Duration::from_millis(milliseconds);
            let mut actions = Vec::new();
            for round in 0.. {
                prop_assert!(round < 10, "it does not come to rest");
                match reconnect.handle_timeout(now) {
                    Some(action) => actions.push(action),
                    None if reconnect.poll_timeout().is_none_or(|due| due > now) => break,
                    None => {}
                }
            }
            match what {
                0 | 1 => {
                    reconnect.handle_disconnected(now);
                    down = !over;
                }
                2 => {
                    actions.extend(reconnect.handle_failed(now));
                    down = !over;
                }
                3 => actions.extend(reconnect.handle_network_change(now)),
                4 => {
                    reconnect.handle_redialled(now);
                    down = !over;
                }
                5 => actions.extend(reconnect.handle_connected(now)),
                6 => {
                    actions.extend(reconnect.handle_path_failed(now));
                    down = !over;
                }
                7 => actions.extend(reconnect.handle_absent(now)),
                8 => reconnect.handle_answered(),
                9 => actions.extend(reconnect.handle_asked(now)),
                _ => {}
            }
            for action in actions {
                prop_assert!(!over, "{action:?} after the end");
                match action {
                    Action::Rebuild { attempt } => {
                        in_a_row += 1;
                        prop_assert!(attempt >= 1 && attempt <= attempts);
                        prop_assert!(in_a_row <= attempts);
                    }
                    Action::Recovered { .. } => {
                        prop_assert!(down);
                        down = false;
                        in_a_row = 0;
                    }
                    Action::GiveUp { .. } => over = true,
                    Action::Schedule { attempt, delay } => {
                        prop_assert!(delay <= Duration::from_secs(30));
                        // What came to nothing because the other side is absent was not spent.
                        in_a_row = in_a_row.min(if what == 7 { attempt - 1 } else { in_a_row });
                    }
                    // The other side's turn; it may ask for one of ours.
                    Action::Wait { .. } => in_a_row = 0,
                    Action::RestartIce { .. } | Action::Repeat => {}
                }
            }
            prop_assert!(!down || over || reconnect.poll_timeout().is_some(), "down and nothing to come");
        }
    }
}
