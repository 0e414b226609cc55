//! Writing: what a server sends, and how it is read again by those that are not connected by a WebSocket.

use super::{CLOSE, FINAL, MAX_CONTROL, PING, PONG, TEXT};

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
