//! DATA (RFC 9260 section 3.3.1) and I-DATA (RFC 8260 section 2.1).

use super::{kind, u16_at, u32_at};

/// Flag: last fragment.
pub(crate) const END: u8 = 1;
/// Flag: first fragment.
pub(crate) const BEGIN: u8 = 2;
/// Flag: unordered.
pub(crate) const UNORDERED: u8 = 4;
/// Flag: acknowledge at once (RFC 7053).
pub(crate) const IMMEDIATE: u8 = 8;

/// Bytes in front of the payload of DATA, the chunk header included.
pub(crate) const DATA_HEADER: usize = 16;
/// Bytes in front of the payload of I-DATA, the chunk header included.
pub(crate) const I_DATA_HEADER: usize = 20;

/// The header fields of DATA or I-DATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataHeader {
    pub(crate) flags: u8,
    pub(crate) tsn: u32,
    pub(crate) stream: u16,
    /// SSN (16 bits) of DATA or MID of I-DATA.
    pub(crate) sequence: u32,
    /// FSN of I-DATA; 0 in its first fragment and in DATA.
    pub(crate) fsn: u32,
    /// Carried by every DATA and by the first fragment of I-DATA; otherwise 0.
    pub(crate) ppid: u32,
}

impl DataHeader {
    /// Reads the fields from a DATA chunk's value.
    pub(crate) fn parse_data(flags: u8, value: &[u8]) -> Option<Self> {
        let fields: &[u8; DATA_HEADER - 4] = value.first_chunk()?;
        Some(Self {
            flags,
            tsn: u32::from_be_bytes([fields[0], fields[1], fields[2], fields[3]]),
            stream: u16::from_be_bytes([fields[4], fields[5]]),
            sequence: u32::from(u16::from_be_bytes([fields[6], fields[7]])),
            fsn: 0,
            ppid: u32::from_be_bytes([fields[8], fields[9], fields[10], fields[11]]),
        })
    }

    /// Reads the fields from an I-DATA chunk's value.
    pub(crate) fn parse_i_data(flags: u8, value: &[u8]) -> Option<Self> {
        let last = u32_at(value, 12)?;
        let first = flags & BEGIN != 0;
        Some(Self {
            flags,
            tsn: u32_at(value, 0)?,
            stream: u16_at(value, 4)?,
            sequence: u32_at(value, 8)?,
            fsn: if first { 0 } else { last },
            ppid: if first { last } else { 0 },
        })
    }

    /// The chunk up to its payload of `len` bytes, as DATA.
    pub(crate) fn data_head(&self, len: usize) -> [u8; DATA_HEADER] {
        let mut head = [0; DATA_HEADER];
        self.common_head(&mut head, kind::DATA, len + DATA_HEADER);
        head[10..12].copy_from_slice(&(self.sequence as u16).to_be_bytes());
        head[12..16].copy_from_slice(&self.ppid.to_be_bytes());
        head
    }

    /// The chunk up to its payload of `len` bytes, as I-DATA.
    pub(crate) fn i_data_head(&self, len: usize) -> [u8; I_DATA_HEADER] {
        let mut head = [0; I_DATA_HEADER];
        self.common_head(&mut head, kind::I_DATA, len + I_DATA_HEADER);
        head[12..16].copy_from_slice(&self.sequence.to_be_bytes());
        let last = if self.flags & BEGIN != 0 { self.ppid } else { self.fsn };
        head[16..20].copy_from_slice(&last.to_be_bytes());
        head
    }

    fn common_head(&self, head: &mut [u8], kind: u8, length: usize) {
        head[0] = kind;
        head[1] = self.flags;
        // Fragments are cut to fit a packet of at most 64 KiB.
        head[2..4].copy_from_slice(&(length as u16).to_be_bytes());
        head[4..8].copy_from_slice(&self.tsn.to_be_bytes());
        head[8..10].copy_from_slice(&self.stream.to_be_bytes());
    }
}
