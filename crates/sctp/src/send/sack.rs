//! Processing acknowledgements.

use super::Sender;
use super::ring::{Fate, Sent};
use crate::chunk::sack::Sack;
use crate::congestion::Ack;
use crate::serial::unwrap32;
use crate::time::{Nanos, Time};

/// What a SACK newly acknowledged.
#[derive(Debug, Default)]
struct Progress {
    bytes: usize,
    /// Those of them that may have arrived long ago.
    late: usize,
    highest: u64,
    rtt: Option<Nanos>,
    /// Chunks that were called lost and not sent again, yet arrived.
    mistaken: Vec<u64>,
    large_arrived: bool,
    /// The peer got some chunks twice.
    has_duplicates: bool,
}

/// A SACK with fewer gap blocks than this has told all that it knows: stacks report at least 20 of them.
const SURELY_ALL_GAPS: usize = 16;

/// The last TSN that a SACK could speak of. A list of gaps that was cut short says nothing about what is beyond it.
fn horizon(cumulative: u64, sack: &Sack<'_>) -> u64 {
    let mut gaps = sack.gaps();
    if gaps.by_ref().take(SURELY_ALL_GAPS).count() < SURELY_ALL_GAPS {
        return u64::MAX;
    }
    let last = sack.gaps().map(|(_, last)| last).max().unwrap_or(0);
    cumulative + u64::from(last)
}

impl Sender {
    /// Takes a SACK. Returns false if it is older than what is known, or nonsense.
    pub(crate) fn on_sack(&mut self, now: Time, sack: &Sack<'_>) -> bool {
        let cumulative = unwrap32(self.ring.base() - 1, sack.cumulative);
        if cumulative >= self.ring.next() {
            return false;
        }
        if cumulative + 1 < self.ring.base() {
            // It was overtaken, but what it says of duplicates no other SACK repeats.
            self.take_duplicates(cumulative, sack);
            return false;
        }
        let flight_before = self.flight;
        let has_duplicates = sack.duplicates().next().is_some();
        let mut progress = Progress { has_duplicates, ..Progress::default() };
        let moved = cumulative + 1 > self.ring.base();
        self.acknowledge_cumulative(now, cumulative, &mut progress);
        self.acknowledge_gaps(now, cumulative, sack, &mut progress);
        self.horizon = horizon(cumulative, sack);
        self.take_duplicates(cumulative, sack);
        self.take_window(sack.window as usize);
        if let Some(rtt) = progress.rtt {
            self.rtt.sample(rtt);
        }
        if progress.large_arrived {
            self.large_losses = 0;
        }
        for tsn in std::mem::take(&mut progress.mistaken) {
            self.on_late_arrival(tsn);
        }
        if moved || progress.bytes > 0 {
            self.expiries = 0;
            self.probe_sent = false;
        }
        // Something has arrived, and the peer has no room to say what. One packet has left the path, so one may enter it:
        // otherwise what is in flight by our count might keep back the very chunks that the list could go on with.
        self.probe_due |= !moved && progress.bytes == 0 && self.horizon != u64::MAX && !self.lost.is_empty();
        self.leave_recovery(cumulative);
        self.grow_window(now, flight_before, &progress);
        self.detect_losses(now);
        self.advance_ack_point();
        self.forward_due |= moved && self.forward_is_partial && self.advanced >= self.ring.base();
        let opened = std::mem::take(&mut self.window_opened);
        self.arm_after_ack(now, moved || progress.bytes > 0 || opened);
        true
    }

    /// Takes the cumulative TSN of a SHUTDOWN, which says nothing about gaps and windows.
    pub(crate) fn on_cumulative(&mut self, now: Time, cumulative: u32) {
        let cumulative = unwrap32(self.ring.base() - 1, cumulative);
        if cumulative < self.ring.base() || cumulative >= self.ring.next() {
            return;
        }
        self.acknowledge_cumulative(now, cumulative, &mut Progress::default());
        self.expiries = 0;
        self.leave_recovery(cumulative);
        self.arm_after_ack(now, true);
    }

    fn acknowledge_cumulative(&mut self, now: Time, cumulative: u64, progress: &mut Progress) {
        while self.ring.base() <= cumulative {
            let tsn = self.ring.base();
            let Some(chunk) = self.ring.pop() else { break };
            if chunk.fate == Fate::Acked {
                self.acked_chunks -= 1;
            } else {
                self.on_delivered(now, tsn, &chunk, progress);
            }
            let Some(message) = self.messages.get_mut(chunk.message) else { continue };
            message.outstanding -= 1;
            if message.outstanding == 0 && message.is_fully_sent() {
                let stream = message.stream;
                self.free(chunk.message, stream);
            }
        }
        self.acked.remove_up_to(cumulative);
        while self.skipped.front().is_some_and(|skipped| skipped.tsn <= cumulative) {
            self.skipped.pop_front();
        }
    }

