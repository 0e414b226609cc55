//! INIT and INIT ACK (RFC 9260 sections 3.3.2 and 3.3.3).

use super::param::{self, Params, UnknownRule};
use super::{kind, u16_at, u32_at};

/// Bytes of the fixed part of the value.
const FIXED: usize = 16;
/// Error detection method of RFC 9653 that means "DTLS".
const ZERO_CHECKSUM_DTLS: u32 = 1;
/// Longest report of unknown parameters that we send back.
const MAX_REPORT: usize = 512;

/// Optional features that an endpoint announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features {
    pub(crate) forward_tsn: bool,
    pub(crate) reconfig: bool,
    pub(crate) interleaving: bool,
    pub(crate) zero_checksum: bool,
    /// It says that it knows PAD (RFC 4820). The others should skip it, but there is one that throws.
    pub(crate) pad: bool,
}

impl Features {
    /// As one byte, for the state cookie.
    pub(crate) fn to_bits(self) -> u8 {
        u8::from(self.forward_tsn)
            | u8::from(self.reconfig) << 1
            | u8::from(self.interleaving) << 2
            | u8::from(self.zero_checksum) << 3
            | u8::from(self.pad) << 4
    }

    /// From the byte in a state cookie.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self {
            forward_tsn: bits & 1 != 0,
            reconfig: bits & 2 != 0,
            interleaving: bits & 4 != 0,
            zero_checksum: bits & 8 != 0,
            pad: bits & 16 != 0,
        }
    }
}

/// What both INIT and INIT ACK say about the endpoint that sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) tag: u32,
    pub(crate) window: u32,
    pub(crate) outbound_streams: u16,
    pub(crate) inbound_streams: u16,
    pub(crate) initial_tsn: u32,
    pub(crate) features: Features,
}

/// A received INIT or INIT ACK.
#[derive(Clone, Debug)]
pub(crate) struct Init<'a> {
    pub(crate) endpoint: Endpoint,
    /// State cookie, in INIT ACK.
    pub(crate) cookie: Option<&'a [u8]>,
    /// Unknown parameters whose type asks to be reported, raw and padded.
    pub(crate) unrecognized: Vec<u8>,
}

impl<'a> Init<'a> {
    /// Reads a chunk's value.
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut init = Self {
            endpoint: Endpoint {
                tag: u32_at(value, 0)?,
                window: u32_at(value, 4)?,
                outbound_streams: u16_at(value, 8)?,
                inbound_streams: u16_at(value, 10)?,
                initial_tsn: u32_at(value, 12)?,
                features: Features::default(),
            },
            cookie: None,
            unrecognized: Vec::new(),
        };
        for param in Params(&value[FIXED..]) {
            if !init.take_param(&param) {
                break;
            }
        }
        Some(init)
    }

    /// Whether the numbers are within what RFC 9260 section 3.3.2 demands.
    pub(crate) fn is_valid(&self) -> bool {
        let endpoint = &self.endpoint;
        endpoint.tag != 0
            && endpoint.outbound_streams != 0
            && endpoint.inbound_streams != 0
            && endpoint.window >= 1500
    }

    /// Takes one parameter; false: the rest is not to be looked at.
    fn take_param(&mut self, param: &param::Param<'a>) -> bool {
        let features = &mut self.endpoint.features;
        match param.kind {
            param::kind::STATE_COOKIE => self.cookie = Some(param.value),
            param::kind::FORWARD_TSN_SUPPORTED => features.forward_tsn = true,
            param::kind::ZERO_CHECKSUM_ACCEPTABLE => {
                features.zero_checksum = u32_at(param.value, 0) == Some(ZERO_CHECKSUM_DTLS);
            }
            param::kind::SUPPORTED_EXTENSIONS => {
                features.reconfig |= param.value.contains(&kind::RE_CONFIG);
                features.pad |= param.value.contains(&kind::PAD);
                features.interleaving |= param.value.contains(&kind::I_DATA);
                features.forward_tsn |= param.value.contains(&kind::FORWARD_TSN);
            }
            // Addresses mean nothing inside DTLS; the others are informative.
            param::kind::IPV4_ADDRESS
            | param::kind::IPV6_ADDRESS
            | param::kind::UNRECOGNIZED
            | param::kind::COOKIE_PRESERVATIVE
            | param::kind::HOST_NAME
            | param::kind::SUPPORTED_ADDRESS_TYPES => {}
            unknown => {
                let rule = UnknownRule::of_param(unknown);
                if rule.report && self.unrecognized.len() + param.raw.len() <= MAX_REPORT {
                    self.unrecognized.extend_from_slice(param.raw);
                    self.unrecognized.resize(crate::packet::padded(self.unrecognized.len()), 0);
                }
                return !rule.stop;
            }
        }
        true
    }
}

impl Endpoint {
    /// Writes the value of an INIT, or of an INIT ACK when there is a cookie.
    pub(crate) fn write(&self, out: &mut Vec<u8>, cookie: Option<&[u8]>, unrecognized: &[u8]) {
        out.extend_from_slice(&self.tag.to_be_bytes());
        out.extend_from_slice(&self.window.to_be_bytes());
        out.extend_from_slice(&self.outbound_streams.to_be_bytes());
        out.extend_from_slice(&self.inbound_streams.to_be_bytes());
        out.extend_from_slice(&self.initial_tsn.to_be_bytes());
        if let Some(cookie) = cookie {
            param::write(out, param::kind::STATE_COOKIE, cookie);
        }
        if self.features.zero_checksum {
            param::write(out, param::kind::ZERO_CHECKSUM_ACCEPTABLE, &ZERO_CHECKSUM_DTLS.to_be_bytes());
        }
        if self.features.forward_tsn {
            param::write(out, param::kind::FORWARD_TSN_SUPPORTED, &[]);
        }
        let mut extensions = Vec::with_capacity(5);
        if self.features.pad {
            extensions.push(kind::PAD);
        }
        if self.features.reconfig {
            extensions.push(kind::RE_CONFIG);
        }
        if self.features.forward_tsn {
            extensions.push(kind::FORWARD_TSN);
        }
        if self.features.interleaving {
            extensions.extend([kind::I_DATA, kind::I_FORWARD_TSN]);
        }
        param::write(out, param::kind::SUPPORTED_EXTENSIONS, &extensions);
        if !unrecognized.is_empty() {
            param::write(out, param::kind::UNRECOGNIZED, unrecognized);
        }
    }
}
