//! Results that come item by item.

use super::*;

#[test]
fn a_streamed_result_arrives_item_by_item_and_ends() {
    let mut pair = Pair::new();
    let made = pair.call_stream();
    assert!(made.text.contains(r#""stream":true"#));
    assert!(matches!(pair.b_takes(&made.text), Received::Call { id, .. } if id == made.id));
    assert!(pair.b.streams(&made.id));
    for item in ["1", r#"{"result":2}"#, "null"] {
        assert!(matches!(pair.item(&made.id, item), Received::Item { call } if call == made.id));
    }
    let end = pair.b.respond_end(&made.id, T0).unwrap();
    assert!(matches!(pair.a_takes(&end.text), Received::End { call } if call == made.id));
    assert!(matches!(pair.a_takes(&end.text), Received::Duplicate));
    pair.nothing_is_left();
}

#[test]
fn a_slow_reader_stops_the_sender_and_goes_on_halfway() {
    let mut pair = Pair::new();
    let call = pair.streaming();
    for _ in 0..WINDOW_ITEMS {
        pair.item(&call, "1");
    }
    assert!(!pair.b.has_room(&call));
    assert_eq!(
        pair.b.respond_item(&call, &json("1"), T0).unwrap_err().code,
        code::RATE_LIMIT_EXCEEDED,
        "there is no way round the window"
    );
    for _ in 1..WINDOW_ITEMS / 2 {
        assert!(pair.read(&call).is_none(), "not every item is acknowledged");
    }
    assert!(matches!(pair.read(&call), Some(Received::Room { .. })));
    assert!(pair.b.has_room(&call));
}

#[test]
fn large_items_travel_one_at_a_time() {
    let mut pair = Pair::new();
    let call = pair.streaming();
    let large = format!("\"{}\"", "x".repeat(WINDOW_BYTES));
    pair.item(&call, &large);
    assert!(!pair.b.has_room(&call));
    assert!(matches!(pair.read(&call), Some(Received::Room { .. })));
    assert!(pair.b.has_room(&call));
    assert!(pair.read(&call).is_none(), "there was nothing more to read");
}

#[test]
fn an_implementation_that_answers_once_gives_one_item() {
    let mut pair = Pair::new();
    let call = pair.call_stream().id;
    let answer = from_b("capability_response", &format!(r#""correlationId":"{call}""#), r#"{"result":7}"#);
    assert!(matches!(
        pair.a_takes(&answer),
        Received::Response { call: matched, result: ResultShape::Member } if matched == call
    ));
    assert_eq!(pair.a.pending_calls(), 0);
}

#[test]
fn a_caller_that_does_not_stream_gets_no_items() {
    let mut pair = Pair::new();
    let made = pair.call(&Options::default());
    pair.b_takes(&made.text);
    assert!(!pair.b.streams(&made.id));
}

#[test]
fn what_others_mean_by_stream_harms_no_message() {
    for value in ["5", r#""yes""#, "false", "null", r#"{"a":1}"#, "[]", r#""\ud83d""#, "1e999"] {
        let mut pair = Pair::new();
        let call = pair.call(&Options::default()).id;
        let answer =
            from_b("capability_response", &format!(r#""correlationId":"{call}","stream":{value}"#), "1");
        assert!(matches!(pair.a_takes(&answer), Received::Response { .. }), "{value}");
    }
}

#[test]
fn items_out_of_place_end_the_call_with_an_error() {
    let place = |index: u64, done: bool| {
        move |call: &str| {
            let metadata = format!(r#""correlationId":"{call}","stream":{{"index":{index},"done":{done}}}"#);
            from_b("capability_response", &metadata, "1")
        }
    };
    let without = |call: &str| from_b("capability_response", &format!(r#""correlationId":"{call}""#), "1");
    for wrong in [
        Box::new(place(0, false)) as Box<dyn Fn(&str) -> String>,
        Box::new(place(2, false)),
        Box::new(place(u64::MAX, false)),
        Box::new(place(0, true)),
        Box::new(place(7, true)),
        Box::new(without),
    ] {
        let mut pair = Pair::new();
        let call = pair.streaming();
        pair.item(&call, "1");
        assert_eq!(broken(pair.a_takes(&wrong(&call))).code, code::PROTOCOL_ERROR);
        assert!(matches!(pair.a_takes(&wrong(&call)), Received::Unmatched), "after the end nothing counts");
        assert_eq!((pair.a.pending_calls(), pair.a.outgoing.deadlines()), (0, 0));
    }
    // Items for somebody who did not ask for them.
    let mut pair = Pair::new();
    let call = pair.call(&Options::default()).id;
    assert_eq!(broken(pair.a_takes(&place(0, false)(&call))).code, code::PROTOCOL_ERROR);
}

#[test]
fn a_sender_that_ignores_the_window_is_cut_off() {
    let mut pair = Pair::new();
    let call = pair.streaming();
    let mut item = |index: usize| {
        let metadata = format!(r#""correlationId":"{call}","stream":{{"index":{index}}}"#);
        pair.a.receive(0, &from_b("capability_response", &metadata, "1"), pair.now, T0)
    };
    for index in 0..WINDOW_ITEMS {
        assert!(matches!(item(index), Received::Item { .. }));
    }
    assert_eq!(broken(item(WINDOW_ITEMS)).code, code::PROTOCOL_ERROR);
}

#[test]
fn acknowledgements_of_what_was_not_sent_change_nothing() {
    let mut pair = Pair::new();
    let call = pair.streaming();
    pair.item(&call, "1");
    let ack = |index: &str| from_a("capability_ack", &format!(r#""correlationId":"{call}"{index}"#));
    for wrong in [r#","stream":{"index":2}"#, r#","stream":{"index":0}"#, r#","stream":true"#, ""] {
        let received = pair.b_takes(&ack(wrong));
        assert!(matches!(received, Received::Invalid { reply: None, .. }), "{wrong}: {received:?}");
    }
    assert!(matches!(pair.b_takes(&ack(r#","stream":{"index":1}"#)), Received::Room { .. }));
    let other = from_a("capability_ack", r#""correlationId":"unknown","stream":{"index":1}"#);
    assert!(matches!(pair.b_takes(&other), Received::Unmatched));
}

#[test]
fn a_stream_runs_out_of_time_only_while_there_is_nothing_to_read() {
    let mut pair = Pair::new();
    let call = pair.streaming();
    pair.item(&call, "1");
    pair.item(&call, "2");
    pair.now += PATIENCE * 5;
    assert_eq!(pair.a.handle_call_timeout(pair.now, T0), CallTimeouts::default());
    pair.read(&call);
    assert_eq!(pair.a.poll_call_timeout(), None);
    pair.read(&call);
    assert_eq!(pair.a.poll_call_timeout(), Some(pair.now + PATIENCE));
    pair.now += PATIENCE;
    assert_eq!(pair.a.handle_call_timeout(pair.now, T0).calls, std::slice::from_ref(&call));
    assert!(matches!(pair.item(&call, "3"), Received::Unmatched));
}

#[test]
fn a_failure_ends_a_stream() {
    let mut pair = Pair::new();
    let call = pair.streaming();
    pair.item(&call, "1");
    let failure = pair.b.fail(&call, &AgentError::new("X", "y"), FailAs::Error, T0).unwrap().text;
    assert!(matches!(pair.a_takes(&failure), Received::Failure { error, .. } if error.code == "X"));
    pair.nothing_is_left();
}
