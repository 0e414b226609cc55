//! Entry points for fuzz targets: parsers of what comes from the network.

use crate::client::EventParser;
use crate::{AgentUri, ClientFrame, ServerFrame, SignalingMessage};

/// Parses `data` as every kind of text frame; whatever is accepted must survive being written and read again.
pub fn frame(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(frame) = ServerFrame::parse(text) {
        assert_eq!(ServerFrame::parse(&frame.to_json()).as_ref(), Some(&frame));
    }
    if let Ok(frame) = ClientFrame::parse(text) {
        ClientFrame::parse(&frame.to_json()).expect("a frame that was accepted is accepted again");
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
