//! Taking packets: checks, then one chunk after the other.

use std::time::Instant;

use bytes::Bytes;

use super::Association;
use super::control::ControlChunk;
use crate::chunk::data::{DATA_HEADER, DataHeader, I_DATA_HEADER};
use crate::chunk::forward_tsn::ForwardTsn;
use crate::chunk::param::{Params, UnknownRule};
use crate::chunk::reconfig::ReconfigParam;
use crate::chunk::sack::Sack;
use crate::chunk::{TAG_REFLECTED, cause, kind, u32_at};
use crate::event::Event;
use crate::packet::{CHUNK_HEADER, Chunks, CommonHeader, RawChunk, checksum};
use crate::recv::Verdict;
use crate::state::State;
use crate::time::Time;

/// Who has received more than this may be receiving more than the first receive window holds.
const BULK: u64 = 64 * 1024;

/// Whether the chunks that follow in a packet are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

impl Association {
    /// Takes one packet, the content of one decrypted DTLS record. Anything may be in it: what is not a valid
    /// packet of this association is dropped and counted.
    pub fn handle_packet(&mut self, now: Instant, packet: Bytes) {
        let now = self.at(now);
        let header = CommonHeader::parse(&packet).filter(|header| self.is_ours(header, &packet));
        let Some(header) = header else {
            self.traffic.packets_dropped += 1;
            return;
        };
        if self.ended {
            self.refuse(&header, &packet);
            return;
        }
        if std::mem::take(&mut self.handshake.unproven) {
            self.handshake.timer = None;
        }
        self.traffic.packets_received += 1;
        self.traffic.bytes_received += packet.len() as u64;
        let mut chunks = Chunks::of(&packet);
        let mut has_data = false;
        for chunk in chunks.by_ref() {
            has_data |= matches!(chunk.kind, kind::DATA | kind::I_DATA);
            if self.on_chunk(now, &header, &packet, &chunk) == Next::Stop {
                break;
            }
        }
        if chunks.is_malformed() {
            self.traffic.packets_dropped += 1;
        }
        if self.is_up() {
            self.after_packet(now, has_data);
        }
    }

    /// The association is over and the peer does not know: our ABORT or SHUTDOWN COMPLETE was lost (RFC 9260
    /// section 8.4).
    fn refuse(&mut self, header: &CommonHeader, packet: &[u8]) {
        let Some(first) = Chunks::of(packet).next() else { return };
        match first.kind {
            kind::ABORT | kind::SHUTDOWN_COMPLETE | kind::COOKIE_ACK | kind::INIT | kind::INIT_ACK => {}
            kind::SHUTDOWN_ACK => self.on_shutdown_ack(header),
            _ => {
                let mut abort = ControlChunk::new(kind::ABORT, Bytes::new());
                abort.flags = TAG_REFLECTED;
                abort.tag = Some(header.tag);
                self.control.push(abort);
            }
        }
    }

    fn after_packet(&mut self, now: Time, has_data: bool) {
        self.heartbeat.on_activity(now, self.config.heartbeat_interval);
        if has_data {
            // Who only receives has no round trip time to size its window by.
            if self.sender.rtt.smoothed().is_none() && self.traffic.bytes_received > BULK {
                self.heartbeat.request_unless_pending(now, self.sender.rtt.rto());
            }
            self.receiver.on_packet_with_data(now, self.sender.rtt.smoothed());
            self.resets.on_data(&mut self.receiver);
            // RFC 9260 section 9.2: data after our SHUTDOWN is acknowledged with another one.
            self.shutdown.due |= self.state == State::ShutdownSent;
        }
        self.check_black_hole();
        self.advance_shutdown();
    }

    /// Ports, checksum and verification tag.
    fn is_ours(&self, header: &CommonHeader, packet: &[u8]) -> bool {
        let ports = (header.source_port, header.destination_port);
        if ports != (self.config.remote_port, self.config.local_port) {
            return false;
        }
        let unchecked = header.checksum == 0 && self.config.zero_checksum;
        if !unchecked && header.checksum != checksum(packet) {
            return false;
        }
        let Some(first) = Chunks::of(packet).next() else { return false };
        let reflected = first.flags & TAG_REFLECTED != 0;
        match first.kind {
            kind::INIT => header.tag == 0 && packet.len() >= first.offset + first.value.len(),
            // Compared with the tag in the cookie.
            kind::COOKIE_ECHO => true,
            kind::ABORT | kind::SHUTDOWN_COMPLETE if reflected => {
                self.peer.is_some_and(|peer| peer.tag == header.tag)
            }
            // The peer may be answering a life of ours that it does not know is over.
            kind::SHUTDOWN_ACK if !self.is_up() => true,
            _ => header.tag == self.local.tag,
        }
    }

    fn on_chunk(&mut self, now: Time, header: &CommonHeader, packet: &Bytes, chunk: &RawChunk<'_>) -> Next {
        let value = chunk.value;
        match chunk.kind {
            // It has to be alone in its packet, whose tag is zero.
            kind::INIT if header.tag == 0 => {
                self.on_init(now, value);
                return Next::Stop;
            }
            kind::INIT_ACK => {
                self.on_init_ack(now, value);
                return Next::Stop;
            }
            kind::COOKIE_ECHO => {
                self.on_cookie_echo(now, header, value);
                // What follows is for the association that the cookie made.
                return if header.tag == self.local.tag && self.is_up() { Next::Go } else { Next::Stop };
            }
            kind::COOKIE_ACK => self.on_cookie_ack(now),
            kind::ABORT => {
                self.on_abort(value);
                return Next::Stop;
            }
            kind::ERROR => self.on_error(value),
            kind::SHUTDOWN_ACK => {
                self.on_shutdown_ack(header);
                return Next::Stop;
            }
            kind::SHUTDOWN_COMPLETE => self.on_shutdown_complete(),
            _ if !self.is_up() => {}
            _ => return self.on_chunk_when_up(now, packet, chunk),
        }
        Next::Go
    }

