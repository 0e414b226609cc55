//! Partial reliability (RFC 3758): giving messages up, and telling the peer to skip them.

use std::cmp::Reverse;

use super::Sender;
use super::ring::{Fate, Sent};
use crate::chunk::forward_tsn::{self, Skip};
use crate::chunk::kind;
use crate::congestion::Departure;
use crate::event::Event;
use crate::packet::{CHUNK_HEADER, PacketBuilder};
use crate::time::Time;

/// A given-up message that the peer has to be told about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skipped {
    /// Its last TSN: when this is acknowledged, the peer knows.
    pub(super) tsn: u64,
    skip: Skip,
}

impl Sender {
    /// Gives up messages whose lifetime is over.
    pub(super) fn expire_messages(&mut self, now: Time) {
        while let Some(&Reverse((deadline, key, generation))) = self.deadlines.peek() {
            if deadline > now {
                break;
            }
            self.deadlines.pop();
            // A message that is all in flight may still arrive; it is given up when a part of it is lost.
            let is_waiting = self
                .messages
                .get(key)
                .is_some_and(|message| message.generation == generation && message.unsent() > 0);
            if is_waiting {
                self.abandon(key);
            }
        }
        self.advance_ack_point();
    }

    /// Gives up a message: nothing of it is sent any more.
    pub(super) fn abandon(&mut self, key: u32) {
        let Some(message) = self.messages.get_mut(key).filter(|message| !message.abandoned) else { return };
        message.abandoned = true;
        let (stream, ppid, unsent) = (message.stream, message.ppid, message.unsent());
        let (started, outstanding) = (message.sent > 0, message.outstanding);
        let (first, last) = (message.first_tsn, message.last_tsn);
        let len = std::mem::take(&mut message.payload).len();
        self.counters.messages_abandoned += 1;
        self.events.push_back(Event::Abandoned { stream, ppid });
        if unsent > 0 {
            self.unlink(key);
            self.release(stream, unsent);
            if started {
                self.scheduler.unpin();
                self.close_message(len);
                self.add_end_marker(key);
            }
        }
        if outstanding > 0 {
            self.abandon_chunks(key, first, last);
        } else if !started {
            self.free(key, stream);
        }
    }

    /// A message that was cut short gets one more TSN, never sent, so that the peer is told to skip it even if
    /// everything sent so far arrives.
    fn add_end_marker(&mut self, key: u32) {
        let tsn = self.ring.next();
        let Some(message) = self.messages.get_mut(key) else { return };
        message.outstanding += 1;
        message.last_tsn = tsn;
        self.ring.push(Sent {
            sent_at: Time::default(),
            departure: Departure::default(),
            order: 0,
            message: key,
            offset: 0,
            fsn: 0,
            len: 0,
            retransmits: 0,
            flags: 0,
            is_large: false,
            fate: Fate::Abandoned,
        });
    }

    fn abandon_chunks(&mut self, key: u32, first: u64, last: u64) {
        let header = self.chunk_header();
        for tsn in first.max(self.ring.base())..=last {
            let Some(chunk) = self.ring.get_mut(tsn).filter(|chunk| chunk.message == key) else { continue };
            match chunk.fate {
                Fate::Outstanding => {
                    let len = usize::from(chunk.len);
                    self.flight -= len + header;
                    self.flight_payload -= len;
                    self.peer_window += len;
                    chunk.fate = Fate::Abandoned;
                }
                Fate::Lost | Fate::Silent => chunk.fate = Fate::Abandoned,
                Fate::Acked | Fate::Abandoned => {}
            }
        }
    }

    /// Moves the "advanced peer ack point" over everything abandoned (RFC 3758 section 3.5, C1 to C3). Chunks
    /// that the peer has reported in gap blocks are no obstacle: otherwise each hole would cost a round trip.
    pub(super) fn advance_ack_point(&mut self) {
        self.advanced = self.advanced.max(self.ring.base() - 1);
        let mut point = self.advanced;
        while let Some(chunk) = self.ring.get(point + 1) {
            match chunk.fate {
                Fate::Abandoned => {
                    point += 1;
                    let key = chunk.message;
                    self.advanced = point;
                    self.note_skip(point, key);
                }
                Fate::Acked => point += 1,
                Fate::Outstanding | Fate::Silent | Fate::Lost => break,
            }
        }
        self.forward_due |= self.advanced >= self.ring.base() && self.advanced > self.forwarded;
    }

    fn note_skip(&mut self, tsn: u64, key: u32) {
        let Some(message) = self.messages.get(key) else { return };
        // Unordered DATA is skipped by its TSNs alone.
        if message.unordered && !self.interleaving {
            return;
        }
        let skip = Skip { stream: message.stream, unordered: message.unordered, sequence: message.sequence };
        match self.skipped.back_mut() {
            Some(last) if last.skip.stream == skip.stream && last.skip.unordered == skip.unordered => {
                *last = Skipped { tsn, skip };
            }
            _ => self.skipped.push_back(Skipped { tsn, skip }),
        }
    }

    /// Adds the FORWARD-TSN that is due, as far as its list of streams fits.
    pub(super) fn write_forward_tsn(&mut self, now: Time, packet: &mut PacketBuilder<'_>) {
        if !self.forward_due || self.advanced < self.ring.base() {
            return;
        }
        let entry = forward_tsn::entry_len(self.interleaving);
        let Some(room) = packet.room().checked_sub(CHUNK_HEADER + 4) else { return };
        let (skips, cumulative) = self.collect_skips(room / entry);
        if cumulative < self.ring.base() {
            return;
        }
        self.forward_due = false;
        self.forward_is_partial = cumulative < self.advanced;
        self.forwarded = self.advanced;
        let kind = if self.interleaving { kind::I_FORWARD_TSN } else { kind::FORWARD_TSN };
        let interleaving = self.interleaving;
        packet.chunk(kind, 0, |out| forward_tsn::write(out, cumulative as u32, &skips, interleaving));
        self.timers.forward = Some(now.after(self.rtt.backed_off(self.expiries)));
    }

    /// The highest skipped message of each stream, and how far the list goes: with more streams than fit, the rest
    /// goes into the next one, after this is acknowledged.
    fn collect_skips(&self, limit: usize) -> (Vec<Skip>, u64) {
        let skips = highest_per_stream(self.skipped.iter().map(|skipped| skipped.skip).collect());
        if skips.len() <= limit {
            return (skips, self.advanced);
        }
        let some = self.skipped.iter().take(limit);
        let cumulative = some.clone().next_back().map_or(0, |skipped| skipped.tsn);
        (highest_per_stream(some.map(|skipped| skipped.skip).collect()), cumulative)
    }
}

fn highest_per_stream(mut skips: Vec<Skip>) -> Vec<Skip> {
    // The sort is stable and the list is in TSN order: the last of each stream is the highest.
    skips.sort_by_key(|skip| (skip.stream, skip.unordered));
    skips.reverse();
    skips.dedup_by_key(|skip| (skip.stream, skip.unordered));
    skips
}
