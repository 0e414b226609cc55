//! The text messages of a file channel.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::name::boundary;
use crate::error::{AgentError, code};

/// Largest binary message that a receiver takes, in bytes. Senders of ours use a quarter of it.
pub const MAX_CHUNK: u64 = 1024 * 1024;

/// Smallest and largest credit window, in bytes. The least lets a sender of 256 KiB messages always go on when
/// everything is written; the most bounds what a receiver may have to hold.
pub const WINDOWS: std::ops::RangeInclusive<u64> = 512 * 1024..=64 * 1024 * 1024;

/// Longest text message accepted, in bytes: an offer with its metadata.
pub const MAX_CONTROL: usize = 64 * 1024;

/// Longest id, name and media type accepted, in bytes. Names of files end at 255 on most systems.
const MAX_ID: usize = 64;
const MAX_NAME: usize = 1024;
const MAX_MEDIA_TYPE: usize = 256;

/// Longest error code and message passed on, in bytes: they are for people and logs.
const MAX_CODE: usize = 64;
const MAX_MESSAGE: usize = 1024;

/// The largest size, in bytes: JavaScript counts exactly so far.
pub(super) const MAX_SIZE: u64 = (1 << 53) - 1;

/// What a sender says about its file. Nothing of it is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileOffer {
    /// Version of the protocol: 1.
    pub version: u32,
    /// Names the transfer; the same again when it is tried again.
    pub id: String,
    /// As the sender calls it: see [`safe_file_name`](super::safe_file_name) before it comes near a disk.
    pub name: String,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Bytes; absent for a stream of unknown length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Last modification, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<u64>,
    /// SHA-256 of the first bytes (at most 1 MiB), in hexadecimal: tells files of the same name apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Whether the sender can begin anywhere.
    #[serde(default)]
    pub resumable: bool,
    /// Milliseconds that the sender waits for an answer.
    pub timeout: u64,
    /// Whatever the application of the sender adds, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// Where in a trace the transfer belongs (W3C Trace Context 3.2). What is no text is as if it were not there.
    #[serde(default, deserialize_with = "text_or_nothing", skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What tracing systems add to that (W3C Trace Context 3.3).
    #[serde(default, deserialize_with = "text_or_nothing", skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
}

/// What is not needed for the transfer must not cost it.
fn text_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

impl FileOffer {
    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> Result<(), AgentError> {
        let wrong = |text: String| Err(AgentError::new(code::INVALID_MESSAGE, text));
        if self.version != 1 {
            let text = format!("version {} of file transfers is not known here, only 1", self.version);
            return Err(AgentError::new("UNSUPPORTED_VERSION", text));
        }
        if self.id.is_empty() || self.id.len() > MAX_ID {
            return wrong(format!("the id of a file has 1 to {MAX_ID} bytes, not {}", self.id.len()));
        }
        if self.name.len() > MAX_NAME {
            return wrong(format!(
                "the name of a file has at most {MAX_NAME} bytes, not {}",
                self.name.len()
            ));
        }
        if self.media_type.as_ref().is_some_and(|kind| kind.len() > MAX_MEDIA_TYPE) {
            return wrong(format!("a media type has at most {MAX_MEDIA_TYPE} bytes"));
        }
        if self.size.is_some_and(|size| size > MAX_SIZE) || self.modified.is_some_and(|time| time > MAX_SIZE)
        {
            return wrong("the size or the time of a file is beyond 2^53".to_owned());
        }
        if self.head.as_deref().is_some_and(|head| !is_sha256(head)) {
            return wrong("the head of a file is a SHA-256 in hexadecimal".to_owned());
        }
        if self.resumable && self.size.is_none() {
            return wrong("a stream of unknown size cannot be resumed".to_owned());
        }
        Ok(())
    }
}

/// Everything that is said. Unknown members are ignored, unknown types are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Control {
    Offer(FileOffer),
    Preparing,
    Accept { offset: u64, sha256: Option<String>, window: u64 },
    Start { offset: u64 },
    Credit { written: u64, limit: u64 },
    Finish { size: u64, sha256: String },
    Done { size: u64, sha256: String },
    Abort(Reason),
}

impl Control {
    /// Its `type`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Preparing => "preparing",
            Self::Accept { .. } => "accept",
            Self::Start { .. } => "start",
            Self::Credit { .. } => "credit",
            Self::Finish { .. } => "finish",
            Self::Done { .. } => "done",
            Self::Abort(_) => "abort",
        }
    }
}

/// Why a transfer ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reason {
    code: String,
    message: String,
    #[serde(default)]
    retryable: bool,
}

impl From<Reason> for AgentError {
    fn from(reason: Reason) -> Self {
        let Reason { mut code, mut message, retryable } = reason;
        truncate(&mut code, MAX_CODE);
        truncate(&mut message, MAX_MESSAGE);
        Self { code, message, details: None, retryable }
    }
}

pub(super) fn parse(text: &str) -> Result<Control, AgentError> {
    if text.len() > MAX_CONTROL {
        let text =
            format!("a message of {} bytes about a file; at most {MAX_CONTROL} are allowed", text.len());
        return Err(AgentError::new(code::MESSAGE_TOO_LARGE, text));
    }
    serde_json::from_str(text).map_err(|error| {
        AgentError::new(code::PROTOCOL_ERROR, format!("not a message about a file: {error}"))
    })
}

pub(super) fn write(control: &Control) -> String {
    serde_json::to_string(control).expect("strings and numbers always serialize")
}

pub(super) fn abort(error: &AgentError) -> String {
    let mut message = error.message.clone();
    truncate(&mut message, MAX_MESSAGE);
    write(&Control::Abort(Reason { code: error.code.clone(), message, retryable: error.retryable }))
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn truncate(text: &mut String, bytes: usize) {
    text.truncate(boundary(text, bytes));
}
