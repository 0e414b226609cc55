//! The agent layer as `ts/agent` sees it: agent URIs and sessions.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use napi::{Error, Result, Status};
use napi_derive::napi;
use ossa_agent::{
    AgentError, Composed, Options, Priority, RawValue, Received, ResultShape, Session, SessionConfig,
};
use ossa_signaling::AgentUri;
use serde_json::json;

/// An error whose message is JSON, which `ts/agent/errors.ts` turns into an `AgentError`.
pub(crate) fn coded(code: &str, message: impl ToString) -> Error {
    from_agent(&AgentError::new(code, message.to_string()))
}

pub(crate) fn from_agent(error: &AgentError) -> Error {
    Error::new(Status::GenericFailure, json!(error).to_string())
}

/// Parses an agent URI; the text in the error says what is wrong.
pub(crate) fn agent_uri(text: &str) -> Result<AgentUri> {
    AgentUri::parse(text).map_err(|error| coded(ossa_agent::code::INVALID_MESSAGE, error))
}

/// The canonical form of an agent URI.
#[cfg_attr(test, allow(dead_code, reason = "JavaScript calls it, and test builds register nothing there"))]
#[napi]
pub(crate) fn normalize_agent_uri(text: String) -> Result<String> {
    agent_uri(&text).map(|uri| uri.to_string())
}

/// A message that is ready to be sent.
#[napi(object)]
pub struct ComposedMessage {
    /// Its id; for a call also the name of the call.
    pub id: String,
    /// The JSON text.
    pub text: String,
}

impl From<Composed> for ComposedMessage {
    fn from(Composed { id, text }: Composed) -> Self {
        Self { id, text }
    }
}

/// What may be said about a message that is sent.
#[napi(object, object_to_js = false)]
pub struct MessageOptions {
    /// Label of the data channel.
    pub channel_id: Option<String>,
    /// Ties messages together.
    pub correlation_id: Option<String>,
    /// `low`, `normal`, `high` or `critical`.
    pub priority: Option<String>,
    /// Seconds in which the message is of use.
    pub ttl: Option<f64>,
}

/// What a received text means. `kind` tells which of the other members are there.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct ReceivedMessage {
    /// `message`, `call`, `cancel`, `room`, `response`, `item`, `end`, `failure`, `broken`, `invalid`, `heartbeat`,
    /// `duplicate`, `expired` or `unmatched`.
    pub kind: &'static str,
    /// Every kind that is about a call: names it.
    pub call: Option<String>,
    /// call: what is called.
    pub capability: Option<String>,
    /// response: the result is the member `result` of the payload, not the payload itself.
    pub wrapped: Option<bool>,
    /// failure, broken, invalid: the error as JSON `{code, message, details?, retryable}`.
    pub error: Option<String>,
    /// broken, invalid: a message to send back.
    pub reply: Option<String>,
}

/// The conversation with one agent over one link.
#[napi]
pub struct AgentSession {
    pub(crate) session: Session,
}

#[napi]
impl AgentSession {
    /// A conversation of `local` with `remote`, both agent URIs.
    #[napi(constructor)]
    pub fn new(local: String, remote: String) -> Result<Self> {
        let config = SessionConfig::new(agent_uri(&local)?, agent_uri(&remote)?);
        Ok(Self { session: Session::new(config, random_seed()) })
    }

    /// The largest message that the connection takes, in bytes; 0 for no limit.
    #[napi]
    pub fn set_max_message_size(&mut self, bytes: f64) {
        // Saturates: a limit beyond the address space is none.
        self.session.set_max_message_size(bytes as usize);
    }

    /// Composes a message; `payload` is JSON.
    #[napi]
    pub fn message(
        &mut self,
        kind: String,
        payload: String,
        options: MessageOptions,
    ) -> Result<ComposedMessage> {
        let options = convert(options)?;
        let composed = self.session.message(&kind, &raw(payload)?, &options, unix_ms());
        composed.map(Into::into).map_err(|error| from_agent(&error))
    }

    /// Takes one text message from the channel.
    #[napi]
    pub fn receive(&mut self, text: String) -> ReceivedMessage {
        let of = |kind| ReceivedMessage { kind, ..ReceivedMessage::default() };
        match self.session.receive(&text, Instant::now(), unix_ms()) {
            Received::Message => of("message"),
            Received::Call { id, capability } => {
                ReceivedMessage { call: Some(id), capability: Some(capability), ..of("call") }
            }
            Received::Cancel { call } => ReceivedMessage { call: Some(call), ..of("cancel") },
            Received::Room { call } => ReceivedMessage { call: Some(call), ..of("room") },
            Received::Item { call } => ReceivedMessage { call: Some(call), ..of("item") },
            Received::End { call } => ReceivedMessage { call: Some(call), ..of("end") },
            Received::Broken { call, error, reply } => ReceivedMessage {
                call: Some(call),
                error: Some(json!(error).to_string()),
                reply: reply.map(|reply| reply.text),
                ..of("broken")
            },
            Received::Response { call, result } => ReceivedMessage {
                call: Some(call),
                wrapped: Some(result == ResultShape::Member),
                ..of("response")
            },
            Received::Failure { call, error } => {
                ReceivedMessage { call: Some(call), error: Some(json!(error).to_string()), ..of("failure") }
            }
            Received::Heartbeat => of("heartbeat"),
            Received::Duplicate => of("duplicate"),
            Received::Expired => of("expired"),
            Received::Unmatched => of("unmatched"),
            Received::Invalid { error, reply } => ReceivedMessage {
                error: Some(json!(error).to_string()),
                reply: reply.map(|reply| reply.text),
                ..of("invalid")
            },
        }
    }

    /// Ends the conversation; returns the calls that get no answer any more.
    #[napi]
    pub fn close(&mut self) -> Vec<String> {
        self.session.close()
    }
}

pub(crate) fn raw(json: String) -> Result<Box<RawValue>> {
    RawValue::from_string(json).map_err(|error| coded(ossa_agent::code::INVALID_MESSAGE, error))
}

pub(crate) fn convert(options: MessageOptions) -> Result<Options> {
    let MessageOptions { channel_id, correlation_id, priority, ttl } = options;
    let priority = match priority.as_deref() {
        None => None,
        Some("low") => Some(Priority::Low),
        Some("normal") => Some(Priority::Normal),
        Some("high") => Some(Priority::High),
        Some("critical") => Some(Priority::Critical),
        Some(other) => {
            let text = format!("{other:?} is not a priority: low, normal, high or critical");
            return Err(coded(ossa_agent::code::INVALID_MESSAGE, text));
        }
    };
    Ok(Options { channel_id, correlation_id, priority, ttl })
}

/// Unpredictable bytes from the operating system.
pub(crate) fn random_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    for half in seed.chunks_exact_mut(16) {
        half.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    }
    seed
}

/// Milliseconds since the Unix epoch.
pub(crate) fn unix_ms() -> u64 {
    // A clock before 1970 is wrong anyway.
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
