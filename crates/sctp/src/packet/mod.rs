//! SCTP packets: common header, checksum, and the walk over chunks (RFC 9260 section 3).

mod builder;
mod chunks;

pub(crate) use builder::PacketBuilder;
pub(crate) use chunks::{Chunks, RawChunk};

/// Bytes of the common header.
pub(crate) const COMMON_HEADER: usize = 12;
/// Bytes of a chunk header.
pub(crate) const CHUNK_HEADER: usize = 4;

/// The common header of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CommonHeader {
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) tag: u32,
    /// As on the wire: CRC32c is transmitted with its least significant byte first.
    pub(crate) checksum: u32,
}

impl CommonHeader {
    /// Reads the header; `None` if the packet is too short to have one.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let header: &[u8; COMMON_HEADER] = packet.first_chunk()?;
        Some(Self {
            source_port: u16::from_be_bytes([header[0], header[1]]),
            destination_port: u16::from_be_bytes([header[2], header[3]]),
            tag: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            checksum: u32::from_le_bytes([header[8], header[9], header[10], header[11]]),
        })
    }
}

/// CRC32c of a packet, counting its checksum field as zero (RFC 9260 appendix A).
pub(crate) fn checksum(packet: &[u8]) -> u32 {
    let head = crc32c::crc32c(&packet[..8]);
    let head = crc32c::crc32c_append(head, &[0; 4]);
    crc32c::crc32c_append(head, &packet[COMMON_HEADER..])
}

/// `len` rounded up to the 4 bytes that chunks and parameters are aligned to.
pub(crate) fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}
