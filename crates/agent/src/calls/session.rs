//! What a session says and understands about calls.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Ack, IncomingLimits, Progress};
use crate::envelope::{Envelope, StreamMark, parse_object};
use crate::error::{AgentError, code};
use crate::session::{Extra, Session, raw};
use crate::session_receive::Reply;
use crate::session_types::{Composed, FailAs, Options, Received, ResultShape};

/// The longest name of a capability accepted, in bytes: it is repeated in errors.
const MAX_CAPABILITY: usize = 256;

/// Calls whose time has run out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CallTimeouts {
    /// Calls of ours, in the order of their deadlines. They are over.
    pub calls: Vec<String>,
    /// Calls of the other side, in the order of their deadlines.
    pub handlers: Vec<ExpiredHandler>,
}

/// A call of the other side that took longer than its ttl. It needs [`Session::finish`] when its handler has finished.
#[derive(Debug, PartialEq, Eq)]
pub struct ExpiredHandler {
    /// Names the call.
    pub call: String,
    /// The `TASK_TIMEOUT` error to send, unless not even that fits into a message.
    pub reply: Option<Composed>,
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

/// The payload of a response that stands for an error; see [`FailAs::Response`].
#[derive(Serialize, Deserialize)]
struct Failure<T> {
    error: T,
}

/// Calls of ours.
impl Session {
    /// Calls of ours that wait for an answer, or for more of it.
    pub fn pending_calls(&self) -> usize {
        self.outgoing.len()
    }

    /// Composes a call and waits for its answer until `timeout` after `now`.
    ///
    /// # Errors
    /// `MESSAGE_TOO_LARGE`; `RATE_LIMIT_EXCEEDED` when too many calls are waiting; `INVALID_MESSAGE` for a ttl that is
    /// not a positive number.
    pub fn call(
        &mut self,
        capability: &str,
        input: &RawValue,
        timeout: Duration,
        options: &Options,
        now: Instant,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        self.start_call(capability, input, false, timeout, options, now, unix_ms)
    }

    /// Composes a call whose result is wanted item by item: [`Received::Item`]s and a [`Received::End`], or one
    /// [`Received::Response`]. `patience` is the longest wait for an item while there is none to
    /// [read](Self::read_item).
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_stream(
        &mut self,
        capability: &str,
        input: &RawValue,
        patience: Duration,
        options: &Options,
        now: Instant,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        self.start_call(capability, input, true, patience, options, now, unix_ms)
    }

