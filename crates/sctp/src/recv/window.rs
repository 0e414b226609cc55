//! The receive window: how much the peer may send, tuned to the path.

use super::assembly::{Change, OVERHEAD};
use crate::config::Config;
use crate::time::{MILLISECOND, Nanos, Time};

/// Round trip time that is assumed until one is measured.
const DEFAULT_ROUND: Nanos = 100 * MILLISECOND;
/// Shorter rounds would measure batches, not rates.
const MIN_ROUND: Nanos = MILLISECOND;

/// Accounting of received data.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    max: usize,
    held: usize,
    partial: usize,
    unread: usize,
    unread_payload: usize,
    /// What the last SACK said.
    advertised: usize,
    /// Memory that was left then.
    free_when_advertised: usize,
    round_start: Time,
    read_in_round: usize,
}

impl Window {
    pub(super) fn new(config: &Config) -> Self {
        // RFC 9260 section 3.3.2 demands at least 1500.
        let limit = config.receive_window_min.clamp(1500, u32::MAX as usize);
        let max = config.receive_window_max.clamp(limit, u32::MAX as usize);
        Self {
            limit,
            max,
            held: 0,
            partial: 0,
            unread: 0,
            unread_payload: 0,
            advertised: limit,
            free_when_advertised: limit,
            round_start: Time::default(),
            read_in_round: 0,
        }
    }

    /// Payload bytes that wait to be read.
    pub(super) fn unread_payload(&self) -> usize {
        self.unread_payload
    }

    pub(super) fn partial(&self) -> usize {
        self.partial
    }

    /// Memory that counts against the limit.
    pub(super) fn used(&self) -> usize {
        self.unread + self.held
    }

    pub(super) fn advertised(&self) -> usize {
        self.advertised
    }

    pub(super) fn apply(&mut self, change: Change) {
        self.held = self.held.saturating_add_signed(change.held);
        self.partial = self.partial.saturating_add_signed(change.partial);
    }

    pub(super) fn on_ready(&mut self, len: usize) {
        self.unread += len + OVERHEAD;
        self.unread_payload += len;
    }

    pub(super) fn on_read(&mut self, len: usize) {
        self.unread = self.unread.saturating_sub(len + OVERHEAD);
        self.unread_payload = self.unread_payload.saturating_sub(len);
        self.read_in_round += len;
    }

    /// Memory that is left.
    fn free(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }

    /// What a SACK may promise now. Less than an eighth counts as nothing, so that the peer does not send
    /// slivers (RFC 9260 section 6.2, silly window syndrome). The peer counts payload only, so if the messages
    /// that wait are small, their bookkeeping has to be left out of the promise.
    pub(super) fn available(&self) -> usize {
        let free = self.free();
        if free < self.limit / 8 {
            0
        } else if self.unread == 0 {
            free
        } else {
            (free as u64 * self.unread_payload as u64 / self.unread as u64) as usize
        }
    }

    /// Notes what a SACK promised.
    pub(super) fn advertise(&mut self) {
        self.advertised = self.available();
        self.free_when_advertised = self.free();
    }

    /// Whether the peer should hear that there is more room than it thinks.
    pub(super) fn needs_update(&self) -> bool {
        self.free_when_advertised < self.limit / 4 && self.free() >= self.limit / 2
    }

    /// Whether data is still taken. The peer may have been promised more than there is by now, before its
    /// messages turned out to be small.
    pub(super) fn has_room(&self) -> bool {
        self.used() < self.limit + self.limit / 2
    }

    /// Whether the chunk that everything else waits for is still taken: it is what empties the window.
    pub(super) fn has_room_for_missing(&self) -> bool {
        self.unread < self.limit && self.used() < self.limit * 2
    }

    /// Grows the limit if the application reads about as fast as it allows. Twice what was read in a round trip keeps a sender
    /// busy, twice that lets it double its rate once more before the next look.
    pub(super) fn tune(&mut self, now: Time, srtt: Option<Nanos>) {
        let round = srtt.unwrap_or(DEFAULT_ROUND).max(MIN_ROUND);
        if now.since(self.round_start) < round {
            return;
        }
        let wanted = self.read_in_round.saturating_mul(4);
        if wanted > self.limit {
            self.limit = wanted.min(self.max);
        }
        self.round_start = now;
        self.read_in_round = 0;
    }
}
