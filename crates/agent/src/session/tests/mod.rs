//! Two sessions, no network, a clock that stands still until it is moved.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::conversation::raw;
use super::*;
use crate::envelope::{Envelope, Priority};
use crate::error::{AgentError, code};
use crate::testing::{T0, config, epoch, json};

fn pair() -> (Session, Session) {
    (
        Session::new(config("agent://a", "agent://b"), [1; 32]),
        Session::new(config("agent://b", "agent://a"), [2; 32]),
    )
}

fn call(session: &mut Session, now: Instant) -> Composed {
    session.call("f", &json("1"), Duration::from_secs(10), &Options::default(), now, T0).unwrap()
}

fn incoming(session: &mut Session, text: &str) -> String {
    match session.receive(0, text, epoch(), T0) {
        Received::Call { id, .. } => id,
        other => panic!("not a call: {other:?}"),
    }
}

/// The other end of `b`, where `b` sees the name of `a`.
fn mallory_link() -> Session {
    Session::new(config("agent://a", "agent://b"), [4; 32])
}

fn refused(received: Received) -> (AgentError, Option<Composed>) {
    match received {
        Received::Invalid { error, reply } => (error, reply),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn an_envelope_has_exactly_the_fields_of_the_specification() {
    let (mut a, _) = pair();
    let options = Options {
        channel_id: Some("ossa-channel".into()),
        correlation_id: Some("c".into()),
        priority: Some(Priority::High),
        ttl: Some(30.0),
        ..Options::default()
    };
    let sent = a.message("message", &json(r#"{"x":"\ud83d"}"#), &options, T0).unwrap();
    let id = &sent.id;
    assert_eq!(
        sent.text,
        format!(
            r#"{{"type":"message","id":"{id}","timestamp":"2023-11-14T22:13:20.000Z","payload":{{"x":"\ud83d"}},"metadata":{{"agentId":"agent://a","channelId":"ossa-channel","correlationId":"c","priority":"high","ttl":30.0}}}}"#
        )
    );
    assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 4);
}

#[test]
fn messages_of_every_type_are_delivered() {
    let (mut a, mut b) = pair();
    for kind in ["message", "status", "state_update", "gossip"] {
        let sent = a.message(kind, &json("null"), &Options::default(), T0).unwrap();
        assert!(matches!(b.receive(0, &sent.text, epoch(), T0), Received::Message), "{kind}");
    }
    let error = a.message("error", &json(r#"{"code":"X","message":"y"}"#), &Options::default(), T0).unwrap();
    assert!(matches!(b.receive(0, &error.text, epoch(), T0), Received::Message));
    let heartbeat = a.message("heartbeat", &json("{}"), &Options::default(), T0).unwrap();
    assert!(matches!(b.receive(0, &heartbeat.text, epoch(), T0), Received::Heartbeat));
    assert!(matches!(
        b.receive(0, r#"{"type":"heartbeat","timestamp":"t"}"#, epoch(), T0),
        Received::Heartbeat
    ));
}

#[test]
fn a_response_finds_its_call_and_a_second_one_does_not() {
    let (mut a, mut b) = pair();
    let now = epoch();
    let first = call(&mut a, now);
    let second = call(&mut a, now);
    let id = incoming(&mut b, &second.text);
    let response = b.respond(&id, &json("[3]"), T0).unwrap();
    let Received::Response { call, result } = a.receive(0, &response.text, epoch(), T0) else { panic!() };
    assert_eq!((call, result), (second.id, ResultShape::Payload));
    assert!(matches!(a.receive(0, &response.text, epoch(), T0), Received::Duplicate));
    assert_eq!(a.pending_calls(), 1);
    assert_eq!(b.respond(&id, &json("4"), T0).unwrap_err().code, code::PROTOCOL_ERROR);
    assert_eq!(a.close(), [first.id]);
}

#[test]
fn a_response_is_matched_by_correlation_id_else_by_id() {
    let (mut a, _) = pair();
    let now = epoch();
    let naive = |metadata: &str, id: &str| {
        format!(
            r#"{{"type":"capability_response","id":"{id}","timestamp":"","payload":1,"metadata":{{"agentId":"agent://b"{metadata}}}}}"#
        )
    };
    let one = call(&mut a, now).id;
    let two = call(&mut a, now).id;
    let by_correlation = naive(&format!(r#","correlationId":"{one}""#), "r1");
    assert!(
        matches!(a.receive(0, &by_correlation, epoch(), T0), Received::Response { call, .. } if call == one)
    );
    assert!(
        matches!(a.receive(0, &naive("", &two), epoch(), T0), Received::Response { call, .. } if call == two)
    );
    assert!(matches!(a.receive(0, &naive("", "unknown"), epoch(), T0), Received::Unmatched));
}

#[test]
fn wrapped_results_are_recognised_and_literal_ones_survive() {
    let (mut a, mut b) = pair();
    let now = epoch();
    for (payload, shape) in [
        (r#"{"result":1}"#, ResultShape::Member),
        (r#"{"capability":"f","result":null}"#, ResultShape::Member),
        (r#"{"result":1,"more":2}"#, ResultShape::Payload),
        (r#"{"capability":"f"}"#, ResultShape::Payload),
        ("[1]", ResultShape::Payload),
    ] {
        let made = call(&mut a, now);
        let naive = format!(
            r#"{{"type":"capability_response","id":"r-{}","timestamp":"","payload":{payload},"metadata":{{"agentId":"agent://b","correlationId":"{}"}}}}"#,
            made.id, made.id
        );
        let Received::Response { result, .. } = a.receive(0, &naive, epoch(), T0) else { panic!() };
        assert_eq!(result, shape, "{payload}");

        // From an agent of our own kind the payload is the result, whatever it looks like.
        let made = call(&mut a, now);
        let id = incoming(&mut b, &made.text);
        let ours = b.respond(&id, &json(payload), T0).unwrap();
        let Received::Response { result, .. } = a.receive(0, &ours.text, epoch(), T0) else { panic!() };
        assert_eq!(result, ResultShape::Payload, "{payload}");
    }
}

#[test]
fn a_failure_carries_its_code_details_and_retryability() {
    let (mut a, mut b) = pair();
    let made = call(&mut a, epoch());
    let id = incoming(&mut b, &made.text);
    let error = AgentError {
        code: "MY_CODE".into(),
        message: "no".into(),
        details: Some(json(r#"{"n":1}"#)),
        retryable: true,
    };
    let failure = b.fail(&id, &error, FailAs::Error, T0).unwrap();
    let Received::Failure { call, error } = a.receive(0, &failure.text, epoch(), T0) else { panic!() };
    assert_eq!((call, error.code.as_str(), error.retryable), (made.id, "MY_CODE", true));
    assert_eq!(error.details.unwrap().get(), r#"{"n":1}"#);
}

#[test]
fn calls_time_out_in_the_order_of_their_deadlines() {
    let (mut a, mut b) = pair();
    let now = epoch();
    let mut start = |seconds: u64| {
        a.call("f", &json("1"), Duration::from_secs(seconds), &Options::default(), now, T0).unwrap()
    };
    let (late, early, cancelled) = (start(9), start(5), start(1));
    let huge = start(u64::MAX);
    assert!(a.cancel(&cancelled.id));
    assert!(!a.cancel(&cancelled.id));
    assert_eq!(a.poll_call_timeout(), Some(now + Duration::from_secs(5)));
    assert!(a.handle_call_timeout(now + Duration::from_millis(4999), T0).calls.is_empty());
    // Late: what has come in is read first.
    assert!(a.handle_call_timeout(now + Duration::from_secs(9), T0).calls.is_empty());
    let again = a.poll_call_timeout().unwrap();
    assert_eq!(a.handle_call_timeout(again, T0).calls, [early.id, late.id.clone()]);
    let id = incoming(&mut b, &late.text);
    let response = b.respond(&id, &json("1"), T0).unwrap();
    assert!(matches!(a.receive(0, &response.text, epoch(), T0), Received::Unmatched));
    assert_eq!(a.close(), [huge.id]);
}

#[test]
fn the_number_of_calls_is_bounded_on_both_sides() {
    let mut a =
        Session::new(SessionConfig { max_pending_calls: 2, ..config("agent://a", "agent://b") }, [1; 32]);
    let mut b =
        Session::new(SessionConfig { max_active_calls: 1, ..config("agent://b", "agent://a") }, [2; 32]);
    let now = epoch();
    let (one, two) = (call(&mut a, now), call(&mut a, now));
    let full = a.call("f", &json("1"), Duration::from_secs(1), &Options::default(), now, T0).unwrap_err();
    assert_eq!((full.code.as_str(), full.retryable), (code::RATE_LIMIT_EXCEEDED, true));
    incoming(&mut b, &one.text);
    let (error, reply) = refused(b.receive(0, &two.text, epoch(), T0));
    assert_eq!(error.code, code::RATE_LIMIT_EXCEEDED);
    let Received::Failure { call, .. } = a.receive(0, &reply.unwrap().text, epoch(), T0) else { panic!() };
    assert_eq!(call, two.id);
}

#[test]
fn what_is_too_large_for_the_connection_is_refused_before_it_is_sent() {
    let (mut a, mut b) = pair();
    b.set_max_message_size(300);
    let big = json(&format!("\"{}\"", "x".repeat(300)));
    let error = b.message("message", &big, &Options::default(), T0).unwrap_err();
    assert_eq!(error.code, code::MESSAGE_TOO_LARGE);
    // A result that does not fit leaves the call open, so that the caller can be told.
    let made = call(&mut a, epoch());
    let id = incoming(&mut b, &made.text);
    let error = b.respond(&id, &big, T0).unwrap_err();
    b.set_max_message_size(0);
    let failure = b.fail(&id, &error, FailAs::Error, T0).unwrap();
    assert!(
        matches!(a.receive(0, &failure.text, epoch(), T0), Received::Failure { error, .. } if error.code == code::MESSAGE_TOO_LARGE)
    );
}

#[test]
fn a_message_in_the_name_of_somebody_else_is_refused() {
    let (_, mut b) = pair();
    let mut mallory = Session::new(config("agent://mallory", "agent://b"), [3; 32]);
    let sent = mallory.message("message", &json("1"), &Options::default(), T0).unwrap();
    let (error, reply) = refused(b.receive(0, &sent.text, epoch(), T0));
    assert_eq!(error.code, code::UNAUTHORIZED);
    // Only a call has somebody waiting for the answer; any other sender learns it as a message.
    assert!(matches!(mallory_link().receive(0, &reply.unwrap().text, epoch(), T0), Received::Message));
    // An error is never answered with an error.
    let sent = mallory.message("error", &json("1"), &Options::default(), T0).unwrap();
    assert!(refused(b.receive(0, &sent.text, epoch(), T0)).1.is_none());
}

#[test]
fn a_ttl_counts_from_the_timestamp_with_the_allowed_skew() {
    let (mut a, mut b) = pair();
    let mut send = || {
        let options = Options { ttl: Some(2.5), ..Options::default() };
        a.message("message", &json("1"), &options, T0).unwrap().text
    };
    assert!(matches!(b.receive(0, &send(), epoch(), T0 + 62_500), Received::Message));
    assert!(matches!(b.receive(0, &send(), epoch(), T0 + 62_501), Received::Expired));
    for ttl in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let options = Options { ttl: Some(ttl), ..Options::default() };
        assert!(a.message("message", &json("1"), &options, T0).is_err(), "{ttl}");
    }
    let undated = r#"{"type":"message","id":"1","timestamp":"x","payload":1,"metadata":{"agentId":"agent://a","ttl":5}}"#;
    assert_eq!(refused(b.receive(0, undated, epoch(), T0)).0.code, code::INVALID_MESSAGE);
}

#[test]
fn a_call_without_capability_is_refused_with_its_correlation() {
    let (mut a, mut b) = pair();
    let now = epoch();
    let made = call(&mut a, now);
    let broken = made.text.replace("\"capability\":\"f\"", "\"capability\":1");
    let (error, reply) = refused(b.receive(0, &broken, epoch(), T0));
    assert_eq!(error.code, code::INVALID_MESSAGE);
    assert!(
        matches!(a.receive(0, &reply.unwrap().text, epoch(), T0), Received::Failure { call, .. } if call == made.id)
    );
}

#[test]
fn text_that_is_no_envelope_is_reported_and_not_answered() {
    let (_, mut b) = pair();
    let (error, reply) = refused(b.receive(0, "hello", epoch(), T0));
    assert_eq!(error.code, code::INVALID_MESSAGE);
    assert!(reply.is_none());
}

proptest! {
    #[test]
    fn any_text_is_taken_without_panic(texts in proptest::collection::vec("\\PC{0,120}", 0..8)) {
        let (mut a, _) = pair();
        for text in texts {
            a.receive(0, &text, epoch(), T0);
        }
    }

    #[test]
    fn payloads_survive_composing_and_parsing(payload in "\\PC{0,60}") {
        let (mut a, mut b) = pair();
        let payload = raw(&payload);
        let sent = a.message("message", &payload, &Options::default(), T0).unwrap();
        prop_assert!(matches!(b.receive(0, &sent.text, epoch(), T0), Received::Message));
        let envelope = Envelope::parse(&sent.text).unwrap();
        prop_assert_eq!(envelope.payload.unwrap().get(), payload.get());
    }

    #[test]
    fn operation_sequences_leave_no_call_behind(operations in proptest::collection::vec(0u8..5, 0..60)) {
        let (mut a, mut b) = pair();
        let mut now = epoch();
        let mut open = Vec::new();
        for operation in operations {
            match operation {
                0 => {
                    let made = call(&mut a, now);
                    open.push(incoming(&mut b, &made.text));
                }
                1 => if let Some(id) = open.pop() {
                    let response = b.respond(&id, &json("1"), T0).unwrap();
                    a.receive(0, &response.text, epoch(), T0);
                },
                2 => if let Some(id) = open.pop() {
                    let failure = b.fail(&id, &AgentError::new("X", "y"), FailAs::Error, T0).unwrap();
                    a.receive(0, &failure.text, epoch(), T0);
                },
                3 => if let Some(id) = open.last() { a.cancel(id); },
                _ => { now += Duration::from_secs(3); a.handle_call_timeout(now, T0); }
            }
            prop_assert!(a.pending_calls() <= 60);
        }
        a.handle_call_timeout(now + Duration::from_secs(11), T0);
        a.handle_call_timeout(now + Duration::from_secs(12), T0);
        prop_assert_eq!(a.pending_calls(), 0);
        prop_assert_eq!(a.poll_call_timeout(), None);
    }
}

impl Session {
    /// What comes through the only channel.
    fn hear(&mut self, text: &str, unix_ms: u64) -> Received {
        self.receive(0, text, epoch(), unix_ms)
    }
}

mod parts;
