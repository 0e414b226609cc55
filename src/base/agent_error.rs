//! Errors of the agent layer and of signaling: JSON in the message of a JavaScript error, which `ts/base/errors.ts` turns into an
//! `AgentError`.

use std::io;

use napi::{Error, Status};
use ossa_agent::AgentError;
use serde_json::json;

/// An error with one of the protocol's codes.
pub(crate) fn coded(code: &str, message: impl ToString) -> Error {
    from_agent(&AgentError::new(code, message.to_string()))
}

/// The operating system has refused something. `ts/base/system-errors.ts` makes of it what Node throws in such a case; it knows what
/// was to be done.
pub(crate) fn refused_by_system(error: &io::Error) -> Error {
    // What Node calls those that have another number on each system; of the others the number is enough.
    let code = match error.kind() {
        io::ErrorKind::AddrInUse => "EADDRINUSE",
        io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        io::ErrorKind::PermissionDenied => "EACCES",
        _ => "SYSTEM",
    };
    let details = json!({ "systemNumber": error.raw_os_error() });
    let json = json!({ "code": code, "message": error.to_string(), "details": details });
    Error::new(Status::GenericFailure, json.to_string())
}

/// An error of the agent layer.
pub(crate) fn from_agent(error: &AgentError) -> Error {
    Error::new(Status::GenericFailure, json!(error).to_string())
}
