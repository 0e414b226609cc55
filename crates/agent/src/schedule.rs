//! Whose turn it is to be sent: messages of four priorities on several channels.
//!
//! Fair queueing by start time (SFQ): each flow, a priority of a channel, has a place in virtual time that moves on by
//! `bytes / weight` with everything that it sends, and the flow that is furthest behind goes next. A flow that wakes up
//! starts at the present, hence before a flow that has just been served: a critical message goes before the
//! remaining parts of a large one. No flow starves, since the others move past it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use crate::envelope::Priority;
use crate::error::{AgentError, code};

/// Channels that a schedule knows. A link has three at most; the bound is that of the mask in [`Schedule::next`].
pub const MAX_LANES: u32 = 32;

const PRIORITIES: usize = 4;

/// Virtual time of a byte at the greatest weight. A whole number for each of the weights below.
const SCALE: u64 = 8;

/// The weights of RFC 8831, 6.4, divided by 128: the same that the channels of a connection have among each other.
fn weight(flow: usize) -> u64 {
    1 << (flow % PRIORITIES)
}

/// What may wait.
#[derive(Debug, Clone)]
pub struct ScheduleLimits {
    /// Messages, default 65,536: with their bookkeeping some 20 MiB.
    pub messages: usize,
    /// Their bytes, default 64 MiB. A larger message is taken if nothing else waits.
    pub bytes: usize,
}

impl Default for ScheduleLimits {
    fn default() -> Self {
        Self { messages: 65_536, bytes: 64 * 1024 * 1024 }
    }
}

/// A message that waits, known by its ticket.
#[derive(Debug)]
struct Waiting {
    flow: usize,
    bytes: usize,
    expires: Option<Instant>,
    begun: bool,
}

#[derive(Debug, Default)]
struct Flow {
    /// Tickets in their order. Those that were withdrawn are still there, up to half of it.
    queue: VecDeque<u64>,
    withdrawn: usize,
    /// The place in virtual time.
    start: u64,
}

/// The messages that wait to be sent, without their text.
#[derive(Debug)]
pub struct Schedule {
    limits: ScheduleLimits,
    flows: Vec<Flow>,
    waiting: HashMap<u64, Waiting>,
    /// Those with a ttl that have not begun.
    deadlines: BTreeMap<(Instant, u64), ()>,
    bytes: usize,
    next_ticket: u64,
    /// Where the flow stood that was served last.
    virtual_time: u64,
}

impl Schedule {
    /// Nothing waits.
    pub fn new(limits: ScheduleLimits) -> Self {
        Self {
            limits,
            flows: Vec::new(),
            waiting: HashMap::new(),
            deadlines: BTreeMap::new(),
            bytes: 0,
            next_ticket: 0,
            virtual_time: 0,
        }
    }

