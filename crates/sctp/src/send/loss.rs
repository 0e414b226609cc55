//! Loss: detection, recovery, and the timers that find what acknowledgements do not show.

use std::cmp::Reverse;

use super::Sender;
use super::message::Limit;
use super::rack::DetectionContext;
use super::ring::Fate;
use crate::pmtud::FLOOR;
use crate::time::{MILLISECOND, Nanos, Time};

/// Longest acknowledgement delay that is allowed for (RFC 9260 section 6.2 says 200 ms).
const MAX_ACK_DELAY: Nanos = 200 * MILLISECOND;
/// Large packets lost in a row, with none arriving in between, that mean the path does not carry them.
const BLACK_HOLE_LOSSES: u32 = 6;

/// Timeouts in a row after which packets of the base size count as swallowed, too: what passes everywhere is tried then.
const SWALLOWED: u32 = 2;

/// A loss being repaired.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recovery {
    /// It is over when everything below this TSN is acknowledged.
    until: u64,
    /// It began with a timeout: the window grows meanwhile.
    timeout: bool,
    /// What a SACK could speak of when it began: only up to here an arrival shows that something was not lost. The peer
    /// may have had what lies beyond all the time.
    horizon: u64,
}

impl Sender {
    /// Whether the window stays as it is because a loss is being repaired.
    pub(super) fn is_window_frozen(&self) -> bool {
        self.recovery.is_some_and(|recovery| !recovery.timeout)
    }

    pub(super) fn leave_recovery(&mut self, cumulative: u64) {
        if self.recovery.is_some_and(|recovery| cumulative + 1 >= recovery.until) {
            self.recovery = None;
            self.rack.on_recovered();
            self.controller.on_recovered();
        }
    }

    /// Looks for losses among what is in flight.
    pub(super) fn detect_losses(&mut self, now: Time) {
        let context = DetectionContext {
            recovering: self.recovery.is_some(),
            acked_out_of_order: self.acked_chunks,
            srtt: self.rtt.smoothed().unwrap_or(0),
            rto: self.rtt.rto(),
            min_rtt: self.rtt.min().unwrap_or(0),
        };
        let mut lost = std::mem::take(&mut self.scratch);
        self.timers.reorder = self.rack.detect(now, &self.ring, &context, &mut lost);
        self.split_at_horizon(&mut lost);
        if !lost.is_empty() {
            let begins = self.recovery.is_none();
            if begins {
                self.begin_recovery(now);
            }
            for tsn in lost.drain(..) {
                self.suspects.insert(tsn);
                self.count_loss(tsn);
                self.mark_lost(now, tsn);
            }
            // The first one goes out whatever the smaller window says (RFC 9260 section 7.2.4).
            self.probe_due |= begins && !self.lost.is_empty();
            if self.large_losses >= BLACK_HOLE_LOSSES {
                self.black_hole = true;
            }
        }
        self.scratch = lost;
    }

    /// Takes out of flight, but does not call lost, what the peer may have and not have had the room to say so; what it has had
    /// the room to speak of by now, and did not, is lost.
    fn split_at_horizon(&mut self, lost: &mut Vec<u64>) {
        let header = self.chunk_header();
        lost.retain(|tsn| {
            if *tsn <= self.horizon {
                return true;
            }
            // The list may name a chunk twice: what was taken back is noted anew.
            let Some(chunk) = self.ring.get_mut(*tsn).filter(|chunk| chunk.fate == Fate::Outstanding) else {
                return false;
            };
            chunk.fate = Fate::Silent;
            let len = usize::from(chunk.len);
            self.flight -= len + header;
            self.flight_payload -= len;
            self.peer_window += len;
            self.silent.push_back(*tsn);
            false
        });
        while let Some(tsn) = self.silent.front().copied().filter(|tsn| *tsn <= self.horizon) {
            self.silent.pop_front();
            if self.ring.get(tsn).is_some_and(|chunk| chunk.fate == Fate::Silent) {
                lost.push(tsn);
            }
        }
    }

    fn begin_recovery(&mut self, now: Time) {
        self.suspects.clear();
        self.controller.on_loss(now);
        let (until, horizon) = (self.ring.next(), self.horizon);
        self.recovery = Some(Recovery { until, timeout: false, horizon });
    }

