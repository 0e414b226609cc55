//! Whatever two sessions and forgers do.

use proptest::prelude::*;

use super::*;

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
