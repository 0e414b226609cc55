//! What a hostile or broken TURN server could send.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::input::{Messages, complete_frames};
use super::output::{Destination, Output};
use super::protocol::{Carrier, Protocol};
use super::stream::ByteStream;
use crate::config::Credentials;

/// A byte stream, cut into messages.
pub(crate) fn stream(data: &[u8]) {
    if let Ok(complete) = complete_frames(data) {
        Messages::Frames(&data[..complete]).for_each(|message| assert!(message.len() <= data.len()));
    }
}

/// Messages of a server, each one in answer to our last request. `data` is a list of them: two bytes of STUN type, one of length in
/// units of four bytes, attributes.
pub(crate) fn session(start: Instant, server: SocketAddr, data: &[u8]) {
    let credentials = Credentials { username: "user".into(), credential: "secret".into() };
    let mut protocol =
        Protocol::new(SocketAddr::from(([192, 0, 2, 2], 5000)), server, &credentials, Carrier::Stream);
    let stream: Box<dyn ByteStream> = Box::new(tokio::io::duplex(64).0);
    let mut output = Output::new(Destination::Stream(tokio::io::split(stream).1));
    let mut now = start;
    let mut rest = data;
    for _ in 0..64 {
        protocol.advance(now, &mut output);
        let &[kind, method, length, ref tail @ ..] = rest else { return };
        let attributes = &tail[..tail.len().min(usize::from(length) * 4)];
        rest = &tail[attributes.len()..];
        // Our requests are a multiple of four bytes long, and the last one ends the buffer: its start is looked for.
        let sent = output.waiting();
        let id = sent
            .windows(4)
            .rposition(|w| w == [0x21, 0x12, 0xa4, 0x42])
            .map_or(&[0; 12][..], |at| sent.get(at + 4..at + 16).unwrap_or(&[0; 12]));
        let mut message =
            vec![kind, method, length >> 6, (attributes.len() & 0xff) as u8, 0x21, 0x12, 0xa4, 0x42];
        message.extend_from_slice(id);
        message.extend_from_slice(attributes);
        protocol.handle(&message, now, &mut |_, _| {});
        protocol.send(SocketAddr::from(([198, 51, 100, 1], u16::from(method))), attributes, now, &mut output);
        let _ = (protocol.take_failure(), protocol.allocation(), protocol.is_closed());
        now += Duration::from_millis(u64::from(length) * 100);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_answer_of_a_server_does_harm(data in prop::collection::vec(any::<u8>(), 0..400)) {
            stream(&data);
            session(Instant::now(), SocketAddr::from(([192, 0, 2, 1], 3478)), &data);
        }

        /// Types and attributes that exist, with contents that don't fit.
        #[test]
        fn no_mixture_of_attributes_does_harm(
            parts in prop::collection::vec((0usize..8, 0usize..14, prop::collection::vec(any::<u8>(), 0..5)), 0..12),
        ) {
            const TYPES: [[u8; 2]; 8] = [[1, 3], [1, 0x13], [1, 4], [1, 0x14], [1, 9], [1, 0x19], [0, 0x17], [1, 8]];
            const ATTRIBUTES: [u16; 14] =
                [1, 6, 8, 9, 0xc, 0xd, 0x12, 0x13, 0x14, 0x15, 0x16, 0x20, 0x8023, 0x8028];
            let mut data = Vec::new();
            for (kind, attribute, value) in parts {
                let padded = value.len().next_multiple_of(4);
                data.extend_from_slice(&TYPES[kind]);
                data.push((padded / 4 + 1) as u8);
                data.extend_from_slice(&ATTRIBUTES[attribute].to_be_bytes());
                data.extend_from_slice(&(value.len() as u16).to_be_bytes());
                data.extend_from_slice(&value);
                data.resize(data.len() + padded - value.len(), 0);
            }
            session(Instant::now(), SocketAddr::from(([192, 0, 2, 1], 3478)), &data);
        }
    }
}
