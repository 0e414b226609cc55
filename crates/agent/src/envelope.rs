//! The `WebRTCMessage` of the specification.

use ossa_signaling::AgentUri;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::error::{AgentError, code};

/// The longest id, correlation id or channel id accepted, in bytes: a UUID has 36, and some of them are remembered.
const MAX_ID: usize = 256;

/// The longest message type accepted, in bytes.
const MAX_TYPE: usize = 64;

/// One message between agents. Its payload stays the JSON text that was received, byte for byte: numbers beyond 2^53
/// and lone surrogates (`"\ud83d"`) survive, which a parsed value would lose or refuse.
///
/// `T` is `&RawValue` for one that borrows from the text it was parsed from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<T> {
    /// `message`, `capability_call`, `capability_response`, `status`, `error`, `heartbeat`, `state_update`, or
    /// anything else.
    #[serde(rename = "type")]
    pub kind: String,
    /// UUID. Empty only in the bare `heartbeat` and `state_update` messages of naive peers.
    #[serde(default)]
    pub id: String,
    /// ISO 8601 with milliseconds and `Z`.
    #[serde(default)]
    pub timestamp: String,
    /// What is said: JSON.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub payload: Option<T>,
    /// About the message. Absent only where the id may be.
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// What is said about a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The sender.
    pub agent_id: AgentUri,
    /// Label of the data channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<String>,
    /// Ties a response to its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Seconds after `timestamp` in which the message is of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<f64>,
    /// Present on a part of a larger message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunked: Option<Chunked>,
    /// Our extension, on a response whose result looks like the wrapped form `{result}` of other implementations but
    /// is meant literally.
    #[serde(default, rename = "ossaRawResult", skip_serializing_if = "is_false")]
    pub raw_result: bool,
    /// Our extension, on a response whose payload `{error}` stands for the failure of the call.
    #[serde(default, rename = "ossaFailure", skip_serializing_if = "is_false")]
    pub failure: bool,
    /// Where in a trace the message belongs (W3C Trace Context 3.2). Only written: it is the application that reads it, and what
    /// another one has there instead must not cost the message.
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What tracing systems add to that (W3C Trace Context 3.3). Only written.
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// Our extension, on calls and on their answers: the result travels item by item.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamMark>,
}

/// The place of a message in a streamed result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamMark {
    /// In a call: the caller takes the result item by item. JSON `true`.
    Wanted,
    /// In a response and an acknowledgement. JSON `{index, done}`.
    Place {
        /// From 0. At the end of a stream, the number of items; in an acknowledgement, how many were read.
        index: u64,
        /// There are no more items.
        done: bool,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StreamWire {
    Flag(bool),
    Place {
        index: u64,
        #[serde(default)]
        done: bool,
    },
}

impl Serialize for StreamMark {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wire = match *self {
            Self::Wanted => StreamWire::Flag(true),
            Self::Place { index, done } => StreamWire::Place { index, done },
        };
        wire.serialize(serializer)
    }
}

/// Other implementations may use the name for something else: what is not ours is as if it were not there.
fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StreamMark>, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    Ok(match serde_json::from_str(text.get()) {
        Ok(StreamWire::Flag(true)) => Some(StreamMark::Wanted),
        Ok(StreamWire::Place { index, done }) => Some(StreamMark::Place { index, done }),
        Ok(StreamWire::Flag(false)) | Err(_) => None,
    })
}

fn is_false(value: &bool) -> bool {
    !value
}

/// How urgent a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Bulk.
    Low,
    /// The default.
    Normal,
    /// Before normal messages.
    High,
    /// Before everything else.
    Critical,
}

/// The place of a part in a larger message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chunked {
    /// From 0.
    pub chunk_index: u32,
    /// The same in every part.
    pub total_chunks: u32,
    /// Of the whole message.
    pub message_id: String,
}

/// Parses a JSON object. What `serde` derives takes an array of the members' values as well; JavaScript, which reads the same
/// text after us, would find nothing in it.
pub(crate) fn parse_object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, serde_json::Error> {
    if !text.trim_start().starts_with('{') {
        return Err(serde::de::Error::custom("it is no JSON object"));
    }
    serde_json::from_str(text)
}

/// A member that is an object, for the same reason.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(value) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    parse_object(value.get()).map(Some).map_err(serde::de::Error::custom)
}

