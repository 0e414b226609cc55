//! Errors cross as data: a JSON object in the message of a JavaScript error, which `ts/native/error.ts` unpacks.

use std::io;

use napi::{Error, Status};
use ossa_peer::ErrorKind;
use serde_json::json;

/// What functions that JavaScript calls return.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// An error with the name of the standard exception and a sentence for people.
pub(crate) fn failure(code: &str, message: &str) -> Error {
    encoded(code, message, None, None)
}

/// The caller has passed a value of the wrong kind or outside of its range.
pub(crate) fn type_error(message: impl AsRef<str>) -> Error {
    failure("TypeError", message.as_ref())
}

/// An error of the connection.
pub(crate) fn from_peer(error: ossa_peer::Error) -> Error {
    encoded(error.kind.name(), &error.message, error.kind.detail(), error.sdp_line)
}

/// An error of the I/O layer.
pub(crate) fn from_net(error: ossa_net::Error) -> Error {
    match error {
        ossa_net::Error::Connection(error) => from_peer(error),
        ossa_net::Error::Config { .. } => failure(ErrorKind::Range.name(), &error.to_string()),
        ossa_net::Error::Io { ref source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
            let advice = "end the program that has it, or take another port";
            failure(ErrorKind::Operation.name(), &format!("EADDRINUSE: {error}: {advice}"))
        }
        _ => failure(ErrorKind::Operation.name(), &error.to_string()),
    }
}

fn encoded(code: &str, message: &str, detail: Option<&str>, line: Option<u32>) -> Error {
    let json = json!({ "code": code, "message": message, "errorDetail": detail, "sdpLineNumber": line });
    Error::new(Status::GenericFailure, json.to_string())
}
