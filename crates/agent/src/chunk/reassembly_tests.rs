use super::*;
use crate::testing::epoch;
use proptest::prelude::*;

fn place(message: &str, index: u32, total: u32) -> Place<'_> {
    Place { channel: 0, message, index, total }
}

fn small() -> Reassembly {
    Reassembly::new(ReassemblyLimits {
        message_bytes: 1000,
        total_bytes: 3000,
        messages: 4,
        idle: Duration::from_secs(30),
    })
}

#[test]
fn parts_in_any_order_and_more_than_once_make_the_message_once() {
    let (now, mut parts) = (epoch(), small());
    assert_eq!(parts.take(place("m", 2, 3), b"c".into(), now).unwrap(), Taken::More { parts: 1, bytes: 1 });
    assert_eq!(parts.take(place("m", 0, 3), b"a".into(), now).unwrap(), Taken::More { parts: 2, bytes: 2 });
    assert_eq!(parts.take(place("m", 0, 3), b"other".into(), now).unwrap(), Taken::Ignored);
    assert_eq!(parts.take(place("m", 1, 3), b"b".into(), now).unwrap(), Taken::Whole("abc".into()));
    assert_eq!(parts.take(place("m", 1, 3), b"b".into(), now).unwrap(), Taken::Ignored);
    assert_eq!((parts.cost(), parts.len()), (0, 0));
}

#[test]
fn the_same_id_on_two_channels_is_two_messages() {
    let (now, mut parts) = (epoch(), small());
    for channel in [1, 2] {
        parts.take(Place { channel, ..place("m", 0, 2) }, b"x".into(), now).unwrap();
    }
    let whole = parts.take(Place { channel: 2, ..place("m", 1, 2) }, b"y".into(), now).unwrap();
    assert_eq!(whole, Taken::Whole("xy".into()));
    parts.forget_channel(1);
    assert_eq!((parts.cost(), parts.is_empty()), (0, true));
}

#[test]
fn a_message_that_grows_too_large_is_refused_once_and_the_others_arrive() {
    let (now, mut parts) = (epoch(), small());
    parts.take(place("good", 0, 2), b"a".into(), now).unwrap();
    parts.take(place("large", 0, 3), vec![b'x'; 600], now).unwrap();
    let error = parts.take(place("large", 1, 3), vec![b'x'; 600], now).unwrap_err();
    assert_eq!(error.code, code::MESSAGE_TOO_LARGE);
    assert_eq!(parts.take(place("large", 2, 3), b"x".into(), now).unwrap(), Taken::Ignored);
    assert_eq!(parts.take(place("good", 1, 2), b"b".into(), now).unwrap(), Taken::Whole("ab".into()));
    assert_eq!(parts.cost(), 0);
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let now = epoch();
    for (index, total) in [(2, 2), (0, 0), (1, 3), (u32::MAX, u32::MAX)] {
        let mut parts = small();
        parts.take(place("m", 0, 2), b"a".into(), now).unwrap();
        assert_eq!(
            parts.take(place("m", index, total), b"b".into(), now).unwrap_err().code,
            code::INVALID_MESSAGE
        );
        assert!(parts.is_empty());
    }
}

#[test]
fn a_message_of_four_billion_parts_is_refused_at_its_first() {
    let mut parts = small();
    let error = parts.take(place("m", 0, u32::MAX), Vec::new(), epoch()).unwrap_err();
    assert_eq!(error.code, code::MESSAGE_TOO_LARGE);
    assert!(parts.is_empty());
}

#[test]
fn a_message_that_stops_coming_is_given_up_after_the_idle_time() {
    let (start, mut parts) = (epoch(), small());
    let at = |seconds| start + Duration::from_secs(seconds);
    parts.take(place("slow", 0, 3), b"a".into(), at(0)).unwrap();
    parts.take(place("stuck", 0, 3), b"a".into(), at(1)).unwrap();
    parts.take(place("slow", 1, 3), b"b".into(), at(20)).unwrap();
    assert_eq!(parts.poll_timeout(), Some(at(31)));
    assert!(parts.handle_timeout(at(30)).is_empty());
    let errors = parts.handle_timeout(at(31));
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.contains("\"stuck\""), "{}", errors[0].message);
    assert_eq!(parts.take(place("slow", 2, 3), b"c".into(), at(32)).unwrap(), Taken::Whole("abc".into()));
    assert_eq!((parts.poll_timeout(), parts.cost()), (None, 0));
}

#[test]
fn ids_that_would_fill_the_memory_are_refused() {
    let mut parts = small();
    for id in ["", &"x".repeat(MAX_MESSAGE_ID + 1)] {
        assert_eq!(
            parts.take(place(id, 0, 2), b"a".into(), epoch()).unwrap_err().code,
            code::INVALID_MESSAGE
        );
    }
    assert_eq!(parts.done.len(), 0);
}

#[test]
fn a_flood_of_messages_that_never_end_stays_within_the_bounds() {
    let (now, mut parts) = (epoch(), small());
    for number in 0..10_000 {
        let id = format!("m{number}");
        let _ = parts.take(place(&id, 0, 2), vec![0; number % 700], now);
        assert!(parts.cost() <= 3000 && parts.len() <= 4 && parts.done.len() <= REMEMBERED);
    }
}

proptest! {
    #[test]
    fn whatever_comes_the_account_is_right_and_the_bounds_hold(
        steps in proptest::collection::vec((0u32..2, 0u8..6, 0u32..5, 1u32..5, 0usize..500, 0u64..12), 0..200)
    ) {
        let mut now = epoch();
        let mut parts = small();
        for (channel, message, index, total, bytes, seconds) in steps {
            now += Duration::from_secs(seconds);
            let id = message.to_string();
            let _ = parts.take(Place { channel, message: &id, index, total }, vec![b'x'; bytes], now);
            if seconds == 11 {
                parts.handle_timeout(now);
            }
            prop_assert!(parts.cost() <= 3000 && parts.len() <= 4);
            prop_assert_eq!(parts.cost(), parts.incomplete.values().map(Incomplete::cost).sum::<usize>());
            prop_assert!(parts.incomplete.values().all(|incomplete| incomplete.bytes <= 1000));
        }
    }
}
