//! The conversation with one agent.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::calls::Calls;
use crate::envelope::{Envelope, Metadata};
use crate::error::{AgentError, code};
use crate::seen::Seen;
use crate::session_types::{Composed, Options, Received, ResultShape, SessionConfig};
use crate::timestamp;

/// The conversation with one agent over one link.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    random: ChaCha8Rng,
    /// 0 = no limit.
    max_message_size: usize,
    calls: Calls,
    /// Calls of the other side in progress: their id, and the correlation id that the answer needs.
    active: HashMap<Arc<str>, Box<str>>,
    seen: Seen,
}

impl Session {
    /// `seed` must be unpredictable: message ids come from it.
    pub fn new(config: SessionConfig, seed: [u8; 32]) -> Self {
        Self {
            random: ChaCha8Rng::from_seed(seed),
            max_message_size: 0,
            calls: Calls::new(config.max_pending_calls),
            active: HashMap::new(),
            seen: Seen::new(config.dedupe_window),
            config,
        }
    }

    /// The largest message that the connection takes, in bytes; 0 for no limit.
    pub fn set_max_message_size(&mut self, bytes: usize) {
        self.max_message_size = bytes;
    }

    /// Calls of ours that wait for an answer.
    pub fn pending_calls(&self) -> usize {
        self.calls.len()
    }

    /// Composes a message of any type but calls and their answers.
    ///
    /// # Errors
    /// `MESSAGE_TOO_LARGE`, and `INVALID_MESSAGE` for a ttl that is not a positive number.
    pub fn message(
        &mut self,
        kind: &str,
        payload: &RawValue,
        options: &Options,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        if let Some(ttl) = options.ttl
            && !(ttl.is_finite() && ttl > 0.0)
        {
            let text = format!("the ttl must be a positive number of seconds, not {ttl}");
            return Err(AgentError::new(code::INVALID_MESSAGE, text));
        }
        let id = self.new_id();
        self.compose(id, kind, payload, options, false, unix_ms)
    }

    /// Composes a call and waits for its answer until `timeout` after `now`.
    ///
    /// # Errors
    /// `MESSAGE_TOO_LARGE`; `RATE_LIMIT_EXCEEDED` when too many calls are waiting.
    pub fn call(
        &mut self,
        capability: &str,
        input: &RawValue,
        timeout: Duration,
        options: &Options,
        now: Instant,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        if self.calls.is_full() {
            let text = format!("{} calls wait for an answer, the most allowed", self.calls.len());
            return Err(AgentError::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        let payload = raw(&CallOut { capability, input });
        let id = self.new_id();
        // The same value in both places: a peer may answer with either.
        let options = Options { correlation_id: Some(id.clone()), ..options.clone() };
        let composed = self.compose(id, "capability_call", &payload, &options, false, unix_ms)?;
        // A timeout too long for the clock is no timeout that anybody will see: a year stands for it.
        let deadline = now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600));
        self.calls.insert(&composed.id, deadline);
        Ok(composed)
    }

    /// Gives a call of ours up; its answer will be [`Received::Unmatched`]. False if it is not waiting.
    pub fn cancel(&mut self, call: &str) -> bool {
        self.calls.remove(call)
    }

    /// Composes the answer to a call of the other side.
    ///
    /// # Errors
    /// `MESSAGE_TOO_LARGE`: the call is still open then and wants a [`fail`](Self::fail). `PROTOCOL_ERROR` if there is
    /// no such call.
    pub fn respond(&mut self, call: &str, result: &RawValue, unix_ms: u64) -> Result<Composed, AgentError> {
        let options = self.answer_to(call)?;
        let literal = shape_of(result) == ResultShape::Member;
        let id = self.new_id();
        let composed = self.compose(id, "capability_response", result, &options, literal, unix_ms)?;
        self.active.remove(call);
        Ok(composed)
    }

    /// Composes the failure of a call of the other side.
    ///
    /// # Errors
    /// `PROTOCOL_ERROR` if there is no such call, `MESSAGE_TOO_LARGE` if not even the error fits; the call is closed.
    pub fn fail(&mut self, call: &str, error: &AgentError, unix_ms: u64) -> Result<Composed, AgentError> {
        let options = self.answer_to(call)?;
        self.active.remove(call);
        let id = self.new_id();
        self.compose(id, "error", &raw(error), &options, false, unix_ms)
    }

