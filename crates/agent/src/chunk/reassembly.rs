//! Parts put together again, within bounds.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::json_text::join;
use super::part::MAX_MESSAGE_ID;
use crate::error::{AgentError, code};
use crate::verdict::{READING, Verdict};

/// What a part costs besides its bytes: its entry in the map and the allocation. Counted, since a peer may send a
/// million empty parts.
const PART_COST: usize = 64;

/// Messages that are done with and whose late parts are ignored. More than can be in the making at once, several times.
const REMEMBERED: usize = 256;

/// What is kept for a peer.
#[derive(Debug, Clone)]
pub struct ReassemblyLimits {
    /// Bytes of one message, default 16 MiB.
    pub message_bytes: usize,
    /// Bytes of all messages of the peer that are incomplete, default 64 MiB.
    pub total_bytes: usize,
    /// Messages of the peer that are incomplete, default 64: a sender does one after the other on each channel.
    pub messages: usize,
    /// A message that gets no part for so long is given up, default 30 s.
    pub idle: Duration,
}

impl Default for ReassemblyLimits {
    fn default() -> Self {
        Self {
            message_bytes: 16 * 1024 * 1024,
            total_bytes: 64 * 1024 * 1024,
            messages: 64,
            idle: Duration::from_secs(30),
        }
    }
}

/// Which part of which message it is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The channel that it came through; any number that is the channel's own.
    pub channel: u32,
    /// The message, unique on its channel.
    pub message: &'a str,
    /// From 0.
    pub index: u32,
    /// The same in every part.
    pub total: u32,
}

/// What a part has led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// More parts are needed.
    More {
        /// Parts that are there.
        parts: u32,
        /// Bytes that are there.
        bytes: usize,
    },
    /// That was the last one: the text of the whole message.
    Whole(String),
    /// Nothing: the part was there already, or its message is complete or was refused.
    Ignored,
}

type Key = (u32, Arc<str>);

#[derive(Debug)]
struct Incomplete {
    parts: BTreeMap<u32, Box<[u8]>>,
    total: u32,
    /// Bytes of text, without [`PART_COST`].
    bytes: usize,
    touched: Instant,
}

impl Incomplete {
    fn cost(&self) -> usize {
        self.bytes + self.parts.len() * PART_COST
    }
}

/// The incomplete messages of one peer.
#[derive(Debug)]
pub struct Reassembly {
    limits: ReassemblyLimits,
    incomplete: HashMap<Key, Incomplete>,
    cost: usize,
    done: VecDeque<Key>,
    /// Whether idle messages count as given up when this program gets round to them late.
    verdict: Verdict,
}

impl Reassembly {
    /// Nothing received yet.
    pub fn new(limits: ReassemblyLimits) -> Self {
        let (incomplete, done) = (HashMap::new(), VecDeque::new());
        Self { limits, incomplete, cost: 0, done, verdict: Verdict::default() }
    }

    /// Bytes that are kept, with what keeping them costs. Never above [`ReassemblyLimits::total_bytes`].
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// Messages that are incomplete.
    pub fn len(&self) -> usize {
        self.incomplete.len()
    }

    /// Whether every message is complete.
    pub fn is_empty(&self) -> bool {
        self.incomplete.is_empty()
    }

    /// Takes one part; `slice` is WTF-8, since the specification's sender cuts characters apart.
    ///
    /// # Errors
    /// Once per message, which is forgotten and whose further parts are ignored: `MESSAGE_TOO_LARGE` beyond a limit,
    /// `INVALID_MESSAGE` for parts that contradict each other or the joined text not being one.
    pub fn take(&mut self, place: Place, slice: Vec<u8>, now: Instant) -> Result<Taken, AgentError> {
        let Place { channel, message, index, total } = place;
        if message.is_empty() || message.len() > MAX_MESSAGE_ID {
            let text = format!("the id of a chunked message must have 1 to {MAX_MESSAGE_ID} bytes");
            return Err(AgentError::new(code::INVALID_MESSAGE, text));
        }
        let key: Key = (channel, message.into());
        if self.done.contains(&key) {
            return Ok(Taken::Ignored);
        }
        if let Err(error) = self.admit(&key, index, total, slice.len()) {
            self.finish(&key);
            return Err(error);
        }
        let incomplete = self.incomplete.entry(key.clone()).or_insert_with(|| Incomplete {
            parts: BTreeMap::new(),
            total,
            bytes: 0,
            touched: now,
        });
        if incomplete.parts.contains_key(&index) {
            return Ok(Taken::Ignored);
        }
        incomplete.touched = now;
        incomplete.bytes += slice.len();
        self.cost += slice.len() + PART_COST;
        incomplete.parts.insert(index, slice.into_boxed_slice());
        let parts = u32::try_from(incomplete.parts.len()).unwrap_or(u32::MAX);
        if parts < total {
            return Ok(Taken::More { parts, bytes: incomplete.bytes });
        }
        let Some(complete) = self.finish(&key) else { return Ok(Taken::Ignored) };
        let mut bytes = Vec::with_capacity(complete.bytes);
        for part in complete.parts.into_values() {
            bytes.extend_from_slice(&part);
        }
        let text = join(bytes);
        text.map(Taken::Whole)
            .map_err(|()| AgentError::new(code::INVALID_MESSAGE, "the parts do not join to a text"))
    }

