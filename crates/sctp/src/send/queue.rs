//! Queueing messages on streams.

use std::cmp::Reverse;

use bytes::Bytes;

use super::Sender;
use super::message::{Limit, NONE, Outgoing};
use super::scheduler::Turn;
use super::stream::ResetState;
use crate::options::{Reliability, SendOptions};
use crate::time::{Time, nanos};

/// A message for the life of a stream that begins when the reset under way is done.
#[derive(Debug)]
pub(super) struct Later {
    now: Time,
    ppid: u32,
    payload: Bytes,
    options: SendOptions,
}

/// Entries of the deadline queue that belong to messages long gone are swept when there are this many times
/// more of them than messages.
const STALE_DEADLINES: usize = 2;

impl Sender {
    /// Queues a message. The caller has checked stream, size and room. While the stream is being reset, it waits
    /// for that: numbered before, it would be taken for a part of the life that ends.
    pub(crate) fn push(
        &mut self,
        now: Time,
        stream_id: u16,
        ppid: u32,
        payload: Bytes,
        options: SendOptions,
    ) {
        let len = payload.len();
        if self.is_resetting(stream_id) {
            self.count_in(stream_id, len);
            self.later.entry(stream_id).or_default().push(Later { now, ppid, payload, options });
            return;
        }
        let limit = match options.reliability {
            // A peer that cannot skip has to get everything.
            _ if !self.forward_supported => Limit::None,
            Reliability::Reliable => Limit::None,
            Reliability::MaxRetransmits(count) => Limit::Retransmits(count),
            Reliability::MaxLifetime(lifetime) => Limit::Deadline(now.after(nanos(lifetime))),
        };
        let stream = self.streams.entry(stream_id);
        let previous = stream.tail;
        let key = self.messages.insert(Outgoing {
            payload,
            stream: stream_id,
            unordered: options.unordered,
            abandoned: false,
            ppid,
            sent: 0,
            sequence: 0,
            next_fsn: 0,
            outstanding: 0,
            limit,
            first_tsn: 0,
            last_tsn: 0,
            previous,
            next: NONE,
            generation: 0,
        });
        stream.tail = key;
        stream.live += 1;
        if !stream.scheduled {
            stream.scheduled = true;
            self.scheduler.add(stream_id, stream.finish);
        }
        if previous == NONE {
            stream.head = key;
        } else if let Some(previous) = self.messages.get_mut(previous) {
            previous.next = key;
        }
        if let (Limit::Deadline(time), Some(message)) = (limit, self.messages.get(key)) {
            self.deadlines.push(Reverse((time, key, message.generation)));
            self.sweep_deadlines();
        }
        self.count_in(stream_id, len);
    }

    fn count_in(&mut self, stream_id: u16, len: usize) {
        self.streams.entry(stream_id).buffered += len;
        self.buffered += len;
    }

    fn sweep_deadlines(&mut self) {
        if self.deadlines.len() > 64 + STALE_DEADLINES * self.messages.len() {
            let messages = &self.messages;
            self.deadlines.retain(|Reverse((_, key, generation))| {
                messages.get(*key).is_some_and(|message| message.generation == *generation)
            });
        }
    }

    /// Takes a message with nothing left to send out of its stream's queue.
    pub(super) fn unlink(&mut self, key: u32) {
        let Some(message) = self.messages.get_mut(key) else { return };
        let (stream_id, previous, next) = (message.stream, message.previous, message.next);
        message.previous = NONE;
        message.next = NONE;
        match self.messages.get_mut(previous) {
            Some(previous) => previous.next = next,
            None => self.streams.entry(stream_id).head = next,
        }
        match self.messages.get_mut(next) {
            Some(next) => next.previous = previous,
            None => self.streams.entry(stream_id).tail = previous,
        }
    }

