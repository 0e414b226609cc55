//! How long a connection is kept that carries nothing, in virtual time.

use super::*;
use crate::testing::epoch;

const SECOND: Duration = Duration::from_secs(1);

fn exact() -> ReconnectConfig {
    ReconnectConfig { jitter: 0.0, ..ReconnectConfig::default() }
}

fn forever() -> ReconnectConfig {
    ReconnectConfig { attempts: ReconnectConfig::FOREVER, ..exact() }
}

/// One side of a link between two of our own agents.
fn ours(config: ReconnectConfig, dials: bool) -> Reconnect {
    let mut reconnect = Reconnect::new(config, dials, [1; 32]);
    reconnect.handle_greeted();
    reconnect
}

/// Lets time pass until `end`, timer by timer, and calls `react` for what comes up; all of it with the seconds since `start`.
fn run(
    reconnect: &mut Reconnect,
    start: Instant,
    end: Duration,
    mut react: impl FnMut(&mut Reconnect, Action, Instant),
) -> Vec<(u64, Action)> {
    let mut seen = Vec::new();
    while let Some(at) = reconnect.poll_timeout().filter(|at| *at <= start + end) {
        while let Some(action) = reconnect.handle_timeout(at) {
            seen.push(((at - start).as_secs(), action));
            react(reconnect, action, at);
        }
    }
    seen
}

fn nobody(_: &mut Reconnect, _: Action, _: Instant) {}

fn answers(reconnect: &mut Reconnect, action: Action, _: Instant) {
    if matches!(action, Action::RestartIce { .. } | Action::Repeat) {
        reconnect.handle_answered();
    }
}

fn keeps(seen: &[(u64, Action)]) -> bool {
    seen.iter().all(|(_, action)| matches!(action, Action::RestartIce { .. } | Action::Repeat))
}

#[test]
fn without_consent_ice_is_restarted_on_the_connection_that_there_is_again_and_again() {
    let start = epoch();
    let mut reconnect = ours(exact(), true);
    let first = Some(Action::RestartIce { lost: true, attempt: 1 });
    assert_eq!(reconnect.handle_path_failed(start), first, "it may be the first that is heard of the loss");
    reconnect.handle_answered();
    let seen = run(&mut reconnect, start, 120 * SECOND, answers);
    let again = |attempt| Action::RestartIce { lost: true, attempt };
    // 15 s for each, and 2, 4, 8 and 16 s more.
    assert_eq!(seen, [(15, again(2)), (32, again(3)), (51, again(4)), (74, again(5)), (105, again(6))]);
    assert_eq!(reconnect.handle_path_failed(start + 120 * SECOND), None, "the next restart is under way");
    let recovered = Action::Recovered { after: 121 * SECOND, attempts: 0 };
    assert_eq!(reconnect.handle_connected(start + 121 * SECOND), Some(recovered));
    let anew = reconnect.handle_path_failed(start + 200 * SECOND);
    assert_eq!(anew, Some(Action::RestartIce { lost: true, attempt: 1 }), "the count begins anew");
}

#[test]
fn an_offer_that_nobody_answers_is_told_again_and_after_two_minutes_a_connection_is_made() {
    let start = epoch();
    for config in [exact(), forever()] {
        let keeping = config.keeping().as_secs();
        let mut reconnect = ours(config, true);
        reconnect.handle_path_failed(start);
        let seen = run(&mut reconnect, start, 200 * SECOND, nobody);
        let (repeats, rest) =
            seen.split_at(seen.iter().take_while(|(_, action)| *action == Action::Repeat).count());
        assert_eq!(repeats.len(), 5);
        assert_eq!(rest[1].1, Action::Rebuild { attempt: 1 });
        assert!((keeping..keeping + 45).contains(&rest[1].0), "{rest:?}");
    }
}

#[test]
fn while_signaling_does_not_know_the_other_side_the_connection_is_kept_and_the_offer_told_every_two_seconds()
{
    let start = epoch();
    let absent = |reconnect: &mut Reconnect, action: Action, at: Instant| {
        assert_eq!(action, Action::Repeat);
        assert_eq!(reconnect.handle_absent(at), None);
    };
    let mut reconnect = ours(exact(), true);
    reconnect.handle_path_failed(start);
    assert_eq!(reconnect.handle_absent(start), None);
    let seen = run(&mut reconnect, start, exact().window() - SECOND, absent);
    assert_eq!(seen.len() as u64, (exact().window().as_secs() - 1) / 2);
    let recovered = reconnect.handle_connected(start + exact().window());
    assert!(matches!(recovered, Some(Action::Recovered { attempts: 0, .. })));
    // For those who go on forever this has no end.
    let mut reconnect = ours(forever(), true);
    reconnect.handle_path_failed(start);
    assert_eq!(reconnect.handle_absent(start), None);
    assert!(run(&mut reconnect, start, 24 * 3600 * SECOND, absent).len() > 40_000);
}

#[test]
fn an_agent_that_stays_away_from_signaling_for_too_long_costs_attempts_and_is_given_up() {
    let start = epoch();
    let mut reconnect = ours(exact(), true);
    reconnect.handle_path_failed(start);
    reconnect.handle_absent(start);
    let mut last = None;
    run(&mut reconnect, start, 1000 * SECOND, |reconnect, action, at| {
        if matches!(action, Action::Repeat | Action::Rebuild { .. }) {
            last = reconnect.handle_absent(at);
        }
    });
    assert_eq!(last, Some(Action::GiveUp { attempts: 5 }));
}

