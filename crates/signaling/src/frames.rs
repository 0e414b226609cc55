//! WebSocket frames (RFC 6455, section 5) as a server reads and writes them, without input or output of its own.
//!
//! A server that relays spends its time here. Hence a message is unmasked where it was read and lent out from there, an idle
//! connection holds no buffer, and what is to be sent is encoded straight into the bytes that go to the socket.

use std::ops::ControlFlow;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// The longest payload of a control frame (RFC 6455, 5.5).
const MAX_CONTROL: usize = 125;

/// Something whole that a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary,
    /// To be answered with a pong of the same content.
    Ping(&'a [u8]),
    /// An answer to a ping.
    Pong,
    /// The client says goodbye. To be answered with the same code, if there is one; nothing comes after it.
    Close(Option<u16>),
}

/// What a client must not send; the connection ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Not the protocol; what is wrong.
    Protocol(&'static str),
    /// A text or the reason of a close frame that is not UTF-8.
    Utf8,
    /// A message longer than allowed.
    TooLong,
}

/// Takes the bytes of one client apart.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// The longest message, in bytes.
    max_message: usize,
    /// What has arrived of a frame that is not whole, or has not been asked for yet. At most a frame and what was read with it.
    held: Vec<u8>,
    /// The fragments of a message that is not whole, unmasked: at most `max_message`.
    message: Vec<u8>,
    /// The type of that message.
    in_message: Option<u8>,
}

/// The head of a frame.
struct Head {
    first: u8,
    /// Of the head itself.
    length: usize,
    payload: usize,
    mask: [u8; 4],
}

impl Decoder {
    /// For messages of up to `max_message` bytes.
    pub(crate) fn new(max_message: usize) -> Self {
        Self { max_message, held: Vec::new(), message: Vec::new(), in_message: None }
    }

    /// Calls `on` for everything that is whole now, in order, until that breaks; the rest is kept for the next call. The content
    /// of `input` is destroyed.
    ///
    /// # Errors
    /// The client has broken the protocol. Nothing after it can be understood.
    pub(crate) fn feed(
        &mut self,
        input: &mut [u8],
        mut on: impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Violation> {
        if self.held.is_empty() {
            let (used, flow) = self.take_apart(input, &mut on)?;
            self.held.extend_from_slice(&input[used..]);
            return Ok(flow);
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(input);
        let (used, flow) = self.take_apart(&mut held, &mut on)?;
        if used < held.len() {
            held.drain(..used);
            self.held = held;
        }
        Ok(flow)
    }

    /// Returns how many bytes are done with.
    fn take_apart(
        &mut self,
        bytes: &mut [u8],
        on: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<(usize, ControlFlow<()>), Violation> {
        let mut at = 0;
        while let Some(head) = self.head(&bytes[at..])? {
            let start = at + head.length;
            let Some(payload) = bytes.get_mut(start..start + head.payload) else { break };
            at = start + head.payload;
            unmask(payload, head.mask);
            if self.frame(head.first, payload, on)?.is_break() {
                return Ok((at, ControlFlow::Break(())));
            }
        }
        Ok((at, ControlFlow::Continue(())))
    }

    /// Reads and checks the head of a frame, as soon as it is whole.
    fn head(&self, bytes: &[u8]) -> Result<Option<Head>, Violation> {
        let &[first, second, ..] = bytes else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(Violation::Protocol("reserved bits are set"));
        }
        if second & MASKED == 0 {
            return Err(Violation::Protocol("a frame is not masked"));
        }
        let (extra, length) = match second & !MASKED {
            126 => (2, bytes.get(2..4).map(|long| u64::from(u16::from_be_bytes([long[0], long[1]])))),
            127 => {
                let long = bytes.get(2..10).and_then(|long| long.try_into().ok());
                (8, long.map(u64::from_be_bytes))
            }
            short => (0, Some(u64::from(short))),
        };
        let Some(length) = length else { return Ok(None) };
        // Checked before the payload is waited for: nobody makes the server hold more than a message.
        let opcode = first & 0x0f;
        if opcode >= CLOSE && (length > MAX_CONTROL as u64 || first & FINAL == 0) {
            return Err(Violation::Protocol("a control frame is too long or in pieces"));
        }
        let room =
            if opcode == CONTINUATION { self.max_message - self.message.len() } else { self.max_message };
        let payload = match usize::try_from(length) {
            Ok(payload) if payload <= room.max(MAX_CONTROL) => payload,
            _ => return Err(Violation::TooLong),
        };
        let Some(mask) = bytes.get(2 + extra..6 + extra) else { return Ok(None) };
        Ok(Some(Head { first, length: 6 + extra, payload, mask: [mask[0], mask[1], mask[2], mask[3]] }))
    }

    fn frame(
        &mut self,
        first: u8,
        payload: &[u8],
        on: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Violation> {
        let opcode = first & 0x0f;
        match opcode {
            PING => return Ok(on(Event::Ping(payload))),
            PONG => return Ok(on(Event::Pong)),
            CLOSE => return Ok(on(Event::Close(close_code(payload)?))),
            TEXT | BINARY if self.in_message.is_some() => {
                return Err(Violation::Protocol("a message begins within another"));
            }
            CONTINUATION if self.in_message.is_none() => {
                return Err(Violation::Protocol("a message goes on that has not begun"));
            }
            CONTINUATION | TEXT | BINARY => {}
            _ => return Err(Violation::Protocol("an unknown type of frame")),
        }
        if payload.len() > self.max_message - self.message.len() {
            return Err(Violation::TooLong);
        }
        if first & FINAL == 0 {
            self.in_message.get_or_insert(opcode);
            self.message.extend_from_slice(payload);
            return Ok(ControlFlow::Continue(()));
        }
        match self.in_message.take() {
            None => whole(opcode, payload, on),
            Some(kind) => {
                let mut message = std::mem::take(&mut self.message);
                message.extend_from_slice(payload);
                whole(kind, &message, on)
            }
        }
    }
}

fn whole(
    kind: u8,
    payload: &[u8],
    on: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Violation> {
    if kind == BINARY {
        return Ok(on(Event::Binary));
    }
    let text = std::str::from_utf8(payload).map_err(|_| Violation::Utf8)?;
    Ok(on(Event::Text(text)))
}

/// RFC 6455, 5.5.1 and 7.4.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let &[high, low, ref reason @ ..] = payload else {
        return if payload.is_empty() {
            Ok(None)
        } else {
            Err(Violation::Protocol("a close code in pieces"))
        };
    };
    let code = u16::from_be_bytes([high, low]);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("a close code that must not be sent"));
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(Violation::Utf8);
    }
    Ok(Some(code))
}

