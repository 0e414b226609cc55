//! Calls between two sessions, no network, a clock that stands still until it is moved.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::session_types::{Composed, FailAs, Options, Received, ResultShape, SessionConfig};
use crate::{AgentError, RawValue, Session, code};

const T0: u64 = 1_700_000_000_000;
const PATIENCE: Duration = Duration::from_secs(10);

fn epoch() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "any instant will do as the origin of virtual time")]
    Instant::now()
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn config(local: &str, remote: &str) -> SessionConfig {
    SessionConfig::new(local.parse().unwrap(), remote.parse().unwrap())
}

/// A caller, a callee, and the time.
struct Pair {
    a: Session,
    b: Session,
    now: Instant,
}

impl Pair {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl Fn(&mut SessionConfig)) -> Self {
        let [mut a, mut b] = [config("agent://a", "agent://b"), config("agent://b", "agent://a")];
        change(&mut a);
        change(&mut b);
        Self { a: Session::new(a, [1; 32]), b: Session::new(b, [2; 32]), now: epoch() }
    }

    fn call(&mut self, options: &Options) -> Composed {
        self.a.call("f", &json("1"), PATIENCE, options, self.now, T0).unwrap()
    }

    fn call_stream(&mut self) -> Composed {
        self.a.call_stream("f", &json("1"), PATIENCE, &Options::default(), self.now, T0).unwrap()
    }

    /// A streaming call that has arrived.
    fn streaming(&mut self) -> String {
        let call = self.call_stream();
        self.b_takes(&call.text);
        call.id
    }

    fn a_takes(&mut self, text: &str) -> Received {
        self.a.receive(0, text, self.now, T0)
    }

    fn b_takes(&mut self, text: &str) -> Received {
        self.b.receive(0, text, self.now, T0)
    }

    fn item(&mut self, call: &str, item: &str) -> Received {
        let text = self.b.respond_item(call, &json(item), T0).unwrap().text;
        self.a_takes(&text)
    }

    /// Reads one item and takes what that makes to the sender.
    fn read(&mut self, call: &str) -> Option<Received> {
        let ack = self.a.read_item(call, self.now, T0).unwrap()?;
        Some(self.b_takes(&ack.text))
    }

    fn nothing_is_left(&self) {
        assert_eq!((self.a.pending_calls(), self.a.outgoing.deadlines()), (0, 0));
        assert_eq!(self.b.incoming.leftovers(), (0, 0, 0, 0));
    }
}

/// What some other implementation would send to the caller.
fn from_b(kind: &str, metadata: &str, payload: &str) -> String {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!(
        r#"{{"type":"{kind}","id":"n{id}","timestamp":"","payload":{payload},"metadata":{{"agentId":"agent://b",{metadata}}}}}"#
    )
}

fn from_a(kind: &str, metadata: &str) -> String {
    from_b(kind, metadata, "null").replace("agent://b", "agent://a")
}

fn broken(received: Received) -> AgentError {
    match received {
        Received::Broken { error, reply, .. } => {
            assert!(reply.unwrap().text.contains("capability_cancel"));
            error
        }
        other => panic!("accepted: {other:?}"),
    }
}

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
fn a_cancelled_handler_counts_until_it_has_finished_and_answers_nothing() {
    let mut pair = Pair::with(|config| config.max_active_calls = 1);
    let made = pair.call(&Options { ttl: Some(3.0), ..Options::default() });
    pair.b_takes(&made.text);
    assert!(pair.a.cancel(&made.id));
    let cancel = pair.a.cancellation(&made.id, T0).unwrap().text;
    assert!(matches!(pair.b_takes(&cancel), Received::Cancel { call } if call == made.id));
    assert_eq!(pair.b.respond(&made.id, &json("1"), T0).unwrap_err().code, code::PROTOCOL_ERROR);
    let again = pair.a.cancellation(&made.id, T0).unwrap().text;
    assert!(matches!(pair.b_takes(&again), Received::Unmatched), "once is enough");
    assert_eq!(pair.b.poll_call_timeout(), None, "no deadline for what is cancelled");

    // A flood of calls and cancellations does not run more handlers than allowed.
    let next = pair.call(&Options::default());
    let Received::Invalid { error, .. } = pair.b_takes(&next.text) else { panic!() };
    assert_eq!(error.code, code::RATE_LIMIT_EXCEEDED);
    assert!(pair.b.finish(&made.id));
    assert!(!pair.b.finish(&made.id));
    pair.a.cancel(&next.id);
    pair.nothing_is_left();
}