    fn answer_to(&self, call: &str) -> Result<Options, AgentError> {
        let correlation = self.active.get(call).ok_or_else(|| {
            AgentError::new(code::PROTOCOL_ERROR, format!("there is no call {call:?} to answer"))
        })?;
        Ok(Options { correlation_id: Some(correlation.to_string()), ..Options::default() })
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.calls.next_deadline()
    }

    /// The calls of ours whose time has run out, in the order of their deadlines.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| self.calls.pop_expired(now)).map(|id| id.to_string()).collect()
    }

    /// Ends the conversation: returns the calls of ours that get no answer any more.
    pub fn close(&mut self) -> Vec<String> {
        self.active.clear();
        self.calls.clear().iter().map(ToString::to_string).collect()
    }

    /// Takes one text message from the channel.
    pub fn receive(&mut self, text: &str, unix_ms: u64) -> Received {
        let envelope = match Envelope::parse(text) {
            Ok(envelope) => envelope,
            Err(error) => return self.invalid(error, Reply::None, unix_ms),
        };
        let correlation = envelope.correlation_id().unwrap_or(&envelope.id).to_owned();
        if let Err(error) = self.check(&envelope, unix_ms) {
            if error.code == code::MESSAGE_EXPIRED {
                return Received::Expired;
            }
            let reply = match envelope.kind.as_str() {
                // An error is never answered with an error: two agents could go on like that for ever.
                "error" => Reply::None,
                "capability_call" => Reply::ToCall(correlation),
                _ => Reply::Plain,
            };
            return self.invalid(error, reply, unix_ms);
        }
        if !envelope.id.is_empty() && !self.seen.insert(&envelope.id) {
            return Received::Duplicate;
        }
        match envelope.kind.as_str() {
            "heartbeat" => Received::Heartbeat,
            "capability_call" => self.receive_call(&envelope, correlation, unix_ms),
            "capability_response" => match self.take_call(&envelope) {
                Some(call) => {
                    let literal = envelope.metadata.as_ref().is_some_and(|metadata| metadata.raw_result);
                    let shape = envelope.payload.map_or(ResultShape::Payload, shape_of);
                    Received::Response { call, result: if literal { ResultShape::Payload } else { shape } }
                }
                None => Received::Unmatched,
            },
            "error" => match self.take_call(&envelope) {
                Some(call) => Received::Failure { call, error: error_of(envelope.payload) },
                // Not about a call: for the application to know. A late answer is not worth its attention.
                None if envelope.correlation_id().is_none() => Received::Message,
                None => Received::Unmatched,
            },
            _ => Received::Message,
        }
    }

    /// Sender, ttl and parts that this end does not take.
    fn check(&self, envelope: &Envelope<&RawValue>, unix_ms: u64) -> Result<(), AgentError> {
        let Some(metadata) = &envelope.metadata else { return Ok(()) };
        if metadata.agent_id != self.config.remote {
            let text = format!("this link belongs to {}, not to {}", self.config.remote, metadata.agent_id);
            return Err(AgentError::new(code::UNAUTHORIZED, text));
        }
        if metadata.chunked.is_some() {
            let text = "messages in parts are not accepted here; send it whole, up to the negotiated maximum";
            return Err(AgentError::new(code::MESSAGE_TOO_LARGE, text));
        }
        let Some(ttl) = metadata.ttl else { return Ok(()) };
        let sent = timestamp::parse(&envelope.timestamp).ok_or_else(|| {
            let text = format!("a ttl needs an ISO 8601 \"timestamp\", not {:?}", envelope.timestamp);
            AgentError::new(code::INVALID_MESSAGE, text)
        })?;
        // Conversions from float saturate; the sums cannot overflow either.
        let expiry = sent
            .saturating_add((ttl * 1000.0) as i64)
            .saturating_add(i64::try_from(self.config.clock_skew.as_millis()).unwrap_or(i64::MAX));
        if expiry < i64::try_from(unix_ms).unwrap_or(i64::MAX) {
            return Err(AgentError::new(code::MESSAGE_EXPIRED, "the ttl has passed"));
        }
        Ok(())
    }

    fn receive_call(
        &mut self,
        envelope: &Envelope<&RawValue>,
        correlation: String,
        unix_ms: u64,
    ) -> Received {
        let payload = envelope.payload.map_or("null", RawValue::get);
        let capability = match serde_json::from_str::<CallIn>(payload) {
            Ok(call) => call.capability,
            Err(error) => {
                let text = format!("the payload of a call is {{capability, input}}: {error}");
                let error = AgentError::new(code::INVALID_MESSAGE, text);
                return self.invalid(error, Reply::ToCall(correlation), unix_ms);
            }
        };
        if self.active.len() >= self.config.max_active_calls {
            let text = format!("{} calls are in progress here, the most allowed", self.active.len());
            let error = AgentError::new(code::RATE_LIMIT_EXCEEDED, text);
            return self.invalid(error, Reply::ToCall(correlation), unix_ms);
        }
        self.active.insert(envelope.id.as_str().into(), correlation.into());
        Received::Call { id: envelope.id.clone(), capability }
    }

    /// The call of ours that this answers: by correlation id, else by its own id.
    fn take_call(&mut self, envelope: &Envelope<&RawValue>) -> Option<String> {
        [envelope.correlation_id(), Some(envelope.id.as_str())]
            .into_iter()
            .flatten()
            .find(|id| self.calls.remove(id))
            .map(str::to_owned)
    }

    fn invalid(&mut self, error: AgentError, reply: Reply, unix_ms: u64) -> Received {
        let correlation_id = match reply {
            Reply::None => return Received::Invalid { error, reply: None },
            Reply::Plain => None,
            Reply::ToCall(correlation) => Some(correlation),
        };
        let options = Options { correlation_id, ..Options::default() };
        let id = self.new_id();
        // Too large for the connection: then the sender stays without an answer.
        let reply = self.compose(id, "error", &raw(&error), &options, false, unix_ms).ok();
        Received::Invalid { error, reply }
    }

    fn new_id(&mut self) -> String {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    fn compose(
        &self,
        id: String,
        kind: &str,
        payload: &RawValue,
        options: &Options,
        raw_result: bool,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        let options = options.clone();
        let envelope = Envelope {
            kind: kind.to_owned(),
            id,
            timestamp: timestamp::format(unix_ms),
            payload: Some(payload),
            metadata: Some(Metadata {
                agent_id: self.config.local.clone(),
                channel_id: options.channel_id,
                correlation_id: options.correlation_id,
                priority: options.priority,
                ttl: options.ttl,
                chunked: None,
                raw_result,
            }),
        };
        let text = serde_json::to_string(&envelope).expect("strings and raw JSON always serialize");
        if self.max_message_size != 0 && text.len() > self.max_message_size {
            let message = format!(
                "the message has {} bytes with its envelope, this connection takes {} at most",
                text.len(),
                self.max_message_size
            );
            return Err(AgentError::new(code::MESSAGE_TOO_LARGE, message));
        }
        Ok(Composed { id: envelope.id, text })
    }
}

