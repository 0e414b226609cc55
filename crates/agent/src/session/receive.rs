//! What a session makes of what it receives.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::conversation::{Session, raw};
use super::types::Received;
use crate::chunk::{PART_MARK, Place, Taken, parse_part, unescape};
use crate::envelope::Envelope;
use crate::error::{AgentError, code};
use crate::timestamp;

impl Session {
    /// Takes one text message. `channel` is any number that belongs to the channel alone.
    pub fn receive(&mut self, channel: u32, text: &str, now: Instant, unix_ms: u64) -> Received {
        self.whole = None;
        if let Some(part) = text.strip_prefix(PART_MARK) {
            return self.receive_part(channel, part, now, unix_ms);
        }
        let envelope = match Envelope::parse(text) {
            Ok(envelope) => envelope,
            Err(error) => return self.invalid(error, Reply::None, unix_ms),
        };
        if envelope.chunked().is_some() {
            return self.receive_chunk(channel, &envelope, now, unix_ms);
        }
        if text.len() > self.config.reassembly.message_bytes {
            let error = too_large(text.len(), self.config.reassembly.message_bytes);
            let reply = Reply::about(&envelope);
            return self.invalid(error, reply, unix_ms);
        }
        self.receive_whole(&envelope, now, unix_ms)
    }

    /// The text of the message whose last part [`receive`](Self::receive) has just taken.
    pub fn take_whole(&mut self) -> Option<String> {
        self.whole.take()
    }

    /// Whether [`take_whole`](Self::take_whole) has one.
    pub fn has_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// A channel is gone: parts of messages that came through it are forgotten.
    pub fn forget_channel(&mut self, channel: u32) {
        self.reassembly.forget_channel(channel);
    }

    /// When [`expire_parts`](Self::expire_parts) is due.
    pub fn parts_timeout(&self) -> Option<Instant> {
        self.reassembly.poll_timeout()
    }

    /// Gives messages up whose parts have stopped coming.
    pub fn expire_parts(&mut self, now: Instant) -> Vec<AgentError> {
        self.reassembly.handle_timeout(now)
    }

    /// A part of the form that our own agents use among each other.
    fn receive_part(&mut self, channel: u32, part: &str, now: Instant, unix_ms: u64) -> Received {
        let (message, index, total, slice) = match parse_part(part) {
            Ok(part) => part,
            Err(error) => return self.invalid(error, Reply::None, unix_ms),
        };
        if total == 0 {
            self.reassembly.abandon(channel, message);
            return Received::Duplicate;
        }
        let place = Place { channel, message, index, total };
        // Nothing but the id is known of a message that is refused before its envelope is there.
        self.receive_slice(place, slice.into(), Reply::Plain(message.to_owned()), now, unix_ms)
    }

    fn receive_chunk(
        &mut self,
        channel: u32,
        envelope: &Envelope<&RawValue>,
        now: Instant,
        unix_ms: u64,
    ) -> Received {
        // A ttl is judged when the message is whole.
        if let Err(error) = self.check_sender(envelope) {
            return self.invalid(error, Reply::about(envelope), unix_ms);
        }
        let slice = envelope.payload.and_then(|payload| unescape(payload.get()));
        let (Some(chunked), Some(slice)) = (envelope.chunked(), slice) else {
            let error = AgentError::new(code::INVALID_MESSAGE, "the payload of a chunk must be a string");
            return self.invalid(error, Reply::about(envelope), unix_ms);
        };
        let (index, total) = (chunked.chunk_index, chunked.total_chunks);
        let place = Place { channel, message: &chunked.message_id, index, total };
        self.receive_slice(place, slice, Reply::about(envelope), now, unix_ms)
    }

    fn receive_slice(
        &mut self,
        place: Place,
        slice: Vec<u8>,
        reply: Reply,
        now: Instant,
        unix_ms: u64,
    ) -> Received {
        let text = match self.reassembly.take(place, slice, now) {
            Ok(Taken::Whole(text)) => text,
            Ok(Taken::More { parts, bytes }) => {
                return Received::Part { id: place.message.to_owned(), parts, total: place.total, bytes };
            }
            Ok(Taken::Ignored) => return Received::Duplicate,
            Err(error) => return self.invalid(error, reply, unix_ms),
        };
        let received = match Envelope::parse(&text) {
            Ok(envelope) if envelope.chunked().is_some() => {
                let error =
                    AgentError::new(code::INVALID_MESSAGE, "a chunked message cannot be a chunk itself");
                self.invalid(error, reply, unix_ms)
            }
            Ok(envelope) => self.receive_whole(&envelope, now, unix_ms),
            Err(error) => self.invalid(error, reply, unix_ms),
        };
        self.whole = Some(text);
        received
    }