#[test]
fn cancelling_what_is_not_there_does_nothing() {
    let mut pair = Pair::new();
    let made = pair.call(&Options::default());
    pair.b_takes(&made.text);
    assert!(matches!(
        pair.b_takes(&from_a("capability_cancel", r#""correlationId":"x""#)),
        Received::Unmatched
    ));
    let response = pair.b.respond(&made.id, &json("1"), T0).unwrap().text;
    let cancel = pair.a.cancellation(&made.id, T0).unwrap().text;
    assert!(matches!(pair.b_takes(&cancel), Received::Unmatched), "the answer was faster");
    assert!(matches!(pair.a_takes(&response), Received::Response { .. }));
    pair.nothing_is_left();
}

#[test]
fn a_call_with_a_correlation_id_of_its_own_is_found_by_it() {
    let mut pair = Pair::new();
    let call = r#"{"type":"capability_call","id":"c","timestamp":"","payload":{"capability":"f"},"metadata":{"agentId":"agent://a","correlationId":"x"}}"#;
    for id in ["c1", "c2"] {
        pair.b_takes(&call.replace("\"c\"", &format!("\"{id}\"")));
    }
    let response = pair.b.respond("c2", &json("1"), T0).unwrap();
    assert!(response.text.contains(r#""correlationId":"x""#));
    let cancel = from_a("capability_cancel", r#""correlationId":"x""#);
    assert!(matches!(pair.b_takes(&cancel), Received::Cancel { call } if call == "c1"));
    pair.b.finish("c1");
    pair.nothing_is_left();
}

#[test]
fn the_id_of_a_running_call_is_not_taken_twice() {
    let mut pair = Pair::with(|config| config.dedupe_window = 1);
    let made = pair.call(&Options::default());
    pair.b_takes(&made.text);
    let other = pair.call(&Options::default());
    pair.b_takes(&other.text);
    assert!(matches!(pair.b_takes(&made.text), Received::Duplicate));
    assert_eq!(pair.b.active_calls(), 2);
}

#[test]
fn a_handler_is_stopped_when_the_ttl_of_its_call_is_over() {
    let mut pair = Pair::new();
    let made = pair.call(&Options { ttl: Some(2.5), ..Options::default() });
    pair.b_takes(&made.text);
    let due = pair.now + Duration::from_millis(2500);
    assert_eq!(pair.b.poll_call_timeout(), Some(due));
    assert_eq!(pair.b.handle_call_timeout(due - Duration::from_millis(1), T0), CallTimeouts::default());
    let mut expired = pair.b.handle_call_timeout(due, T0).handlers;
    let ExpiredHandler { call, reply } = expired.pop().unwrap();
    assert_eq!((call, expired.len()), (made.id.clone(), 0));
    let Received::Failure { call, error } = pair.a_takes(&reply.unwrap().text) else { panic!() };
    assert_eq!((call, error.code.as_str(), error.retryable), (made.id.clone(), code::TASK_TIMEOUT, true));
    assert!(pair.b.respond(&made.id, &json("1"), T0).is_err());
    assert_eq!(pair.b.active_calls(), 1, "until the handler has noticed");
    pair.b.finish(&made.id);
    pair.nothing_is_left();
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

#[test]
fn failures_travel_as_responses_where_that_is_asked_for() {
    let mut pair = Pair::with(|config| config.fail_as = FailAs::Response);
    let made = pair.call(&Options::default());
    pair.b_takes(&made.text);
    let error = AgentError { details: Some(json("[1]")), retryable: true, ..AgentError::new("X", "y") };
    let failure = pair.b.fail(&made.id, &error, FailAs::Response, T0).unwrap().text;
    assert!(failure.contains(r#""type":"capability_response""#));
    assert!(
        failure.contains(r#""payload":{"error":{"code":"X","message":"y","details":[1],"retryable":true}}"#)
    );
    let Received::Failure { call, error } = pair.a_takes(&failure) else { panic!() };
    assert_eq!((call, error.code.as_str(), error.retryable), (made.id, "X", true));

    // What is refused before a handler is asked, too.
    let made = pair.call(&Options::default());
    let Received::Invalid { reply, .. } = pair.b_takes(&made.text.replace("\"capability\":", "\"other\":"))
    else {
        panic!()
    };
    let reply = reply.unwrap().text;
    assert!(reply.contains(r#""type":"capability_response""#));
    assert!(matches!(pair.a_takes(&reply), Received::Failure { .. }));

    // A result that only looks like it is a result.
    let made = pair.call(&Options::default());
    let result = from_b(
        "capability_response",
        &format!(r#""correlationId":"{}""#, made.id),
        r#"{"error":{"code":"X","message":"y"}}"#,
    );
    assert!(matches!(pair.a_takes(&result), Received::Response { .. }));
}

#[test]
fn the_inputs_of_running_calls_are_bounded_together() {
    let mut pair = Pair::with(|config| config.max_active_bytes = 100);
    let first = pair.call(&Options::default());
    pair.b_takes(&first.text);
    let large = json(&format!("\"{}\"", "x".repeat(80)));
    let made = pair.a.call("f", &large, PATIENCE, &Options::default(), pair.now, T0).unwrap();
    let Received::Invalid { error, .. } = pair.b_takes(&made.text) else { panic!() };
    assert_eq!((error.code.as_str(), error.retryable), (code::RATE_LIMIT_EXCEEDED, true));
    pair.b.respond(&first.id, &json("1"), T0).unwrap();
    assert_eq!(pair.b.incoming.leftovers(), (0, 0, 0, 0));
}

#[test]
fn an_overlong_capability_is_refused() {
    let mut pair = Pair::new();
    let made =
        pair.a.call(&"x".repeat(257), &json("1"), PATIENCE, &Options::default(), pair.now, T0).unwrap();
    let Received::Invalid { error, reply } = pair.b_takes(&made.text) else { panic!() };
    assert_eq!(error.code, code::INVALID_MESSAGE);
    assert!(matches!(pair.a_takes(&reply.unwrap().text), Received::Failure { .. }));
}

#[test]
fn a_lost_connection_forgets_everything() {
    let mut pair = Pair::new();
    let call = pair.streaming();
    pair.item(&call, "1");
    assert_eq!(pair.a.drop_calls(), [call]);
    assert!(pair.b.drop_calls().is_empty());
    pair.nothing_is_left();
    let again = pair.streaming();
    assert!(matches!(pair.item(&again, "1"), Received::Item { .. }), "the session goes on");
}

#[derive(Debug, Clone)]
enum Step {
    Call { stream: bool, ttl: bool },
    Item(usize),
    Read(usize),
    End(usize),
    Respond(usize),
    Fail(usize),
    Cancel(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        (any::<bool>(), any::<bool>()).prop_map(|(stream, ttl)| Step::Call { stream, ttl }),
        any::<usize>().prop_map(Step::Item),
        any::<usize>().prop_map(Step::Item),
        any::<usize>().prop_map(Step::Read),
        any::<usize>().prop_map(Step::End),
        any::<usize>().prop_map(Step::Respond),
        any::<usize>().prop_map(Step::Fail),
        any::<usize>().prop_map(Step::Cancel),
        (0..4u64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(one, 0..120)
}

proptest! {
    /// Whatever two of our agents do: neither finds fault with the other, and in the end nothing is left.
    #[test]
    fn two_of_us_always_agree(steps in steps()) {
        let mut pair = Pair::new();
        let mut calls: Vec<String> = Vec::new();
        for step in steps {
            let pick = |index: usize| calls.get(index % calls.len().max(1)).cloned();
            let sent = match step {
                Step::Call { stream, ttl } => {
                    let options = Options { ttl: ttl.then_some(5.0), ..Options::default() };
                    let (now, input) = (pair.now, json("1"));
                    let made = if stream {
                        pair.a.call_stream("f", &input, PATIENCE, &options, now, T0)
                    } else {
                        pair.a.call("f", &input, PATIENCE, &options, now, T0)
                    }.unwrap();
                    calls.push(made.id.clone());
                    prop_assert!(matches!(pair.b_takes(&made.text), Received::Call { .. }), "a call was refused");
                    None
                }
                Step::Item(index) => pick(index)
                    .filter(|call| pair.b.streams(call) && pair.b.has_room(call))
                    .map(|call| pair.b.respond_item(&call, &json("[1,2]"), T0)),
                Step::Read(index) => {
                    if let Some(call) = pick(index) {
                        let received = pair.read(&call);
                        prop_assert!(matches!(
                            received,
                            None | Some(Received::Room { .. } | Received::Unmatched)
                        ), "{received:?}");
                    }
                    None
                }
                // A result without place would follow items: a handler streams or it does not.
                Step::Respond(index) => pick(index)
                    .filter(|call| pair.b.incoming.next_index(call) == 0)
                    .map(|call| pair.b.respond(&call, &json("2"), T0)),
                Step::End(index) => pick(index)
                    .filter(|call| pair.b.streams(call))
                    .map(|call| pair.b.respond_end(&call, T0)),
                Step::Fail(index) =>
                    pick(index).map(|call| pair.b.fail(&call, &AgentError::new("X", "y"), FailAs::Error, T0)),
                Step::Cancel(index) => {
                    if let Some(call) = pick(index).filter(|call| pair.a.cancel(call)) {
                        let cancel = pair.a.cancellation(&call, T0).unwrap();
                        let received = pair.b_takes(&cancel.text);
                        prop_assert!(
                            matches!(received, Received::Cancel { .. } | Received::Unmatched),
                            "{received:?}"
                        );
                    }
                    None
                }
                Step::Wait(seconds) => {
                    pair.now += Duration::from_secs(seconds);
                    let CallTimeouts { handlers, .. } = pair.b.handle_call_timeout(pair.now, T0);
                    for ExpiredHandler { reply, .. } in handlers {
                        let received = pair.a_takes(&reply.unwrap().text);
                        prop_assert!(
                            matches!(received, Received::Failure { .. } | Received::Unmatched),
                            "{received:?}"
                        );
                    }
                    pair.a.handle_call_timeout(pair.now, T0);
                    None
                }
            };
            if let Some(Ok(composed)) = sent {
                let received = pair.a_takes(&composed.text);
                prop_assert!(!matches!(received, Received::Broken { .. } | Received::Invalid { .. }), "{received:?}");
            }
            prop_assert!(pair.a.outgoing.deadlines() <= pair.a.pending_calls());
        }
        for call in &calls {
            pair.a.cancel(call);
            pair.b.finish(call);
        }
        pair.nothing_is_left();
    }

    /// What the fuzz target does, with messages that come close to the right ones.
    #[test]
    fn forged_messages_change_nothing_but_what_they_may(
        messages in proptest::collection::vec(
            (0..6usize, 0..4usize, 0..5usize, prop_oneof![0..4u64, any::<u64>()], any::<bool>()),
            0..200,
        )
    ) {
        let kinds = ["capability_call", "capability_response", "capability_cancel", "capability_ack", "error", "status"];
        let correlations = ["$", "%", "x", "y"];
        let payloads = ["null", r#"{"capability":"f"}"#, r#"{"result":1}"#, r#"{"error":{"code":"X","message":"y"}}"#, "[]"];
        let mut data = String::new();
        for (number, (kind, correlation, payload, index, done)) in messages.into_iter().enumerate() {
            let stream = match index {
                0 if done => "true".to_owned(),
                _ => format!(r#"{{"index":{index},"done":{done}}}"#),
            };
            data += &format!(
                r#"{{"type":"{}","id":"f{number}","timestamp":"","payload":{},"metadata":{{"agentId":"agent://b","correlationId":"{}","stream":{stream}}}}}"#,
                kinds[kind], payloads[payload], correlations[correlation],
            );
            data.push('\0');
        }
        crate::fuzz::calls(epoch(), data.as_bytes());
    }
}