    /// Tells the controller of a loss.
    fn count_loss(&mut self, tsn: u64) {
        let header = self.chunk_header();
        if let Some(chunk) =
            self.ring.get(tsn).filter(|chunk| matches!(chunk.fate, Fate::Outstanding | Fate::Silent))
        {
            let loss = self.delivery.on_lost(usize::from(chunk.len) + header, &chunk.departure);
            self.controller.on_lost(&loss);
        }
    }

    /// Takes a chunk out of flight, to be sent again or given up.
    fn mark_lost(&mut self, now: Time, tsn: u64) {
        let header = self.chunk_header();
        let Some(chunk) =
            self.ring.get_mut(tsn).filter(|chunk| matches!(chunk.fate, Fate::Outstanding | Fate::Silent))
        else {
            return;
        };
        let was_in_flight = chunk.fate == Fate::Outstanding;
        chunk.fate = Fate::Lost;
        let (len, retransmits, key) = (usize::from(chunk.len), chunk.retransmits, chunk.message);
        let is_large = chunk.is_large && chunk.order > self.large_arrived;
        if was_in_flight {
            self.flight -= len + header;
            self.flight_payload -= len;
            self.peer_window += len;
        }
        if is_large {
            self.large_losses += 1;
        }
        let limit = self.messages.get(key).map(|message| message.limit);
        let is_over = match limit {
            Some(Limit::Retransmits(limit)) => retransmits >= limit,
            Some(Limit::Deadline(deadline)) => deadline <= now,
            Some(Limit::None) | None => false,
        };
        if is_over {
            self.abandon(key);
        } else {
            self.lost.push(Reverse(tsn));
        }
    }

    /// Runs the timers that are due.
    pub(crate) fn on_timeout(&mut self, now: Time) {
        let is_due = |timer: Option<Time>| timer.is_some_and(|time| time <= now);
        self.expire_messages(now);
        if is_due(self.timers.pacing) {
            self.timers.pacing = None;
        }
        if is_due(self.timers.reorder) {
            self.timers.reorder = None;
            self.detect_losses(now);
            self.advance_ack_point();
        }
        if is_due(self.timers.forward) {
            self.timers.forward = None;
            self.forward_due = self.advanced >= self.ring.base();
        }
        if is_due(self.timers.persist) {
            self.timers.persist = None;
            self.expiries += 1;
            self.probe_due = true;
        }
        if is_due(self.timers.probe) {
            self.timers.probe = None;
            self.probe_tail(now);
        }
        if is_due(self.timers.t3) {
            self.timers.t3 = None;
            self.on_retransmission_timeout(now);
        }
    }

    /// Nothing was heard for a while: send one chunk more to learn what was lost (RFC 8985 section 7).
    fn probe_tail(&mut self, now: Time) {
        if self.ring.is_empty() || self.probe_sent {
            return;
        }
        self.probe_sent = true;
        if self.next_message().is_some() && self.peer_window >= self.mtu {
            self.probe_due = true;
            return;
        }
        // The last chunk again, if it may be.
        let last = self.ring.next() - 1;
        let Some(chunk) = self.ring.get(last).filter(|chunk| chunk.fate == Fate::Outstanding) else { return };
        let limit = self.messages.get(chunk.message).map(|message| message.limit);
        if !matches!(limit, Some(Limit::Retransmits(limit)) if chunk.retransmits >= limit) {
            self.mark_lost(now, last);
            self.probe_due = true;
        }
    }

    /// The probe's chunk had arrived: the peer acknowledges later than we thought.
    pub(super) fn on_needless_probe(&mut self) {
        self.ack_delay = (self.ack_delay * 2).min(MAX_ACK_DELAY);
        self.probe_sent = false;
    }

    fn on_retransmission_timeout(&mut self, now: Time) {
        if self.ring.is_empty() {
            return;
        }
        self.counters.timeouts += 1;
        self.expiries += 1;
        self.probe_sent = false;
        self.timers.probe = None;
        self.timers.reorder = None;
        self.forget_reneged();
        let window_probe = self.peer_window == 0 && self.ring.len() == 1;
        let says_something = self.flight > 0 && !window_probe;
        if says_something && self.recovery.is_none_or(|recovery| !recovery.timeout) {
            self.controller.on_timeout(now);
        }
        self.suspects.clear();
        let mut lost_large = false;
        for tsn in self.ring.base()..self.ring.next() {
            let Some(chunk) =
                self.ring.get(tsn).filter(|chunk| matches!(chunk.fate, Fate::Outstanding | Fate::Silent))
            else {
                continue;
            };
            lost_large |= chunk.is_large;
            self.suspects.insert(tsn);
            self.count_loss(tsn);
            self.mark_lost(now, tsn);
        }
        if says_something {
            let (until, horizon) = (self.ring.next(), self.horizon);
            self.recovery = Some(Recovery { until, timeout: true, horizon });
        }
        let stubborn = says_something && self.expiries >= SWALLOWED && self.mtu > FLOOR;
        self.black_hole |= stubborn || (lost_large && self.mtu > self.base_mtu);
        self.advance_ack_point();
        self.forward_due |= self.advanced >= self.ring.base();
        self.timers.t3 = Some(now.after(self.rtt.backed_off(self.expiries)));
    }

