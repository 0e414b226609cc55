//! RTCP that goes out: reports at their time, requests at once.

use std::time::Instant;

use bytes::Bytes;

use super::MediaSession;
use super::inbound::KeyFrameRequest;
use crate::bandwidth::ArrivalFeedback;
use crate::rtcp::{Compound, ReceptionReport, SenderInfo};
use crate::srtp::Outbound;

/// Sequence numbers of one NACK: 4 bytes each at worst, so that one fits the smallest packet.
const MOST_NACKED: usize = 32;
/// SSRCs of one BYE or one SDES.
const MOST_SSRCS: usize = 31;

/// What is to be asked of the other side.
#[derive(Debug)]
pub(super) enum Ask {
    /// Packets again.
    Nack { ssrc: u32, sequences: Vec<u16> },
    /// A key frame.
    KeyFrame { ssrc: u32, request: KeyFrameRequest },
}

impl MediaSession {
    /// Writes what is due: reports, requests, ends of streams.
    pub(super) fn write_due(&mut self, now: Instant) {
        if self.timer.is_due(now) {
            if self.senders.is_empty() && self.streams.is_empty() && self.demux.receivers().next().is_none() {
                self.timer.stop();
            } else {
                let bytes = self.write_reports(now);
                self.timer.reported(now, bytes, &mut self.rng);
            }
        }
        self.write_asks();
        self.write_arrivals(now);
        self.write_ends();
    }

    /// Room for what SRTCP puts around a compound packet left.
    fn room(&self) -> usize {
        self.max_packet - Outbound::rtcp_overhead(self.profile)
    }

    fn finish(&mut self, compound: Compound) -> usize {
        if compound.is_empty() {
            return 0;
        }
        let mut packet = compound.finish();
        if !self.srtp_out.seal_rtcp(&mut packet) {
            return 0;
        }
        let len = packet.len();
        self.reports.push_back(Bytes::from(packet));
        len
    }

    /// A compound packet that says nothing yet: RFC 3550 6.1 wants a report and the name first.
    fn begin(&self) -> Compound {
        let mut compound = Compound::new(self.room());
        compound.receiver_report(self.own_ssrc, &[]);
        compound.names(&[self.own_ssrc], &self.cname);
        compound
    }

    /// Reports on all streams that had traffic; returns their bytes.
    fn write_reports(&mut self, now: Instant) -> usize {
        let mut blocks: Vec<ReceptionReport> =
            self.streams.values_mut().filter_map(|stream| stream.report(now)).collect();
        blocks.sort_by_key(|block| block.ssrc);
        let ntp = self.clock.ntp(now);
        let infos: Vec<(u32, SenderInfo)> = self
            .senders
            .values_mut()
            .flat_map(|sender| &mut sender.streams)
            .filter_map(|stream| stream.report(now, ntp).map(|info| (stream.config.ssrc, info)))
            .collect();
        let mut blocks = blocks.as_slice();
        let mut bytes = 0;
        for (ssrc, info) in infos {
            let mut compound = Compound::new(self.room());
            // The name has to fit behind the blocks.
            let fit = blocks.len().min((compound.room() - 28 - self.names_len(1)) / 24);
            let told = compound.sender_report(ssrc, info, &blocks[..fit]).unwrap_or(0);
            compound.names(&[ssrc], &self.cname);
            blocks = &blocks[told..];
            bytes += self.finish(compound);
        }
        while !blocks.is_empty() {
            let mut compound = Compound::new(self.room());
            let fit = blocks.len().min((compound.room() - 8 - self.names_len(1)) / 24).max(1);
            let told = compound.receiver_report(self.own_ssrc, &blocks[..fit]).unwrap_or(0);
            compound.names(&[self.own_ssrc], &self.cname);
            blocks = &blocks[told.max(1)..];
            bytes += self.finish(compound);
        }
        bytes
    }

    /// Bytes of the names of so many SSRCs: each with its SSRC, type, length, text, and at least one byte of padding.
    fn names_len(&self, ssrcs: usize) -> usize {
        4 + ssrcs * (4 + 2 + self.cname.len() + 1).next_multiple_of(4)
    }

    fn write_asks(&mut self) {
        if self.asks.is_empty() {
            return;
        }
        let mut compound = self.begin();
        while let Some(ask) = self.asks.pop_front() {
            let pieces: Vec<Ask> = match ask {
                Ask::Nack { ssrc, sequences } => sequences
                    .chunks(MOST_NACKED)
                    .map(|chunk| Ask::Nack { ssrc, sequences: chunk.to_vec() })
                    .collect(),
                other => vec![other],
            };
            for piece in pieces {
                if !write(&mut compound, self.own_ssrc, &piece) {
                    let full = std::mem::replace(&mut compound, self.begin());
                    self.finish(full);
                    write(&mut compound, self.own_ssrc, &piece);
                }
            }
        }
        self.finish(compound);
    }

    /// Tells when packets came in.
    fn write_arrivals(&mut self, now: Instant) {
        while let Some(ArrivalFeedback { count, reference, base, deltas }) = self.arrivals.poll_feedback(now)
        {
            let mut compound = self.begin();
            let header = (count, reference, base);
            let told = compound.transport_cc(self.own_ssrc, self.arrivals_of, header, &deltas);
            self.arrivals.told(now, told);
            if told == 0 {
                return;
            }
            self.finish(compound);
        }
    }

    fn write_ends(&mut self) {
        let ended = std::mem::take(&mut self.ended);
        for ssrcs in ended.chunks(MOST_SSRCS) {
            let mut compound = self.begin();
            compound.bye(ssrcs);
            self.finish(compound);
        }
    }
}

fn write(compound: &mut Compound, from: u32, ask: &Ask) -> bool {
    match ask {
        Ask::Nack { ssrc, sequences } => compound.nack(from, *ssrc, sequences),
        Ask::KeyFrame { ssrc, request: KeyFrameRequest::Pli } => compound.pli(from, *ssrc),
        Ask::KeyFrame { ssrc, request: KeyFrameRequest::Fir(number) } => compound.fir(from, *ssrc, *number),
    }
}
