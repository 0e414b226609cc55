//! RTP that comes in: decrypted, routed, delivered.

use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};

use super::MediaSession;
use super::demux::{NoRoute, Role};
use super::inbound::{Arrival, InboundStream};
use super::reports::Ask;
use crate::event::MediaEvent;
use crate::frame::RtpPacket;
use crate::rtp::{self, header_len};
use crate::srtp::SrtpError;
use crate::types::ReceiverId;

/// A stream of which nothing came for so long makes room for another, where room is needed.
const IDLE: Duration = Duration::from_secs(30);
/// Idle streams are looked for at most so often: it takes a look at all of them.
const EVICTION_PAUSE: Duration = Duration::from_secs(1);

impl MediaSession {
    /// A datagram came: SRTP or SRTCP, told apart by its second byte (RFC 5761 4). What is not genuine, or belongs nowhere, is
    /// dropped and counted.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) {
        match datagram {
            [_, 192..=223, ..] => self.handle_rtcp(now, datagram),
            _ => self.handle_rtp(now, datagram),
        }
    }

    fn handle_rtp(&mut self, now: Instant, datagram: &[u8]) {
        let Some(header) = header_len(datagram) else {
            self.dropped.malformed += 1;
            return;
        };
        let mut packet = datagram.to_vec();
        let index = match self.srtp_in.open_rtp(&mut packet, header) {
            Ok(index) => index,
            Err(error) => return self.refuse(now, error),
        };
        self.timer.traffic(datagram.len());
        let bytes = Bytes::from(packet);
        let Some(packet) = rtp::parse(&bytes, self.demux.extensions()) else {
            self.dropped.malformed += 1;
            return;
        };
        if let Some(number) = packet.extensions.transport_cc {
            self.arrivals.record(now, number, datagram.len());
            self.arrivals_of = packet.ssrc;
        }
        let header = bytes.len() - packet.data.len();
        match self.demux.route(&packet, self.limits.streams) {
            Ok(Role::Stream { receiver, rid }) => {
                self.deliver(now, (receiver, rid), Arrival { packet, index: Some(index), header });
            }
            Ok(Role::Repair { receiver, of }) => self.recover(now, receiver, of, packet, header),
            Err(NoRoute::Unknown) => self.dropped.unknown_stream += 1,
            Err(NoRoute::Inactive) => self.dropped.inactive += 1,
            Err(NoRoute::Full) => {
                self.dropped.too_many_streams += 1;
                self.make_room(now);
            }
        }
    }

    pub(super) fn refuse(&mut self, now: Instant, error: SrtpError) {
        match error {
            SrtpError::Malformed => self.dropped.malformed += 1,
            SrtpError::Unauthentic => self.dropped.unauthentic += 1,
            SrtpError::Replayed => self.dropped.replayed += 1,
            SrtpError::TooManyStreams => {
                self.dropped.too_many_streams += 1;
                self.make_room(now);
            }
        }
    }

    /// Turns a retransmission back into what it repeats (RFC 4588 4).
    fn recover(&mut self, now: Instant, receiver: ReceiverId, of: u32, packet: RtpPacket, header: usize) {
        let number = self.demux.receiver(receiver).and_then(|config| {
            config
                .payloads
                .iter()
                .find(|format| format.rtx == Some(packet.payload))
                .map(|format| format.number)
        });
        let (Some(payload), Some(stream)) = (number, self.streams.get_mut(&of)) else {
            self.dropped.unknown_stream += 1;
            return;
        };
        stream.rtx_ssrc = Some(packet.ssrc);
        let mut data = packet.data;
        // Without the original number it is padding, by which the sender measures the path.
        if data.len() < 2 {
            return;
        }
        let sequence = data.get_u16();
        let rid = stream.rid.clone();
        let packet = RtpPacket { payload, sequence, ssrc: of, data, ..packet };
        self.deliver(now, (receiver, rid), Arrival { packet, index: None, header: header + 2 });
    }

    fn deliver(&mut self, now: Instant, (receiver, rid): (ReceiverId, Option<Bytes>), arrival: Arrival) {
        let ssrc = arrival.packet.ssrc;
        // The SSRC is another section's now, or another layer's.
        if self.streams.get(&ssrc).is_some_and(|stream| stream.receiver != receiver || stream.rid != rid) {
            self.drop_stream(ssrc);
        }
        let Some(config) = self.demux.receiver(receiver) else { return };
        let format = config.payloads.iter().find(|format| format.number == arrival.packet.payload);
        let mut started = false;
        let stream = self.streams.entry(ssrc).or_insert_with(|| {
            started = true;
            let index = arrival.index.unwrap_or_else(|| u64::from(arrival.packet.sequence));
            InboundStream::new(now, (receiver, config), ssrc, rid.clone(), index)
        });
        if started {
            if let Some(round_trip) = self.round_trip {
                stream.jitter.set_round_trip(round_trip);
            }
            if let Some(target) = self.targets.get(&receiver) {
                stream.jitter.set_target(*target);
            }
        }
        let packet = stream.packet(now, arrival, format);
        self.heard(now, receiver);
        if started {
            self.emit(MediaEvent::StreamStarted { receiver, ssrc, rid });
        }
        self.layer_heard(now, ssrc);
        if let Some(packet) = packet {
            self.emit(MediaEvent::Packet { receiver, packet });
        }
        self.serve(now, ssrc);
    }

    /// Takes out of a stream what is due: frames to hand out, and what to ask for.
    pub(super) fn serve(&mut self, now: Instant, ssrc: u32) {
        let Some(stream) = self.streams.get_mut(&ssrc) else { return };
        let receiver = stream.receiver;
        let mut frames = Vec::new();
        while let Some(frame) = stream.jitter.poll_frame(now) {
            frames.push(frame);
        }
        let mut sequences = Vec::new();
        stream.poll_nack(now, &mut sequences);
        let config = self.demux.receiver(receiver);
        let request = config.and_then(|config| stream.poll_key_frame_request(now, config));
        self.deadlines.set(ssrc, stream.poll_timeout(now));
        if !sequences.is_empty() {
            self.asks.push_back(Ask::Nack { ssrc, sequences });
        }
        if let Some(request) = request {
            self.asks.push_back(Ask::KeyFrame { ssrc, request });
        }
        for frame in frames {
            self.emit(MediaEvent::Frame { receiver, ssrc, frame });
        }
    }

    /// Forgets streams of which nothing has come for long, so that new ones find room.
    fn make_room(&mut self, now: Instant) {
        if self.last_eviction.is_some_and(|last| now.saturating_duration_since(last) < EVICTION_PAUSE) {
            return;
        }
        self.last_eviction = Some(now);
        let idle: Vec<u32> = self
            .streams
            .values()
            .filter(|stream| now.saturating_duration_since(stream.last_packet) >= IDLE)
            .map(|stream| stream.ssrc)
            .collect();
        for ssrc in idle {
            self.drop_stream(ssrc);
            self.demux.forget(ssrc);
        }
        let (streams, demux) = (&self.streams, &self.demux);
        self.srtp_in.retain(|ssrc| match demux.role(ssrc) {
            Some(Role::Repair { of, .. }) => streams.contains_key(of),
            _ => streams.contains_key(&ssrc),
        });
    }
}
