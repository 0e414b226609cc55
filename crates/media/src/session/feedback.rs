//! RTCP that comes in: reports, requests, ends of streams.

use std::time::{Duration, Instant};

use super::MediaSession;
use super::clock::middle;
use super::demux::Role;
use super::outbound::ReceiverReport;
use super::rate::Rate;
use super::repair::Sent;
use super::send::{Waiting, What};
use crate::bandwidth::Priority;
use crate::event::MediaEvent;
use crate::rtcp::{self, Feedback};

/// Things that are looked at of one datagram: a report on each of 500 streams. Without a bound 1,500 bytes could say as many as
/// there are bytes.
const MOST_FEEDBACK: usize = 512;

impl MediaSession {
    pub(super) fn handle_rtcp(&mut self, now: Instant, datagram: &[u8]) {
        let mut packet = datagram.to_vec();
        if let Err(error) = self.srtp_in.open_rtcp(&mut packet) {
            return self.refuse(now, error);
        }
        let mut found = Vec::new();
        match rtcp::read(&mut packet, MOST_FEEDBACK, |feedback| found.push(feedback)) {
            Some(skipped) => self.dropped.too_many_reports += skipped as u64,
            None => self.dropped.malformed += 1,
        }
        for feedback in found {
            self.handle_feedback(now, feedback);
        }
    }

    fn handle_feedback(&mut self, now: Instant, feedback: Feedback) {
        match feedback {
            Feedback::SenderReport { ssrc, ntp, rtp_timestamp, packets, octets } => {
                if let Some(stream) = self.streams.get_mut(&ssrc) {
                    stream.sender_report(now, ntp, rtp_timestamp, (packets, octets));
                }
            }
            Feedback::Report { ssrc, fraction_lost, lost, jitter, last_sr, delay, .. } => {
                self.report(now, ssrc, ReceiverReport { fraction_lost, lost, jitter, last_sr, delay });
            }
            Feedback::Nack { ssrc, sequences } => self.repeat(now, ssrc, &sequences),
            Feedback::Pli { ssrc } => self.key_frame_requested(now, ssrc, None),
            Feedback::Fir { ssrc, number } => self.key_frame_requested(now, ssrc, Some(number)),
            Feedback::Remb { bps } => self.limit(now, bps),
            Feedback::TransportCc { reference, base, deltas, .. } => {
                if let Some(rate) = &mut self.rate {
                    rate.feedback(now, reference, base, &deltas);
                    self.follow_rate(now);
                }
            }
            Feedback::Bye { ssrc, reason } => self.ended(ssrc, reason),
        }
    }

    fn report(&mut self, now: Instant, ssrc: u32, report: ReceiverReport) {
        let Some(&(id, encoding)) = self.outgoing.get(&ssrc) else { return };
        let Some(stream) = self.senders.get_mut(&id).and_then(|sender| sender.streams.get_mut(encoding))
        else {
            return;
        };
        if stream.config.ssrc != ssrc {
            return;
        }
        let round_trip = stream.receiver_report(now, middle(self.clock.ntp(now)), report);
        if let Some(round_trip) = round_trip {
            self.round_trip = Some(round_trip);
            if let Some(rate) = &mut self.rate {
                rate.set_round_trip(round_trip);
            }
            for stream in self.streams.values_mut() {
                stream.jitter.set_round_trip(round_trip);
            }
        }
    }

    /// Sends again what did not come, as far as it is still there and the budget allows.
    fn repeat(&mut self, now: Instant, ssrc: u32, sequences: &[u16]) {
        let Some(&(id, encoding)) = self.outgoing.get(&ssrc) else { return };
        let Some(stream) = self.senders.get_mut(&id).and_then(|sender| sender.streams.get_mut(encoding))
        else {
            return;
        };
        stream.counters.nacks += 1;
        // Reports come once a second; by the feedback it is known sooner that a queue has grown, in which what was sent again still waits.
        let by_feedback = self.rate.as_ref().and_then(Rate::round_trip);
        let round_trip = self.round_trip.max(by_feedback).unwrap_or(Duration::ZERO);
        for &sequence in sequences {
            let Some(sent) = stream.cache.take_for_repeat(now, sequence, round_trip) else { continue };
            let what = match sent {
                Sent::Content(packet) => What::Repeat(packet),
                Sent::Datagram(datagram) => What::Datagram(datagram),
            };
            let waiting = Waiting { sender: id, encoding, what };
            let size = waiting.size();
            let full = self.queue.queued_bytes() + size > self.limits.queued_bytes;
            // It stays with what was sent; the other side asks again.
            if full
                || !self.budget.spend(size)
                || self.queue.push(now, Priority::Repair, size, waiting).is_err()
            {
                return;
            }
        }
    }

    fn key_frame_requested(&mut self, now: Instant, ssrc: u32, fir_number: Option<u8>) {
        let Some(&(sender, encoding)) = self.outgoing.get(&ssrc) else { return };
        let Some(stream) = self.senders.get_mut(&sender).and_then(|sender| sender.streams.get_mut(encoding))
        else {
            return;
        };
        match fir_number {
            Some(_) => stream.counters.firs += 1,
            None => stream.counters.plis += 1,
        }
        if stream.key_frame_requested(now, fir_number) {
            self.emit(MediaEvent::KeyFrameRequested { sender, encoding });
        }
    }

    fn limit(&mut self, now: Instant, bps: u64) {
        if self.remote_limit == Some(bps) {
            return;
        }
        self.remote_limit = Some(bps);
        if let Some(rate) = &mut self.rate {
            rate.set_remb(bps);
        }
        self.follow_rate(now);
    }

    fn ended(&mut self, ssrc: u32, reason: Option<String>) {
        let Some(&Role::Stream { receiver, .. }) = self.demux.role(ssrc) else { return };
        if self.streams.contains_key(&ssrc) {
            self.drop_stream(ssrc);
            self.emit(MediaEvent::Bye { receiver, ssrc, reason });
            if !self.streams.values().any(|stream| stream.receiver == receiver) {
                self.silence(receiver);
            }
        }
    }
}
