//! `dcsctp`, the port of the stack in Chromium.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dcsctp::api::{
    DcSctpSocket, Message, Options, PpId, SendOptions, SocketEvent, SocketState, SocketTime, StreamId,
    ZeroChecksumAlternateErrorDetectionMethod,
};

use super::{Delivery, Foreign};

pub struct DcSctp {
    socket: Box<dyn DcSctpSocket>,
    start: Instant,
    resets: Vec<u16>,
}

impl DcSctp {
    pub fn new(start: Instant, interleaving: bool, zero_checksum: bool) -> Self {
        let method = if zero_checksum {
            ZeroChecksumAlternateErrorDetectionMethod(1)
        } else {
            ZeroChecksumAlternateErrorDetectionMethod(0)
        };
        let options = Options {
            enable_message_interleaving: interleaving,
            zero_checksum_alternate_error_detection_method: method,
            ..Options::default()
        };
        Self { socket: dcsctp::new_socket("peer", &options), start, resets: Vec::new() }
    }

    fn advance(&mut self, now: Instant) {
        self.socket.advance_time(SocketTime::zero() + now.saturating_duration_since(self.start));
    }
}

impl Foreign for DcSctp {
    fn connect(&mut self, now: Instant) {
        self.advance(now);
        self.socket.connect();
    }

    fn handle_packet(&mut self, now: Instant, packet: Bytes) {
        self.advance(now);
        self.socket.handle_input(&packet);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    fn next_timeout(&mut self) -> Option<Instant> {
        let at = self.socket.poll_timeout();
        (at != SocketTime::infinite_future())
            .then(|| self.start + (at - SocketTime::zero()) + Duration::from_nanos(1))
    }

    fn poll(&mut self, now: Instant) -> Vec<Bytes> {
        self.advance(now);
        let mut packets = Vec::new();
        while let Some(event) = self.socket.poll_event() {
            match event {
                SocketEvent::SendPacket(packet) => packets.push(Bytes::from(packet)),
                SocketEvent::OnIncomingStreamReset(streams) => {
                    self.resets.extend(streams.iter().map(|stream| stream.0));
                }
                SocketEvent::OnAborted(kind, text) => panic!("dcsctp aborted: {kind:?} {text}"),
                _ => {}
            }
        }
        packets
    }

    fn is_established(&self) -> bool {
        self.socket.state() == SocketState::Connected
    }

    fn send(&mut self, now: Instant, stream: u16, payload: &Bytes, delivery: Delivery) {
        self.advance(now);
        let message = Message::new(StreamId(stream), PpId(53), payload.to_vec());
        let max_retransmissions = delivery.once.then_some(0);
        let options =
            SendOptions { unordered: delivery.unordered, max_retransmissions, ..SendOptions::default() };
        self.socket.send(message, &options).expect("dcsctp takes the message");
    }

    fn receive(&mut self) -> Vec<(u16, Bytes)> {
        std::iter::from_fn(|| self.socket.get_next_message())
            .map(|message| (message.stream_id.0, Bytes::from(message.payload)))
            .collect()
    }

    fn reset(&mut self, now: Instant, stream: u16) {
        self.advance(now);
        self.socket.reset_streams(&[StreamId(stream)]).expect("dcsctp resets");
    }

    fn saw_reset(&mut self, stream: u16) -> bool {
        self.resets.contains(&stream)
    }
}
