//! One received stream: what is counted of it, what it waits for, what it asks for.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::clock::{middle, to_units, unix_time};
use super::reception::Reception;
use super::sources::Heard;
use crate::config::{Payload, ReceiverConfig};
use crate::frame::RtpPacket;
use crate::jitter::{JitterBuffer, JitterConfig};
use crate::rtcp::ReceptionReport;
use crate::srtp::ReplayWindow;
use crate::stats::{InboundStats, RemoteOutboundStats};
use crate::types::{Kind, ReceiverId};

/// A key frame is asked for at most so often: the answer needs a round trip and an encoder's time.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(200);

/// What is to be asked for, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFrameRequest {
    Pli,
    /// With the number of this request.
    Fir(u8),
}

#[derive(Debug)]
pub(super) struct InboundStream {
    pub(super) receiver: ReceiverId,
    pub(super) ssrc: u32,
    pub(super) rid: Option<Bytes>,
    /// Makes frames of packets.
    pub(super) jitter: Box<JitterBuffer>,
    /// Packets that were handed out as they came, where that is asked for: retransmissions may bring one again under its own number.
    seen: Option<ReplayWindow>,
    pub(super) last_packet: Instant,
    /// It is a layer of simulcast, and has not stopped.
    pub(super) flows: bool,
    pub(super) heard_sources: Heard,
    kind: Kind,
    payload: u8,
    reception: Reception,
    /// A packet came since the last report.
    heard: bool,
    wants_key_frame: bool,
    asked_for_key_frame: Option<Instant>,
    fir_number: u8,
    pub(super) rtx_ssrc: Option<u32>,
    counters: Counters,
    remote: Option<Remote>,
}

#[derive(Debug, Default)]
struct Counters {
    packets: u64,
    bytes: u64,
    header_bytes: u64,
    repeated_packets: u64,
    repeated_bytes: u64,
    nacks: u64,
    plis: u64,
    firs: u64,
    audio_level: Option<u8>,
}

/// The last report of the sender.
#[derive(Debug)]
struct Remote {
    ntp: u64,
    rtp_timestamp: u32,
    packets: u64,
    octets: u64,
    reports: u64,
    arrival: Instant,
}

/// A packet that came for a stream, with the size of what was around its payload.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) packet: RtpPacket,
    /// Its rollover counter and sequence number; `None` of what was repeated as RFC 4588 says.
    pub(super) index: Option<u64>,
    /// Bytes of header and padding.
    pub(super) header: usize,
}

impl InboundStream {
    pub(super) fn new(
        now: Instant,
        receiver: (ReceiverId, &ReceiverConfig),
        ssrc: u32,
        rid: Option<Bytes>,
        index: u64,
    ) -> Self {
        let (receiver, config) = receiver;
        let jitter = JitterConfig::new(config.kind, config.payloads.clone());
        Self {
            receiver,
            ssrc,
            rid,
            jitter: Box::new(JitterBuffer::new(jitter)),
            seen: config.raw.then(ReplayWindow::default),
            last_packet: now,
            flows: false,
            heard_sources: Heard::default(),
            kind: config.kind,
            payload: 0,
            reception: Reception::new(index),
            heard: false,
            wants_key_frame: false,
            asked_for_key_frame: None,
            fir_number: 0,
            rtx_ssrc: None,
            counters: Counters::default(),
            remote: None,
        }
    }

    /// Whether this is still what a receiver's configuration asks for.
    pub(super) fn fits(&self, config: &ReceiverConfig) -> bool {
        config.kind == self.kind
    }

    /// Whether packets are handed out as they come, from now on.
    pub(super) fn set_raw(&mut self, raw: bool) {
        if raw != self.seen.is_some() {
            self.seen = raw.then(ReplayWindow::default);
        }
    }

    /// Goes on with what a receiver's configuration has become.
    pub(super) fn reconfigure(&mut self, config: &ReceiverConfig) {
        self.jitter.set_payloads(config.payloads.clone());
    }

    /// Takes a packet in. Hands it back if it is to be handed out as it is.
    pub(super) fn packet(
        &mut self,
        now: Instant,
        arrival: Arrival,
        format: Option<&Payload>,
    ) -> Option<RtpPacket> {
        let Arrival { packet, index, header } = arrival;
        let (bytes, recovered) = (packet.data.len() as u64, index.is_none());
        self.last_packet = now;
        self.heard = true;
        self.heard_sources.note(now, &packet);
        self.payload = packet.payload;
        self.counters.packets += 1;
        self.counters.bytes += bytes;
        self.counters.header_bytes += header as u64;
        if recovered {
            self.counters.repeated_packets += 1;
            self.counters.repeated_bytes += bytes;
        }
        if let Some(level) = packet.extensions.audio_level {
            self.counters.audio_level = Some(level.level);
        }
        if let (Some(index), Some(format)) = (index, format) {
            self.reception.packet(now, index, packet.timestamp, format.clock_rate);
        }
        let raw = self.seen.as_mut().and_then(|seen| {
            let number = crate::srtp::estimate(seen.highest(), packet.sequence)?;
            seen.is_new(number).then(|| {
                seen.insert(number);
                packet.clone()
            })
        });
        // Padding that only measures the path has a number and nothing in it; the buffer has to know of the number.
        self.jitter.handle_packet(now, packet, recovered);
        raw
    }

