//! The conversation with one agent.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::value::RawValue;

use super::types::{Composed, Options, SessionConfig};
use crate::calls::{Incoming, IncomingLimits, Outgoing};
use crate::chunk::Reassembly;
use crate::envelope::{Envelope, Metadata, StreamMark};
use crate::error::{AgentError, code};
use crate::seen::Seen;
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
    pub(crate) seen: Seen,
    pub(crate) reassembly: Reassembly,
    /// The text of the message whose last part was received just now.
    pub(crate) whole: Option<String>,
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
            reassembly: Reassembly::new(config.reassembly.clone()),
            whole: None,
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
                traceparent: options.traceparent,
                tracestate: options.tracestate,
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

pub(crate) fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("strings, numbers and raw JSON always serialize")
}
