//! What a session says and understands about calls of the other side.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::conversation::{Extra, Session, raw};
use super::payload::{CallIn, Failure, shape_of};
use super::receive::Reply;
use super::types::{Composed, FailAs, Options, Received, ResultShape};
use crate::calls::Ack;
use crate::envelope::{Envelope, StreamMark, parse_object};
use crate::error::{AgentError, code};

/// The longest name of a capability accepted, in bytes: it is repeated in errors.
const MAX_CAPABILITY: usize = 256;

impl Session {
    /// Calls of the other side whose handlers have not finished.
    pub fn active_calls(&self) -> usize {
        self.incoming.len()
    }

    /// Composes the answer to a call of the other side, which is over then.
    ///
    /// # Errors
    /// `MESSAGE_TOO_LARGE`: the call is still open then and wants a [`fail`](Self::fail). `PROTOCOL_ERROR` if there is
    /// no such call, or nobody waits for its result any more.
    pub fn respond(&mut self, call: &str, result: &RawValue, unix_ms: u64) -> Result<Composed, AgentError> {
        let options = self.answer_to(call)?;
        let extra = Extra { raw_result: shape_of(result) == ResultShape::Member, ..Extra::default() };
        let id = self.new_id();
        let composed = self.compose(id, "capability_response", result, &options, extra, unix_ms)?;
        self.incoming.remove(call);
        Ok(composed)
    }

    /// Whether the caller takes the result of this call item by item.
    pub fn streams(&self, call: &str) -> bool {
        self.incoming.streams(call)
    }

    /// Whether the caller has room for an [item](Self::respond_item); [`Received::Room`] says when to ask again.
    pub fn has_room(&self, call: &str) -> bool {
        self.incoming.has_room(call)
    }

    /// Composes one item of the result of a call that [streams](Self::streams).
    ///
    /// # Errors
    /// `RATE_LIMIT_EXCEEDED` if there is [no room](Self::has_room); otherwise as [`respond`](Self::respond).
    pub fn respond_item(
        &mut self,
        call: &str,
        item: &RawValue,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        let options = self.answer_to(call)?;
        if !self.incoming.has_room(call) {
            let text = "the reader of this stream has not read the items before";
            return Err(AgentError::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        let index = self.incoming.next_index(call);
        let extra = Extra { stream: Some(StreamMark::Place { index, done: false }), ..Extra::default() };
        let id = self.new_id();
        let composed = self.compose(id, "capability_response", item, &options, extra, unix_ms)?;
        self.incoming.sent(call, item.get().len());
        Ok(composed)
    }

    /// Composes the end of a streamed result; the call is over then.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    pub fn respond_end(&mut self, call: &str, unix_ms: u64) -> Result<Composed, AgentError> {
        let options = self.answer_to(call)?;
        let index = self.incoming.next_index(call);
        let extra = Extra { stream: Some(StreamMark::Place { index, done: true }), ..Extra::default() };
        let id = self.new_id();
        let composed = self.compose(id, "capability_response", &raw(&()), &options, extra, unix_ms)?;
        self.incoming.remove(call);
        Ok(composed)
    }

    /// Composes the failure of a call of the other side, which is over then.
    ///
    /// # Errors
    /// `PROTOCOL_ERROR` if there is no such call, `MESSAGE_TOO_LARGE` if not even the error fits; the call is closed.
    pub fn fail(
        &mut self,
        call: &str,
        error: &AgentError,
        fail_as: FailAs,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        let correlation = self.answer_to(call)?.correlation_id;
        self.incoming.remove(call);
        self.failure(correlation, error, fail_as, unix_ms)
    }

    /// The handler of a call that was cancelled or has expired has finished: it does not count any more.
    /// False if there is no such call.
    pub fn finish(&mut self, call: &str) -> bool {
        self.incoming.remove(call)
    }

    /// Composes an error, of the call with this correlation id if there is one.
    pub(crate) fn failure(
        &mut self,
        correlation_id: Option<String>,
        error: &AgentError,
        fail_as: FailAs,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        let id = self.new_id();
        let as_response = fail_as == FailAs::Response && correlation_id.is_some();
        let options = Options { correlation_id, ..Options::default() };
        if !as_response {
            return self.compose(id, "error", &raw(error), &options, Extra::default(), unix_ms);
        }
        let extra = Extra { failure: true, ..Extra::default() };
        self.compose(id, "capability_response", &raw(&Failure { error }), &options, extra, unix_ms)
    }

    fn answer_to(&self, call: &str) -> Result<Options, AgentError> {
        let correlation_id = self.incoming.correlation(call).ok_or_else(|| {
            AgentError::new(code::PROTOCOL_ERROR, format!("there is no call {call:?} to answer"))
        })?;
        Ok(Options { correlation_id: Some(correlation_id), ..Options::default() })
    }

    pub(crate) fn receive_call(
        &mut self,
        envelope: &Envelope<&RawValue>,
        correlation: String,
        now: Instant,
        unix_ms: u64,
    ) -> Received {
        let payload = envelope.payload.map_or("null", RawValue::get);
        let capability = match parse_object::<CallIn>(payload) {
            Ok(call) if call.capability.len() <= MAX_CAPABILITY => Ok(call.capability),
            Ok(call) => {
                let length = call.capability.len();
                Err(format!(
                    "the name of a capability has {length} bytes, at most {MAX_CAPABILITY} are allowed"
                ))
            }
            Err(error) => Err(format!("the payload of a call is {{capability, input}}: {error}")),
        };
        let capability = match capability {
            Ok(capability) => capability,
            Err(text) => {
                let error = AgentError::new(code::INVALID_MESSAGE, text);
                return self.invalid(error, Reply::ToCall(correlation), unix_ms);
            }
        };
        if self.incoming.contains(&envelope.id) {
            // Beyond the window in which duplicates are recognised otherwise.
            return Received::Duplicate;
        }
        let metadata = envelope.metadata.as_ref();
        let stream = metadata.is_some_and(|metadata| metadata.stream == Some(StreamMark::Wanted));
        // From now on, not from its timestamp: the clocks need not agree, and the way here is short.
        let time =
            metadata.and_then(|metadata| metadata.ttl).and_then(|ttl| Duration::try_from_secs_f64(ttl).ok());
        match self.incoming.insert(&envelope.id, &correlation, stream, payload.len(), now, time) {
            Ok(()) => Received::Call { id: envelope.id.clone(), capability },
            Err(error) => self.invalid(error, Reply::ToCall(correlation), unix_ms),
        }
    }

    pub(crate) fn receive_cancel(&mut self, correlation: &str) -> Received {
        match self.incoming.cancel(correlation) {
            Some(call) => Received::Cancel { call: call.to_string() },
            None => Received::Unmatched,
        }
    }

    pub(crate) fn receive_ack(&mut self, envelope: &Envelope<&RawValue>, correlation: &str) -> Received {
        let mark = envelope.metadata.as_ref().and_then(|metadata| metadata.stream.as_ref());
        let ack = match mark {
            Some(StreamMark::Place { index, .. }) => self.incoming.acknowledge(correlation, *index),
            _ => Ack::Wrong,
        };
        match ack {
            Ack::Room(call) => Received::Room { call: call.to_string() },
            Ack::Unknown => Received::Unmatched,
            Ack::Wrong => {
                let text = "an acknowledgement names items that were not sent or were acknowledged before";
                Received::Invalid { error: AgentError::new(code::PROTOCOL_ERROR, text), reply: None }
            }
        }
    }
}
