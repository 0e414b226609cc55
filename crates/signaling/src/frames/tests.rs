use std::ops::ControlFlow;

use super::*;
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameSocket};

/// A frame as a client sends it.
fn sent(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x11, 0xa2, 0x33, 0xc4];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(MASKED | short as u8),
        medium => {
            bytes.push(MASKED | 126);
            bytes.extend_from_slice(&u16::try_from(medium).unwrap().to_be_bytes());
        }
    }
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What comes out when `bytes` arrive in pieces of `piece` bytes.
fn decoded(bytes: &[u8], piece: usize, max_message: usize) -> (Vec<String>, Option<Violation>) {
    let mut decoder = Decoder::new(max_message);
    let mut events = Vec::new();
    for piece in bytes.chunks(piece) {
        let fed = decoder.feed(&mut piece.to_vec(), |event| {
            events.push(format!("{event:?}"));
            ControlFlow::Continue(())
        });
        if let Err(violation) = fed {
            return (events, Some(violation));
        }
    }
    (events, None)
}

fn violation(bytes: &[u8]) -> Option<Violation> {
    decoded(bytes, usize::MAX, 1000).1
}

#[test]
fn messages_come_out_whole_however_they_are_cut() {
    let long = "x".repeat(500);
    let bytes = [
        sent(FINAL | TEXT, "h\u{e9}llo".as_bytes()),
        sent(TEXT, b"one "),
        sent(FINAL | PING, b"p"),
        sent(CONTINUATION, b"two "),
        sent(FINAL | CONTINUATION, b"three"),
        sent(FINAL | TEXT, long.as_bytes()),
        sent(FINAL | BINARY, b"\xff"),
        sent(FINAL | PONG, b""),
        sent(FINAL | CLOSE, b"\x03\xe8bye"),
    ]
    .concat();
    let expected = [
        "Text(\"h\u{e9}llo\")".to_owned(),
        "Ping([112])".into(),
        "Text(\"one two three\")".into(),
        format!("Text({long:?})"),
        "Binary".into(),
        "Pong".into(),
        "Close(Some(1000))".into(),
    ];
    for piece in [1, 2, 3, 7, 100, usize::MAX] {
        assert_eq!(decoded(&bytes, piece, 500), (expected.to_vec(), None), "in pieces of {piece}");
    }
}

#[test]
fn a_reader_that_breaks_off_gets_the_rest_later() {
    let mut bytes = [sent(FINAL | TEXT, b"a"), sent(FINAL | TEXT, b"b"), sent(FINAL | TEXT, b"c")].concat();
    let mut decoder = Decoder::new(10);
    let mut texts = Vec::new();
    let mut input: &mut [u8] = &mut bytes;
    for round in 0..3 {
        let flow = decoder.feed(input, |event| {
            let Event::Text(text) = event else { panic!("{event:?}") };
            texts.push(text.to_owned());
            ControlFlow::Break(())
        });
        assert_eq!(flow, Ok(ControlFlow::Break(())));
        assert_eq!(decoder.held.is_empty(), round == 2);
        input = &mut [];
    }
    assert_eq!(texts, ["a", "b", "c"]);
}

#[test]
fn whatever_breaks_the_protocol_is_refused() {
    let unmasked = [FINAL | TEXT, 1, b'a'];
    let protocol =
        |bytes: &[u8]| assert!(matches!(violation(bytes), Some(Violation::Protocol(_))), "{bytes:?}");
    protocol(&unmasked);
    protocol(&sent(FINAL | 0x40 | TEXT, b""));
    protocol(&sent(FINAL | 3, b""));
    protocol(&sent(FINAL | 11, b""));
    protocol(&sent(FINAL | CONTINUATION, b"goes on"));
    protocol(&[sent(TEXT, b"begins"), sent(FINAL | TEXT, b"again")].concat());
    protocol(&sent(PING, b"in pieces"));
    protocol(&sent(FINAL | PING, &[0; 126]));
    protocol(&sent(FINAL | CLOSE, b"\x03"));
    protocol(&sent(FINAL | CLOSE, &1005_u16.to_be_bytes()));
    assert_eq!(violation(&sent(FINAL | TEXT, b"\xff")), Some(Violation::Utf8));
    assert_eq!(violation(&sent(FINAL | CLOSE, b"\x03\xe8\xff")), Some(Violation::Utf8));
}

#[test]
fn a_message_that_will_be_too_long_is_refused_by_its_head() {
    let announced = |length: u64| [&[FINAL | TEXT, MASKED | 127][..], &length.to_be_bytes()].concat();
    assert_eq!(violation(&announced(1001)), Some(Violation::TooLong));
    assert_eq!(violation(&announced(u64::MAX)), Some(Violation::TooLong));
    assert_eq!(violation(&announced(1000)), None);
    let pieces = [sent(TEXT, &[b'a'; 600]), sent(FINAL | CONTINUATION, &[b'a'; 401])].concat();
    assert_eq!(violation(&pieces), Some(Violation::TooLong));
    // Empty fragments do not add up to a message that is too long, so they are counted; the next message may have as many.
    let pieces = |count: usize| [sent(TEXT, b""), sent(CONTINUATION, b"").repeat(count - 1)].concat();
    let whole = [pieces(1024), sent(FINAL | CONTINUATION, b"")].concat();
    assert_eq!(decoded(&whole.repeat(2), 4096, 10), (vec!["Text(\"\")".to_owned(); 2], None));
    assert_eq!(violation(&pieces(1025)), Some(Violation::Protocol("a message in too many pieces")));
}

#[test]
fn what_is_written_is_what_another_implementation_reads() {
    let mut bytes = Vec::new();
    let texts = [String::new(), "x".repeat(125), "x".repeat(126), "x".repeat(65_535), "x".repeat(65_536)];
    for one in &texts {
        let before = bytes.len();
        text(&mut bytes, one);
        assert_eq!(bytes.len() - before, size(one.len()));
    }
    ping(&mut bytes);
    pong(&mut bytes, b"p");
    close(&mut bytes, 4001, "gone");
    let own: Vec<_> = written(&bytes).collect();
    assert_eq!(own[..5], texts.each_ref().map(|text| Written::Text(text)));
    assert_eq!(own[5..], [Written::Ping]);
    let mut reader = FrameSocket::new(std::io::Cursor::new(bytes));
    let mut next = || -> Frame { reader.read(None).unwrap().unwrap() };
    for text in texts {
        let frame = next();
        assert_eq!(frame.header().opcode, OpCode::Data(Data::Text));
        assert_eq!(frame.payload(), text.as_bytes());
    }
    assert_eq!(next().header().opcode, OpCode::Control(Control::Ping));
    assert_eq!(next().payload(), b"p");
    assert_eq!(next().payload(), b"\x0f\xa1gone");
}

proptest! {
    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        piece in 1..20_usize,
    ) {
        prop_assert_eq!(decoded(&bytes, piece, 100), decoded(&bytes, usize::MAX, 100));
    }

    #[test]
    fn every_text_survives_any_cut(texts in proptest::collection::vec("\\PC{0,60}", 0..10), piece in 1..50_usize) {
        let bytes: Vec<u8> = texts.iter().flat_map(|text| sent(FINAL | TEXT, text.as_bytes())).collect();
        let (events, wrong) = decoded(&bytes, piece, 1000);
        prop_assert_eq!(wrong, None);
        prop_assert_eq!(events, texts.iter().map(|text| format!("Text({text:?})")).collect::<Vec<_>>());
    }
}