    /// Messages that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes of the messages that wait; of one that is under way, all.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Queues a message of `bytes` on a channel and returns its ticket. It is not begun after `expires`.
    ///
    /// # Errors
    /// `RATE_LIMIT_EXCEEDED` beyond a limit. Nothing was taken then.
    pub fn push(
        &mut self,
        lane: u32,
        priority: Priority,
        bytes: usize,
        expires: Option<Instant>,
    ) -> Result<u64, AgentError> {
        let full = |text: String| Err(AgentError::new(code::RATE_LIMIT_EXCEEDED, text));
        if lane >= MAX_LANES {
            return full(format!("a link sends messages on {MAX_LANES} channels at most"));
        }
        if self.waiting.len() >= self.limits.messages {
            return full(format!(
                "{} messages wait to be sent, the most allowed: await send()",
                self.waiting.len()
            ));
        }
        if self.bytes + bytes > self.limits.bytes && self.bytes > 0 {
            return full(format!(
                "a message of {bytes} bytes does not fit: {} of {} bytes wait to be sent; await send()",
                self.bytes, self.limits.bytes
            ));
        }
        let index = lane as usize * PRIORITIES + priority as usize;
        if self.flows.len() <= index {
            self.flows.resize_with(index + 1, Flow::default);
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let flow = &mut self.flows[index];
        if flow.queue.len() == flow.withdrawn {
            flow.start = flow.start.max(self.virtual_time);
        }
        flow.queue.push_back(ticket);
        self.bytes += bytes;
        if let Some(expires) = expires {
            self.deadlines.insert((expires, ticket), ());
        }
        self.waiting.insert(ticket, Waiting { flow: index, bytes, expires, begun: false });
        Ok(ticket)
    }

    /// The message to send from next, among the channels whose bit is set in `ready`. Asking changes nothing for
    /// these; a channel that is not ready does not save its turns up.
    pub fn next(&mut self, ready: u32) -> Option<u64> {
        let mut best: Option<(u64, u64, u64, usize)> = None;
        for (index, flow) in self.flows.iter_mut().enumerate() {
            let Some(ticket) = head(flow, &self.waiting) else { continue };
            if ready & 1 << (index / PRIORITIES) == 0 {
                flow.start = flow.start.max(self.virtual_time);
                continue;
            }
            // Of flows at the same place the most urgent goes first; among equals, the message that came first.
            let candidate = (flow.start, 8 - weight(index), ticket, index);
            best = Some(best.map_or(candidate, |best| best.min(candidate)));
        }
        best.map(|(_, _, ticket, _)| ticket)
    }

    /// `bytes` of the message have been sent; `done` if that was all of it.
    pub fn sent(&mut self, ticket: u64, bytes: usize, done: bool) {
        let Some(waiting) = self.waiting.get_mut(&ticket) else { return };
        let flow = &mut self.flows[waiting.flow];
        self.virtual_time = self.virtual_time.max(flow.start);
        // At least one byte: a flow of empty messages has to move on as well.
        flow.start += (bytes.max(1) as u64).saturating_mul(SCALE) / weight(waiting.flow);
        if !waiting.begun {
            waiting.begun = true;
            if let Some(expires) = waiting.expires {
                self.deadlines.remove(&(expires, ticket));
            }
        }
        if done {
            self.remove(ticket);
        }
    }

    /// A message that was begun has to begin anew: its channel was lost.
    pub fn restart(&mut self, ticket: u64) {
        let Some(waiting) = self.waiting.get_mut(&ticket) else { return };
        if let (true, Some(expires)) = (waiting.begun, waiting.expires) {
            self.deadlines.insert((expires, ticket), ());
        }
        waiting.begun = false;
    }

    /// Takes a message back. False if it is not there.
    pub fn remove(&mut self, ticket: u64) -> bool {
        let Some(waiting) = self.waiting.remove(&ticket) else { return false };
        self.bytes -= waiting.bytes;
        if let Some(expires) = waiting.expires {
            self.deadlines.remove(&(expires, ticket));
        }
        let flow = &mut self.flows[waiting.flow];
        if flow.queue.front() == Some(&ticket) {
            flow.queue.pop_front();
        } else {
            flow.withdrawn += 1;
        }
        if flow.withdrawn * 2 > flow.queue.len() {
            flow.queue.retain(|ticket| self.waiting.contains_key(ticket));
            flow.withdrawn = 0;
        }
        true
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first_key_value().map(|(&(expires, _), ())| expires)
    }

    /// Removes the messages whose ttl has passed; returns their tickets.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<u64> {
        let mut expired = Vec::new();
        while let Some((&(expires, ticket), ())) = self.deadlines.first_key_value()
            && expires <= now
        {
            self.remove(ticket);
            expired.push(ticket);
        }
        expired
    }
}

/// The first message of a flow, behind those that were withdrawn.
fn head(flow: &mut Flow, waiting: &HashMap<u64, Waiting>) -> Option<u64> {
    while let Some(ticket) = flow.queue.front() {
        if waiting.contains_key(ticket) {
            return Some(*ticket);
        }
        flow.queue.pop_front();
        flow.withdrawn -= 1;
    }
    None
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
