//! RTP that goes out: frames split, packets numbered, queued, encrypted.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::MediaSession;
use super::repair::Sent;
use crate::bandwidth::{Paced, Priority};
use crate::error::MediaError;
use crate::frame::{EncodedFrame, ExtensionValues, RtpPacket};
use crate::rtp;
use crate::srtp::Outbound;
use crate::types::{Codec, Kind, SenderId};

/// Contributing sources of one packet (RFC 3550 5.1).
const MOST_CSRCS: usize = 15;

/// A packet that waits. It is written and encrypted when it leaves, since its header then tells when that was.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) sender: SenderId,
    pub(super) encoding: usize,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// Goes out for the first time, with its index.
    First { packet: RtpPacket, index: u64 },
    /// Goes out again, under the SSRC for retransmissions.
    Repeat(RtpPacket),
    /// Goes out again as it did.
    Datagram(Bytes),
}

impl Waiting {
    /// About its size on the wire: with what usual header extensions and encryption add.
    pub(super) fn size(&self) -> usize {
        match &self.what {
            What::First { packet, .. } | What::Repeat(packet) => packet.data.len() + USUAL_OVERHEAD,
            What::Datagram(datagram) => datagram.len(),
        }
    }
}

/// Bytes by which packets that came from elsewhere may be larger than ours: libwebrtc fills 1,200 without counting the tag, and the header
/// extensions here are others. With our 1,200 it is what every path of IPv6 takes.
const FOREIGN_ROOM: usize = 32;

/// Header with extensions, and the tag.
const USUAL_OVERHEAD: usize = 48;

impl MediaSession {
    /// Sends a frame as as many packets as it takes. `encoding` is an index into [`SenderConfig::encodings`](crate::SenderConfig).
    ///
    /// # Errors
    /// There is no such sender, encoding or payload type; it is not active; the frame does not fit its format; or too much waits
    /// already. Nothing of the frame is sent then.
    pub fn send_frame(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        frame: EncodedFrame,
    ) -> Result<(), MediaError> {
        self.follow_rate_once(now);
        let room = self.max_packet - Outbound::overhead(self.profile);
        let seed = self.transport_number;
        let sender = self.senders.get_mut(&id).ok_or(MediaError::UnknownSender(id))?;
        let kind = sender.config.kind;
        sender.ready(id, encoding, frame.payload)?;
        check_csrcs(&frame.csrcs)?;
        let values = ExtensionValues {
            audio_level: frame.audio_level,
            video_orientation: frame.video_orientation,
            ..ExtensionValues::default()
        };
        let header = sender.most_header(encoding, &values) + 4 * frame.csrcs.len();
        let (stream, format) = sender.ready(id, encoding, frame.payload)?;
        let format = format.clone();
        let packetizer = stream.packetizer(&format, seed).ok_or_else(|| {
            MediaError::Invalid(format!(
                "payload type {} is {:?}, whose frames nobody here can split: send packets",
                format.number, format.codec
            ))
        })?;
        let mut payloads = Vec::new();
        packetizer.packetize(&frame.data, room.saturating_sub(header), &mut payloads)?;
        let size: usize = payloads.iter().map(|data| data.len() + USUAL_OVERHEAD).sum();
        check_queue(self.queue.queued_bytes() + size, self.limits.queued_bytes)?;
        stream.handed_in(now, frame.timestamp, format.clock_rate);
        stream.counters.frames += 1;
        stream.counters.key_frames += u64::from(frame.key_frame);
        let count = payloads.len();
        for (at, data) in payloads.into_iter().enumerate() {
            let last = at + 1 == count;
            let index = stream.numbers.next();
            let packet = RtpPacket {
                payload: frame.payload,
                marker: if kind == Kind::Video { last } else { frame.marker && at == 0 },
                sequence: index as u16,
                timestamp: frame.timestamp,
                ssrc: stream.config.ssrc,
                csrcs: frame.csrcs.clone(),
                extensions: ExtensionValues {
                    audio_level: frame.audio_level,
                    video_orientation: frame.video_orientation.filter(|_| last),
                    ..ExtensionValues::default()
                },
                data,
            };
            let waiting = Waiting { sender: id, encoding, what: What::First { packet, index } };
            let taken = self.queue.push(now, priority(kind), waiting.size(), waiting);
            debug_assert!(taken.is_ok(), "there was room for all of the frame");
        }
        Ok(())
    }

