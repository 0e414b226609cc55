//! Limits and deadlines of the calls of a session, in both directions.

use std::time::Instant;

use super::conversation::Session;
use super::types::{Composed, FailAs};
use crate::calls::IncomingLimits;
use crate::error::{AgentError, code};

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
