//! What goes into a session and what comes out of it.

use std::time::Duration;

use ossa_signaling::AgentUri;

use crate::chunk::ReassemblyLimits;
use crate::envelope::Priority;
use crate::error::{AgentError, code};

/// Who talks, and what is allowed.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// This agent.
    pub local: AgentUri,
    /// The other one: `metadata.agentId` of everything that is received must equal it.
    pub remote: AgentUri,
    /// Calls of ours that may wait for an answer, default 16,384: about 3 MiB of bookkeeping.
    pub max_pending_calls: usize,
    /// Calls of the other side that may be in progress here, default 16,384, as many as it may have waiting if it is
    /// one of us; more are refused with `RATE_LIMIT_EXCEEDED`.
    pub max_active_calls: usize,
    /// JSON bytes of the inputs of those calls together, default 64 MiB: four of the largest messages, or 4 KiB each.
    pub max_active_bytes: usize,
    /// How calls that no handler has seen fail.
    pub fail_as: FailAs,
    /// How many ids are remembered to drop duplicates, default 4,096: what a fast sender has in flight.
    pub dedupe_window: usize,
    /// How far the clocks of the two agents may differ when a ttl is judged, default 60 s.
    pub clock_skew: Duration,
    /// What is kept of messages that come in parts. `message_bytes` holds for those that come whole as well.
    pub reassembly: ReassemblyLimits,
}

impl SessionConfig {
    /// The defaults for these two agents.
    pub fn new(local: AgentUri, remote: AgentUri) -> Self {
        Self {
            local,
            remote,
            max_pending_calls: 16_384,
            max_active_calls: 16_384,
            max_active_bytes: 64 * 1024 * 1024,
            fail_as: FailAs::Error,
            dedupe_window: 4096,
            clock_skew: Duration::from_secs(60),
            reassembly: ReassemblyLimits::default(),
        }
    }
}

/// What may be said about a message that is sent.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Label of the data channel.
    pub channel_id: Option<String>,
    /// Ties messages together.
    pub correlation_id: Option<String>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Seconds in which the message is of use.
    pub ttl: Option<f64>,
    /// Where in a trace the message belongs (W3C Trace Context 3.2).
    pub traceparent: Option<String>,
    /// What tracing systems add to that (W3C Trace Context 3.3).
    pub tracestate: Option<String>,
}

impl Options {
    /// # Errors
    /// `INVALID_MESSAGE` for a ttl that is not a positive number.
    pub(crate) fn check(&self) -> Result<(), AgentError> {
        match self.ttl {
            Some(ttl) if !(ttl.is_finite() && ttl > 0.0) => {
                let text = format!("the ttl must be a positive number of seconds, not {ttl}");
                Err(AgentError::new(code::INVALID_MESSAGE, text))
            }
            _ => Ok(()),
        }
    }
}

/// What the failure of a call travels as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FailAs {
    /// An `error` message.
    #[default]
    Error,
    /// A `capability_response` with the payload `{error}`, for callers who wait for responses only.
    Response,
}

/// A message that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Its id; for a call also the name of the call.
    pub id: String,
    /// The JSON text.
    pub text: String,
}

/// Where the result of a call stands in the payload of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultShape {
    /// It is the payload.
    Payload,
    /// It is the member `result` of the payload.
    Member,
}

/// What a received text means. After the last part of a message, what the message means: its text is
/// [`Session::take_whole`](crate::Session::take_whole).
#[derive(Debug)]
pub enum Received {
    /// A message for the application; unknown types as well. Parse the text for its content.
    Message,
    /// The other side calls; answer with [`Session::respond`](crate::Session::respond) or [`Session::fail`](crate::Session::fail).
    Call {
        /// Names the call.
        id: String,
        /// What is called. The input is the member `input` of the payload.
        capability: String,
    },
    /// The other side does not want the result of its call any more. Stop the handler, then [`Session::finish`].
    ///
    /// [`Session::finish`]: crate::Session::finish
    Cancel {
        /// Names the call, as [`Received::Call`] did.
        call: String,
    },
    /// The reader of a streamed result has read some of it: more items may be sent.
    Room {
        /// Names the call, as [`Received::Call`] did.
        call: String,
    },
    /// The call that we made under this id has succeeded.
    Response {
        /// [`Composed::id`] of the call.
        call: String,
        /// Where the result stands.
        result: ResultShape,
    },
    /// The next item of the result of a call of ours: the payload. Say when it [has been read](crate::Session::read_item).
    Item {
        /// [`Composed::id`] of the call.
        call: String,
    },
    /// All items of the result of a call of ours have come.
    End {
        /// [`Composed::id`] of the call.
        call: String,
    },
    /// The call that we made under this id is over: the other side does not keep to the rules.
    Broken {
        /// [`Composed::id`] of the call.
        call: String,
        /// How.
        error: AgentError,
        /// A message to send back, so that it stops.
        reply: Option<Composed>,
    },
    /// The call that we made under this id has failed.
    Failure {
        /// [`Composed::id`] of the call.
        call: String,
        /// Why.
        error: AgentError,
    },
    /// The other side is alive; nothing more.
    Heartbeat,
    /// A part of a large message has come.
    Part {
        /// The message.
        id: String,
        /// Parts that are there.
        parts: u32,
        /// Parts that it has.
        total: u32,
        /// Bytes that are there.
        bytes: usize,
    },
    /// To be dropped: it was received before, or belongs to a message that is done with.
    Duplicate,
    /// To be dropped: its ttl has passed.
    Expired,
    /// To be dropped: a response to a call that timed out, was given up or was never made.
    Unmatched,
    /// To be dropped, and reported. `reply`, if any, tells the sender.
    Invalid {
        /// What is wrong.
        error: AgentError,
        /// An `error` message to send back.
        reply: Option<Composed>,
    },
}
