//! Messages in parts, from the wire to the application, and what an attacker would send.

use super::*;

const LARGE: usize = 100_000;

fn large(session: &mut Session) -> Composed {
    let payload = json(&format!("\"{}\"", "a\u{e4}\u{1f600}\\\"".repeat(LARGE / 10)));
    session.message("message", &payload, &Options::default(), T0).unwrap()
}

fn chunks(composed: &Composed) -> Vec<String> {
    crate::Splitter::new(composed.text.clone()).unwrap().collect()
}

/// Our own parts.
fn parts(composed: &Composed, pieces: u32) -> Vec<String> {
    let characters: Vec<char> = composed.text.chars().collect();
    let slices = characters.chunks(characters.len().div_ceil(pieces as usize));
    let total = slices.len();
    slices
        .enumerate()
        .map(|(index, slice)| {
            format!("\u{1}{},{index},{total}\n{}", composed.id, slice.iter().collect::<String>())
        })
        .collect()
}

#[test]
fn a_message_in_parts_of_either_form_arrives_once_in_any_order() {
    let (mut a, mut b) = pair();
    for form in [chunks, |composed: &Composed| parts(composed, 5)] {
        let sent = large(&mut a);
        let mut pieces = form(&sent);
        pieces.reverse();
        let last = pieces.pop().unwrap();
        for (number, piece) in pieces.iter().enumerate() {
            let Received::Part { id, parts, .. } = b.hear(piece, T0) else { panic!() };
            assert_eq!((id, parts as usize), (sent.id.clone(), number + 1));
            assert!(matches!(b.hear(piece, T0), Received::Duplicate));
        }
        assert!(matches!(b.hear(&last, T0), Received::Message));
        assert_eq!(b.take_whole().as_ref(), Some(&sent.text));
        assert!(matches!(b.hear(&last, T0), Received::Duplicate));
        assert!(matches!(b.hear(&sent.text, T0), Received::Duplicate), "the id counts after reassembly");
        assert_eq!(b.take_whole(), None);
    }
}

#[test]
fn a_call_in_chunks_is_a_call() {
    let (mut a, mut b) = pair();
    let input = json(&format!("\"{}\"", "x".repeat(LARGE)));
    let made = a.call("f", &input, Duration::from_secs(1), &Options::default(), epoch(), T0).unwrap();
    let pieces = chunks(&made);
    let (last, first) = pieces.split_last().unwrap();
    for piece in first {
        assert!(matches!(b.hear(piece, T0), Received::Part { .. }));
    }
    assert_eq!(incoming(&mut b, last), made.id);
}

fn chunk(outer: &str, slice: &str, index: u32, total: u32) -> String {
    let payload = serde_json::to_string(slice).unwrap();
    format!(
        r#"{{"type":"message","id":"m","timestamp":"t","payload":{payload},"metadata":{{"agentId":"{outer}","chunked":{{"chunkIndex":{index},"totalChunks":{total},"messageId":"m"}}}}}}"#
    )
}

