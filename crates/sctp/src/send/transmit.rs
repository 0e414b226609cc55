//! Filling a packet: FORWARD-TSN, retransmissions, then new data.

use super::message::Limit;
use super::ring::{Fate, Sent};
use super::scheduler::Turn;
use super::{MAX_DATA_SPAN, MAX_SPAN, Sender};
use crate::chunk::data::{BEGIN, DataHeader, END, IMMEDIATE, UNORDERED};
use crate::packet::{PacketBuilder, padded};
use crate::time::Time;

/// A message that does not fit is not cut to fill up less room than this.
const MIN_FRAGMENT: usize = 128;
/// Half of a tiny receive window is not cut into smaller pieces than this.
const MIN_CAP: usize = 256;

/// Whether another chunk may follow in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Written,
    Stop,
}

impl Sender {
    /// Adds what is due to a packet.
    pub(crate) fn write_chunks(&mut self, now: Time, packet: &mut PacketBuilder<'_>) {
        self.write_forward_tsn(now, packet);
        if self.is_paced(now) {
            return;
        }
        self.age_window(now);
        self.controller.on_sent(now, self.flight, self.delivery.is_app_limited());
        let before = packet.len();
        let mut oversized = false;
        while self.write_retransmission(now, packet, &mut oversized) == Step::Written {}
        if !oversized {
            while self.write_new(now, packet) == Step::Written {}
        }
        let written = packet.len() - before;
        if written > 0 {
            if packet.len() > self.base_mtu {
                self.mark_large();
            }
            self.last_sent = now;
            self.pacer.on_sent(now, written);
            self.arm_after_sending(now);
        } else {
            // Messages may have been found expired just now.
            self.advance_ack_point();
            self.write_forward_tsn(now, packet);
        }
    }

    /// Makes the window smaller after an idle time.
    fn age_window(&mut self, now: Time) {
        if self.ring.is_empty() && self.scheduler.peek().is_some() {
            let timeouts = now.since(self.last_sent) / self.rtt.rto();
            if timeouts > 0 {
                self.controller.on_idle(u32::try_from(timeouts).unwrap_or(u32::MAX));
                self.last_sent = now;
            }
        }
    }

    fn is_paced(&mut self, now: Time) -> bool {
        let wants_to_send = !self.lost.is_empty() || self.scheduler.peek().is_some();
        let blocked = self.pacer.blocked_until(now).filter(|_| wants_to_send && !self.probe_due);
        self.timers.pacing = blocked;
        blocked.is_some()
    }

    /// Sends the lowest lost chunk again. A chunk that is larger than the path's MTU is by now goes alone in a
    /// packet of its own size: its TSN is given, so it cannot be cut again, and the layers below may fragment.
    fn write_retransmission(
        &mut self,
        now: Time,
        packet: &mut PacketBuilder<'_>,
        oversized: &mut bool,
    ) -> Step {
        let Some((tsn, chunk)) = self.next_lost(now) else { return Step::Stop };
        let size = self.chunk_header() + usize::from(chunk.len);
        if padded(size) > packet.room() {
            if !packet.is_empty() {
                return Step::Stop;
            }
            *oversized = true;
        }
        if self.flight > 0 && self.flight + size > self.controller.window() && !self.probe_due {
            self.window_limited = true;
            return Step::Stop;
        }
        self.lost.pop();
        let is_probe = std::mem::take(&mut self.probe_due);
        // Whether a chunk arrived in spite of all is worth knowing at once.
        let immediate = is_probe || self.expiries > 0;
        let order = self.rack.on_sent_again(tsn);
        let departure = self.delivery.on_sent(now, self.flight, size);
        let Some(entry) = self.ring.get_mut(tsn) else { return Step::Written };
        entry.fate = Fate::Outstanding;
        entry.sent_at = now;
        entry.departure = departure;
        entry.order = order;
        entry.is_large = false;
        entry.retransmits = entry.retransmits.saturating_add(1);
        let chunk = *entry;
        self.flight += size;
        self.flight_payload += usize::from(chunk.len);
        self.peer_window = self.peer_window.saturating_sub(usize::from(chunk.len));
        self.counters.retransmits += 1;
        self.write_chunk(packet, tsn, &chunk, immediate);
        if *oversized { Step::Stop } else { Step::Written }
    }

