//! What a session says and understands about calls of ours.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::conversation::{Extra, Session, raw};
use super::payload::{CallOut, error_of, failure_in, shape_of};
use super::types::{Composed, Options, Received, ResultShape};
use crate::calls::Progress;
use crate::envelope::{Envelope, StreamMark};
use crate::error::{AgentError, code};

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
