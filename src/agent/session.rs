//! The agent layer as `ts/agent` sees it: agent URIs and sessions.

use std::time::{Duration, Instant};

use napi::Result;
use napi_derive::napi;
use ossa_agent::{
    Composed, Options, Priority, RawValue, ReassemblyLimits, Received, ResultShape, Session, SessionConfig,
};
use serde_json::json;

use crate::base::agent_error::{coded, from_agent};
use crate::base::identity::agent_uri;
use crate::base::system::{milliseconds_until, random_seed, unix_ms};

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
    /// Where in a trace the message belongs.
    pub traceparent: Option<String>,
    /// What tracing systems add to that.
    pub tracestate: Option<String>,
}

/// Bounds of a session, all of them.
#[napi(object, object_to_js = false)]
pub struct SessionLimits {
    /// Ids that are remembered to drop duplicates.
    pub dedupe_ids: f64,
    /// Milliseconds by which clocks may differ.
    pub clock_skew: f64,
    /// Bytes of a message.
    pub message_bytes: f64,
    /// Bytes of all messages that are incomplete.
    pub incomplete_bytes: f64,
    /// Messages that are incomplete.
    pub incomplete_messages: f64,
    /// Milliseconds until a message is given up whose parts have stopped coming.
    pub incomplete_idle: f64,
}

/// What a received text means; a number, since most messages need nothing more. Known to `ts/agent/messages/receiver.ts`.
mod kind {
    pub(super) const MESSAGE: u32 = 0;
    pub(super) const HEARTBEAT: u32 = 1;
    /// Dropped, as the protocol wants it.
    pub(super) const DROPPED: u32 = 2;
    /// Anything else: `details` tells.
    pub(super) const OTHER: u32 = 3;
    /// Added when the message came in parts: its text is to be taken.
    pub(super) const WHOLE: u32 = 16;
}

/// More about a received text. `kind` tells which of the other members are there.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct ReceivedMessage {
    /// `call`, `cancel`, `room`, `response`, `item`, `end`, `failure`, `broken`, `invalid` or `part`.
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
    /// part: the message.
    pub id: Option<String>,
    /// part: how many are there.
    pub parts: Option<u32>,
    /// part: how many there will be.
    pub total: Option<u32>,
    /// part: bytes that are there.
    pub bytes: Option<f64>,
}

/// The conversation with one agent over one link.
#[napi]
pub struct AgentSession {
    pub(crate) session: Session,
    /// About the last text.
    details: ReceivedMessage,
}

#[napi]
impl AgentSession {
    /// A conversation of `local` with `remote`, both agent URIs.
    #[napi(constructor)]
    pub fn new(local: String, remote: String, limits: SessionLimits) -> Result<Self> {
        let mut config = SessionConfig::new(agent_uri(&local)?, agent_uri(&remote)?);
        // Conversions from float saturate: more than the address space holds is no limit.
        config.dedupe_window = limits.dedupe_ids as usize;
        config.clock_skew = duration(limits.clock_skew);
        config.reassembly = ReassemblyLimits {
            message_bytes: limits.message_bytes as usize,
            total_bytes: limits.incomplete_bytes as usize,
            messages: limits.incomplete_messages as usize,
            idle: duration(limits.incomplete_idle),
        };
        Ok(Self { session: Session::new(config, random_seed()), details: ReceivedMessage::default() })
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

    /// Takes one text message; `channel` is a number that belongs to the channel alone. Returns what it means: one of
    /// the kinds, plus `WHOLE`.
    #[napi]
    pub fn receive(&mut self, channel: u32, text: String) -> u32 {
        let of = |kind| ReceivedMessage { kind, ..ReceivedMessage::default() };
        self.details = match self.session.receive(channel, &text, Instant::now(), unix_ms()) {
            Received::Message => return kind::MESSAGE + self.whole(),
            Received::Heartbeat => return kind::HEARTBEAT + self.whole(),
            Received::Duplicate | Received::Expired | Received::Unmatched => return kind::DROPPED,
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
            Received::Part { id, parts, total, bytes } => ReceivedMessage {
                id: Some(id),
                parts: Some(parts),
                total: Some(total),
                bytes: Some(bytes as f64),
                ..of("part")
            },
            Received::Invalid { error, reply } => ReceivedMessage {
                error: Some(json!(error).to_string()),
                reply: reply.map(|reply| reply.text),
                ..of("invalid")
            },
        };
        kind::OTHER + self.whole()
    }

    fn whole(&self) -> u32 {
        if self.session.has_whole() { kind::WHOLE } else { 0 }
    }

    /// More about the text that was received last. Takes it: a second call says nothing.
    #[napi]
    pub fn details(&mut self) -> ReceivedMessage {
        std::mem::take(&mut self.details)
    }

    /// The text of the message that has come in parts.
    #[napi]
    pub fn take_whole(&mut self) -> Option<String> {
        self.session.take_whole()
    }

    /// A channel is gone, and the messages that came in parts through it.
    #[napi]
    pub fn forget_channel(&mut self, channel: u32) {
        self.session.forget_channel(channel);
    }

    /// Milliseconds until `expire_parts` is due; `null` if no message is incomplete.
    #[napi]
    pub fn parts_timeout(&self) -> Option<f64> {
        self.session.parts_timeout().map(milliseconds_until)
    }

    /// Gives up messages whose parts have stopped coming; an error as JSON for each.
    #[napi]
    pub fn expire_parts(&mut self) -> Vec<String> {
        let errors = self.session.expire_parts(Instant::now());
        errors.iter().map(|error| json!(error).to_string()).collect()
    }

    /// Ends the conversation; returns the calls that get no answer any more.
    #[napi]
    pub fn close(&mut self) -> Vec<String> {
        self.session.close()
    }
}

/// Milliseconds from JavaScript. What no `Duration` can hold is as good as for ever.
fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or(Duration::MAX)
}

pub(crate) fn raw(json: String) -> Result<Box<RawValue>> {
    RawValue::from_string(json).map_err(|error| coded(ossa_agent::code::INVALID_MESSAGE, error))
}

pub(crate) fn convert(options: MessageOptions) -> Result<Options> {
    let MessageOptions { channel_id, correlation_id, priority, ttl, traceparent, tracestate } = options;
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
    Ok(Options { channel_id, correlation_id, priority, ttl, traceparent, tracestate })
}
