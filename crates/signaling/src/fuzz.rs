//! Entry points for fuzz targets: parsers of what comes from the network.

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