/// RFC 6455, 5.3. Eight bytes at a time, which the compiler turns into more.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Appends a text message.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    frame(out, TEXT, text.as_bytes());
}

/// Appends a ping.
pub(crate) fn ping(out: &mut Vec<u8>) {
    frame(out, PING, &[]);
}

/// Appends the answer to a ping.
pub(crate) fn pong(out: &mut Vec<u8>, payload: &[u8]) {
    frame(out, PONG, payload);
}

/// Appends a goodbye. `reason` is at most 123 bytes long.
pub(crate) fn close(out: &mut Vec<u8>, code: u16, reason: &str) {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    debug_assert!(payload.len() <= MAX_CONTROL, "{reason}");
    frame(out, CLOSE, &payload);
}

/// The bytes that a frame with a payload of `length` bytes takes.
pub(crate) fn size(length: usize) -> usize {
    length
        + match length {
            0..126 => 2,
            126..=0xffff => 4,
            _ => 10,
        }
}

/// A frame that this module has written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written<'a> {
    Text(&'a str),
    Ping,
}

/// Takes apart what [`text`], [`ping`] and [`pong`] have written, for clients that are not connected by a WebSocket. Pongs, which
/// such a client cannot have asked for, are left out.
pub(crate) fn written(mut bytes: &[u8]) -> impl Iterator<Item = Written<'_>> {
    std::iter::from_fn(move || {
        loop {
            let (&[first, short], rest) = bytes.split_first_chunk()?;
            let (length, rest) = match short {
                126 => {
                    rest.split_first_chunk().map(|(long, rest)| (u16::from_be_bytes(*long).into(), rest))?
                }
                127 => rest.split_first_chunk().map(|(long, rest)| (u64::from_be_bytes(*long), rest))?,
                short => (short.into(), rest),
            };
            let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            bytes = rest;
            match first & 0x0f {
                TEXT => return std::str::from_utf8(payload).ok().map(Written::Text),
                PING => return Some(Written::Ping),
                _ => {}
            }
        }
    })
}

/// A server does not mask.
fn frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.reserve(size(payload.len()));
    out.push(FINAL | opcode);
    match payload.len() {
        short @ 0..126 => out.push(short as u8),
        medium @ 126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
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
        let mut bytes =
            [sent(FINAL | TEXT, b"a"), sent(FINAL | TEXT, b"b"), sent(FINAL | TEXT, b"c")].concat();
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
        // Empty fragments do not add up to anything either.
        let (events, wrong) =
            decoded(&[sent(TEXT, b""), sent(CONTINUATION, b"").repeat(99)].concat(), 64, 10);
        assert_eq!((events.len(), wrong), (0, None));
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
}
