use std::time::Duration;

use super::*;
use crate::testing::epoch;
use proptest::prelude::*;

fn schedule() -> Schedule {
    Schedule::new(ScheduleLimits::default())
}

const PART: usize = 65_536;

#[test]
fn messages_of_one_priority_go_in_their_order() {
    let mut queue = schedule();
    let tickets: Vec<u64> = (0..5).map(|_| queue.push(0, Priority::Normal, 10, None).unwrap()).collect();
    let sent: Vec<u64> = std::iter::from_fn(|| {
        let ticket = queue.next(1)?;
        queue.sent(ticket, 10, true);
        Some(ticket)
    })
    .collect();
    assert_eq!(sent, tickets);
    assert_eq!((queue.len(), queue.bytes()), (0, 0));
}

#[test]
fn a_critical_message_overtakes_the_parts_of_a_large_low_one_on_the_same_channel() {
    let mut queue = schedule();
    let low = queue.push(0, Priority::Low, 100 * PART, None).unwrap();
    for _ in 0..50 {
        assert_eq!(queue.next(1), Some(low));
        queue.sent(low, PART, false);
    }
    let critical = queue.push(0, Priority::Critical, 100, None).unwrap();
    assert_eq!(queue.next(1), Some(critical));
    queue.sent(critical, 100, true);
    assert_eq!(queue.next(1), Some(low));
}

#[test]
fn nobody_starves_and_the_shares_are_those_of_the_weights() {
    let mut queue = schedule();
    let mut served = [0u32; 4];
    let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Critical];
    let mut flow_of = HashMap::new();
    for (index, priority) in priorities.into_iter().enumerate() {
        flow_of.insert(queue.push(0, priority, 1000, None).unwrap(), index);
    }
    for _ in 0..1500 {
        let ticket = queue.next(1).unwrap();
        queue.sent(ticket, 1000, true);
        let flow = flow_of.remove(&ticket).unwrap();
        served[flow] += 1;
        flow_of.insert(queue.push(0, priorities[flow], 1000, None).unwrap(), flow);
    }
    for (flow, count) in served.into_iter().enumerate() {
        assert!(count.abs_diff(100 << flow) <= 2, "{served:?}");
    }
}

#[test]
fn a_channel_without_room_does_not_stop_another_and_gets_no_more_than_its_share_later() {
    let mut queue = schedule();
    for _ in 0..10 {
        queue.push(0, Priority::Normal, 1000, None).unwrap();
        queue.push(1, Priority::Normal, 1000, None).unwrap();
    }
    for _ in 0..5 {
        let ticket = queue.next(0b10).unwrap();
        assert_eq!(ticket % 2, 1, "channel 1");
        queue.sent(ticket, 1000, true);
    }
    let lanes: Vec<u64> = std::iter::from_fn(|| {
        let ticket = queue.next(0b11)?;
        queue.sent(ticket, 1000, true);
        Some(ticket % 2)
    })
    .take(8)
    .collect();
    assert!((3..=5).contains(&lanes.iter().sum::<u64>()), "{lanes:?}");
    assert_eq!(queue.next(0), None);
}

#[test]
fn a_message_expires_while_it_waits_but_not_when_it_is_under_way() {
    let (start, mut queue) = (epoch(), schedule());
    let at = |seconds| start + Duration::from_secs(seconds);
    let begun = queue.push(0, Priority::Normal, 100, Some(at(1))).unwrap();
    let waiting = queue.push(0, Priority::Normal, 100, Some(at(2))).unwrap();
    queue.sent(begun, 50, false);
    assert_eq!(queue.poll_timeout(), Some(at(2)));
    assert_eq!(queue.handle_timeout(at(2)), [waiting]);
    assert_eq!(queue.next(1), Some(begun));
    queue.restart(begun);
    assert_eq!(queue.handle_timeout(at(3)), [begun]);
    assert!(queue.is_empty() && queue.poll_timeout().is_none() && queue.bytes() == 0);
}

#[test]
fn count_and_bytes_are_bounded_and_a_message_beyond_the_bound_goes_alone() {
    let mut queue = Schedule::new(ScheduleLimits { messages: 2, bytes: 100 });
    let large = queue.push(0, Priority::Low, 1000, None).unwrap();
    assert_eq!(queue.push(0, Priority::Low, 1, None).unwrap_err().code, code::RATE_LIMIT_EXCEEDED);
    assert!(queue.remove(large) && !queue.remove(large));
    queue.push(0, Priority::Low, 50, None).unwrap();
    queue.push(0, Priority::Low, 50, None).unwrap();
    assert!(queue.push(0, Priority::Low, 0, None).unwrap_err().retryable);
    assert!(queue.push(MAX_LANES, Priority::Low, 0, None).is_err());
}

#[test]
fn messages_that_are_taken_back_behind_a_blocked_one_leave_nothing() {
    let mut queue = schedule();
    queue.push(0, Priority::Normal, 1, None).unwrap();
    for _ in 0..10_000 {
        let ticket = queue.push(0, Priority::Normal, 1, None).unwrap();
        assert!(queue.remove(ticket));
        assert!(queue.flows.iter().map(|flow| flow.queue.len()).sum::<usize>() <= 4);
    }
    assert_eq!(queue.bytes(), 1);
}

proptest! {
    #[test]
    fn every_message_is_sent_expired_or_taken_back_once(
        steps in proptest::collection::vec((0u8..5, 0u32..3, 0usize..4, 0usize..3000, 0u64..20), 0..300)
    ) {
        let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Critical];
        let mut now = epoch();
        let mut queue = Schedule::new(ScheduleLimits { messages: 20, bytes: 20_000 });
        let mut there = BTreeMap::new();
        for (what, lane, level, bytes, seconds) in steps {
            match what {
                0 | 1 => {
                    let expires = (seconds > 10).then(|| now + Duration::from_secs(seconds));
                    if let Ok(ticket) = queue.push(lane, priorities[level], bytes, expires) {
                        prop_assert!(there.insert(ticket, bytes).is_none());
                    }
                }
                2 => if let Some(ticket) = queue.next(level as u32 * 2 + 1) {
                    prop_assert!(there.contains_key(&ticket));
                    queue.sent(ticket, bytes, seconds > 5);
                    if seconds > 5 { there.remove(&ticket); }
                },
                3 => if let Some((&ticket, _)) = there.iter().nth(level) {
                    prop_assert!(queue.remove(ticket));
                    there.remove(&ticket);
                },
                _ => {
                    now += Duration::from_secs(seconds);
                    for ticket in queue.handle_timeout(now) {
                        prop_assert!(there.remove(&ticket).is_some());
                    }
                }
            }
            prop_assert_eq!(queue.len(), there.len());
            prop_assert_eq!(queue.bytes(), there.values().sum::<usize>());
        }
        while let Some(ticket) = queue.next(u32::MAX) {
            prop_assert!(there.remove(&ticket).is_some());
            queue.sent(ticket, 1, true);
        }
        prop_assert!(there.is_empty() && queue.deadlines.is_empty());
    }
}
