//! Errors as they travel between agents.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The payload of an `error` message.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AgentError {
    /// Stable, upper case, for programs: one of [`code`], or whatever the other side sent.
    pub code: String,
    /// For people.
    pub message: String,
    /// Anything more, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<RawValue>>,
    /// Whether the same request may succeed later.
    #[serde(default)]
    pub retryable: bool,
}

/// The error codes that this crate emits.
pub mod code {
    /// The handler of a capability failed.
    pub const CAPABILITY_FAILED: &str = "CAPABILITY_FAILED";
    /// The other side has no such capability.
    pub const CAPABILITY_NOT_FOUND: &str = "CAPABILITY_NOT_FOUND";
    /// The text is not an envelope, or not a sensible one.
    pub const INVALID_MESSAGE: &str = "INVALID_MESSAGE";
    /// The ttl has passed.
    pub const MESSAGE_EXPIRED: &str = "MESSAGE_EXPIRED";
    /// Larger than the connection, or a limit, allows.
    pub const MESSAGE_TOO_LARGE: &str = "MESSAGE_TOO_LARGE";
    /// Something that the protocol does not allow at this point.
    pub const PROTOCOL_ERROR: &str = "PROTOCOL_ERROR";
    /// Too much at once.
    pub const RATE_LIMIT_EXCEEDED: &str = "RATE_LIMIT_EXCEEDED";
    /// The answer took too long.
    pub const TASK_TIMEOUT: &str = "TASK_TIMEOUT";
    /// The sender is not who it has to be.
    pub const UNAUTHORIZED: &str = "UNAUTHORIZED";
}

impl AgentError {
    /// An error without details. It counts as retryable if its code says that the cause passes.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        let retryable = code == code::RATE_LIMIT_EXCEEDED;
        Self { code: code.to_owned(), message: message.into(), details: None, retryable }
    }
}
