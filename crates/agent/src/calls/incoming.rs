//! Calls of the other side that run here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deadlines::{Deadlines, Key};
use super::window::Window;
use crate::error::{AgentError, code};

/// How many calls of the other side there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncomingLimits {
    pub(crate) calls: usize,
    /// Of their inputs, together.
    pub(crate) bytes: usize,
}

/// The calls of the other side whose handlers have not finished.
#[derive(Debug)]
pub(crate) struct Incoming {
    calls: HashMap<Arc<str>, Active>,
    /// Only those whose correlation id is not their id: our own agents use the same for both.
    by_correlation: HashMap<Box<str>, Arc<str>>,
    deadlines: Deadlines,
    bytes: usize,
    limits: IncomingLimits,
}

#[derive(Debug)]
struct Active {
    correlation: Option<Box<str>>,
    bytes: usize,
    deadline: Option<Key>,
    /// The caller takes the result item by item.
    stream: bool,
    /// Items that were sent and not acknowledged.
    sent: Window,
    /// Nobody waits for the result any more; the handler has not finished all the same, and counts.
    silenced: bool,
}

/// What an acknowledgement was good for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ack {
    /// For a call that is over, most often.
    Unknown,
    /// It names items that were not sent, or that were acknowledged before.
    Wrong,
    /// More items may be sent for this call.
    Room(Arc<str>),
}

impl Incoming {
    pub(crate) fn new(limits: IncomingLimits) -> Self {
        Self {
            calls: HashMap::new(),
            by_correlation: HashMap::new(),
            deadlines: Deadlines::default(),
            bytes: 0,
            limits,
        }
    }

    pub(crate) fn set_limits(&mut self, limits: IncomingLimits) {
        self.limits = limits;
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn contains(&self, call: &str) -> bool {
        self.calls.contains_key(call)
    }

    /// Adds a call with an input of `bytes` bytes, to be answered within `time`.
    ///
    /// # Errors
    /// `RATE_LIMIT_EXCEEDED`.
    pub(crate) fn insert(
        &mut self,
        call: &str,
        correlation: &str,
        stream: bool,
        bytes: usize,
        now: Instant,
        time: Option<Duration>,
    ) -> Result<(), AgentError> {
        if self.calls.len() >= self.limits.calls {
            let text = format!("{} calls are in progress here, the most allowed", self.calls.len());
            return Err(AgentError::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        if self.bytes + bytes > self.limits.bytes {
            let text = format!(
                "the inputs of the calls in progress here have {} bytes, at most {} are allowed",
                self.bytes, self.limits.bytes
            );
            return Err(AgentError::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        let call: Arc<str> = call.into();
        let correlation: Option<Box<str>> = (*correlation != *call).then(|| correlation.into());
        if let Some(correlation) = &correlation {
            self.by_correlation.entry(correlation.clone()).or_insert_with(|| call.clone());
        }
        let deadline = time.map(|time| self.deadlines.add(call.clone(), now, time));
        self.bytes += bytes;
        let active =
            Active { correlation, bytes, deadline, stream, sent: Window::default(), silenced: false };
        self.calls.insert(call, active);
        Ok(())
    }

    /// The correlation id that answers to `call` need; none if there is no such call or it wants no answer.
    pub(crate) fn correlation(&self, call: &str) -> Option<String> {
        let active = self.answerable(call)?;
        Some(active.correlation.as_deref().unwrap_or(call).to_owned())
    }

    /// Whether the result of `call` is wanted item by item.
    pub(crate) fn streams(&self, call: &str) -> bool {
        self.answerable(call).is_some_and(|active| active.stream)
    }

    /// Whether another item may be sent.
    pub(crate) fn has_room(&self, call: &str) -> bool {
        self.answerable(call).is_some_and(|active| active.sent.has_room())
    }

    /// The index of the next item of `call`.
    pub(crate) fn next_index(&self, call: &str) -> u64 {
        self.calls.get(call).map_or(0, |active| active.sent.end())
    }

    /// An item of `call` has been sent.
    pub(crate) fn sent(&mut self, call: &str, bytes: usize) {
        if let Some(active) = self.calls.get_mut(call) {
            active.sent.push(bytes);
        }
    }

    /// The other side has read the items before `index` of the call with this correlation id.
    pub(crate) fn acknowledge(&mut self, correlation: &str, index: u64) -> Ack {
        let Some(call) = self.find(correlation) else { return Ack::Unknown };
        let Some(active) = self.calls.get_mut(&call).filter(|active| !active.silenced) else {
            return Ack::Unknown;
        };
        if active.sent.advance(index) { Ack::Room(call) } else { Ack::Wrong }
    }

    /// The other side does not want the result of the call with this correlation id. Returns which call that is.
    pub(crate) fn cancel(&mut self, correlation: &str) -> Option<Arc<str>> {
        let call = self.find(correlation)?;
        self.silence(&call).then_some(call)
    }

    /// Removes a call: its handler has finished. False if there is none.
    pub(crate) fn remove(&mut self, call: &str) -> bool {
        let Some(active) = self.calls.remove(call) else { return false };
        self.bytes -= active.bytes;
        self.deadlines.remove(active.deadline);
        if let Some(correlation) = active.correlation
            && self.by_correlation.get(&correlation).is_some_and(|other| **other == *call)
        {
            self.by_correlation.remove(&correlation);
        }
        true
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Silences one call whose time is over; returns it with the correlation id for the last answer.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<(Arc<str>, String)> {
        let call = self.deadlines.pop(now)?;
        let correlation = self.correlation(&call).unwrap_or_else(|| call.to_string());
        self.silence(&call);
        Some((call, correlation))
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.by_correlation.clear();
        self.deadlines.clear();
        self.bytes = 0;
    }

    fn answerable(&self, call: &str) -> Option<&Active> {
        self.calls.get(call).filter(|active| !active.silenced)
    }

    fn find(&self, correlation: &str) -> Option<Arc<str>> {
        if let Some((call, active)) = self.calls.get_key_value(correlation)
            && active.correlation.is_none()
        {
            return Some(call.clone());
        }
        self.by_correlation.get(correlation).cloned()
    }

    /// False if it was silenced before.
    fn silence(&mut self, call: &str) -> bool {
        let Some(active) = self.calls.get_mut(call) else { return false };
        self.deadlines.remove(active.deadline.take());
        !std::mem::replace(&mut active.silenced, true)
    }

    #[cfg(test)]
    pub(crate) fn leftovers(&self) -> (usize, usize, usize, usize) {
        (self.calls.len(), self.by_correlation.len(), self.deadlines.len(), self.bytes)
    }
}