    /// The next message to send from, as stream and key. Streams that ran dry leave the scheduler.
    pub(super) fn next_message(&mut self) -> Option<(u16, u32)> {
        while let Some(stream_id) = self.scheduler.peek() {
            let stream = self.streams.entry(stream_id);
            let head = stream.head;
            if head == NONE {
                stream.scheduled = false;
                stream.finish = self.scheduler.end_turn(0, stream.priority, Turn::Drained);
            } else if self.must_wait(head) {
                let stream = self.streams.entry(stream_id);
                stream.finish = self.scheduler.end_turn(0, stream.priority, Turn::Drained);
                self.parked.push(Reverse((stream.finish, stream_id)));
            } else {
                return Some((stream_id, head));
            }
        }
        None
    }

    /// Whether a message of several fragments may not begin because too many others are not finished.
    fn must_wait(&self, key: u32) -> bool {
        let Some(message) = self.messages.get(key).filter(|_| self.interleaving && self.open_bytes > 0)
        else {
            return false;
        };
        let len = message.payload.len();
        message.sent == 0 && len > self.chunk_limit() && self.open_bytes + len > self.open_limit
    }

    /// Notes that a message of several fragments is finished or given up, which lets others begin.
    pub(super) fn close_message(&mut self, len: usize) {
        self.open_bytes = self.open_bytes.saturating_sub(len);
        let mut expected = self.open_bytes;
        while let Some(&Reverse((finish, stream_id))) = self.parked.peek() {
            let head = self.streams.entry(stream_id).head;
            expected += self.messages.get(head).map_or(0, |message| message.payload.len());
            if self.open_bytes > 0 && expected > self.open_limit {
                break;
            }
            self.parked.pop();
            self.scheduler.add(stream_id, finish);
        }
    }

    /// Counts bytes that left the buffer of a stream.
    pub(super) fn release(&mut self, stream_id: u16, bytes: usize) {
        let stream = self.streams.entry(stream_id);
        if stream.released == 0 && bytes > 0 {
            self.released.push_back(stream_id);
        }
        stream.released += bytes;
        stream.buffered -= bytes;
        self.buffered -= bytes;
    }

    /// Frees a message of which nothing is queued or in flight.
    pub(super) fn free(&mut self, key: u32, stream_id: u16) {
        self.messages.remove(key);
        let stream = self.streams.entry(stream_id);
        stream.live -= 1;
        if stream.live == 0 && stream.reset == ResetState::Draining {
            stream.reset = ResetState::Requested;
            self.drained.push_back(stream_id);
        }
    }

    /// Whether what is queued on the stream belongs to its next life.
    pub(crate) fn is_resetting(&self, stream: u16) -> bool {
        self.streams.get(stream).is_some_and(|stream| stream.reset != ResetState::None)
    }

    /// Starts to drain a stream for its reset.
    pub(crate) fn start_reset(&mut self, stream_id: u16) {
        let stream = self.streams.entry(stream_id);
        if stream.live == 0 {
            stream.reset = ResetState::Requested;
            self.drained.push_back(stream_id);
        } else {
            stream.reset = ResetState::Draining;
        }
    }

    /// Ends the reset of a stream; `done`: its numbers start again at zero. What was queued meanwhile may go.
    pub(crate) fn end_reset(&mut self, stream_id: u16, done: bool) {
        let stream = self.streams.entry(stream_id);
        if done {
            stream.restart();
        } else {
            stream.reset = ResetState::None;
        }
        for Later { now, ppid, payload, options } in self.later.remove(&stream_id).unwrap_or_default() {
            self.streams.entry(stream_id).buffered -= payload.len();
            self.buffered -= payload.len();
            self.push(now, stream_id, ppid, payload, options);
        }
    }

    pub(crate) fn set_priority(&mut self, stream: u16, priority: u16) {
        self.streams.entry(stream).priority = priority;
    }

    pub(crate) fn buffered_on(&self, stream: u16) -> usize {
        self.streams.get(stream).map_or(0, |stream| stream.buffered)
    }
}
