//! The walk over the chunks of a packet.

use super::{CHUNK_HEADER, COMMON_HEADER, padded};

/// A chunk whose value has not been looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawChunk<'a> {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) value: &'a [u8],
    /// Where `value` starts in the packet, to slice payload without copying.
    pub(crate) offset: usize,
}

/// Iterates over chunks; ends at the first malformed one, where the rest cannot be told apart.
#[derive(Debug)]
pub(crate) struct Chunks<'a> {
    packet: &'a [u8],
    at: usize,
    malformed: bool,
}

impl<'a> Chunks<'a> {
    /// The chunks of a packet that has a common header.
    pub(crate) fn of(packet: &'a [u8]) -> Self {
        Self { packet, at: COMMON_HEADER, malformed: false }
    }

    /// Whether the walk ended at garbage instead of the packet's end.
    pub(crate) fn is_malformed(&self) -> bool {
        self.malformed
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = RawChunk<'a>;

    fn next(&mut self) -> Option<RawChunk<'a>> {
        let rest = self.packet.get(self.at..)?;
        if rest.is_empty() || self.malformed {
            return None;
        }
        let header: Option<&[u8; CHUNK_HEADER]> = rest.first_chunk();
        let parsed = header.and_then(|header| {
            let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
            let value = rest.get(CHUNK_HEADER..length)?;
            Some((header, length, value))
        });
        let Some((header, length, value)) = parsed else {
            self.malformed = true;
            return None;
        };
        let offset = self.at + CHUNK_HEADER;
        // The last chunk's padding may be missing; be liberal.
        self.at += padded(length);
        Some(RawChunk { kind: header[0], flags: header[1], value, offset })
    }
}