/// How the sender of an invalid message is told.
enum Reply {
    None,
    /// As an error of its own: the sender sees it as a problem of the link.
    Plain,
    /// As the failure of the call with this correlation id.
    ToCall(String),
}

#[derive(Serialize)]
struct CallOut<'a> {
    capability: &'a str,
    input: &'a RawValue,
}

#[derive(Deserialize)]
struct CallIn {
    capability: String,
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("strings, numbers and raw JSON always serialize")
}

/// Other implementations wrap the result: `{result}` or `{capability, result}`, and nothing else in it.
fn shape_of(payload: &RawValue) -> ResultShape {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wrapped {
        #[serde(rename = "capability", default)]
        _capability: Option<String>,
        #[serde(rename = "result")]
        _result: serde::de::IgnoredAny,
    }
    let wrapped = payload.get().starts_with('{') && serde_json::from_str::<Wrapped>(payload.get()).is_ok();
    if wrapped { ResultShape::Member } else { ResultShape::Payload }
}

/// The error in the payload of an `error` message; one that is not as specified is passed on as well as possible.
fn error_of(payload: Option<&RawValue>) -> AgentError {
    let text = payload.map_or("null", RawValue::get);
    serde_json::from_str(text).unwrap_or_else(|_| AgentError {
        code: code::CAPABILITY_FAILED.to_owned(),
        message: "the call failed; the error was not in the form {code, message}".to_owned(),
        details: payload.map(ToOwned::to_owned),
        retryable: false,
    })
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
