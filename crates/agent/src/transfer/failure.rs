//! How a transfer fails.

use super::wire::abort;
use crate::error::{AgentError, code};

/// The end of a transfer by an error.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: AgentError,
    /// What to tell the other side, if it does not know.
    pub tell: Option<String>,
}

impl Failure {
    /// The other side is told what happened here.
    pub(super) fn told(error: AgentError) -> Self {
        let tell = abort(&error);
        Self { error, tell: Some(tell) }
    }

    /// The other side does not keep to the protocol.
    pub(super) fn violation(message: impl Into<String>) -> Self {
        Self::told(AgentError::new(code::PROTOCOL_ERROR, message))
    }
}
