//! Why a frame can't be sent, or a payload not be read.

use thiserror::Error;

use crate::types::Codec;

/// Why a frame can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PacketizeError {
    /// There is nothing in it.
    #[error("an encoded frame of 0 bytes can't be sent: leave it out, the timestamp of the next one tells")]
    Empty,
    /// The payload format has no way to split it.
    #[error(
        "{size} bytes of {codec:?} do not fit into a packet, which holds {room}, and this payload format can't split them: \
         encode shorter frames, or at a lower bitrate"
    )]
    TooLarge {
        /// What it is.
        codec: Codec,
        /// Bytes of what can't be split: the frame, or a NAL unit of it.
        size: usize,
        /// What a packet holds.
        room: usize,
    },
    /// Packets are so small that nothing fits behind the payload header.
    #[error(
        "a packet that holds {room} bytes has no room for a frame of {codec:?}: at least {least} are needed"
    )]
    NoRoom {
        /// What it is.
        codec: Codec,
        /// What a packet holds.
        room: usize,
        /// The least that is of use.
        least: usize,
    },
    /// It is not what its codec's encoder makes.
    #[error("this is no frame of {codec:?}: {what}")]
    NotAFrame {
        /// What it should be.
        codec: Codec,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A payload, or all those of a frame, that break the rules of the payload format; says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);
