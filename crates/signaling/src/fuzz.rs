//! Entry points for fuzz targets: parsers of what comes from the network.

use std::ops::ControlFlow;

use crate::client::EventParser;
use crate::control::{ClientFrame, ServerFrame};
use crate::envelope::Envelope;
use crate::frames::Decoder;
use crate::message::SignalingMessage;
use crate::server::transport;
use crate::uri::AgentUri;

/// Parses `data` as every kind of text frame; whatever is accepted must survive being written and read again.
pub fn frame(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(frame) = ServerFrame::parse(text) {
        assert_eq!(ServerFrame::parse(&frame.to_json()).as_ref(), Some(&frame));
    }
    if let Ok(frame) = ClientFrame::parse(text) {
        ClientFrame::parse(&frame.to_json()).expect("a frame that was accepted is accepted again");
    }
    if let Some(envelope) = Envelope::read(text)
        && let (Ok(from), Ok(to)) = (AgentUri::parse(&envelope.from), AgentUri::parse(&envelope.to))
    {
        let message = SignalingMessage::parse(text).expect("what a server hands on is in order");
        assert_eq!((message.from, message.to), (Some(from), to));
    }
    if let Ok(message) = SignalingMessage::parse(text) {
        let again = SignalingMessage::parse(&message.to_json()).expect("what we write is valid");
        assert_eq!(again.body, message.body);
    }
}

/// Parses `data` as an agent URI; the canonical form must be a fixed point.
pub fn uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(uri) = AgentUri::parse(text) {
        assert_eq!(AgentUri::parse(uri.as_str()).as_ref(), Ok(&uri));
    }
}

/// Takes `data` apart as server-sent events, whole and in two pieces.
pub fn events(data: &[u8]) {
    let mut parser = EventParser::new(4096);
    let whole = parser.push(data);
    let mut parser = EventParser::new(4096);
    let (first, second) = data.split_at(data.len() / 2);
    let pieces = parser.push(first).and_then(|mut events| {
        events.extend(parser.push(second)?);
        Ok(events)
    });
    assert_eq!(whole, pieces);
}

/// Takes `data` apart as the body of a request with frames. An array must come apart at its commas and nowhere else; every frame
/// must be one server-sent event with the same content when it is received.
pub fn http_body(data: &[u8]) {
    let Ok(frames) = transport::frames(data) else { return };
    if data.trim_ascii_start().starts_with(b"[") {
        let again = format!("[{}]", frames.join(","));
        assert_eq!(transport::frames(again.as_bytes()).as_ref(), Ok(&frames));
    }
    for frame in frames {
        let event = transport::event(7, frame);
        let events = EventParser::new(usize::MAX).push(event.as_bytes()).expect("there is no limit");
        let [event] = events.as_slice() else { panic!("{events:?} of {frame:?}") };
        let lines: Vec<_> = frame.split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
        assert_eq!((&*event.kind, &*event.id, &*event.data), ("message", "7", &*lines.join("\n")));
    }
}

/// Takes `data` apart as the bytes of a WebSocket client, at once and in pieces: the same must come out.
pub fn web_socket(data: &[u8]) {
    let [piece, data @ ..] = data else { return };
    let decoded = |piece: usize| {
        let mut decoder = Decoder::new(1000);
        let mut events = Vec::new();
        let wrong = data.chunks(piece).find_map(|piece| {
            let fed = decoder.feed(&mut piece.to_vec(), |event| {
                events.push(format!("{event:?}"));
                ControlFlow::Continue(())
            });
            fed.err()
        });
        (events, wrong)
    };
    assert_eq!(decoded(usize::from(*piece) + 1), decoded(usize::MAX));
}
