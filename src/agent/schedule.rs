//! Sending as `ts/agent` sees it: whose turn it is, and messages cut into chunks.

use std::time::{Duration, Instant};

use napi::Result;
use napi_derive::napi;
use ossa_agent::{Priority, Schedule, ScheduleLimits, Splitter};

use crate::base::agent_error::from_agent;
use crate::base::system::milliseconds_until;

/// The messages of one link that wait to be sent. Their text stays in JavaScript; this knows them by tickets.
#[napi]
pub struct SendSchedule {
    schedule: Schedule,
}

#[napi]
impl SendSchedule {
    /// At most so many messages and bytes wait.
    #[napi(constructor)]
    pub fn new(messages: f64, bytes: f64) -> Self {
        // Conversions from float saturate: more than the address space holds is no limit.
        let limits = ScheduleLimits { messages: messages as usize, bytes: bytes as usize };
        Self { schedule: Schedule::new(limits) }
    }

    /// Queues a message of `bytes`; `priority` counts from 0, low, to 3, critical. Returns its ticket.
    #[napi]
    pub fn push(&mut self, lane: u32, priority: u32, bytes: f64, ttl_ms: Option<f64>) -> Result<f64> {
        let priority = match priority {
            0 => Priority::Low,
            1 => Priority::Normal,
            2 => Priority::High,
            _ => Priority::Critical,
        };
        // A ttl beyond the clock's range is none.
        let expires = ttl_ms
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok())
            .and_then(|ttl| Instant::now().checked_add(ttl));
        let pushed = self.schedule.push(lane, priority, bytes as usize, expires);
        pushed.map(|ticket| ticket as f64).map_err(|error| from_agent(&error))
    }

    /// The message to send from, among the channels whose bit is set; -1 if there is none.
    #[napi]
    pub fn next(&mut self, ready: u32) -> f64 {
        self.schedule.next(ready).map_or(-1.0, |ticket| ticket as f64)
    }

    /// So many bytes of it have been sent; `done` if that was all.
    #[napi]
    pub fn sent(&mut self, ticket: f64, bytes: f64, done: bool) {
        self.schedule.sent(ticket as u64, bytes as usize, done);
    }

    /// A message that was begun begins anew.
    #[napi]
    pub fn restart(&mut self, ticket: f64) {
        self.schedule.restart(ticket as u64);
    }

    /// Takes a message back. False if it is not there.
    #[napi]
    pub fn remove(&mut self, ticket: f64) -> bool {
        self.schedule.remove(ticket as u64)
    }

    /// Milliseconds until `expire` is due; `null` if no message has a ttl.
    #[napi]
    pub fn next_timeout(&self) -> Option<f64> {
        self.schedule.poll_timeout().map(milliseconds_until)
    }

    /// Removes the messages whose ttl has passed.
    #[napi]
    pub fn expire(&mut self) -> Vec<f64> {
        let expired = self.schedule.handle_timeout(Instant::now());
        expired.into_iter().map(|ticket| ticket as f64).collect()
    }

    /// Bytes that wait.
    #[napi(getter)]
    pub fn bytes(&self) -> f64 {
        self.schedule.bytes() as f64
    }
}

/// Cuts one message into the chunks of the specification.
#[napi]
pub struct ChunkWriter {
    chunks: Splitter,
}

#[napi]
impl ChunkWriter {
    /// `text` is a whole message with its envelope.
    #[napi(constructor)]
    pub fn new(text: String) -> Result<Self> {
        Splitter::new(text).map(|chunks| Self { chunks }).map_err(|error| from_agent(&error))
    }

    /// How many there are.
    #[napi(getter)]
    pub fn total(&self) -> u32 {
        u32::try_from(self.chunks.total()).unwrap_or(u32::MAX)
    }

    /// The next chunk, `null` after the last.
    #[napi]
    pub fn next(&mut self) -> Option<String> {
        self.chunks.next()
    }
}
