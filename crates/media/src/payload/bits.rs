//! Reads a payload front to back, byte by byte; what is not there is malformed.

use super::error::Malformed;

/// What is left of a payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.0.split_first().ok_or(Malformed("the payload header is cut off"))?;
        self.0 = rest;
        Ok(first)
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        if count > self.0.len() {
            return Err(Malformed("the payload is shorter than it says"));
        }
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    /// A number of 16 bits.
    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }

    /// A picture identifier of 7 or 15 bits (RFC 7741 4.2, RFC 9628 4.2): the first bit tells.
    pub(super) fn picture_id(&mut self) -> Result<u16, Malformed> {
        match self.byte()? {
            long if long & 0x80 != 0 => Ok(u16::from(long & 0x7f) << 8 | u16::from(self.byte()?)),
            short => Ok(short.into()),
        }
    }

    /// All that is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }
}
