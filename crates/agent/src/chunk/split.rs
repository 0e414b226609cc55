//! A message cut into the chunks of the specification.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json_text::{escape, escaped_len};
use crate::error::{AgentError, code};

/// Most bytes of a chunk with its envelope: what every WebRTC implementation takes in one message.
pub const MAX_CHUNK: usize = 16_384;

/// Room for text that a chunk must have: a character needs 6 bytes at most, and less than this makes no sense.
const MIN_ROOM: usize = 1024;

/// `,"chunked":{"chunkIndex":I,"totalChunks":T,"messageId":` and `}}}` with numbers as long as they can be.
const CHUNKED: usize = 80;

/// What a chunk repeats of its message, as it stands there.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, rename = "type")]
    kind: &'a RawValue,
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    timestamp: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

/// Cuts one message into chunks, on demand: only one of them is in memory besides the message.
#[derive(Debug)]
pub struct Splitter {
    text: String,
    /// Where each chunk ends.
    ends: Vec<usize>,
    next: usize,
    /// A chunk up to its text, and behind it up to the index.
    head: String,
    metadata: String,
    message_id: String,
}

impl Splitter {
    /// `text` is the JSON of a whole message. Its `id` names the chunks as well: ids are unique.
    ///
    /// # Errors
    /// `INVALID_MESSAGE` if it is not one, `MESSAGE_TOO_LARGE` if its metadata leave no room in a chunk.
    pub fn new(text: String) -> Result<Self, AgentError> {
        Self::with_limits(text, MAX_CHUNK, MIN_ROOM)
    }

    /// The same for chunks of at most `max_chunk` bytes with room for `min_room` of text: small ones make quick tests.
    pub(crate) fn with_limits(text: String, max_chunk: usize, min_room: usize) -> Result<Self, AgentError> {
        let invalid = |error| AgentError::new(code::INVALID_MESSAGE, format!("not an OSSA message: {error}"));
        let message: Message = serde_json::from_str(&text).map_err(invalid)?;
        let head = format!(
            r#"{{"type":{},"id":{},"timestamp":{},"payload":""#,
            message.kind, message.id, message.timestamp
        );
        let message_id = message.id.get().to_owned();
        let members = message.metadata.get().trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let members = members.map(str::trim).filter(|members| !members.is_empty());
        let Some(members) = members else {
            return Err(AgentError::new(
                code::INVALID_MESSAGE,
                "\"metadata\" must be an object with an agentId",
            ));
        };
        let metadata = format!(r#"","metadata":{{{members}"#);
        let fixed = head.len() + metadata.len() + message_id.len() + CHUNKED;
        let room = max_chunk.saturating_sub(fixed);
        if room < min_room {
            let text =
                format!("the envelope alone has {fixed} bytes of the {max_chunk} that a chunk may have");
            return Err(AgentError::new(code::MESSAGE_TOO_LARGE, text));
        }
        let ends = cuts(&text, room);
        Ok(Self { text, ends, next: 0, head, metadata, message_id })
    }

    /// How many chunks there are.
    pub fn total(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of the whole message.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Never: a message has an envelope.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// The chunks, ready to be sent.
impl Iterator for Splitter {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let end = *self.ends.get(self.next)?;
        let start = if self.next == 0 { 0 } else { self.ends[self.next - 1] };
        let mut chunk = Vec::with_capacity(MAX_CHUNK);
        chunk.extend_from_slice(self.head.as_bytes());
        escape(&self.text.as_bytes()[start..end], &mut chunk);
        let mut chunk = String::from_utf8(chunk).expect("both are UTF-8, and cut between characters");
        let (index, total) = (self.next, self.total());
        write!(
            chunk,
            r#"{},"chunked":{{"chunkIndex":{index},"totalChunks":{total},"messageId":{}}}}}}}"#,
            self.metadata, self.message_id
        )
        .expect("a String takes everything");
        self.next += 1;
        Some(chunk)
    }
}

/// Ends of slices of at most `room` escaped bytes, on boundaries of characters.
fn cuts(text: &str, room: usize) -> Vec<usize> {
    let mut ends = Vec::with_capacity(text.len() / room + 1);
    let mut used = 0;
    let mut boundary = 0;
    let mut since_boundary = 0;
    for (at, byte) in text.bytes().enumerate() {
        if text.is_char_boundary(at) {
            (boundary, since_boundary) = (at, 0);
        }
        let length = escaped_len(byte);
        since_boundary += length;
        used += length;
        if used > room {
            ends.push(boundary);
            used = since_boundary;
        }
    }
    ends.push(text.len());
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use proptest::prelude::*;

    fn message(payload: &str) -> String {
        let payload = serde_json::to_string(payload).unwrap();
        format!(
            r#"{{"type":"message","id":"m-1","timestamp":"t","payload":{payload},"metadata":{{"agentId":"agent://a","ttl":5}}}}"#
        )
    }

    /// As the specification's `handleChunkedMessage` does it.
    fn naive(chunks: &[String]) -> String {
        let mut parts = vec![String::new(); chunks.len()];
        for text in chunks {
            let chunk: serde_json::Value = serde_json::from_str(text).unwrap();
            let chunked = &chunk["metadata"]["chunked"];
            assert_eq!(chunked["totalChunks"], chunks.len());
            assert_eq!(chunk["id"], "m-1");
            assert_eq!(chunk["metadata"]["ttl"], 5);
            let index = usize::try_from(chunked["chunkIndex"].as_u64().unwrap()).unwrap();
            chunk["payload"].as_str().unwrap().clone_into(&mut parts[index]);
        }
        parts.concat()
    }

    #[test]
    fn the_specifications_receiver_gets_the_message_from_chunks_of_16_kib() {
        // Everything escaped twice, wide characters, and characters of four bytes at every offset.
        for unit in ["\"\\\n", "ä", "a😀", "\u{1}", "x"] {
            let text = message(&unit.repeat(40_000 / unit.len()));
            let chunks: Vec<String> = Splitter::new(text.clone()).unwrap().collect();
            assert!(chunks.len() > 1 && chunks.iter().all(|chunk| chunk.len() <= MAX_CHUNK));
            assert!(chunks[0].len() > MAX_CHUNK - 120, "chunks are filled: {}", chunks[0].len());
            assert_eq!(naive(&chunks), text);
            assert!(chunks.iter().all(|chunk| Envelope::parse(chunk).is_ok()));
        }
    }

    #[test]
    fn metadata_that_fill_a_chunk_are_refused() {
        let text = format!(
            r#"{{"type":"message","id":"1","timestamp":"t","payload":1,"metadata":{{"agentId":"agent://a","x":"{}"}}}}"#,
            "x".repeat(MAX_CHUNK)
        );
        assert_eq!(Splitter::new(text).unwrap_err().code, code::MESSAGE_TOO_LARGE);
        assert_eq!(Splitter::new("[]".into()).unwrap_err().code, code::INVALID_MESSAGE);
    }

    proptest! {
        #[test]
        fn any_payload_arrives_in_chunks_within_the_limit(parts in proptest::collection::vec("\\PC{0,40}|[\"\\\\\n\u{0}😀]{0,40}", 0..40), times in 1usize..60) {
            let text = message(&parts.concat().repeat(times));
            let chunks: Vec<String> = Splitter::new(text.clone()).unwrap().collect();
            prop_assert!(chunks.iter().all(|chunk| chunk.len() <= MAX_CHUNK));
            prop_assert_eq!(naive(&chunks), text);
        }
    }
}
