//! FORWARD-TSN (RFC 3758 section 3.2) and I-FORWARD-TSN (RFC 8260 section 2.3.1).

use super::{u16_at, u32_at};

/// The messages of a stream up to `sequence` that are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skip {
    pub(crate) stream: u16,
    pub(crate) unordered: bool,
    /// SSN (FORWARD-TSN) or MID (I-FORWARD-TSN).
    pub(crate) sequence: u32,
}

/// A received FORWARD-TSN or I-FORWARD-TSN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForwardTsn<'a> {
    pub(crate) cumulative: u32,
    interleaved: bool,
    skips: &'a [u8],
}

impl<'a> ForwardTsn<'a> {
    /// Reads a chunk's value.
    pub(crate) fn parse(value: &'a [u8], interleaved: bool) -> Option<Self> {
        Some(Self { cumulative: u32_at(value, 0)?, interleaved, skips: value.get(4..)? })
    }

    /// The skipped messages.
    pub(crate) fn skips(&self) -> impl Iterator<Item = Skip> + use<'a> {
        let interleaved = self.interleaved;
        self.skips.chunks_exact(entry_len(interleaved)).filter_map(move |entry| {
            let stream = u16_at(entry, 0)?;
            Some(if interleaved {
                Skip { stream, unordered: entry[3] & 1 != 0, sequence: u32_at(entry, 4)? }
            } else {
                Skip { stream, unordered: false, sequence: u32::from(u16_at(entry, 2)?) }
            })
        })
    }
}

/// Bytes of one skip on the wire.
pub(crate) fn entry_len(interleaved: bool) -> usize {
    if interleaved { 8 } else { 4 }
}

/// Writes a chunk's value.
pub(crate) fn write(out: &mut Vec<u8>, cumulative: u32, skips: &[Skip], interleaved: bool) {
    out.extend_from_slice(&cumulative.to_be_bytes());
    for skip in skips {
        out.extend_from_slice(&skip.stream.to_be_bytes());
        if interleaved {
            out.extend_from_slice(&u16::from(skip.unordered).to_be_bytes());
            out.extend_from_slice(&skip.sequence.to_be_bytes());
        } else {
            out.extend_from_slice(&(skip.sequence as u16).to_be_bytes());
        }
    }
}