    /// A chunk that a timeout called lost has arrived: the timeout was wrong, as after a pause of the path or of the
    /// peer (compare RFC 5682). What was not sent again yet counts as in flight again; if it is lost after all,
    /// what arrives from now on will show.
    fn take_back_losses(&mut self) {
        let header = self.chunk_header();
        let mut orders = Vec::new();
        for Reverse(tsn) in std::mem::take(&mut self.lost).into_vec() {
            let Some(chunk) = self.ring.get_mut(tsn).filter(|chunk| chunk.fate == Fate::Lost) else {
                continue;
            };
            chunk.fate = Fate::Outstanding;
            orders.push((tsn, chunk.order, chunk.retransmits == 0));
            let len = usize::from(chunk.len);
            self.flight += len + header;
            self.flight_payload += len;
            self.peer_window = self.peer_window.saturating_sub(len);
        }
        self.rack.take_back(orders);
    }

    /// A receiver may take back gap acknowledgements. It did if the chunk after the cumulative one counts as
    /// acknowledged: then none of them can be trusted.
    fn forget_reneged(&mut self) {
        if self.ring.get(self.ring.base()).is_none_or(|chunk| chunk.fate != Fate::Acked) {
            return;
        }
        self.acked.clear();
        self.acked_chunks = 0;
        for tsn in self.ring.base()..self.ring.next() {
            let Some(chunk) = self.ring.get_mut(tsn).filter(|chunk| chunk.fate == Fate::Acked) else {
                continue;
            };
            if self.messages.get(chunk.message).is_some_and(|message| !message.abandoned) {
                chunk.fate = Fate::Lost;
                self.lost.push(Reverse(tsn));
            } else {
                chunk.fate = Fate::Abandoned;
            }
        }
    }

    /// A chunk that was called lost has arrived before it was sent again. After a timeout that is enough to know better.
    pub(super) fn on_late_arrival(&mut self, tsn: u64) {
        let Some(recovery) = self.recovery.filter(|recovery| tsn <= recovery.horizon) else { return };
        if recovery.timeout && self.suspects.contains(&tsn) {
            self.suspects.clear();
            self.recovery = None;
            self.controller.undo();
            self.take_back_losses();
        } else {
            self.clear_suspect(tsn);
        }
    }

    /// Nothing was wrong with a chunk that was called lost. When that is so of all of them, perhaps after the recovery,
    /// the window is restored.
    pub(super) fn clear_suspect(&mut self, tsn: u64) {
        if self.suspects.remove(&tsn) && self.suspects.is_empty() {
            self.recovery = None;
            self.controller.undo();
        }
    }

    /// Sets the timers after an acknowledgement.
    pub(super) fn arm_after_ack(&mut self, now: Time, progress: bool) {
        if self.ring.is_empty() {
            self.timers.t3 = None;
            self.timers.probe = None;
            self.timers.reorder = None;
            self.timers.forward = None;
        } else if progress {
            self.timers.t3 = Some(now.after(self.rtt.backed_off(self.expiries)));
            self.arm_probe(now);
        }
    }

    /// Sets the tail loss probe; not during recovery, when acknowledgements come anyway, nor while the peer's window
    /// is closed, when chunks are dropped for another reason.
    pub(super) fn arm_probe(&mut self, now: Time) {
        let wanted = self.recovery.is_none() && self.expiries == 0 && !self.probe_sent && self.flight > 0;
        let Some(srtt) = self.rtt.smoothed().filter(|_| wanted) else {
            self.timers.probe = None;
            return;
        };
        let alone = self.flight <= self.mtu;
        let wait = srtt * 2 + if alone { self.ack_delay } else { 2 * MILLISECOND };
        let at = now.after(wait);
        self.timers.probe = Some(self.timers.t3.map_or(at, |t3| at.min(t3)));
    }
}
