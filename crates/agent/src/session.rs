//! The conversation with one agent.

use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::calls::{Incoming, IncomingLimits, Outgoing};
use crate::envelope::{Envelope, Metadata, StreamMark};
use crate::error::{AgentError, code};
use crate::seen::Seen;
use crate::session_types::{Composed, Options, Received, SessionConfig};
use crate::timestamp;

/// The conversation with one agent over one link.
#[derive(Debug)]
pub struct Session {
    pub(crate) config: SessionConfig,
    random: ChaCha8Rng,
    /// 0 = no limit.
    max_message_size: usize,
    pub(crate) outgoing: Outgoing,
    pub(crate) incoming: Incoming,
    seen: Seen,
}

impl Session {
    /// `seed` must be unpredictable: message ids come from it.
    pub fn new(config: SessionConfig, seed: [u8; 32]) -> Self {
        Self {
            random: ChaCha8Rng::from_seed(seed),
            max_message_size: 0,
            outgoing: Outgoing::new(config.max_pending_calls),
            incoming: Incoming::new(IncomingLimits {
                calls: config.max_active_calls,
                bytes: config.max_active_bytes,
            }),
            seen: Seen::new(config.dedupe_window),
            config,
        }
    }

    /// The largest message that the connection takes, in bytes; 0 for no limit.
    pub fn set_max_message_size(&mut self, bytes: usize) {
        self.max_message_size = bytes;
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
        options.check()?;
        let id = self.new_id();
        self.compose(id, kind, payload, options, Extra::default(), unix_ms)
    }

    /// Ends the conversation: returns the calls of ours that get no answer any more.
    pub fn close(&mut self) -> Vec<String> {
        self.drop_calls()
    }

    /// Takes one text message from the channel.
    pub fn receive(&mut self, text: &str, now: Instant, unix_ms: u64) -> Received {
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
            "capability_call" => self.receive_call(&envelope, correlation, now, unix_ms),
            "capability_cancel" => self.receive_cancel(&correlation),
            "capability_ack" => self.receive_ack(&envelope, &correlation),
            "capability_response" => self.receive_answer(&envelope, unix_ms).unwrap_or(Received::Unmatched),
            "error" => match self.receive_answer(&envelope, unix_ms) {
                Some(received) => received,
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

    pub(crate) fn invalid(&mut self, error: AgentError, reply: Reply, unix_ms: u64) -> Received {
        let correlation_id = match reply {
            Reply::None => return Received::Invalid { error, reply: None },
            Reply::Plain => None,
            Reply::ToCall(correlation) => Some(correlation),
        };
        // Too large for the connection: then the sender stays without an answer.
        let reply = self.failure(correlation_id, &error, self.config.fail_as, unix_ms).ok();
        Received::Invalid { error, reply }
    }

    pub(crate) fn new_id(&mut self) -> String {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    pub(crate) fn compose(
        &self,
        id: String,
        kind: &str,
        payload: &RawValue,
        options: &Options,
        extra: Extra,
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
                raw_result: extra.raw_result,
                failure: extra.failure,
                stream: extra.stream,
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

/// What is said about calls and nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extra {
    pub(crate) raw_result: bool,
    pub(crate) failure: bool,
    pub(crate) stream: Option<StreamMark>,
}

impl Metadata {
    pub(crate) fn extra(&self) -> Extra {
        Extra { raw_result: self.raw_result, failure: self.failure, stream: self.stream }
    }
}

/// How the sender of an invalid message is told.
pub(crate) enum Reply {
    None,
    /// As an error of its own: the sender sees it as a problem of the link.
    Plain,
    /// As the failure of the call with this correlation id.
    ToCall(String),
}

pub(crate) fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("strings, numbers and raw JSON always serialize")
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
