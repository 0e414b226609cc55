//! Calls of this side that wait for an answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deadlines::{Deadlines, Key};
use super::window::{WINDOW_BYTES, WINDOW_ITEMS, Window};
use crate::envelope::StreamMark;
use crate::verdict::Verdict;

/// How long answers that have come in may take to be read before calls are given up by a program that was held up: they
/// wait for the thread that asks, and are read in its next turn.
const READING: Duration = Duration::from_millis(100);

/// The calls that this side has made and that are not over yet.
#[derive(Debug)]
pub(crate) struct Outgoing {
    calls: HashMap<Arc<str>, Pending>,
    deadlines: Deadlines,
    /// Whether deadlines count when this program gets round to them late: the answers may have come in time.
    verdict: Verdict,
    limit: usize,
}

#[derive(Debug)]
struct Pending {
    deadline: Option<Key>,
    /// The result is wanted item by item.
    reading: Option<Reading>,
}

/// A streamed result.
#[derive(Debug)]
struct Reading {
    /// How long the reader waits for an item when it has none to read.
    patience: Duration,
    /// Items that have arrived and have not been read.
    unread: Window,
    /// An item has come: what answers is one of us.
    started: bool,
    /// Bytes read since the other side was last told.
    bytes: usize,
    /// What the other side was last told.
    told: u64,
}

/// What an answer means for its call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The call is over: this is its result, or the only item of it.
    Result,
    /// The next item; the call goes on.
    Item,
    /// The call is over: there are no more items.
    End,
    /// The call is over: the other side does not keep to the rules.
    Violation(String),
}

impl Outgoing {
    pub(crate) fn new(limit: usize) -> Self {
        let (deadlines, verdict) = (Deadlines::default(), Verdict::default());
        Self { calls: HashMap::new(), deadlines, verdict, limit }
    }

    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(crate) fn is_full(&self) -> bool {
        self.calls.len() >= self.limit
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Starts to wait for the answer to `call`.
    pub(crate) fn insert(&mut self, call: &str, stream: bool, now: Instant, patience: Duration) {
        let call: Arc<str> = call.into();
        let deadline = Some(self.deadlines.add(call.clone(), now, patience));
        let reading = stream.then(|| Reading {
            patience,
            unread: Window::default(),
            started: false,
            bytes: 0,
            told: 0,
        });
        self.calls.insert(call, Pending { deadline, reading });
    }

    pub(crate) fn contains(&self, call: &str) -> bool {
        self.calls.contains_key(call)
    }

    /// Stops waiting for `call`; false if nobody did.
    pub(crate) fn remove(&mut self, call: &str) -> bool {
        let Some(pending) = self.calls.remove(call) else { return false };
        self.deadlines.remove(pending.deadline);
        true
    }

    /// Takes an answer to `call`, which is [there](Self::contains), with a payload of `bytes` bytes.
    pub(crate) fn answered(&mut self, call: &str, mark: Option<StreamMark>, bytes: usize) -> Progress {
        let Some(pending) = self.calls.get_mut(call) else {
            return Progress::Violation("there is no such call".to_owned());
        };
        let progress = match (&mut pending.reading, mark) {
            // `true` belongs into a call; in a response it says nothing.
            (Some(reading), None | Some(StreamMark::Wanted)) if reading.started => {
                Progress::Violation("a response without a place follows the items of a stream".to_owned())
            }
            (_, None | Some(StreamMark::Wanted)) => Progress::Result,
            (None, Some(StreamMark::Place { .. })) => {
                Progress::Violation("items of a stream answer a call that did not ask for them".to_owned())
            }
            (Some(reading), Some(StreamMark::Place { index, done })) => reading.take(index, done, bytes),
        };
        if progress == Progress::Item {
            self.deadlines.remove(pending.deadline.take());
        } else {
            self.remove(call);
        }
        progress
    }

    /// The reader has taken an item of `call`. Returns what the other side should be told, now and then: how many
    /// items have been read.
    pub(crate) fn read(&mut self, call: &str, now: Instant) -> Option<u64> {
        let (name, pending) = self.calls.get_key_value(call)?;
        let name = name.clone();
        if pending.reading.as_ref()?.unread.is_empty() {
            return None;
        }
        let pending = self.calls.get_mut(call)?;
        let reading = pending.reading.as_mut()?;
        reading.bytes += reading.unread.pop()?;
        if reading.unread.is_empty() {
            pending.deadline = Some(self.deadlines.add(name, now, reading.patience));
        }
        // Halfway, so that the sender need not stop; and always before it has stopped for good.
        let items = reading.unread.first() - reading.told;
        if items < WINDOW_ITEMS as u64 / 2 && reading.bytes < WINDOW_BYTES / 2 {
            return None;
        }
        reading.bytes = 0;
        reading.told = reading.unread.first();
        Some(reading.told)
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next().map(|due| self.verdict.look_at(due))
    }

    /// Removes one call whose deadline has come.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<Arc<str>> {
        let Some(due) = self.deadlines.next().filter(|due| *due <= now) else {
            self.verdict.settle();
            return None;
        };
        if !self.verdict.falls(due, now, READING) {
            return None;
        }
        let call = self.deadlines.pop(now)?;
        self.calls.remove(&call);
        Some(call)
    }

    /// Removes every call, in no order.
    pub(crate) fn clear(&mut self) -> Vec<Arc<str>> {
        self.deadlines.clear();
        self.calls.drain().map(|(call, _)| call).collect()
    }

    #[cfg(test)]
    pub(crate) fn deadlines(&self) -> usize {
        self.deadlines.len()
    }
}

impl Reading {
    fn take(&mut self, index: u64, done: bool, bytes: usize) -> Progress {
        let expected = self.unread.end();
        if index != expected {
            return Progress::Violation(format!("item {index} of a stream came where {expected} was due"));
        }
        if done {
            return Progress::End;
        }
        if !self.unread.has_room() {
            let text =
                format!("item {index} of a stream was sent although {expected} have not been read in time");
            return Progress::Violation(text);
        }
        self.started = true;
        self.unread.push(bytes);
        Progress::Item
    }
}