    fn acknowledge_gaps(&mut self, now: Time, cumulative: u64, sack: &Sack<'_>, progress: &mut Progress) {
        let mut fresh = std::mem::take(&mut self.scratch_ranges);
        let next = self.ring.next();
        for (first, last) in sack.gaps() {
            let (first, last) = (cumulative + u64::from(first), (cumulative + u64::from(last)).min(next - 1));
            if first > cumulative && first <= last {
                self.acked.insert(first, last, &mut fresh);
            }
        }
        for (first, last) in fresh.drain(..) {
            for tsn in first..=last {
                let Some(entry) = self.ring.get_mut(tsn) else { break };
                let chunk = *entry;
                entry.fate = Fate::Acked;
                self.acked_chunks += 1;
                self.on_delivered(now, tsn, &chunk, progress);
            }
        }
        self.scratch_ranges = fresh;
    }

    /// Books one chunk that is acknowledged for the first time.
    fn on_delivered(&mut self, now: Time, tsn: u64, chunk: &Sent, progress: &mut Progress) {
        let size = self.chunk_header() + usize::from(chunk.len);
        match chunk.fate {
            Fate::Outstanding => {
                self.flight -= size;
                self.flight_payload -= usize::from(chunk.len);
            }
            Fate::Silent => {}
            Fate::Lost => progress.mistaken.push(tsn),
            Fate::Acked | Fate::Abandoned => return,
        }
        progress.bytes += size;
        progress.highest = progress.highest.max(tsn);
        if chunk.is_large {
            progress.large_arrived = true;
            self.large_arrived = self.large_arrived.max(chunk.order);
        }
        // A copy that arrives quicker than the path allows is an earlier one.
        let rtt = now.since(chunk.sent_at);
        let is_later_copy = chunk.retransmits == 0 || self.rtt.min().is_none_or(|min| rtt >= min);
        // What the last SACK had no room for may have arrived long ago.
        let is_told_at_once = chunk.fate != Fate::Silent && tsn <= self.horizon;
        let is_fresh = chunk.fate == Fate::Outstanding && is_told_at_once;
        let order = Some(chunk.order).filter(|_| is_later_copy && is_fresh);
        if chunk.fate == Fate::Silent {
            progress.late += size;
            self.delivery.on_delivered_earlier(size);
        } else {
            self.delivery.on_delivered(now, size, order, chunk.sent_at, &chunk.departure);
        }
        if chunk.retransmits == 0 && is_fresh {
            progress.rtt = Some(progress.rtt.map_or(rtt, |least| least.min(rtt)));
        }
        // With duplicates reported, it is the first copy of a chunk that arrived: the time of the second one says
        // nothing about what was sent before it.
        if (chunk.retransmits == 0 || !progress.has_duplicates) && is_told_at_once {
            self.rack.on_delivered(now, tsn, chunk, self.rtt.min());
        }
    }

    /// Duplicates mean that something was sent again without need.
    fn take_duplicates(&mut self, cumulative: u64, sack: &Sack<'_>) {
        let count = sack.duplicates().count() as u32;
        if count == 0 {
            return;
        }
        self.counters.spurious_retransmits += u64::from(count);
        self.rack.on_duplicate(self.ring.next(), cumulative);
        if self.probe_sent {
            self.on_needless_probe();
        }
        for tsn in sack.duplicates() {
            self.clear_suspect(unwrap32(cumulative, tsn));
        }
    }

    fn take_window(&mut self, advertised: usize) {
        self.max_peer_window = self.max_peer_window.max(advertised);
        self.peer_window = advertised.saturating_sub(self.flight_payload);
        if self.peer_window > 0 {
            self.timers.persist = None;
        }
        if std::mem::replace(&mut self.window_closed, advertised == 0) && advertised > 0 {
            // What backed off was the probing of a closed window.
            self.expiries = 0;
            self.window_opened = !self.ring.is_empty();
        }
    }

    fn grow_window(&mut self, now: Time, flight_before: usize, progress: &Progress) {
        if progress.bytes == 0 {
            return;
        }
        let window = self.controller.window();
        let slow_start = window < self.controller.threshold();
        let ack = Ack {
            now,
            bytes: progress.bytes,
            late: progress.late,
            limited: self.window_limited || flight_before >= if slow_start { window / 2 } else { window },
            recovering: self.is_window_frozen(),
            rtt: progress.rtt,
            latest_rtt: progress.rtt.unwrap_or(self.rtt.latest()),
            srtt: self.rtt.smoothed().unwrap_or(0),
            acked_tsn: progress.highest,
            next_tsn: self.ring.next(),
            in_flight: self.flight,
            delivered: self.delivery.delivered(),
            sample: self.delivery.take_sample(now, self.rtt.min().unwrap_or(0)),
        };
        self.controller.on_ack(&ack);
        if self.controller.wants_app_limited() {
            self.delivery.on_app_limited(self.flight);
        }
        let srtt = self.rtt.smoothed();
        self.pacer.set_rate(now, self.controller.pacing_rate(srtt.unwrap_or(0)), srtt, self.mtu);
    }
}