    #[expect(clippy::too_many_arguments, reason = "those of `call` and one more")]
    fn start_call(
        &mut self,
        capability: &str,
        input: &RawValue,
        stream: bool,
        patience: Duration,
        options: &Options,
        now: Instant,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        if self.outgoing.is_full() {
            let text = format!("{} calls wait for an answer, the most allowed", self.outgoing.len());
            return Err(AgentError::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        options.check()?;
        let payload = raw(&CallOut { capability, input });
        let id = self.new_id();
        // The same value in both places: a peer may answer with either.
        let options = Options { correlation_id: Some(id.clone()), ..options.clone() };
        let extra = Extra { stream: stream.then_some(StreamMark::Wanted), ..Extra::default() };
        let composed = self.compose(id, "capability_call", &payload, &options, extra, unix_ms)?;
        self.outgoing.insert(&composed.id, stream, now, patience);
        Ok(composed)
    }

    /// Gives a call of ours up; its answer will be [`Received::Unmatched`]. False if it is not waiting.
    pub fn cancel(&mut self, call: &str) -> bool {
        self.outgoing.remove(call)
    }

    /// The message that tells the other side that a call of ours was given up, for those who understand it.
    ///
    /// # Errors
    /// `MESSAGE_TOO_LARGE`.
    pub fn cancellation(&mut self, call: &str, unix_ms: u64) -> Result<Composed, AgentError> {
        self.about_call("capability_cancel", call.to_owned(), None, unix_ms)
    }

    /// The next item of a call of ours has been read. Returns what has to be sent so that more come, now and then.
    ///
    /// # Errors
    /// `MESSAGE_TOO_LARGE`.
    pub fn read_item(
        &mut self,
        call: &str,
        now: Instant,
        unix_ms: u64,
    ) -> Result<Option<Composed>, AgentError> {
        let Some(index) = self.outgoing.read(call, now) else { return Ok(None) };
        let mark = StreamMark::Place { index, done: false };
        self.about_call("capability_ack", call.to_owned(), Some(mark), unix_ms).map(Some)
    }

    fn about_call(
        &mut self,
        kind: &str,
        correlation: String,
        stream: Option<StreamMark>,
        unix_ms: u64,
    ) -> Result<Composed, AgentError> {
        let options = Options { correlation_id: Some(correlation), ..Options::default() };
        let id = self.new_id();
        self.compose(id, kind, &raw(&()), &options, Extra { stream, ..Extra::default() }, unix_ms)
    }

    /// A response or an error that names a call, or the id of one. None: it is about no call of ours.
    pub(crate) fn receive_answer(
        &mut self,
        envelope: &Envelope<&RawValue>,
        unix_ms: u64,
    ) -> Option<Received> {
        // By correlation id, else by its own id.
        let call = [envelope.correlation_id(), Some(envelope.id.as_str())]
            .into_iter()
            .flatten()
            .find(|id| self.outgoing.contains(id))?
            .to_owned();
        let extra = envelope.metadata.as_ref().map(|metadata| metadata.extra()).unwrap_or_default();
        if envelope.kind == "error" {
            self.outgoing.remove(&call);
            return Some(Received::Failure { call, error: error_of(envelope.payload) });
        }
        if extra.failure
            && let Some(error) = failure_in(envelope.payload)
        {
            self.outgoing.remove(&call);
            return Some(Received::Failure { call, error });
        }
        let bytes = envelope.payload.map_or(0, |payload| payload.get().len());
        Some(match self.outgoing.answered(&call, extra.stream, bytes) {
            Progress::Result => {
                let shape = envelope.payload.map_or(ResultShape::Payload, shape_of);
                Received::Response {
                    call,
                    result: if extra.raw_result { ResultShape::Payload } else { shape },
                }
            }
            Progress::Item => Received::Item { call },
            Progress::End => Received::End { call },
            Progress::Violation(text) => {
                let reply = self.cancellation(&call, unix_ms).ok();
                let error = AgentError::new(code::PROTOCOL_ERROR, text);
                Received::Broken { call, error, reply }
            }
        })
    }
}

/// Calls of the other side.
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

/// Both directions.
impl Session {
    /// Changes [`max_pending_calls`], [`max_active_calls`], [`max_active_bytes`] and [`fail_as`] from now on.
    ///
    /// [`max_pending_calls`]: crate::SessionConfig::max_pending_calls
    /// [`max_active_calls`]: crate::SessionConfig::max_active_calls
    /// [`max_active_bytes`]: crate::SessionConfig::max_active_bytes
    /// [`fail_as`]: crate::SessionConfig::fail_as
    pub fn configure_calls(&mut self, pending: usize, active: usize, active_bytes: usize, fail_as: FailAs) {
        self.outgoing.set_limit(pending);
        self.incoming.set_limits(IncomingLimits { calls: active, bytes: active_bytes });
        self.config.fail_as = fail_as;
    }

    /// When [`handle_call_timeout`](Self::handle_call_timeout) is due.
    pub fn poll_call_timeout(&self) -> Option<Instant> {
        [self.outgoing.next_deadline(), self.incoming.next_deadline()].into_iter().flatten().min()
    }

    /// The calls whose time has run out.
    pub fn handle_call_timeout(&mut self, now: Instant, unix_ms: u64) -> CallTimeouts {
        let calls =
            std::iter::from_fn(|| self.outgoing.pop_expired(now)).map(|call| call.to_string()).collect();
        let mut handlers = Vec::new();
        while let Some((call, correlation)) = self.incoming.pop_expired(now) {
            let error = AgentError {
                retryable: true,
                ..AgentError::new(code::TASK_TIMEOUT, "the call was not answered within its ttl")
            };
            let fail_as = self.config.fail_as;
            let reply = self.failure(Some(correlation), &error, fail_as, unix_ms).ok();
            handlers.push(ExpiredHandler { call: call.to_string(), reply });
        }
        CallTimeouts { calls, handlers }
    }

    /// Forgets all calls: the connection they belong to is gone. Returns those of ours, which get no answer any more;
    /// handlers of the other side's calls have to be stopped.
    pub fn drop_calls(&mut self) -> Vec<String> {
        self.incoming.clear();
        self.outgoing.clear().iter().map(ToString::to_string).collect()
    }
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

/// The error in a response that stands for one.
fn failure_in(payload: Option<&RawValue>) -> Option<AgentError> {
    let failure: Failure<AgentError> = serde_json::from_str(payload?.get()).ok()?;
    Some(failure.error)
}