    fn on_chunk_when_up(&mut self, now: Time, packet: &Bytes, chunk: &RawChunk<'_>) -> Next {
        let value = chunk.value;
        let interleaving = self.agreed().interleaving;
        match chunk.kind {
            kind::DATA if !interleaving => return self.on_data(packet, chunk, false),
            kind::I_DATA if interleaving => return self.on_data(packet, chunk, true),
            kind::DATA => {
                // RFC 8260 section 2.2.1: only one of the two may be used.
                self.violation(
                    cause::PROTOCOL_VIOLATION,
                    "DATA received although I-DATA was agreed on".into(),
                );
                return Next::Stop;
            }
            kind::SACK => self.on_sack(now, value),
            kind::HEARTBEAT => {
                let echo = packet.slice(chunk.offset..chunk.offset + value.len());
                self.control.push(ControlChunk::new(kind::HEARTBEAT_ACK, echo));
            }
            kind::HEARTBEAT_ACK => self.on_heartbeat_ack(now, value),
            kind::SHUTDOWN => {
                if let Some(cumulative) = u32_at(value, 0) {
                    self.sender.on_cumulative(now, cumulative);
                    self.on_shutdown();
                }
            }
            kind::FORWARD_TSN if !interleaving => self.on_forward_tsn(value, false),
            kind::I_FORWARD_TSN if interleaving => self.on_forward_tsn(value, true),
            kind::RE_CONFIG if self.agreed().reconfig => self.on_reconfig(now, value),
            kind::PAD => {}
            _ => return self.on_unknown_chunk(packet, chunk),
        }
        Next::Go
    }

    fn on_data(&mut self, packet: &Bytes, chunk: &RawChunk<'_>, interleaved: bool) -> Next {
        if !matches!(self.state, State::Established | State::ShutdownPending | State::ShutdownSent) {
            return Next::Go;
        }
        let parsed = if interleaved {
            DataHeader::parse_i_data(chunk.flags, chunk.value)
        } else {
            DataHeader::parse_data(chunk.flags, chunk.value)
        };
        let fields = if interleaved { I_DATA_HEADER } else { DATA_HEADER } - CHUNK_HEADER;
        let Some(header) = parsed else { return Next::Go };
        if chunk.value.len() == fields {
            self.violation(
                cause::NO_USER_DATA,
                format!("DATA chunk with TSN {} carries no data", header.tsn),
            );
            return Next::Stop;
        }
        let payload = chunk.offset + fields..chunk.offset + chunk.value.len();
        match self.receiver.on_data(&header, packet, payload) {
            Ok(Verdict::Ok) => {}
            Ok(Verdict::NoSuchStream) => {
                let [high, low] = header.stream.to_be_bytes();
                let info = [high, low, 0, 0];
                self.control.push(ControlChunk::with_cause(kind::ERROR, cause::INVALID_STREAM, &info));
            }
            Err(violation) => {
                self.violation(violation.cause, violation.message);
                return Next::Stop;
            }
        }
        Next::Go
    }

    fn on_sack(&mut self, now: Time, value: &[u8]) {
        let Some(sack) = Sack::parse(value) else { return };
        if self.sender.on_sack(now, &sack) {
            self.pmtud.on_progress();
            self.pmtud.on_queued(self.sender.buffered());
        }
    }

    fn on_forward_tsn(&mut self, value: &[u8], interleaved: bool) {
        if let Some(forward) = ForwardTsn::parse(value, interleaved) {
            self.receiver.on_forward_tsn(&forward);
            self.resets.on_data(&mut self.receiver);
        }
    }

    fn on_reconfig(&mut self, now: Time, value: &[u8]) {
        // RFC 6525 section 3.1: at most two parameters.
        for param in Params(value).take(2) {
            let Some(param) = ReconfigParam::parse(&param) else { continue };
            let events = &mut self.events;
            let event = |event: Event| events.push_back(event);
            self.resets.on_param(now, param, &mut self.sender, &mut self.receiver, event);
        }
    }

    /// What the high bits of the type ask for (RFC 9260 section 3.2).
    fn on_unknown_chunk(&mut self, packet: &Bytes, chunk: &RawChunk<'_>) -> Next {
        let rule = UnknownRule::of_chunk(chunk.kind);
        if rule.report {
            let end = chunk.offset + chunk.value.len().min(64);
            let shown = &packet[chunk.offset - CHUNK_HEADER..end];
            self.control.push(ControlChunk::with_cause(kind::ERROR, cause::UNRECOGNIZED_CHUNK, shown));
        }
        if rule.stop { Next::Stop } else { Next::Go }
    }

    /// Goes back to small packets if large ones vanish.
    pub(super) fn check_black_hole(&mut self) {
        if std::mem::take(&mut self.sender.black_hole) && self.pmtud.on_black_hole() {
            self.on_mtu_change();
        }
    }

    pub(super) fn on_mtu_change(&mut self) {
        let mtu = self.pmtud.current();
        self.sender.set_mtu(mtu);
        self.events.push_back(Event::MtuChanged { mtu });
    }
}
