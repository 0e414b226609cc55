//! A sender of frames and a jitter buffer, in virtual time.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{JitterBuffer, JitterConfig};
use crate::config::Payload;
use crate::frame::{ExtensionValues, ReceivedFrame, RtpPacket};
use crate::payload::Packetizer;
use crate::types::{Codec, Kind};

pub(super) const MS: Duration = Duration::from_millis(1);

/// A payload type for each codec.
pub(super) fn number(codec: Codec) -> u8 {
    match codec {
        Codec::Opus => 111,
        Codec::Pcmu => 0,
        Codec::TelephoneEvent => 110,
        Codec::Vp9 => 98,
        Codec::H264 => 102,
        _ => 96,
    }
}

pub(super) fn format(codec: Codec, nack: bool) -> Payload {
    let clock_rate = match codec {
        Codec::Opus => 48_000,
        Codec::Pcmu | Codec::TelephoneEvent => 8_000,
        _ => 90_000,
    };
    let fmtp = "packetization-mode=1".into();
    Payload { fmtp, nack, pli: true, ..Payload::plain(number(codec), codec, clock_rate) }
}

pub(super) fn video(codec: Codec, nack: bool) -> JitterBuffer {
    JitterBuffer::new(JitterConfig::new(Kind::Video, vec![format(codec, nack)]))
}

/// Makes the packets of a stream.
pub(super) struct Sender {
    codec: Codec,
    packetizer: Packetizer,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
}

impl Sender {
    pub(super) fn new(codec: Codec, sequence: u16) -> Self {
        let packetizer = Packetizer::new(codec, "packetization-mode=1", 0).expect("a codec with frames");
        Self { codec, packetizer, sequence, timestamp: u32::MAX - 100_000 }
    }

    /// The packets of a frame, `step` ticks after the one before.
    pub(super) fn frame(&mut self, data: &[u8], step: u32) -> Vec<RtpPacket> {
        self.timestamp = self.timestamp.wrapping_add(step);
        let mut payloads = Vec::new();
        self.packetizer.packetize(&Bytes::copy_from_slice(data), 1_000, &mut payloads).expect("it fits");
        let count = payloads.len();
        let video = !matches!(self.codec, Codec::Opus | Codec::Pcmu | Codec::TelephoneEvent);
        let packets =
            payloads.into_iter().enumerate().map(|(at, data)| self.packet(data, video && at + 1 == count));
        packets.collect()
    }

    /// The next packet.
    pub(super) fn packet(&mut self, data: Bytes, marker: bool) -> RtpPacket {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        RtpPacket {
            payload: number(self.codec),
            marker,
            sequence,
            timestamp: self.timestamp,
            ssrc: 1,
            csrcs: Vec::new(),
            extensions: ExtensionValues::default(),
            data,
        }
    }

    /// A frame of VP8 of `size` bytes, 33 ms after the one before.
    pub(super) fn vp8(&mut self, key_frame: bool, size: usize) -> Vec<RtpPacket> {
        let mut data = vec![self.sequence as u8; size];
        data[0] = u8::from(!key_frame);
        self.frame(&data, 2_970)
    }
}

/// Hands in packets at once.
pub(super) fn feed(buffer: &mut JitterBuffer, now: Instant, packets: impl IntoIterator<Item = RtpPacket>) {
    for packet in packets {
        buffer.handle_packet(now, packet, false);
    }
}

/// All frames that are due.
pub(super) fn frames(buffer: &mut JitterBuffer, now: Instant) -> Vec<ReceivedFrame> {
    std::iter::from_fn(|| buffer.poll_frame(now)).collect()
}

/// What is asked for now.
pub(super) fn nacks(buffer: &mut JitterBuffer, now: Instant) -> Vec<u16> {
    let mut out = Vec::new();
    buffer.poll_nack(now, &mut out);
    out
}
