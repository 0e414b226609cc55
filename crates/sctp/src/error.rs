//! Errors of the calls that a caller makes.

use crate::state::State;

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The association is not (or no longer) able to send.
    #[error("cannot send in state \"{state}\": wait for Event::Connected")]
    NotConnected {
        /// The state it is in.
        state: State,
    },
    /// The payload is empty, which SCTP cannot carry (WebRTC maps it to PPID 56 or 57 with one byte).
    #[error("cannot send an empty message: SCTP has none, send one byte with an 'empty' PPID")]
    Empty,
    /// The payload is larger than the peer accepts.
    #[error("cannot send a message of {size} bytes: the limit is {limit} bytes")]
    TooLarge {
        /// Size of the payload in bytes.
        size: usize,
        /// `Config::max_send_message_size`.
        limit: usize,
    },
    /// The send buffer is full; try again after `Event::Released`.
    #[error(
        "send buffer is full: {buffered} bytes wait, the limit is {limit} bytes; wait for Event::Released"
    )]
    BufferFull {
        /// Bytes that wait.
        buffered: usize,
        /// `Config::send_buffer_limit`.
        limit: usize,
    },
    /// The peer did not agree to that many streams.
    #[error("stream {stream} does not exist: the association has {streams} outgoing streams")]
    NoSuchStream {
        /// The stream identifier asked for.
        stream: u16,
        /// How many there are; identifiers start at 0.
        streams: u16,
    },
}

/// Why a stream reset was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetError {
    /// The association is not (or no longer) connected.
    #[error("cannot reset a stream in state \"{state}\": wait for Event::Connected")]
    NotConnected {
        /// The state it is in.
        state: State,
    },
    /// The peer cannot reset streams (RFC 6525 was not negotiated).
    #[error("the peer does not support stream reset (RFC 6525)")]
    NotSupported,
    /// The peer did not agree to that many streams.
    #[error("stream {stream} does not exist: the association has {streams} outgoing streams")]
    NoSuchStream {
        /// The stream identifier asked for.
        stream: u16,
        /// How many there are; identifiers start at 0.
        streams: u16,
    },
    /// A reset of this stream is already under way.
    #[error("stream {stream} is already being reset: wait for Event::OutgoingResetDone")]
    InProgress {
        /// The stream identifier.
        stream: u16,
    },
}
