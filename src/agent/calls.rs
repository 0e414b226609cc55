//! Calls of the agent layer as `ts/agent` sees them: more methods of `AgentSession`.

use std::time::{Duration, Instant};

use napi::Result;
use napi_derive::napi;
use ossa_agent::{AgentError, Composed, FailAs};

use super::session::{AgentSession, ComposedMessage, MessageOptions, convert, raw};
use crate::base::agent_error::from_agent;
use crate::base::system::unix_ms;

/// Calls whose time has run out.
#[napi(object, object_from_js = false)]
pub struct ExpiredCalls {
    /// Calls of ours.
    pub calls: Vec<String>,
    /// Calls of the other side.
    pub handlers: Vec<ExpiredHandlerCall>,
}

/// A call of the other side that took longer than its ttl.
#[napi(object, object_from_js = false)]
pub struct ExpiredHandlerCall {
    /// Names the call.
    pub call: String,
    /// An error to send.
    pub reply: Option<String>,
}

#[napi]
impl AgentSession {
    /// How many calls may wait here for an answer, how many of the other side may be in progress, how many bytes the
    /// inputs of those may have together, and whether calls that no handler has seen fail with a response.
    #[napi]
    pub fn configure_calls(&mut self, pending: u32, active: u32, active_bytes: f64, fail_as_response: bool) {
        let fail_as = if fail_as_response { FailAs::Response } else { FailAs::Error };
        // Saturates: a limit beyond the address space is none.
        self.session.configure_calls(pending as usize, active as usize, active_bytes as usize, fail_as);
    }

    /// Composes a call and waits for its answer for `timeout` milliseconds; `input` is JSON. With `stream` the result
    /// may come item by item, and `timeout` is the longest wait for one of them.
    #[napi]
    pub fn call(
        &mut self,
        capability: String,
        input: String,
        stream: bool,
        timeout: f64,
        options: MessageOptions,
    ) -> Result<ComposedMessage> {
        let timeout = Duration::try_from_secs_f64(timeout / 1000.0).unwrap_or(Duration::MAX);
        let (options, input, now) = (convert(options)?, raw(input)?, Instant::now());
        let composed = if stream {
            self.session.call_stream(&capability, &input, timeout, &options, now, unix_ms())
        } else {
            self.session.call(&capability, &input, timeout, &options, now, unix_ms())
        };
        composed.map(Into::into).map_err(|error| from_agent(&error))
    }

    /// Gives a call up. False if it is not waiting.
    #[napi]
    pub fn cancel(&mut self, call: String) -> bool {
        self.session.cancel(&call)
    }

    /// The text that tells the other side that a call was given up.
    #[napi]
    pub fn cancellation(&mut self, call: String) -> Result<String> {
        text(self.session.cancellation(&call, unix_ms()))
    }

    /// An item of the result of a call has been read. Now and then there is a text to send, so that more come.
    #[napi]
    pub fn read_item(&mut self, call: String) -> Result<Option<String>> {
        let composed = self.session.read_item(&call, Instant::now(), unix_ms());
        composed.map(|composed| composed.map(|composed| composed.text)).map_err(|error| from_agent(&error))
    }

    /// Calls of ours that wait for an answer.
    #[napi]
    pub fn pending_calls(&self) -> u32 {
        u32::try_from(self.session.pending_calls()).unwrap_or(u32::MAX)
    }

    /// Calls of the other side whose handlers have not finished.
    #[napi]
    pub fn active_calls(&self) -> u32 {
        u32::try_from(self.session.active_calls()).unwrap_or(u32::MAX)
    }

    /// The text that answers a call of the other side; `result` is JSON.
    #[napi]
    pub fn respond(&mut self, call: String, result: String) -> Result<String> {
        text(self.session.respond(&call, &raw(result)?, unix_ms()))
    }

    /// Whether the caller takes the result item by item.
    #[napi]
    pub fn streams(&self, call: String) -> bool {
        self.session.streams(&call)
    }

    /// Whether the caller has room for an item. After a received `room` it may have.
    #[napi]
    pub fn has_room(&self, call: String) -> bool {
        self.session.has_room(&call)
    }

    /// The text that carries one item of a result; `item` is JSON.
    #[napi]
    pub fn respond_item(&mut self, call: String, item: String) -> Result<String> {
        text(self.session.respond_item(&call, &raw(item)?, unix_ms()))
    }

    /// The text that ends a result whose items have been sent.
    #[napi]
    pub fn respond_end(&mut self, call: String) -> Result<String> {
        text(self.session.respond_end(&call, unix_ms()))
    }

    /// The text that tells the other side that its call failed, if need be as a response; `details` is JSON.
    #[napi]
    pub fn fail(
        &mut self,
        call: String,
        code: String,
        message: String,
        details: Option<String>,
        retryable: bool,
        as_response: bool,
    ) -> Result<String> {
        let details = details.map(raw).transpose()?;
        let error = AgentError { code, message, details, retryable };
        let fail_as = if as_response { FailAs::Response } else { FailAs::Error };
        text(self.session.fail(&call, &error, fail_as, unix_ms()))
    }

    /// The handler of a call that was cancelled or has expired has finished.
    #[napi]
    pub fn finish(&mut self, call: String) -> bool {
        self.session.finish(&call)
    }

    /// Milliseconds until `expireCalls` is due; `null` if no call waits.
    #[napi]
    pub fn next_call_timeout(&self) -> Option<f64> {
        let deadline = self.session.poll_call_timeout()?;
        Some(deadline.saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0)
    }

    /// The calls whose time has run out.
    #[napi]
    pub fn expire_calls(&mut self) -> ExpiredCalls {
        let timeouts = self.session.handle_call_timeout(Instant::now(), unix_ms());
        let handlers = timeouts.handlers.into_iter().map(|handler| ExpiredHandlerCall {
            call: handler.call,
            reply: handler.reply.map(|reply| reply.text),
        });
        ExpiredCalls { calls: timeouts.calls, handlers: handlers.collect() }
    }

    /// Forgets all calls: their connection is gone. Returns those of ours, which get no answer any more.
    #[napi]
    pub fn drop_calls(&mut self) -> Vec<String> {
        self.session.drop_calls()
    }
}

fn text(composed: std::result::Result<Composed, AgentError>) -> Result<String> {
    composed.map(|composed| composed.text).map_err(|error| from_agent(&error))
}
