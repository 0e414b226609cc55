//! Reading: what a client has sent.

use std::ops::ControlFlow;

use super::{BINARY, CLOSE, CONTINUATION, FINAL, MASKED, MAX_CONTROL, PING, PONG, RESERVED, TEXT};

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
    pub(super) held: Vec<u8>,
    /// So much at the beginning of `held` is done with. It stays until more arrives: to move the rest for each of many small frames
    /// would cost more than the frames.
    done: usize,
    /// The fragments of a message that is not whole, unmasked: at most `max_message`.
    message: Vec<u8>,
    /// The type of that message.
    in_message: Option<u8>,
    /// How many fragments of it there are.
    fragments: usize,
}

/// Fragments of one message: empty ones cost time, and count as nothing else.
const MAX_FRAGMENTS: usize = 1024;

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
        Self { max_message, held: Vec::new(), done: 0, message: Vec::new(), in_message: None, fragments: 0 }
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
        let mut done = std::mem::take(&mut self.done);
        if !input.is_empty() {
            held.drain(..std::mem::take(&mut done));
            held.extend_from_slice(input);
        }
        let (used, flow) = self.take_apart(&mut held[done..], &mut on)?;
        if done + used < held.len() {
            self.held = held;
            self.done = done + used;
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
            self.fragments += 1;
            if self.fragments > MAX_FRAGMENTS {
                return Err(Violation::Protocol("a message in too many pieces"));
            }
            self.message.extend_from_slice(payload);
            return Ok(ControlFlow::Continue(()));
        }
        match self.in_message.take() {
            None => whole(opcode, payload, on),
            Some(kind) => {
                let mut message = std::mem::take(&mut self.message);
                self.fragments = 0;
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
