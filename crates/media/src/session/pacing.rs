//! The rate at which packets leave, where the other side tells when they came in, and the padding that finds out whether more would
//! get through.

use std::time::Instant;

use bytes::Bytes;

use super::MediaSession;
use super::rate::Rate;
use super::target::Target;
use crate::bandwidth::BandwidthConfig;
use crate::event::MediaEvent;
use crate::frame::{ExtensionValues, RtpPacket};
use crate::rtp;
use crate::types::{Extension, Kind, SenderId};

/// Padding of one packet: its number is a byte (RFC 3550 5.1).
const MOST_PADDING: usize = 255;

impl MediaSession {
    /// The senders have changed, and with them whether there is feedback, how much is sent at most, and what padding is made of.
    pub(super) fn set_rate(&mut self, now: Instant) {
        let told = self.senders.values().any(|sender| {
            sender.extensions.id(Extension::TransportCc).is_some()
                && sender.config.payloads.iter().any(|format| format.transport_cc)
        });
        if !told {
            if self.rate.take().is_some() {
                self.queue.set_rate(now, u64::MAX);
                self.budget.set_rate(None);
            }
            self.follow_rate(now);
            return;
        }
        let encodings = self
            .senders
            .values()
            .filter(|sender| sender.config.active && sender.config.kind == Kind::Video)
            .flat_map(|sender| &sender.config.encodings)
            .filter(|encoding| encoding.active);
        let most =
            encodings.map(|encoding| encoding.max_bitrate).sum::<Option<u64>>().filter(|&most| most > 0);
        let can_probe = self.padded().is_some();
        let rate = self.rate.get_or_insert_with(Rate::new);
        rate.set_most(most);
        rate.can_probe = can_probe;
        if let Some(bps) = self.remote_limit {
            rate.set_remb(bps);
        }
        self.follow_rate(now);
    }

    /// As [`Self::follow_rate`], for who sends: of packets that are handed in together it is done for the first.
    pub(super) fn follow_rate_once(&mut self, now: Instant) {
        if self.followed != Some(now) {
            self.followed = Some(now);
            self.follow_rate(now);
        }
    }

    /// Lets packets leave at the rate that was found, tells it, and begins the bursts that are wanted.
    pub(super) fn follow_rate(&mut self, now: Instant) {
        let (all, most) = match (&mut self.rate, self.remote_limit) {
            (Some(rate), _) => {
                self.queue.set_rate(now, rate.target());
                while let Some(probe) = rate.poll_probe(now) {
                    self.queue.probe(now, probe);
                }
                (rate.target(), rate.most())
            }
            // What the receiver allows knows nothing of what encoders make at most.
            (None, Some(limit)) => (limit, u64::MAX),
            (None, None) => return,
        };
        self.budget.set_rate(Some(all.max(BandwidthConfig::default().least)));
        if let Some(Target { all: bps, video }) = self.to_encoders.poll(now, all, most) {
            self.emit(MediaEvent::TargetBitrate { bps, video });
        }
    }

    /// What padding is made of: an encoding of video whose retransmissions have an SSRC of their own, on which a packet without
    /// content harms nobody, and which has sent something, so that the other side knows of it.
    fn padded(&self) -> Option<(SenderId, usize, u8)> {
        self.senders.iter().filter(|(_, sender)| sender.config.active).find_map(|(&id, sender)| {
            let format =
                sender.config.payloads.iter().find(|format| format.transport_cc && format.rtx.is_some())?;
            let at = sender.streams.iter().position(|stream| {
                stream.config.active && stream.config.rtx_ssrc.is_some() && sender.config.kind == Kind::Video
            })?;
            Some((id, at, format.rtx?))
        })
    }

    /// Appends a packet of padding, where a burst lacks packets; returns its length.
    pub(super) fn pad(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<usize> {
        let most = self.queue.poll_padding(now)?;
        let Some((id, encoding, payload)) = self.padded() else {
            // What it was to be made of is gone since the burst began; it goes on without.
            self.queue.padded(now, most);
            return None;
        };
        let sender = self.senders.get_mut(&id)?;
        let stream = sender.streams.get_mut(encoding)?;
        let ssrc = stream.config.rtx_ssrc?;
        let index = stream.rtx_numbers.as_mut()?.next();
        let mut packet = RtpPacket {
            payload,
            marker: false,
            sequence: index as u16,
            timestamp: stream.last_timestamp(),
            ssrc,
            csrcs: Vec::new(),
            extensions: ExtensionValues::default(),
            data: Bytes::new(),
        };
        sender.identify(encoding, true, &mut packet.extensions);
        packet.extensions.abs_send_time = Some(self.clock.abs_send_time(now));
        packet.extensions.transport_cc = Some(self.transport_number);
        let padding = u8::try_from(most.min(MOST_PADDING)).expect("at most 255").max(1);
        let start = out.len();
        let header = rtp::write(&packet, &[], padding, &sender.extensions, out).ok()?;
        self.srtp_out.seal_rtp_at(out, start, header, ssrc, index);
        let len = out.len() - start;
        let probe = self.queue.padded(now, len);
        if let Some(rate) = &mut self.rate {
            rate.sent(now, self.transport_number, len, probe);
        }
        self.transport_number = self.transport_number.wrapping_add(1);
        sender.streams[encoding].padded(header + usize::from(padding));
        self.timer.traffic(len);
        Some(len)
    }
}
