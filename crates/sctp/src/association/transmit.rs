//! Building packets.

use std::time::Instant;

use super::Association;
use crate::chunk::kind;
use crate::packet::{CommonHeader, PacketBuilder};
use crate::state::State;
use crate::time::Time;

impl Association {
    /// Appends one packet to `out` and returns its length, or `None` when there is nothing to send now.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<usize> {
        let now = self.at(now);
        let len = self.build_packet(now, out)?;
        self.traffic.packets_sent += 1;
        self.traffic.bytes_sent += len as u64;
        if self.handshake.unproven {
            self.on_unproven_sent(now);
        }
        Some(len)
    }

    fn header(&self, tag: u32) -> CommonHeader {
        CommonHeader {
            source_port: self.config.local_port,
            destination_port: self.config.remote_port,
            tag,
            checksum: 0,
        }
    }

    fn build_packet(&mut self, now: Time, out: &mut Vec<u8>) -> Option<usize> {
        if self.handshake.due && self.control.is_empty() {
            return self.build_handshake(now, out);
        }
        let header = self.header(self.peer.map_or(0, |peer| peer.tag));
        let zero_checksum = self.is_up() && self.agreed().zero_checksum;
        if self.is_up()
            && let Some(len) = self.build_probe(now, out, zero_checksum)
        {
            return Some(len);
        }
        let mut packet = PacketBuilder::new(out, header, self.pmtud.current());
        let complete = self.control.write(&mut packet);
        if !complete && self.is_up() && !self.write_chunks(now, &mut packet) {
            packet.cancel();
        }
        packet.finish(zero_checksum)
    }

    /// INIT or COOKIE ECHO, alone, always with a checksum: the peer's terms are not agreed on yet.
    fn build_handshake(&mut self, now: Time, out: &mut Vec<u8>) -> Option<usize> {
        let tag = if self.state == State::CookieEchoed { self.peer?.tag } else { 0 };
        let mut packet = PacketBuilder::new(out, self.header(tag), self.config.initial_mtu);
        packet.require_checksum();
        if self.state == State::CookieEchoed {
            let cookie = self.handshake.cookie.clone();
            packet.chunk(kind::COOKIE_ECHO, 0, |value| value.extend_from_slice(&cookie));
        } else {
            let init = self.init_value();
            packet.chunk(kind::INIT, 0, |value| value.extend_from_slice(&init));
        }
        self.on_handshake_sent(now);
        packet.finish(false)
    }

    fn build_probe(&mut self, now: Time, out: &mut Vec<u8>, zero_checksum: bool) -> Option<usize> {
        let rto = self.sender.rtt.rto();
        let randomness = &mut self.randomness;
        let (size, nonce) = self.pmtud.next_probe(now, rto, || randomness.next_u64())?;
        let header = self.header(self.peer?.tag);
        let mut packet = PacketBuilder::new(out, header, size);
        self.write_probe(&mut packet, size, nonce);
        packet.finish(zero_checksum)
    }

    /// Adds everything else that is due. False: nothing in the packet is worth sending yet.
    fn write_chunks(&mut self, now: Time, packet: &mut PacketBuilder<'_>) -> bool {
        let ack_is_due = self.receiver.ack.is_due();
        let may_ack = self.receiver.ack.is_pending();
        let had_control = !packet.is_empty();
        let has_ack = may_ack && self.receiver.write_sack(packet);
        let before = packet.len();
        self.resets.write(now, &mut self.sender, packet);
        self.write_shutdown(now, packet);
        self.write_heartbeat(now, packet);
        self.sender.write_chunks(now, packet);
        if packet.len() == before && has_ack && !ack_is_due && !had_control {
            // Data may have found too little room beside an acknowledgement that can wait.
            packet.cancel();
            self.sender.write_chunks(now, packet);
            return !packet.is_empty();
        }
        if has_ack {
            self.receiver.on_sack_sent();
        }
        !packet.is_empty()
    }
}
