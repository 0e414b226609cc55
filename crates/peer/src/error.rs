//! The one error type of this crate, carrying what a binding needs to raise the standard exception.

use std::fmt;

/// Which standard exception an [`Error`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call is not allowed in the present state.
    InvalidState,
    /// A description was changed between its creation and `setLocalDescription`.
    InvalidModification,
    /// The content of a description is invalid, though its syntax is not.
    InvalidAccess,
    /// The operation failed for a reason that is specific to it.
    Operation,
    /// A description could not be parsed: an `RTCError` whose detail is `sdp-syntax-error`.
    Syntax,
    /// A JavaScript `TypeError`.
    Type,
    /// A JavaScript `RangeError`.
    Range,
    /// Valid, but not supported by this implementation.
    NotSupported,
    /// The transport failed.
    Network,
    /// Bytes or text in an impossible encoding.
    Encoding,
    /// Data that is malformed.
    Data,
    /// A certificate or fingerprint was refused.
    Security,
    /// A limit on memory or on a count was reached.
    QuotaExceeded,
    /// A mistake in this library or in one below it has ended the connection. Please report it.
    Internal,
}

impl ErrorKind {
    /// Name of the `DOMException` (or JavaScript error class) to raise.
    ///
    /// [`ErrorKind::Syntax`] is an `RTCError`, which is a `DOMException` of the name `OperationError`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidState => "InvalidStateError",
            Self::InvalidModification => "InvalidModificationError",
            Self::InvalidAccess => "InvalidAccessError",
            Self::Operation | Self::Syntax | Self::Internal => "OperationError",
            Self::Type => "TypeError",
            Self::Range => "RangeError",
            Self::NotSupported => "NotSupportedError",
            Self::Network => "NetworkError",
            Self::Encoding => "EncodingError",
            Self::Data => "DataError",
            Self::Security => "SecurityError",
            Self::QuotaExceeded => "QuotaExceededError",
        }
    }

    /// Value of `RTCError.errorDetail` when the exception has to be an `RTCError`.
    pub const fn detail(self) -> Option<&'static str> {
        match self {
            Self::Syntax => Some("sdp-syntax-error"),
            _ => None,
        }
    }
}

/// What went wrong, with which value, and (where it helps) what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The standard exception this stands for.
    pub kind: ErrorKind,
    /// A sentence for people.
    pub message: String,
    /// Number of the offending line of a description, from 1 (`RTCError.sdpLineNumber`).
    pub sdp_line: Option<u32>,
}

impl Error {
    /// An error without a line number.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), sdp_line: None }
    }

    /// A syntax error at `line` (from 1) of a description.
    pub fn syntax(line: u32, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Syntax, message: message.into(), sdp_line: Some(line) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)?;
        match self.sdp_line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
