//! Order within streams.

use std::collections::BTreeMap;

use super::assembly::{Change, Complete, OVERHEAD};
use super::window::Window;
use crate::chunk::data::{DataHeader, UNORDERED};
use crate::chunk::forward_tsn::Skip;
use crate::event::Message;
use crate::serial;
use crate::table::StreamTable;

/// The receiving side of one stream.
#[derive(Debug)]
struct InStream {
    /// Number (SSN or MID, unwrapped) of the next ordered message.
    next: u64,
    /// Complete messages that wait for earlier ones.
    waiting: BTreeMap<u64, Message>,
}

impl Default for InStream {
    fn default() -> Self {
        Self { next: serial::first(0), waiting: BTreeMap::new() }
    }
}

/// The receiving side of all streams.
#[derive(Debug)]
pub(super) struct Streams {
    table: StreamTable<InStream>,
    interleaving: bool,
}

impl Streams {
    pub(super) fn new(interleaving: bool) -> Self {
        Self { table: StreamTable::new(), interleaving }
    }

    fn unwrap(&self, near: u64, sequence: u32) -> u64 {
        if self.interleaving {
            serial::unwrap32(near, sequence)
        } else {
            serial::unwrap16(near, sequence as u16)
        }
    }

    fn position(&self, header: &DataHeader) -> (u64, u64) {
        let next = self.table.get(header.stream).map_or(serial::first(0), |stream| stream.next);
        (self.unwrap(next, header.sequence), next)
    }

    /// Whether a message can be delivered at once when it is complete.
    pub(super) fn is_next(&self, header: &DataHeader) -> bool {
        let (sequence, next) = self.position(header);
        header.flags & UNORDERED != 0 || sequence == next
    }

    /// Whether a message was delivered or skipped before.
    pub(super) fn is_past(&self, header: &DataHeader) -> bool {
        let (sequence, next) = self.position(header);
        header.flags & UNORDERED == 0 && sequence < next
    }

    /// Delivers a complete message, and the ones that waited for it, or lets it wait.
    pub(super) fn put(
        &mut self,
        complete: Complete,
        window: &mut Window,
        mut ready: impl FnMut(Message, &mut Window),
    ) {
        let message = complete.message;
        if message.unordered {
            ready(message, window);
            return;
        }
        let interleaving = self.interleaving;
        let stream = self.table.entry(message.stream);
        let sequence = if interleaving {
            serial::unwrap32(stream.next, complete.sequence)
        } else {
            serial::unwrap16(stream.next, complete.sequence as u16)
        };
        if sequence == stream.next {
            stream.next += 1;
            ready(message, window);
            stream.flush(window, ready);
        } else if sequence > stream.next {
            let size = message.payload.len() + OVERHEAD;
            let before = stream.waiting.insert(sequence, message);
            let before = before.map_or(0, |message| message.payload.len() + OVERHEAD);
            window.apply(Change { held: size as isize - before as isize, partial: 0 });
        }
    }

    /// Stops waiting for the messages of a stream up to a number.
    pub(super) fn skip(
        &mut self,
        skip: &Skip,
        window: &mut Window,
        mut ready: impl FnMut(Message, &mut Window),
    ) {
        let next = self.table.get(skip.stream).map_or(serial::first(0), |stream| stream.next);
        let sequence = self.unwrap(next, skip.sequence);
        if sequence < next {
            return;
        }
        let stream = self.table.entry(skip.stream);
        while let Some(entry) = stream.waiting.first_entry().filter(|entry| *entry.key() <= sequence) {
            let message = entry.remove();
            window.apply(Change { held: -((message.payload.len() + OVERHEAD) as isize), partial: 0 });
            ready(message, window);
        }
        stream.next = sequence + 1;
        stream.flush(window, ready);
    }

    /// Starts streams again at zero; empty = all.
    pub(super) fn reset(&mut self, streams: &[u16], window: &mut Window) {
        if streams.is_empty() {
            for (_, stream) in self.table.iter_mut() {
                stream.restart(window);
            }
        }
        for stream in streams {
            if self.table.get(*stream).is_some() {
                self.table.entry(*stream).restart(window);
            }
        }
    }
}

impl InStream {
    fn flush(&mut self, window: &mut Window, mut ready: impl FnMut(Message, &mut Window)) {
        while let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() == self.next) {
            let message = entry.remove();
            self.next += 1;
            window.apply(Change { held: -((message.payload.len() + OVERHEAD) as isize), partial: 0 });
            ready(message, window);
        }
    }

    fn restart(&mut self, window: &mut Window) {
        let bytes: usize = self.waiting.values().map(|message| message.payload.len() + OVERHEAD).sum();
        window.apply(Change { held: -(bytes as isize), partial: 0 });
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::config::Config;

    /// Delivers messages in the given order, after everything below `start` was skipped.
    fn delivered(interleaving: bool, start: u32, order: &[u32]) -> Vec<u32> {
        let mut window = Window::new(&Config::default());
        let mut streams = Streams::new(interleaving);
        // No skip may be longer than half of all numbers.
        for sequence in [start / 3, start / 3 * 2, start - 1] {
            streams.skip(&Skip { stream: 0, unordered: false, sequence }, &mut window, |_, _| {});
        }
        let mut out = Vec::new();
        for sequence in order {
            let payload = Bytes::from_static(b"x");
            let message = Message { stream: 0, ppid: *sequence, unordered: false, payload };
            let complete = Complete { sequence: *sequence, message };
            streams.put(complete, &mut window, |message, _| out.push(message.ppid));
        }
        assert_eq!(window.used(), 0);
        out
    }

    #[test]
    fn message_identifiers_wrap() {
        let start = u32::MAX - 1;
        let order = [start, 1, 0, start + 1, 2];
        assert_eq!(delivered(true, start, &order), [start, start + 1, 0, 1, 2]);
    }

    #[test]
    fn stream_sequence_numbers_wrap() {
        assert_eq!(delivered(false, 65_534, &[65_535, 0, 65_534, 2, 1]), [65_534, 65_535, 0, 1, 2]);
    }
}