    /// A report of the sender came.
    pub(super) fn sender_report(&mut self, now: Instant, ntp: u64, rtp_timestamp: u32, counts: (u32, u32)) {
        let before = self.remote.take();
        let (packets, octets, reports) =
            before.map_or((0, 0, 0), |before| (before.packets, before.octets, before.reports));
        self.remote = Some(Remote {
            ntp,
            rtp_timestamp,
            packets: unwrap(packets, counts.0),
            octets: unwrap(octets, counts.1),
            reports: reports + 1,
            arrival: now,
        });
    }

    /// What to report of it; `None` if nothing came since the last time.
    pub(super) fn report(&mut self, now: Instant) -> Option<ReceptionReport> {
        if !std::mem::take(&mut self.heard) {
            return None;
        }
        let (last_sr, delay) = self.remote.as_ref().map_or((0, 0), |remote| {
            (middle(remote.ntp), to_units(now.saturating_duration_since(remote.arrival)))
        });
        Some(ReceptionReport {
            ssrc: self.ssrc,
            fraction_lost: self.reception.take_fraction_lost(),
            lost: self.reception.lost(),
            highest: self.reception.highest(),
            jitter: self.reception.jitter(),
            last_sr,
            delay,
        })
    }

    /// A key frame is wanted, as soon as one may be asked for again.
    pub(super) fn want_key_frame(&mut self) {
        self.wants_key_frame = true;
    }

    /// When there is something to ask for, or a frame becomes due.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let key_frame = self
            .wants_key_frame
            .then(|| self.asked_for_key_frame.map_or(now, |asked| asked + KEY_FRAME_PAUSE));
        self.jitter.poll_timeout().into_iter().chain(key_frame).min()
    }

    /// Appends the sequence numbers to ask for now.
    pub(super) fn poll_nack(&mut self, now: Instant, out: &mut Vec<u16>) {
        self.jitter.poll_nack(now, out);
        self.counters.nacks += u64::from(!out.is_empty());
    }

    /// Whether and how to ask for a key frame now. Without a way to ask there is none.
    pub(super) fn poll_key_frame_request(
        &mut self,
        now: Instant,
        config: &ReceiverConfig,
    ) -> Option<KeyFrameRequest> {
        self.wants_key_frame |= self.jitter.poll_key_frame_request(now);
        let early = self
            .asked_for_key_frame
            .is_some_and(|asked| now.saturating_duration_since(asked) < KEY_FRAME_PAUSE);
        if !self.wants_key_frame || early {
            return None;
        }
        self.wants_key_frame = false;
        let format = config.payloads.iter().find(|format| format.number == self.payload)?;
        let request = if format.pli {
            self.counters.plis += 1;
            KeyFrameRequest::Pli
        } else if format.fir {
            self.counters.firs += 1;
            self.fir_number = self.fir_number.wrapping_add(1);
            KeyFrameRequest::Fir(self.fir_number)
        } else {
            return None;
        };
        self.asked_for_key_frame = Some(now);
        Some(request)
    }

    pub(super) fn stats(&self) -> InboundStats {
        let jitter = self.jitter.stats();
        let counters = &self.counters;
        InboundStats {
            receiver: self.receiver,
            ssrc: self.ssrc,
            rtx_ssrc: self.rtx_ssrc,
            rid: self.rid.clone(),
            kind: self.kind,
            payload: self.payload,
            packets_received: counters.packets,
            bytes_received: counters.bytes,
            header_bytes_received: counters.header_bytes,
            packets_lost: self.reception.lost(),
            jitter: self.reception.jitter_time(),
            packets_discarded: jitter.discarded,
            retransmitted_packets_received: counters.repeated_packets,
            retransmitted_bytes_received: counters.repeated_bytes,
            last_packet_received: (counters.packets > 0).then_some(self.last_packet),
            nack_count: counters.nacks,
            pli_count: counters.plis,
            fir_count: counters.firs,
            frames_received: jitter.frames,
            key_frames_received: jitter.key_frames,
            frames_dropped: jitter.frames_dropped,
            jitter_buffer_delay: jitter.delay,
            jitter_buffer_target_delay: jitter.target_delay,
            jitter_buffer_emitted_count: jitter.frames,
            audio_level: counters.audio_level,
            remote: self.remote.as_ref().map(|remote| RemoteOutboundStats {
                packets_sent: remote.packets,
                bytes_sent: remote.octets,
                reports_sent: remote.reports,
                remote_timestamp: unix_time(remote.ntp),
                rtp_timestamp: remote.rtp_timestamp,
                arrival: remote.arrival,
            }),
        }
    }
}

/// A counter of 32 bits, with its wraps.
fn unwrap(before: u64, now: u32) -> u64 {
    before + u64::from(now.wrapping_sub(before as u32))
}