    /// The lowest chunk that is lost, not yet sent again, and not past its lifetime.
    fn next_lost(&mut self, now: Time) -> Option<(u64, Sent)> {
        while let Some(&std::cmp::Reverse(tsn)) = self.lost.peek() {
            let Some(chunk) = self.ring.get(tsn).copied().filter(|chunk| chunk.fate == Fate::Lost) else {
                self.lost.pop();
                continue;
            };
            if self.is_expired(now, chunk.message) {
                self.abandon(chunk.message);
                continue;
            }
            return Some((tsn, chunk));
        }
        None
    }

    fn is_expired(&self, now: Time, key: u32) -> bool {
        self.messages
            .get(key)
            .is_some_and(|message| matches!(message.limit, Limit::Deadline(deadline) if deadline <= now))
    }

    /// Sends the next fragment of the message whose turn it is.
    fn write_new(&mut self, now: Time, packet: &mut PacketBuilder<'_>) -> Step {
        let Some((stream, key)) = self.next_message() else {
            self.window_limited = false;
            if self.flight < self.controller.window() {
                self.delivery.on_app_limited(self.flight);
            }
            return Step::Stop;
        };
        if self.is_expired(now, key) {
            self.abandon(key);
            return Step::Written;
        }
        let Some(unsent) = self.messages.get(key).map(|message| message.unsent()) else { return Step::Stop };
        let Some(len) = self.fragment_len(unsent, packet) else { return Step::Stop };
        if !self.may_send(now, len) {
            return Step::Stop;
        }
        self.probe_due = false;
        let tsn = self.ring.next();
        let chunk = self.cut_fragment(now, tsn, stream, key, len);
        self.ring.push(chunk);
        let is_last_allowed = self.flight >= self.controller.window();
        self.write_chunk(packet, tsn, &chunk, is_last_allowed);
        self.end_turn(stream, key, len);
        Step::Written
    }

    /// How much of a message goes into this packet; `None`: it starts in the next one.
    fn fragment_len(&self, unsent: usize, packet: &PacketBuilder<'_>) -> Option<usize> {
        let header = self.chunk_header();
        let room = packet.room().checked_sub(header)?;
        // Half the peer's window at most, so that even a tiny window takes whole packets.
        let cap = ((self.max_peer_window / 2).max(MIN_CAP) & !3).min(self.chunk_limit());
        let limit = room.min(cap);
        if unsent <= limit {
            return Some(unsent);
        }
        let fits_next = unsent <= cap;
        if !packet.is_empty() && (fits_next || room < MIN_FRAGMENT) {
            return None;
        }
        Some(limit).filter(|limit| *limit > 0)
    }

    /// Whether congestion window, receive window and TSN span allow a chunk.
    fn may_send(&mut self, now: Time, len: usize) -> bool {
        if self.probe_due {
            return true;
        }
        if self.flight > 0 && self.flight >= self.controller.window() {
            self.window_limited = true;
            return false;
        }
        self.window_limited = false;
        if self.ring.len() >= if self.interleaving { MAX_SPAN } else { MAX_DATA_SPAN } {
            return false;
        }
        if len > self.peer_window {
            if self.ring.is_empty() && self.timers.persist.is_none() {
                self.timers.persist = Some(now.after(self.rtt.backed_off(self.expiries)));
            }
            self.delivery.on_app_limited(self.flight);
            return false;
        }
        self.timers.persist = None;
        true
    }