    fn admit(&self, key: &Key, index: u32, total: u32, bytes: usize) -> Result<(), AgentError> {
        let too_large = |text: String| Err(AgentError::new(code::MESSAGE_TOO_LARGE, text));
        let ReassemblyLimits { message_bytes, total_bytes, messages, .. } = self.limits;
        if index >= total {
            let text = format!("part {index} of {total} is none: they are counted from 0");
            return Err(AgentError::new(code::INVALID_MESSAGE, text));
        }
        let known = self.incomplete.get(key);
        if let Some(known) = known
            && known.total != total
        {
            let text = format!("a message of {} parts cannot have {total}", known.total);
            return Err(AgentError::new(code::INVALID_MESSAGE, text));
        }
        if known.is_some_and(|known| known.parts.contains_key(&index)) {
            return Ok(());
        }
        let had = known.map_or(0, |known| known.bytes);
        let cost = bytes + PART_COST;
        // Each part costs something, so that too many of them are too large before the first is kept.
        if had + bytes > message_bytes || total as usize > message_bytes / PART_COST + 1 {
            return too_large(format!("a message in parts may have {message_bytes} bytes here"));
        }
        if self.cost + cost > total_bytes {
            return too_large(format!("all incomplete messages together may have {total_bytes} bytes here"));
        }
        if known.is_none() && self.incomplete.len() >= messages {
            return too_large(format!("{messages} messages are incomplete here, the most allowed"));
        }
        Ok(())
    }

    /// Forgets the parts of a message, and remembers that its late ones mean nothing.
    fn finish(&mut self, key: &Key) -> Option<Incomplete> {
        if self.done.len() >= REMEMBERED {
            self.done.pop_front();
        }
        self.done.push_back(key.clone());
        let incomplete = self.incomplete.remove(key)?;
        self.cost -= incomplete.cost();
        Some(incomplete)
    }

    /// The sender has given this message up.
    pub fn abandon(&mut self, channel: u32, message: &str) {
        if message.len() <= MAX_MESSAGE_ID {
            self.finish(&(channel, message.into()));
        }
    }

    /// A channel is gone, and the rest of its messages with it.
    pub fn forget_channel(&mut self, channel: u32) {
        self.incomplete.retain(|key, incomplete| {
            let keep = key.0 != channel;
            if !keep {
                self.cost -= incomplete.cost();
            }
            keep
        });
        self.done.retain(|key| key.0 != channel);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.first_idle().map(|due| self.verdict.look_at(due))
    }

    fn first_idle(&self) -> Option<Instant> {
        // At most as many as `messages` allows.
        let first = self.incomplete.values().map(|incomplete| incomplete.touched).min()?;
        first.checked_add(self.limits.idle)
    }

    /// Gives up what has waited too long; one error for each.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<AgentError> {
        if !self.first_idle().is_some_and(|due| self.verdict.falls(due, now, READING)) {
            return Vec::new();
        }
        self.verdict.settle();
        let idle = self.limits.idle;
        let late: Vec<Key> = (self.incomplete.iter())
            .filter(|(_, incomplete)| now.saturating_duration_since(incomplete.touched) >= idle)
            .map(|(key, _)| key.clone())
            .collect();
        let mut errors = Vec::new();
        for key in late {
            let Some(incomplete) = self.finish(&key) else { continue };
            let text = format!(
                "the message {:?} was given up: {} of its {} parts came, and nothing for {} s",
                key.1,
                incomplete.parts.len(),
                incomplete.total,
                idle.as_secs()
            );
            errors.push(AgentError::new(code::PROTOCOL_ERROR, text));
        }
        errors
    }
}

#[cfg(test)]
#[path = "reassembly_tests.rs"]
mod tests;