    /// Sends a packet as it is, but for its SSRC, which becomes that of the encoding, and the header extensions `mid`,
    /// `rtp-stream-id`, `abs-send-time` and `transport-cc`, which are those of this transport. Its sequence number is kept, so gaps
    /// stay gaps.
    ///
    /// # Errors
    /// There is no such sender, encoding or payload type; it is not active; the packet is too large; its sequence number was used
    /// already, or is more than 1,023 behind the last; or too much waits already.
    pub fn send_packet(
        &mut self,
        now: Instant,
        id: SenderId,
        encoding: usize,
        packet: RtpPacket,
    ) -> Result<(), MediaError> {
        self.follow_rate_once(now);
        let room = self.max_packet + FOREIGN_ROOM - Outbound::overhead(self.profile);
        let sender = self.senders.get_mut(&id).ok_or(MediaError::UnknownSender(id))?;
        let kind = sender.config.kind;
        sender.ready(id, encoding, packet.payload)?;
        check_csrcs(&packet.csrcs)?;
        let queued = self.queue.queued_bytes() + packet.data.len() + USUAL_OVERHEAD;
        check_queue(queued, self.limits.queued_bytes)?;
        let header = sender.most_header(encoding, &packet.extensions) + 4 * packet.csrcs.len();
        let size = header + packet.data.len();
        if size > room {
            return Err(MediaError::TooLarge { size, room });
        }
        let (stream, format) = sender.ready(id, encoding, packet.payload)?;
        let clock_rate = format.clock_rate;
        let Some(index) = stream.numbers.take(packet.sequence) else {
            return Err(MediaError::Invalid(format!(
                "sequence number {} was used already, or is too old: each packet needs one of its own",
                packet.sequence
            )));
        };
        stream.handed_in(now, packet.timestamp, clock_rate);
        let packet = RtpPacket { ssrc: stream.config.ssrc, ..packet };
        let waiting = Waiting { sender: id, encoding, what: What::First { packet, index } };
        let taken = self.queue.push(now, priority(kind), waiting.size(), waiting);
        debug_assert!(taken.is_ok(), "there was room for it");
        Ok(())
    }

    /// Appends the next packet that may leave, encrypted; returns its length.
    pub(super) fn transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<usize> {
        let start = out.len();
        while let Some(Paced { packet: Waiting { sender, encoding, what }, probe, waited }) =
            self.queue.poll(now)
        {
            let written = match what {
                What::First { packet, index } => {
                    self.first(now, (sender, encoding, probe), waited, (packet, index), out)
                }
                What::Repeat(packet) => self.again(now, (sender, encoding, probe), packet, out),
                What::Datagram(datagram) => self.as_it_was(now, (sender, encoding), &datagram, out),
            };
            if written.is_some() {
                let len = out.len() - start;
                self.timer.traffic(len);
                return Some(len);
            }
            // What waited of a sender that has changed meanwhile is not sent.
            out.truncate(start);
        }
        self.pad(now, out)
    }

    fn first(
        &mut self,
        now: Instant,
        (id, encoding, probe): (SenderId, usize, Option<u32>),
        waited: Duration,
        (mut packet, index): (RtpPacket, u64),
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let sender = self.senders.get_mut(&id).filter(|sender| sender.config.active)?;
        let format = sender.config.payloads.iter().find(|format| format.number == packet.payload)?;
        let (nack, rtx, transport_cc) = (format.nack, format.rtx.is_some(), format.transport_cc);
        let codec = (format.codec != Codec::TelephoneEvent).then_some(packet.payload);
        let config = &sender.streams.get(encoding)?.config;
        if !config.active || config.ssrc != packet.ssrc {
            return None;
        }
        sender.identify(encoding, false, &mut packet.extensions);
        packet.extensions.abs_send_time = Some(self.clock.abs_send_time(now));
        packet.extensions.transport_cc = transport_cc.then_some(self.transport_number);
        let start = out.len();
        let header = rtp::write(&packet, &[], 0, &sender.extensions, out).ok()?;
        self.srtp_out.seal_rtp_at(out, start, header, packet.ssrc, index);
        let len = out.len() - start;
        let made = if sender.config.kind == Kind::Video { packet.data.len() } else { 0 };
        self.count_sent(now, transport_cc, (len, len - made), probe);
        let stream = self.senders.get_mut(&id)?.streams.get_mut(encoding)?;
        stream.sent(codec, packet.data.len(), header, waited);
        self.budget.earn(len);
        if nack {
            let repairable = rtx && stream.config.rtx_ssrc.is_some();
            let sent = || Sent::Datagram(Bytes::copy_from_slice(&out[start..]));
            stream.keep(index, if repairable { Sent::Content(packet) } else { sent() });
        }
        Some(())
    }

