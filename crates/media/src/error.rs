//! Why a session refuses what its owner asks for.

use thiserror::Error;

use crate::payload::PacketizeError;
use crate::types::{ReceiverId, SenderId};

/// Why a session refuses what its owner asks for. Nothing that the network sends ends in one of these.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MediaError {
    /// The keys do not have the lengths that their profile asks for.
    #[error("the SRTP keys do not fit {profile}: {detail}")]
    Keys {
        /// The profile.
        profile: &'static str,
        /// Which, and how long it is.
        detail: String,
    },
    /// There is no such sender.
    #[error("there is no sender {}: set_sender comes first", .0.0)]
    UnknownSender(SenderId),
    /// There is no such receiver.
    #[error("there is no receiver {}: set_receiver comes first", .0.0)]
    UnknownReceiver(ReceiverId),
    /// A sender has no such encoding.
    #[error("sender {} has {count} encodings, there is no index {index}", sender.0)]
    UnknownEncoding {
        /// Whose.
        sender: SenderId,
        /// What was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A sender has no such payload type.
    #[error("payload type {payload} is not among those negotiated for sender {}", sender.0)]
    UnknownPayload {
        /// Whose.
        sender: SenderId,
        /// What was asked for.
        payload: u8,
    },
    /// The direction of the section, or the encoding's `active`, allows no sending now.
    #[error("sender {} sends nothing now: its section or its encoding is not active", .0.0)]
    Inactive(SenderId),
    /// What is wrong with a frame.
    #[error(transparent)]
    Frame(#[from] PacketizeError),
    /// A packet that was made elsewhere is larger than the path carries, and can't be cut.
    #[error(
        "a packet of {size} bytes with its header does not fit into the {room} that this path carries: let who makes it make smaller ones"
    )]
    TooLarge {
        /// Bytes of header and payload.
        size: usize,
        /// The bound.
        room: usize,
    },
    /// What is wrong with a packet or a configuration.
    #[error("{0}")]
    Invalid(String),
    /// As much waits to be sent as [`Limits::queued_bytes`](crate::Limits::queued_bytes) allows: send less, see
    /// [`MediaEvent::TargetBitrate`](crate::MediaEvent::TargetBitrate).
    #[error("{queued} bytes wait to be sent and {limit} are the limit: the frame was not taken")]
    QueueFull {
        /// Bytes that wait.
        queued: usize,
        /// The bound.
        limit: usize,
    },
}