    /// Gives the next `len` bytes of a message a TSN.
    fn cut_fragment(&mut self, now: Time, tsn: u64, stream_id: u16, key: u32, len: usize) -> Sent {
        let order = self.rack.on_sent(tsn);
        let departure = self.delivery.on_sent(now, self.flight, len + self.chunk_header());
        let stream = self.streams.entry(stream_id);
        let mut chunk = Sent {
            sent_at: now,
            departure,
            order,
            message: key,
            offset: 0,
            fsn: 0,
            // A fragment fits a packet of at most 64 KiB.
            len: len as u16,
            retransmits: 0,
            flags: 0,
            is_large: false,
            fate: Fate::Outstanding,
        };
        // `key` is the head of the stream's queue.
        if let Some(message) = self.messages.get_mut(key) {
            if message.sent == 0 {
                let unordered_mid = message.unordered && self.interleaving;
                let next = if unordered_mid { &mut stream.next_unordered } else { &mut stream.next_ordered };
                message.sequence = *next;
                message.first_tsn = tsn;
                chunk.flags |= BEGIN;
                if len < message.payload.len() {
                    self.open_bytes += message.payload.len();
                }
                // Unordered DATA has no sequence number.
                if !message.unordered || self.interleaving {
                    *next = next.wrapping_add(1);
                }
            }
            chunk.flags |= if message.unordered { UNORDERED } else { 0 };
            chunk.flags |= if message.unsent() == len { END } else { 0 };
            chunk.offset = message.sent;
            chunk.fsn = message.next_fsn;
            message.next_fsn = message.next_fsn.wrapping_add(1);
            message.sent += len as u32;
            message.last_tsn = tsn;
            message.outstanding += 1;
        }
        self.flight += len + self.chunk_header();
        self.flight_payload += len;
        self.peer_window = self.peer_window.saturating_sub(len);
        chunk
    }

    /// Books a fragment: the scheduler's turn ends, and a finished message leaves its queue.
    fn end_turn(&mut self, stream_id: u16, key: u32, len: usize) {
        self.release(stream_id, len);
        let size = self
            .messages
            .get(key)
            .filter(|message| message.unsent() == 0)
            .map(|message| message.payload.len());
        let finished = size.is_some();
        if finished {
            self.counters.messages_sent += 1;
            self.unlink(key);
        }
        let header = self.chunk_header();
        let stream = self.streams.entry(stream_id);
        let drained = stream.head == super::message::NONE;
        let turn = match (drained, finished) {
            (true, _) => Turn::Drained,
            (false, false) if !self.interleaving => Turn::Pinned,
            (false, _) => Turn::Over,
        };
        stream.scheduled = !drained;
        stream.finish = self.scheduler.end_turn(len + header, stream.priority, turn);
        if let Some(size) = size.filter(|size| *size > len) {
            self.close_message(size);
        }
    }

    fn write_chunk(&mut self, packet: &mut PacketBuilder<'_>, tsn: u64, chunk: &Sent, immediate: bool) {
        self.last_written = tsn;
        // A chunk in the ring belongs to a message in the slab until it is acknowledged or abandoned.
        let Some(message) = self.messages.get(chunk.message) else { return };
        let offset = chunk.offset as usize;
        let Some(payload) = message.payload.get(offset..offset + usize::from(chunk.len)) else { return };
        let header = DataHeader {
            flags: chunk.flags | if immediate { IMMEDIATE } else { 0 },
            tsn: tsn as u32,
            stream: message.stream,
            sequence: message.sequence,
            fsn: chunk.fsn,
            ppid: message.ppid,
        };
        if self.interleaving {
            packet.data_chunk(header.i_data_head(payload.len()), payload);
        } else {
            packet.data_chunk(header.data_head(payload.len()), payload);
        }
    }

    /// Notes that the chunk written last ended a packet that not every path carries.
    fn mark_large(&mut self) {
        if let Some(chunk) = self.ring.get_mut(self.last_written) {
            chunk.is_large = true;
        }
    }

    fn arm_after_sending(&mut self, now: Time) {
        if self.timers.t3.is_none() {
            self.timers.t3 = Some(now.after(self.rtt.backed_off(self.expiries)));
        }
        self.arm_probe(now);
    }
}
