//! Outgoing messages of one turn of the JavaScript thread, as `ts/native/outbox.ts` writes them.
//!
//! A record is three 32-bit words in the byte order of the machine - peer, channel, `length << 1 | text` - and the
//! payload, padded to a multiple of four bytes.

use bytes::Bytes;
use ossa_net::OutMessage;
use ossa_peer::{ChannelId, MessageKind};

const HEADER: usize = 12;

/// Reads records from a copy of the slab; payloads are slices of it.
pub(crate) struct Records {
    slab: Bytes,
    position: usize,
}

impl Records {
    pub(crate) fn new(slab: Bytes) -> Self {
        Records { slab, position: 0 }
    }

    /// The peer of the next record; `None` at the end, or where the slab makes no sense.
    pub(crate) fn peer(&self) -> Option<u32> {
        self.word(0)
    }

    /// The next message, if it belongs to `peer`.
    pub(crate) fn next_of(&mut self, peer: u32) -> Option<OutMessage> {
        if self.peer()? != peer {
            return None;
        }
        let channel = ChannelId(self.word(1)?);
        let tagged = self.word(2)?;
        let start = self.position + HEADER;
        let end = start.checked_add((tagged >> 1) as usize)?;
        if end > self.slab.len() {
            return None;
        }
        let kind = if tagged & 1 == 1 { MessageKind::Text } else { MessageKind::Binary };
        self.position = end.next_multiple_of(4);
        Some(OutMessage { channel, kind, data: self.slab.slice(start..end) })
    }

    fn word(&self, index: usize) -> Option<u32> {
        let start = self.position.checked_add(index * 4)?;
        let bytes = self.slab.get(start..start + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(peer: u32, channel: u32, text: bool, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [peer, channel, (payload.len() as u32) << 1 | u32::from(text)] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn messages_of_several_peers_are_told_apart_and_keep_their_order() {
        let slab =
            [record(1, 7, false, b"a"), record(1, 8, true, b""), record(2, 7, false, b"abcd")].concat();
        let mut records = Records::new(slab.into());
        let first = records.next_of(1).unwrap();
        assert_eq!(
            (first.channel, first.kind, &first.data[..]),
            (ChannelId(7), MessageKind::Binary, &b"a"[..])
        );
        let second = records.next_of(1).unwrap();
        assert_eq!(
            (second.channel, second.kind, &second.data[..]),
            (ChannelId(8), MessageKind::Text, &b""[..])
        );
        assert!(records.next_of(1).is_none());
        assert_eq!(records.peer(), Some(2));
        assert_eq!(&records.next_of(2).unwrap().data[..], b"abcd");
        assert_eq!(records.peer(), None);
    }

    #[test]
    fn a_record_that_reaches_beyond_the_slab_ends_the_batch() {
        let mut slab = record(1, 1, false, b"abcdefgh");
        slab.truncate(16);
        let mut records = Records::new(slab.into());
        assert_eq!(records.peer(), Some(1));
        assert!(records.next_of(1).is_none());
    }
}