#[test]
fn the_specifications_slices_through_a_surrogate_pair_are_joined() {
    let (_, mut b) = pair();
    let first = r#"{"type":"message","id":"m","timestamp":"t","payload":"{\"type\":\"message\",\"id\":\"m\",\"timestamp\":\"t\",\"payload\":\"\ud83d","metadata":{"agentId":"agent://a","chunked":{"chunkIndex":0,"totalChunks":2,"messageId":"c"}}}"#;
    let second = r#"{"type":"message","id":"m","timestamp":"t","payload":"\ude00 \\ud83d\",\"metadata\":{\"agentId\":\"agent://a\"}}","metadata":{"agentId":"agent://a","chunked":{"chunkIndex":1,"totalChunks":2,"messageId":"c"}}}"#;
    assert!(matches!(b.hear(first, T0), Received::Part { .. }));
    assert!(matches!(b.hear(second, T0), Received::Message));
    assert!(b.take_whole().unwrap().contains(r#""payload":"😀 \ud83d""#));
}

#[test]
fn an_inner_sender_or_an_inner_chunk_is_refused() {
    let inner = |agent: &str, more: &str| {
        format!(
            r#"{{"type":"message","id":"m","timestamp":"t","payload":1,"metadata":{{"agentId":"{agent}"{more}}}}}"#
        )
    };
    let nested = inner("agent://a", r#","chunked":{"chunkIndex":0,"totalChunks":1,"messageId":"n"}"#);
    for (text, expected) in [
        (inner("agent://mallory", ""), code::UNAUTHORIZED),
        (nested, code::INVALID_MESSAGE),
        ("no message".to_owned(), code::INVALID_MESSAGE),
    ] {
        let (_, mut b) = pair();
        let (error, reply) = refused(b.hear(&chunk("agent://a", &text, 0, 1), T0));
        assert_eq!(error.code, expected, "{text}");
        assert!(reply.unwrap().text.contains(r#""messageId":"m""#));
    }
    let (_, mut b) = pair();
    let (error, _) = refused(b.hear(&chunk("agent://mallory", "x", 0, 2), T0));
    assert_eq!((error.code.as_str(), b.reassembly.len()), (code::UNAUTHORIZED, 0));
    let number = r#"{"type":"message","id":"m","timestamp":"t","payload":7,"metadata":{"agentId":"agent://a","chunked":{"chunkIndex":0,"totalChunks":1,"messageId":"n"}}}"#;
    assert_eq!(refused(b.hear(number, T0)).0.code, code::INVALID_MESSAGE);
}

#[test]
fn a_message_that_is_too_large_is_refused_whole_and_in_parts_and_its_call_fails() {
    let (mut a, _) = pair();
    let mut small = config("agent://b", "agent://a");
    small.reassembly.message_bytes = LARGE / 2;
    let mut b = Session::new(small, [3; 32]);
    let sent = large(&mut a);
    assert_eq!(refused(b.hear(&sent.text, T0)).0.code, code::MESSAGE_TOO_LARGE);
    let input = json(&format!("\"{}\"", "x".repeat(LARGE)));
    for form in [chunks, |composed: &Composed| parts(composed, 50)] {
        let made = a.call("f", &input, Duration::from_secs(1), &Options::default(), epoch(), T0).unwrap();
        let mut replies = Vec::new();
        for piece in form(&made) {
            if let Received::Invalid { error, reply } = b.hear(&piece, T0) {
                assert_eq!(error.code, code::MESSAGE_TOO_LARGE);
                replies.extend(reply);
            }
        }
        assert_eq!(replies.len(), 1, "one refusal for all parts");
        assert!(matches!(a.hear(&replies[0].text, T0), Received::Failure { call, .. } if call == made.id));
    }
    assert_eq!(b.reassembly.cost(), 0);
}

#[test]
fn parts_that_make_no_sense_are_refused_and_those_of_lost_channels_forgotten() {
    let (mut a, mut b) = pair();
    for text in
        ["\u{1}", "\u{1}m,0\nx", "\u{1}m,0,2", "\u{1}m,-1,2\nx", "\u{1}m,0,99999999999\nx", "\u{1},0,2\nx"]
    {
        assert_eq!(refused(b.hear(text, T0)).0.code, code::INVALID_MESSAGE, "{text:?}");
    }
    let pieces = parts(&large(&mut a), 3);
    b.hear(&pieces[0], T0);
    b.forget_channel(0);
    b.hear(&pieces[1], T0);
    b.hear(&format!("\u{1}{},0,0\n", &pieces[1][1..37]), T0);
    assert_eq!((b.reassembly.len(), b.reassembly.cost()), (0, 0));
}

#[test]
fn what_stops_coming_is_given_up_and_reported() {
    let (mut a, mut b) = pair();
    let start = epoch();
    b.receive(0, &parts(&large(&mut a), 3)[0], start, T0);
    let due = b.parts_timeout().unwrap();
    assert_eq!(due, start + Duration::from_secs(30));
    assert_eq!(b.expire_parts(due)[0].code, code::PROTOCOL_ERROR);
    assert_eq!(b.parts_timeout(), None);
}