    fn receive_whole(&mut self, envelope: &Envelope<&RawValue>, now: Instant, unix_ms: u64) -> Received {
        let correlation = envelope.correlation_id().unwrap_or(&envelope.id).to_owned();
        if let Err(error) = self.check(envelope, unix_ms) {
            if error.code == code::MESSAGE_EXPIRED {
                return Received::Expired;
            }
            let reply = Reply::about(envelope);
            return self.invalid(error, reply, unix_ms);
        }
        if !envelope.id.is_empty() && !self.seen.insert(&envelope.id) {
            return Received::Duplicate;
        }
        match envelope.kind.as_str() {
            "heartbeat" => Received::Heartbeat,
            "capability_call" => self.receive_call(envelope, correlation, now, unix_ms),
            "capability_cancel" => self.receive_cancel(&correlation),
            "capability_ack" => self.receive_ack(envelope, &correlation),
            "capability_response" => self.receive_answer(envelope, unix_ms).unwrap_or(Received::Unmatched),
            "error" => {
                match self.receive_answer(envelope, unix_ms).or_else(|| self.receive_refusal(envelope)) {
                    Some(received) => received,
                    // Not about a call: for the application to know. A late answer is not worth its attention.
                    None if envelope.correlation_id().is_none() => Received::Message,
                    None => Received::Unmatched,
                }
            }
            _ => Received::Message,
        }
    }

    /// The sender must be whom this conversation is with.
    fn check_sender(&self, envelope: &Envelope<&RawValue>) -> Result<(), AgentError> {
        match &envelope.metadata {
            Some(metadata) if metadata.agent_id != self.config.remote => {
                let text =
                    format!("this link belongs to {}, not to {}", self.config.remote, metadata.agent_id);
                Err(AgentError::new(code::UNAUTHORIZED, text))
            }
            _ => Ok(()),
        }
    }

    /// Sender and ttl.
    fn check(&self, envelope: &Envelope<&RawValue>, unix_ms: u64) -> Result<(), AgentError> {
        self.check_sender(envelope)?;
        let Some(metadata) = &envelope.metadata else { return Ok(()) };
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

    /// The failure of a call of ours that was refused before the other side knew what it was: the error names the
    /// message instead of the call.
    fn receive_refusal(&mut self, envelope: &Envelope<&RawValue>) -> Option<Received> {
        let error: AgentError = serde_json::from_str(envelope.payload?.get()).ok()?;
        let Refused { message_id } = serde_json::from_str(error.details.as_ref()?.get()).ok()?;
        self.outgoing.remove(&message_id).then_some(Received::Failure { call: message_id, error })
    }

    pub(crate) fn invalid(&mut self, error: AgentError, reply: Reply, unix_ms: u64) -> Received {
        let (correlation_id, message_id) = match reply {
            Reply::None => return Received::Invalid { error, reply: None },
            Reply::Plain(id) => (None, Some(id)),
            Reply::ToCall(correlation) => (Some(correlation), None),
        };
        let mut told = error.clone();
        told.details = told.details.or_else(|| message_id.map(|message_id| raw(&Refused { message_id })));
        // Too large for the connection: then the sender stays without an answer.
        let reply = self.failure(correlation_id, &told, self.config.fail_as, unix_ms).ok();
        Received::Invalid { error, reply }
    }
}

/// How the sender of an invalid message is told.
pub(crate) enum Reply {
    None,
    /// As an error of its own about the message with this id.
    Plain(String),
    /// As the failure of the call with this correlation id.
    ToCall(String),
}

impl Reply {
    fn about(envelope: &Envelope<&RawValue>) -> Self {
        match envelope.kind.as_str() {
            // An error is never answered with an error: two agents could go on like that for ever.
            "error" => Self::None,
            "capability_call" => Self::ToCall(envelope.correlation_id().unwrap_or(&envelope.id).to_owned()),
            _ => Self::Plain(envelope.id.clone()),
        }
    }
}

/// The details of an error about a message.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    message_id: String,
}

fn too_large(bytes: usize, limit: usize) -> AgentError {
    let text = format!("the message has {bytes} bytes, {limit} are accepted here");
    AgentError::new(code::MESSAGE_TOO_LARGE, text)
}