#[test]
fn a_stranger_to_our_ways_who_has_answered_a_restart_is_asked_for_more_and_one_who_has_not_is_called_anew() {
    let start = epoch();
    let mut browser = Reconnect::new(exact(), true, [1; 32]);
    browser.handle_path_failed(start);
    browser.handle_answered();
    assert!(keeps(&run(&mut browser, start, 100 * SECOND, answers)));
    let mut silent = Reconnect::new(exact(), true, [1; 32]);
    silent.handle_path_failed(start);
    assert_eq!(run(&mut silent, start, 15 * SECOND, nobody)[1], (15, Action::Rebuild { attempt: 1 }));
}

#[test]
fn what_says_that_the_connection_is_gone_ends_the_restarts_at_once() {
    let start = epoch();
    let mut reconnect = ours(exact(), true);
    reconnect.handle_path_failed(start);
    let schedule = Action::Schedule { attempt: 1, delay: Duration::ZERO };
    assert_eq!(reconnect.handle_failed(start + SECOND), Some(schedule));
    assert_eq!(reconnect.handle_timeout(start + SECOND), Some(Action::Rebuild { attempt: 1 }));
}

#[test]
fn the_side_that_does_not_dial_keeps_the_connection_for_all_restarts_and_attempts_of_the_other() {
    let start = epoch();
    for known in [true, false] {
        let mut reconnect = Reconnect::new(exact(), false, [1; 32]);
        if known {
            reconnect.handle_greeted();
        }
        reconnect.handle_disconnected(start);
        assert_eq!(reconnect.handle_path_failed(start + 25 * SECOND), None);
        let patience = exact().patience();
        assert!(patience >= exact().keeping() + exact().window());
        assert_eq!(run(&mut reconnect, start, patience - SECOND, nobody), []);
        let recovered = Action::Recovered { after: patience - SECOND, attempts: 0 };
        assert_eq!(reconnect.handle_connected(start + patience - SECOND), Some(recovered));
        reconnect.handle_path_failed(start);
        let end = (patience.as_secs(), Action::GiveUp { attempts: 0 });
        assert_eq!(run(&mut reconnect, start, 2 * patience, nobody), [end]);
    }
}

#[test]
fn who_wants_no_attempts_makes_none_when_asked_for_one() {
    let start = epoch();
    let mut reconnect = ours(ReconnectConfig { attempts: 0, ..exact() }, false);
    reconnect.handle_redialled(start);
    assert!(matches!(reconnect.handle_failed(start), Some(Action::Wait { .. })));
    assert_eq!(reconnect.handle_asked(start + SECOND), None);
}

#[test]
fn who_has_given_the_connection_up_and_is_asked_to_restart_it_makes_a_new_one_at_once() {
    let start = epoch();
    let mut reconnect = ours(exact(), false);
    assert!(matches!(reconnect.handle_failed(start), Some(Action::Wait { .. })));
    assert_eq!(reconnect.handle_asked(start + SECOND), Some(Action::Rebuild { attempt: 1 }));
    assert_eq!(reconnect.handle_asked(start + SECOND), None, "once is enough");
    assert!(matches!(reconnect.handle_connected(start + 2 * SECOND), Some(Action::Recovered { .. })));
    assert!(reconnect.is_offerer());
    assert_eq!(reconnect.handle_asked(start + 3 * SECOND), None);
}

#[test]
fn the_time_without_a_network_of_its_own_counts_for_neither_side() {
    let start = epoch();
    let day = 24 * 3600 * SECOND;
    for dials in [true, false] {
        let mut reconnect = ours(exact(), dials);
        reconnect.handle_network(false, start);
        reconnect.handle_disconnected(start + 5 * SECOND);
        assert_eq!(reconnect.handle_path_failed(start + 30 * SECOND), None);
        assert_eq!(run(&mut reconnect, start, day, nobody), []);
        let restart = Action::RestartIce { lost: true, attempt: 1 };
        assert_eq!(reconnect.handle_network(true, start + day), Some(restart));
        let seen = run(&mut reconnect, start + day, 100 * SECOND, nobody);
        assert!(keeps(&seen) && !seen.is_empty());
    }
}

#[test]
fn a_restart_while_everything_works_has_no_consequences_if_nobody_answers_it() {
    let start = epoch();
    let mut reconnect = ours(exact(), true);
    assert_eq!(reconnect.handle_network_change(start), Some(Action::RestartIce { lost: false, attempt: 1 }));
    assert_eq!(reconnect.handle_absent(start), None);
    assert_eq!(run(&mut reconnect, start, 1000 * SECOND, nobody), []);
    assert!(!reconnect.is_lost());
}

#[test]
fn with_no_new_connections_at_all_a_restart_has_its_time_and_then_the_link_ends() {
    let start = epoch();
    let mut reconnect = ours(ReconnectConfig { attempts: 0, ..exact() }, true);
    assert_eq!(reconnect.handle_path_failed(start), Some(Action::RestartIce { lost: true, attempt: 1 }));
    assert_eq!(run(&mut reconnect, start, 100 * SECOND, answers), [(15, Action::GiveUp { attempts: 0 })]);
}
