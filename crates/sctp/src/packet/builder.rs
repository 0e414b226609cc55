//! Writing a packet into the caller's buffer.

use super::{CHUNK_HEADER, COMMON_HEADER, CommonHeader, checksum, padded};

/// Appends one packet to a buffer, chunk by chunk, up to a size limit.
#[derive(Debug)]
pub(crate) struct PacketBuilder<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
    header: CommonHeader,
    needs_checksum: bool,
}

impl<'a> PacketBuilder<'a> {
    /// Starts a packet of at most `limit` bytes. `header.checksum` is not looked at.
    pub(crate) fn new(out: &'a mut Vec<u8>, header: CommonHeader, limit: usize) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; COMMON_HEADER]);
        Self { out, start, limit, header, needs_checksum: false }
    }

    /// Bytes that another chunk, its header included, may take.
    pub(crate) fn room(&self) -> usize {
        self.limit.saturating_sub(self.len()) & !3
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Whether there is no chunk yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == COMMON_HEADER
    }

    /// Sets the verification tag, where a chunk asks for another one than the association's.
    pub(crate) fn set_tag(&mut self, tag: u32) {
        self.header.tag = tag;
    }

    /// Demands a real checksum even where zero was negotiated (RFC 9653 section 5.2).
    pub(crate) fn require_checksum(&mut self) {
        self.needs_checksum = true;
    }

    /// Appends a chunk whose value is written by `body`.
    pub(crate) fn chunk(&mut self, kind: u8, flags: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let at = self.out.len();
        self.out.extend_from_slice(&[kind, flags, 0, 0]);
        body(self.out);
        let length = self.out.len() - at;
        // Chunks are built to fit a packet, and a packet is at most 64 KiB.
        let wire = u16::try_from(length).unwrap_or(u16::MAX);
        self.out[at + 2..at + CHUNK_HEADER].copy_from_slice(&wire.to_be_bytes());
        self.out.resize(at + padded(length), 0);
    }

    /// Appends a chunk made of a fixed head and a payload: the hot path of DATA.
    pub(crate) fn data_chunk<const N: usize>(&mut self, head: [u8; N], payload: &[u8]) {
        self.out.extend_from_slice(&head);
        self.out.extend_from_slice(payload);
        let length = N + payload.len();
        let padding = padded(length) - length;
        self.out.extend_from_slice(&[0; 3][..padding]);
    }

    /// Drops every chunk.
    pub(crate) fn cancel(&mut self) {
        self.out.truncate(self.start + COMMON_HEADER);
    }

    /// Writes the common header and returns the packet's length, or removes it all if no chunk was added.
    pub(crate) fn finish(self, zero_checksum: bool) -> Option<usize> {
        if self.is_empty() {
            self.out.truncate(self.start);
            return None;
        }
        let packet = &mut self.out[self.start..];
        packet[0..2].copy_from_slice(&self.header.source_port.to_be_bytes());
        packet[2..4].copy_from_slice(&self.header.destination_port.to_be_bytes());
        packet[4..8].copy_from_slice(&self.header.tag.to_be_bytes());
        if self.needs_checksum || !zero_checksum {
            let sum = checksum(packet);
            packet[8..12].copy_from_slice(&sum.to_le_bytes());
        }
        Some(packet.len())
    }
}