    /// A packet again, as RFC 4588 says: with the number that it had in front.
    fn again(
        &mut self,
        now: Instant,
        (id, encoding, probe): (SenderId, usize, Option<u32>),
        mut packet: RtpPacket,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let sender = self.senders.get_mut(&id).filter(|sender| sender.config.active)?;
        let format = sender.config.payloads.iter().find(|format| format.number == packet.payload)?;
        let (rtx, transport_cc) = (format.rtx?, format.transport_cc);
        let stream = sender.streams.get_mut(encoding)?;
        let ssrc = stream.config.rtx_ssrc?;
        let index = stream.rtx_numbers.as_mut()?.next();
        let original = packet.sequence.to_be_bytes();
        (packet.payload, packet.sequence, packet.ssrc) = (rtx, index as u16, ssrc);
        sender.identify(encoding, true, &mut packet.extensions);
        packet.extensions.abs_send_time = Some(self.clock.abs_send_time(now));
        packet.extensions.transport_cc = transport_cc.then_some(self.transport_number);
        let start = out.len();
        let header = rtp::write(&packet, &original, 0, &sender.extensions, out).ok()?;
        self.srtp_out.seal_rtp_at(out, start, header, ssrc, index);
        let len = out.len() - start;
        sender.streams[encoding].sent_again(packet.data.len(), header + original.len());
        self.count_sent(now, transport_cc, (len, len), probe);
        Some(())
    }

    fn as_it_was(
        &mut self,
        now: Instant,
        (id, encoding): (SenderId, usize),
        datagram: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let header = rtp::header_len(datagram)?;
        let stream = self.senders.get_mut(&id)?.streams.get_mut(encoding)?;
        let data = datagram.len() - header - Outbound::overhead(self.profile);
        stream.sent_again(data, header);
        self.to_encoders.sent_beside(now, datagram.len());
        out.extend_from_slice(datagram);
        Some(())
    }

    /// A packet of `size` bytes has left, `beside` of which no encoder of video has made: under the next transport-wide number, if it has one.
    fn count_sent(
        &mut self,
        now: Instant,
        numbered: bool,
        (size, beside): (usize, usize),
        probe: Option<u32>,
    ) {
        if numbered {
            if let Some(rate) = &mut self.rate {
                rate.sent(now, self.transport_number, size, probe);
            }
            self.transport_number = self.transport_number.wrapping_add(1);
        }
        // Feedback on numbers says nothing of packets without one: what they take is not a part of that rate.
        if numbered || self.rate.is_none() {
            self.to_encoders.sent_beside(now, beside);
        }
    }
}

fn priority(kind: Kind) -> Priority {
    match kind {
        Kind::Audio => Priority::Audio,
        Kind::Video => Priority::Video,
    }
}

fn check_csrcs(csrcs: &[u32]) -> Result<(), MediaError> {
    if csrcs.len() > MOST_CSRCS {
        return Err(MediaError::Invalid(format!(
            "{} contributing sources are too many: a packet has room for {MOST_CSRCS}",
            csrcs.len()
        )));
    }
    Ok(())
}

fn check_queue(queued: usize, limit: usize) -> Result<(), MediaError> {
    if queued > limit {
        return Err(MediaError::QueueFull { queued, limit });
    }
    Ok(())
}
