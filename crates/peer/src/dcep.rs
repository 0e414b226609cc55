//! The Data Channel Establishment Protocol (RFC 8832): two messages, on PPID 50.

use crate::channels::Priority;

/// Payload protocol identifiers (RFC 8831 section 8).
pub(crate) mod ppid {
    pub(crate) const DCEP: u32 = 50;
    pub(crate) const STRING: u32 = 51;
    /// Deprecated: a part of a binary message whose last part has `BINARY`.
    pub(crate) const BINARY_PARTIAL: u32 = 52;
    pub(crate) const BINARY: u32 = 53;
    /// Deprecated: a part of a string whose last part has `STRING`.
    pub(crate) const STRING_PARTIAL: u32 = 54;
    pub(crate) const STRING_EMPTY: u32 = 56;
    pub(crate) const BINARY_EMPTY: u32 = 57;
}

const TYPE_ACK: u8 = 0x02;
const TYPE_OPEN: u8 = 0x03;
const UNORDERED: u8 = 0x80;
const RELIABLE: u8 = 0x00;
const REXMIT: u8 = 0x01;
const TIMED: u8 = 0x02;
const OPEN_HEADER: usize = 12;

/// A DATA_CHANNEL_OPEN message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Ordered delivery.
    pub ordered: bool,
    /// Limit of retransmissions.
    pub max_retransmits: Option<u16>,
    /// Life time in milliseconds.
    pub max_packet_life_time: Option<u16>,
    /// As on the wire.
    pub priority: u16,
    /// Label.
    pub label: String,
    /// Subprotocol.
    pub protocol: String,
}

/// A DCEP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A channel is announced.
    Open(Open),
    /// The announcement was taken.
    Ack,
}

/// Parses a DCEP message; the error says what is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Message, String> {
    match bytes.first() {
        // Some stacks pad the ACK; only its type matters.
        Some(&TYPE_ACK) => Ok(Message::Ack),
        Some(&TYPE_OPEN) => parse_open(bytes).map(Message::Open),
        Some(other) => Err(format!("unknown DCEP message type {other:#04x}")),
        None => Err("empty DCEP message".to_owned()),
    }
}

fn parse_open(bytes: &[u8]) -> Result<Open, String> {
    let Some((header, rest)) = bytes.split_at_checked(OPEN_HEADER) else {
        return Err(format!("a DATA_CHANNEL_OPEN has at least {OPEN_HEADER} bytes, not {}", bytes.len()));
    };
    let u16_at = |i: usize| u16::from_be_bytes([header[i], header[i + 1]]);
    let reliability = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    // Both limits are 16 bits wide in the API; a larger one on the wire means "practically always".
    let limit = u16::try_from(reliability).unwrap_or(u16::MAX);
    let (max_retransmits, max_packet_life_time) = match header[1] & !UNORDERED {
        RELIABLE => (None, None),
        REXMIT => (Some(limit), None),
        TIMED => (None, Some(limit)),
        _ => return Err(format!("unknown channel type {:#04x}", header[1])),
    };
    let label_len = usize::from(u16_at(8));
    let protocol_len = usize::from(u16_at(10));
    let text = |from: usize, len: usize| {
        rest.get(from..from + len)
            .map(|b| String::from_utf8_lossy(b).into_owned())
            .ok_or_else(|| format!("a DATA_CHANNEL_OPEN ends after {} of {} bytes", rest.len(), from + len))
    };
    Ok(Open {
        ordered: header[1] & UNORDERED == 0,
        max_retransmits,
        max_packet_life_time,
        priority: u16_at(2),
        label: text(0, label_len)?,
        protocol: text(label_len, protocol_len)?,
    })
}

/// The ACK message.
pub(crate) fn ack() -> &'static [u8] {
    &[TYPE_ACK]
}

/// Writes an OPEN message. Label and protocol must have at most 65,535 bytes each.
pub fn write_open(open: &Open) -> Vec<u8> {
    let (kind, reliability) = match (open.max_retransmits, open.max_packet_life_time) {
        (Some(n), _) => (REXMIT, n),
        (None, Some(t)) => (TIMED, t),
        (None, None) => (RELIABLE, 0),
    };
    let kind = if open.ordered { kind } else { kind | UNORDERED };
    let len = |s: &str| u16::try_from(s.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut out = Vec::with_capacity(OPEN_HEADER + open.label.len() + open.protocol.len());
    out.extend_from_slice(&[TYPE_OPEN, kind]);
    out.extend_from_slice(&open.priority.to_be_bytes());
    out.extend_from_slice(&u32::from(reliability).to_be_bytes());
    out.extend_from_slice(&len(&open.label));
    out.extend_from_slice(&len(&open.protocol));
    out.extend_from_slice(open.label.as_bytes());
    out.extend_from_slice(open.protocol.as_bytes());
    out
}

impl Open {
    /// The level its priority stands for.
    pub(crate) fn level(&self) -> Priority {
        Priority::from_value(self.priority)
    }
}
