//! Parameters of RE-CONFIG (RFC 6525 section 4).

use super::param::{self, Param};
use super::{u16_at, u32_at};

/// Results of a request (RFC 6525 section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Outcome {
    NothingToDo = 0,
    Performed = 1,
    Denied = 2,
    WrongStream = 3,
    AlreadyInProgress = 4,
    BadSequence = 5,
    InProgress = 6,
}

impl Outcome {
    fn from_wire(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::NothingToDo,
            1 => Self::Performed,
            2 => Self::Denied,
            3 => Self::WrongStream,
            4 => Self::AlreadyInProgress,
            5 => Self::BadSequence,
            6 => Self::InProgress,
            _ => return None,
        })
    }
}

/// An outgoing SSN reset request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutgoingReset {
    pub(crate) request: u32,
    pub(crate) response: u32,
    pub(crate) last_tsn: u32,
    /// Empty = all streams.
    pub(crate) streams: Vec<u16>,
}

/// A parameter of a RE-CONFIG chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReconfigParam {
    OutgoingReset(OutgoingReset),
    /// A request that we answer by number only.
    OtherRequest {
        kind: u16,
        request: u32,
        /// New streams, for the "add streams" requests.
        count: u16,
    },
    Response {
        response: u32,
        outcome: Outcome,
    },
}

impl ReconfigParam {
    /// Reads a parameter; `None` if it is malformed or unknown.
    pub(crate) fn parse(param: &Param<'_>) -> Option<Self> {
        let value = param.value;
        Some(match param.kind {
            param::kind::OUTGOING_RESET_REQUEST => {
                let streams = value.get(12..)?.chunks_exact(2);
                Self::OutgoingReset(OutgoingReset {
                    request: u32_at(value, 0)?,
                    response: u32_at(value, 4)?,
                    last_tsn: u32_at(value, 8)?,
                    streams: streams.map(|id| u16::from_be_bytes([id[0], id[1]])).collect(),
                })
            }
            param::kind::INCOMING_RESET_REQUEST
            | param::kind::TSN_RESET_REQUEST
            | param::kind::ADD_OUTGOING_STREAMS
            | param::kind::ADD_INCOMING_STREAMS => Self::OtherRequest {
                kind: param.kind,
                request: u32_at(value, 0)?,
                count: u16_at(value, 4).unwrap_or(0),
            },
            param::kind::RECONFIG_RESPONSE => Self::Response {
                response: u32_at(value, 0)?,
                outcome: Outcome::from_wire(u32_at(value, 4)?)?,
            },
            _ => return None,
        })
    }
}

impl OutgoingReset {
    /// Writes the parameter.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut value = Vec::with_capacity(12 + self.streams.len() * 2);
        value.extend_from_slice(&self.request.to_be_bytes());
        value.extend_from_slice(&self.response.to_be_bytes());
        value.extend_from_slice(&self.last_tsn.to_be_bytes());
        for stream in &self.streams {
            value.extend_from_slice(&stream.to_be_bytes());
        }
        param::write(out, param::kind::OUTGOING_RESET_REQUEST, &value);
    }
}

/// Writes a response parameter.
pub(crate) fn write_response(out: &mut Vec<u8>, response: u32, outcome: Outcome) {
    let mut value = [0; 8];
    value[..4].copy_from_slice(&response.to_be_bytes());
    value[4..].copy_from_slice(&(outcome as u32).to_be_bytes());
    param::write(out, param::kind::RECONFIG_RESPONSE, &value);
}
