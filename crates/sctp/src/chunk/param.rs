//! Parameters: the type-length-value fields inside chunks (RFC 9260 section 3.2.1).

use crate::packet::padded;

/// Parameter types.
pub(crate) mod kind {
    pub(crate) const HEARTBEAT_INFO: u16 = 1;
    pub(crate) const IPV4_ADDRESS: u16 = 5;
    pub(crate) const IPV6_ADDRESS: u16 = 6;
    pub(crate) const STATE_COOKIE: u16 = 7;
    pub(crate) const UNRECOGNIZED: u16 = 8;
    pub(crate) const COOKIE_PRESERVATIVE: u16 = 9;
    pub(crate) const HOST_NAME: u16 = 11;
    pub(crate) const SUPPORTED_ADDRESS_TYPES: u16 = 12;
    pub(crate) const OUTGOING_RESET_REQUEST: u16 = 13;
    pub(crate) const INCOMING_RESET_REQUEST: u16 = 14;
    pub(crate) const TSN_RESET_REQUEST: u16 = 15;
    pub(crate) const RECONFIG_RESPONSE: u16 = 16;
    pub(crate) const ADD_OUTGOING_STREAMS: u16 = 17;
    pub(crate) const ADD_INCOMING_STREAMS: u16 = 18;
    pub(crate) const ZERO_CHECKSUM_ACCEPTABLE: u16 = 0x8001;
    pub(crate) const SUPPORTED_EXTENSIONS: u16 = 0x8008;
    pub(crate) const FORWARD_TSN_SUPPORTED: u16 = 0xc000;
}

/// One parameter (or error cause: same format).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param<'a> {
    pub(crate) kind: u16,
    pub(crate) value: &'a [u8],
    /// The whole parameter with its header, to report it back.
    pub(crate) raw: &'a [u8],
}

/// Iterates over parameters; ends at the first malformed one.
#[derive(Clone, Debug)]
pub(crate) struct Params<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        let kind = super::u16_at(self.0, 0)?;
        let length = usize::from(super::u16_at(self.0, 2)?);
        let value = self.0.get(4..length)?;
        let raw = &self.0[..length];
        self.0 = self.0.get(padded(length)..).unwrap_or(&[]);
        Some(Param { kind, value, raw })
    }
}

/// Appends a parameter (or error cause) with padding.
pub(crate) fn write(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = 4 + value.len();
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(value);
    out.extend_from_slice(&[0; 3][..padded(length) - length]);
}

/// What the two high bits of an unknown type ask for (RFC 9260 section 3.2.1; same for chunks).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownRule {
    /// Do not process the rest.
    pub(crate) stop: bool,
    /// Tell the sender.
    pub(crate) report: bool,
}

impl UnknownRule {
    pub(crate) fn of_param(kind: u16) -> Self {
        Self { stop: kind & 0x8000 == 0, report: kind & 0x4000 != 0 }
    }

    pub(crate) fn of_chunk(kind: u8) -> Self {
        Self { stop: kind & 0x80 == 0, report: kind & 0x40 != 0 }
    }
}
