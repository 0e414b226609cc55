//! What callers see of a data channel.

use std::fmt;

use crate::rtc_error::RtcError;
use crate::states::ChannelState;

/// Our handle of a data channel: stays the same from creation to the end, never reused within a connection.
/// It is not the SCTP stream id, which is unknown until the DTLS role is and may be reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u32);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `RTCPriorityType`, with its DCEP values (RFC 8831 section 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// 128.
    VeryLow,
    /// 256.
    #[default]
    Low,
    /// 512.
    Medium,
    /// 1024.
    High,
}

impl Priority {
    /// The value on the wire.
    pub fn value(self) -> u16 {
        match self {
            Priority::VeryLow => 128,
            Priority::Low => 256,
            Priority::Medium => 512,
            Priority::High => 1024,
        }
    }

    /// The level of a value on the wire, by the ranges of RFC 8831 section 6.4 (0 counts as the lowest).
    pub fn from_value(value: u16) -> Self {
        match value {
            0..=128 => Priority::VeryLow,
            129..=256 => Priority::Low,
            257..=512 => Priority::Medium,
            _ => Priority::High,
        }
    }

    /// The W3C name.
    pub fn as_str(self) -> &'static str {
        match self {
            Priority::VeryLow => "very-low",
            Priority::Low => "low",
            Priority::Medium => "medium",
            Priority::High => "high",
        }
    }
}

/// `RTCDataChannelInit` and the label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataChannelInit {
    /// At most 65,535 bytes of UTF-8.
    pub label: String,
    /// Subprotocol, at most 65,535 bytes of UTF-8.
    pub protocol: String,
    /// Messages are delivered in the order they were sent.
    pub ordered: bool,
    /// Milliseconds during which a message may be (re)transmitted. Excludes `max_retransmits`.
    pub max_packet_life_time: Option<u16>,
    /// How often a message may be retransmitted. Excludes `max_packet_life_time`.
    pub max_retransmits: Option<u16>,
    /// The stream id (0 to 65,534) both sides have agreed on elsewhere; no DCEP message is sent then.
    pub negotiated: Option<u16>,
    /// Share of the bandwidth among the channels.
    pub priority: Priority,
}

impl Default for DataChannelInit {
    fn default() -> Self {
        DataChannelInit {
            label: String::new(),
            protocol: String::new(),
            ordered: true,
            max_packet_life_time: None,
            max_retransmits: None,
            negotiated: None,
            priority: Priority::Low,
        }
    }
}

/// The present attributes of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Label.
    pub label: String,
    /// Subprotocol.
    pub protocol: String,
    /// Ordered delivery.
    pub ordered: bool,
    /// Milliseconds during which a message may be (re)transmitted.
    pub max_packet_life_time: Option<u16>,
    /// How often a message may be retransmitted.
    pub max_retransmits: Option<u16>,
    /// Agreed on elsewhere instead of by DCEP.
    pub negotiated: bool,
    /// SCTP stream id (`RTCDataChannel.id`), once it is known.
    pub stream_id: Option<u16>,
    /// Priority.
    pub priority: Priority,
    /// State.
    pub state: ChannelState,
    /// Bytes that were given to `send` and have not been sent a first time.
    pub buffered_amount: usize,
}

/// What a message is to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// UTF-8 text (PPID 51 or 56).
    Text,
    /// Bytes (PPID 53 or 57).
    Binary,
}

/// Why a channel was closed, if it was not by `close()` on either side.
pub type ChannelError = RtcError;
