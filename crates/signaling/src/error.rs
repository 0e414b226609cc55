//! Errors as agents and servers tell them to each other.

use serde::{Deserialize, Serialize};

/// Code and text of a refusal, as in the specification's `error` messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Stable, upper case, for programs: see [`code`].
    pub code: String,
    /// For people.
    pub message: String,
}

impl ErrorBody {
    /// An error with one of the codes in [`code`].
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// The error codes that a signaling server or client emits.
pub mod code {
    /// The recipient is not registered with this service.
    pub const AGENT_UNREACHABLE: &str = "AGENT_UNREACHABLE";
    /// The text is not a message of this protocol.
    pub const INVALID_MESSAGE: &str = "INVALID_MESSAGE";
    /// A message waited too long for a connection.
    pub const MESSAGE_EXPIRED: &str = "MESSAGE_EXPIRED";
    /// The message, or what is queued for a slow recipient, exceeds a limit of the service.
    pub const MESSAGE_TOO_LARGE: &str = "MESSAGE_TOO_LARGE";
    /// A frame that makes no sense in this state, for example binary data.
    pub const PROTOCOL_ERROR: &str = "PROTOCOL_ERROR";
    /// A limit on counts (registrations, connections) is reached.
    pub const RATE_LIMIT_EXCEEDED: &str = "RATE_LIMIT_EXCEEDED";
    /// The service cannot decide about a registration at the moment; trying again later makes sense.
    pub const INTERNAL_ERROR: &str = "INTERNAL_ERROR";
    /// `from` is not registered on this connection, the agent URI belongs to somebody else, or was not proven.
    pub const UNAUTHORIZED: &str = "UNAUTHORIZED";
}

/// WebSocket close codes (RFC 6455, 7.4.2: 4000-4999 are for applications) of this protocol.
pub mod close_code {
    /// Another connection proved to be the owner of the agent URI.
    pub const REPLACED: u16 = 4001;
    /// The client did not read what was sent to it.
    pub const SLOW_CONSUMER: u16 = 4002;
    /// Nothing was heard from the client, not even answers to pings.
    pub const IDLE: u16 = 4003;
    /// The client did not register in time.
    pub const NOT_REGISTERED: u16 = 4004;
    /// The client went on beyond a rate limit.
    pub const RATE_LIMITED: u16 = 4005;
}
