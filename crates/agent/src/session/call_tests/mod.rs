//! Calls between two sessions, no network, a clock that stands still until it is moved.

use std::time::{Duration, Instant};

use super::*;
use crate::calls::{WINDOW_BYTES, WINDOW_ITEMS};
use crate::error::{AgentError, code};
use crate::testing::{T0, config, epoch, json};

mod properties;
mod streams;

const PATIENCE: Duration = Duration::from_secs(10);

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
fn a_call_says_where_in_a_trace_it_belongs_and_what_another_one_has_there_costs_nothing() {
    let mut pair = Pair::new();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let call = pair.call(&Options {
        traceparent: Some(traceparent.clone()),
        tracestate: Some("a=1".to_owned()),
        ..Options::default()
    });
    let said = format!(r#""traceparent":"{traceparent}","tracestate":"a=1""#);
    assert!(call.text.contains(&said), "{}", call.text);
    for strange in ["7", "null", r#"{"a":[1]}"#, r#""\ud83d""#] {
        let call = pair.call(&Options { traceparent: Some("T".to_owned()), ..Options::default() });
        let text = call.text.replace(r#""T""#, strange);
        assert!(matches!(pair.b_takes(&text), Received::Call { .. }), "{text}");
    }
    assert!(!pair.call(&Options::default()).text.contains("trace"));
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

#[test]
fn an_answer_that_waits_to_be_read_when_a_busy_program_gets_round_to_its_deadline_counts() {
    let mut pair = Pair::new();
    let [answered, lost] = [(); 2].map(|()| pair.call(&Options::default()));
    pair.b_takes(&answered.text);
    let response = pair.b.respond(&answered.id, &json("2"), T0).unwrap();
    // The program was busy for a minute; the answer came after a moment.
    pair.now += Duration::from_secs(60);
    assert_eq!(pair.a.handle_call_timeout(pair.now, T0), CallTimeouts::default());
    let again = pair.a.poll_call_timeout().unwrap();
    assert!(again > pair.now && again < pair.now + Duration::from_secs(1));
    assert!(matches!(pair.a_takes(&response.text), Received::Response { call, .. } if call == answered.id));
    assert_eq!(pair.a.handle_call_timeout(again, T0).calls, [lost.id]);
    assert_eq!(pair.a.poll_call_timeout(), None);
}
