//! Errors of the agent layer and of signaling: JSON in the message of a JavaScript error, which `ts/base/errors.ts` turns into an
//! `AgentError`.

use napi::{Error, Status};
use ossa_agent::AgentError;
use serde_json::json;

/// An error with one of the protocol's codes.
pub(crate) fn coded(code: &str, message: impl ToString) -> Error {
    from_agent(&AgentError::new(code, message.to_string()))
}

/// An error of the agent layer.
pub(crate) fn from_agent(error: &AgentError) -> Error {
    Error::new(Status::GenericFailure, json!(error).to_string())
}