impl<'a> Envelope<&'a RawValue> {
    /// Parses and checks one message.
    ///
    /// # Errors
    /// `INVALID_MESSAGE` with what is wrong.
    pub fn parse(text: &'a str) -> Result<Self, AgentError> {
        let invalid = |message: String| AgentError::new(code::INVALID_MESSAGE, message);
        let envelope: Self =
            parse_object(text).map_err(|error| invalid(format!("not an OSSA message: {error}")))?;
        if envelope.kind.is_empty() || envelope.kind.len() > MAX_TYPE {
            return Err(invalid(format!("\"type\" must have 1 to {MAX_TYPE} bytes")));
        }
        // The specification's own examples send these two without an envelope.
        let bare = matches!(envelope.kind.as_str(), "heartbeat" | "state_update");
        if !bare && (envelope.id.is_empty() || envelope.metadata.is_none()) {
            return Err(invalid(format!("the {} has no \"id\" or no \"metadata\"", envelope.kind)));
        }
        let correlation = envelope.correlation_id();
        let channel = envelope.metadata.as_ref().and_then(|metadata| metadata.channel_id.as_deref());
        for id in [Some(envelope.id.as_str()), correlation, channel].into_iter().flatten() {
            if id.len() > MAX_ID {
                return Err(invalid(format!("an id has {} bytes, at most {MAX_ID} are allowed", id.len())));
            }
        }
        Ok(envelope)
    }

    /// `metadata.chunked`.
    pub fn chunked(&self) -> Option<&Chunked> {
        self.metadata.as_ref()?.chunked.as_ref()
    }

    /// `metadata.correlationId`.
    pub fn correlation_id(&self) -> Option<&str> {
        self.metadata.as_ref()?.correlation_id.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(fields: &str) -> String {
        format!(r#"{{"id":"1","timestamp":"t","metadata":{{"agentId":"agent://a"}},{fields}}}"#)
    }

    #[test]
    fn the_payload_is_kept_byte_for_byte() {
        for payload in [r#""\ud83d""#, "12345678901234567890.10", r#"{"b":1, "a":[ null ]}"#, "null"] {
            let text = with(&format!(r#""type":"message","payload":{payload}"#));
            let envelope = Envelope::parse(&text).unwrap();
            // `null` is a payload too; a missing one is not told apart from it by any receiver.
            assert_eq!(envelope.payload.map_or("null", RawValue::get), payload);
        }
    }

    #[test]
    fn a_message_without_id_or_metadata_is_refused_unless_it_is_a_bare_heartbeat_or_state_update() {
        assert!(Envelope::parse(r#"{"type":"heartbeat","timestamp":"t"}"#).is_ok());
        assert!(Envelope::parse(r#"{"type":"state_update","payload":{}}"#).is_ok());
        for text in [
            r#"{"type":"message","payload":1}"#,
            r#"{"type":"message","id":"1","payload":1}"#,
            r#"{"type":"message","payload":1,"metadata":{"agentId":"agent://a"}}"#,
            r#"{"type":"message","id":"1","metadata":{}}"#,
            r#"{"type":"message","id":"1","metadata":{"agentId":"a"}}"#,
            r#"{"type":"","id":"1","metadata":{"agentId":"agent://a"}}"#,
            r#"{"type":7}"#,
            "[]",
            r#"["message","1","t",1,{"agentId":"agent://a"}]"#,
            r#"{"type":"message","id":"1","payload":1,"metadata":["agent://a"]}"#,
            "hello",
            "",
        ] {
            assert_eq!(Envelope::parse(text).unwrap_err().code, code::INVALID_MESSAGE, "{text}");
        }
    }

    #[test]
    fn metadata_out_of_range_is_refused() {
        for metadata in [
            r#"{"agentId":"agent://a","priority":"urgent"}"#,
            r#"{"agentId":"agent://a","ttl":"5"}"#,
            r#"{"agentId":"agent://a","chunked":{"chunkIndex":-1,"totalChunks":1,"messageId":"m"}}"#,
        ] {
            let text = format!(r#"{{"type":"message","id":"1","timestamp":"t","metadata":{metadata}}}"#);
            assert!(Envelope::parse(&text).is_err(), "{metadata}");
        }
        let long = "x".repeat(MAX_ID + 1);
        let text = format!(
            r#"{{"type":"message","id":"1","metadata":{{"agentId":"agent://a","correlationId":"{long}"}}}}"#
        );
        assert!(Envelope::parse(&text).is_err());
    }

    #[test]
    fn unknown_types_and_fields_are_accepted() {
        let text = with(r#""type":"gossip","payload":1,"extra":{"x":[1]}"#);
        assert_eq!(Envelope::parse(&text).unwrap().kind, "gossip");
    }
}
