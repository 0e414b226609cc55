//! Server-sent events (HTML Living Standard, 9.2.6), as they come in pieces.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerSentEvent {
    /// `message` if the server has named no other.
    pub(crate) kind: String,
    /// The lines of data, put together.
    pub(crate) data: String,
    /// The last id that the server has given so far; empty if none.
    pub(crate) id: String,
}

/// An event is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Takes a stream apart.
#[derive(Debug)]
pub(crate) struct EventParser {
    /// Most bytes of one event.
    most: usize,
    line: Vec<u8>,
    /// A line feed that follows belongs to the carriage return before it.
    after_return: bool,
    /// A byte order mark may stand at the very beginning.
    first_line: bool,
    kind: String,
    data: String,
    id: String,
}

impl EventParser {
    /// A parser for events of at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            line: Vec::new(),
            after_return: false,
            first_line: true,
            kind: String::new(),
            data: String::new(),
            id: String::new(),
        }
    }

    /// The events that end in `bytes`.
    ///
    /// # Errors
    /// One is longer than allowed; the stream is of no use any more.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<ServerSentEvent>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_of_line()),
                _ => {
                    if self.line.len() + self.data.len() >= self.most {
                        return Err(TooLong);
                    }
                    self.line.push(byte);
                }
            }
        }
        Ok(events)
    }

    fn end_of_line(&mut self) -> Option<ServerSentEvent> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let mut text = &*text;
        if std::mem::take(&mut self.first_line) {
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        if text.is_empty() {
            return self.dispatch();
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // `retry` is for clients that know nothing better; comments are signs of life.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<ServerSentEvent> {
        let mut data = std::mem::take(&mut self.data);
        let kind = std::mem::take(&mut self.kind);
        // The line end after the last line of data does not count; without any data there is no event.
        data.pop()?;
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        Some(ServerSentEvent { kind, data, id: self.id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(kind: &str, data: &str, id: &str) -> ServerSentEvent {
        ServerSentEvent { kind: kind.into(), data: data.into(), id: id.into() }
    }

    #[test]
    fn events_have_kinds_ids_and_lines() {
        let text =
            ":\n\nid: 7\ndata: {\ndata:\"a\"}\n\nevent: ping\r\ndata: {}\r\n\r\ndata\rid\r\revent: lost\n\n";
        let events = EventParser::new(1000).push(text.as_bytes()).unwrap();
        assert_eq!(
            events,
            [event("message", "{\n\"a\"}", "7"), event("ping", "{}", "7"), event("message", "", "")]
        );
    }

    #[test]
    fn an_event_without_end_does_not_fill_the_memory() {
        let mut parser = EventParser::new(100);
        assert!(parser.push(&[b'x'; 100]).is_ok());
        assert_eq!(parser.push(b"x"), Err(TooLong));
        let mut parser = EventParser::new(100);
        assert!((0..200).any(|_| parser.push(b"data: 12345\n").is_err()));
    }

    proptest! {
        #[test]
        fn the_pieces_in_which_a_stream_comes_make_no_difference(
            text in "(data: [a-z]{0,3}|id: [0-9]|event: e|:|[\r\n]|\r\n){0,30}",
            cuts in proptest::collection::vec(0usize..200, 0..5),
        ) {
            let whole = EventParser::new(1000).push(text.as_bytes()).unwrap();
            let mut parser = EventParser::new(1000);
            let mut pieces = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.extend(parser.push(piece).unwrap());
                rest = after;
            }
            pieces.extend(parser.push(rest).unwrap());
            prop_assert_eq!(whole, pieces);
        }
    }
}
