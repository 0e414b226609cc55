//! SACK (RFC 9260 section 3.3.4).

use super::{u16_at, u32_at};

/// Bytes of a SACK's value without blocks and duplicates.
pub(crate) const FIXED: usize = 12;

/// A received SACK, its lists still in wire format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sack<'a> {
    pub(crate) cumulative: u32,
    pub(crate) window: u32,
    gaps: &'a [u8],
    duplicates: &'a [u8],
}

impl<'a> Sack<'a> {
    /// Reads a SACK; `None` if it announces more than it carries.
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let gap_bytes = usize::from(u16_at(value, 8)?) * 4;
        let duplicate_bytes = usize::from(u16_at(value, 10)?) * 4;
        let duplicates_at = FIXED + gap_bytes;
        Some(Self {
            cumulative: u32_at(value, 0)?,
            window: u32_at(value, 4)?,
            gaps: value.get(FIXED..duplicates_at)?,
            duplicates: value.get(duplicates_at..duplicates_at + duplicate_bytes)?,
        })
    }

    /// Gap blocks as offsets from the cumulative TSN, first and last inclusive.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = (u16, u16)> + use<'a> {
        let pairs = self.gaps.chunks_exact(4);
        pairs.map(|pair| (u16::from_be_bytes([pair[0], pair[1]]), u16::from_be_bytes([pair[2], pair[3]])))
    }

    /// TSNs that arrived more than once.
    pub(crate) fn duplicates(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.duplicates.chunks_exact(4).map(|tsn| u32::from_be_bytes([tsn[0], tsn[1], tsn[2], tsn[3]]))
    }
}

/// Writes a SACK's value.
pub(crate) fn write(
    out: &mut Vec<u8>,
    cumulative: u32,
    window: u32,
    gaps: &[(u16, u16)],
    duplicates: &[u32],
) {
    out.extend_from_slice(&cumulative.to_be_bytes());
    out.extend_from_slice(&window.to_be_bytes());
    // Both lists were cut to fit a packet.
    out.extend_from_slice(&(gaps.len() as u16).to_be_bytes());
    out.extend_from_slice(&(duplicates.len() as u16).to_be_bytes());
    for (first, last) in gaps {
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(&last.to_be_bytes());
    }
    for tsn in duplicates {
        out.extend_from_slice(&tsn.to_be_bytes());
    }
}
