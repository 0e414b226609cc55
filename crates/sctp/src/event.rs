//! What an association tells its caller.

use std::time::Duration;

use bytes::Bytes;

use crate::chunk::cause;

/// Control events, taken with [`Association::poll_event`](crate::Association::poll_event).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The handshake is done.
    Connected {
        /// Streams we may send on: identifiers `0..outbound_streams`.
        outbound_streams: u16,
        /// Streams the peer may send on.
        inbound_streams: u16,
    },
    /// The peer lost its state and set the association up anew (RFC 9260 section 5.2.4, action A). All streams
    /// start again at zero; what was queued or in flight is gone (`Released` counts it).
    Restarted,
    /// The peer performed our reset: the outgoing stream can be used again from zero.
    OutgoingResetDone {
        /// Stream identifier.
        stream: u16,
    },
    /// The peer refused our reset; the stream can be used on as before.
    OutgoingResetFailed {
        /// Stream identifier.
        stream: u16,
    },
    /// Bytes left `buffered_amount`, because they were sent a first time or given up. Added up per stream.
    Released {
        /// Stream identifier.
        stream: u16,
        /// Payload bytes.
        bytes: usize,
    },
    /// A partially reliable message was given up (RFC 3758).
    Abandoned {
        /// Stream identifier.
        stream: u16,
        /// Payload protocol identifier of the message.
        ppid: u32,
    },
    /// The largest packet that the path carries changed.
    MtuChanged {
        /// Bytes of an SCTP packet.
        mtu: usize,
    },
    /// The association is over; nothing follows.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// Why an association ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// A graceful shutdown, by either side, ran to its end.
    #[error("shut down gracefully")]
    Shutdown,
    /// [`Association::abort`](crate::Association::abort) was called.
    #[error("aborted locally: {message}")]
    LocalAbort {
        /// The reason given to `abort`.
        message: String,
    },
    /// The peer sent an ABORT.
    #[error("aborted by the peer: {}", cause::in_words(*cause, message))]
    PeerAbort {
        /// Error cause code (RFC 9260 section 3.3.10), if there was one.
        cause: Option<u16>,
        /// Text that came with it, or the name of the cause.
        message: String,
    },
    /// The peer broke the protocol, or a limit of ours, and we sent an ABORT.
    #[error("the peer violated the protocol ({}): {message}", cause::name(*cause))]
    ProtocolViolation {
        /// Error cause code (RFC 9260 section 3.3.10) that the ABORT carried.
        cause: u16,
        /// What happened.
        message: String,
    },
    /// The peer did not complete the handshake within `Config::handshake_timeout`.
    #[error("the peer has not completed the SCTP handshake within {} ms", waited.as_millis())]
    HandshakeTimeout {
        /// How long it was tried.
        waited: Duration,
    },
}

/// Data from the peer, in the order in which it has to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A whole message.
    Message(Message),
    /// The peer reset these streams (its outgoing, our incoming side); empty = all. Messages that come after
    /// this belong to a new life of the stream.
    StreamsReset(Vec<u16>),
}

/// A message from the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Stream identifier.
    pub stream: u16,
    /// Payload protocol identifier.
    pub ppid: u32,
    /// Whether it was sent unordered.
    pub unordered: bool,
    /// The bytes, at least one.
    pub payload: Bytes,
}
