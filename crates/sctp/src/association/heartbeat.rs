//! HEARTBEAT on an idle path (RFC 9260 section 8.3).

use std::time::Duration;

use super::Association;
use crate::chunk::heartbeat::{HEARTBEAT_LEN, HeartbeatInfo};
use crate::chunk::kind;
use crate::packet::{CHUNK_HEADER, PacketBuilder};
use crate::time::{Nanos, Time, nanos};

/// State of heartbeats.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    due: bool,
    pub(super) timer: Option<Time>,
    /// Nonce and time of the one that has no answer.
    pending: Option<(u64, Time)>,
}

impl Heartbeat {
    /// Something was heard from the peer, so the path is not idle.
    pub(super) fn on_activity(&mut self, now: Time, interval: Option<Duration>) {
        self.timer = interval.map(|interval| now.after(nanos(interval)));
    }

    /// One goes out with the next packet unless one is under way that may still be answered.
    pub(super) fn request_unless_pending(&mut self, now: Time, patience: Nanos) {
        self.due |= self.pending.is_none_or(|(_, sent_at)| now.since(sent_at) > patience);
    }

    /// One goes out with the next packet.
    pub(super) fn request(&mut self) {
        self.due = true;
    }

    pub(super) fn on_timeout(&mut self, now: Time, interval: Option<Duration>) {
        if self.timer.is_some_and(|at| at <= now) {
            self.due = true;
            self.on_activity(now, interval);
        }
    }
}

impl Association {
    /// Adds the heartbeat that is due to a packet.
    pub(super) fn write_heartbeat(&mut self, now: Time, packet: &mut PacketBuilder<'_>) {
        if !self.heartbeat.due || packet.room() < HEARTBEAT_LEN {
            return;
        }
        self.heartbeat.due = false;
        let info = HeartbeatInfo { nonce: self.randomness.next_u64(), probe_size: 0 };
        self.heartbeat.pending = Some((info.nonce, now));
        packet.chunk(kind::HEARTBEAT, 0, |out| info.write(out, 0));
    }

    /// Fills a packet with the path MTU probe that is due.
    pub(super) fn write_probe(&self, packet: &mut PacketBuilder<'_>, size: usize, nonce: u64) {
        let info = HeartbeatInfo { nonce, probe_size: size as u32 };
        if self.agreed().pad {
            packet.chunk(kind::HEARTBEAT, 0, |out| info.write(out, 0));
            let padding = size.saturating_sub(packet.len() + CHUNK_HEADER);
            packet.chunk(kind::PAD, 0, |out| out.resize(out.len() + padding, 0));
        } else {
            // The peer echoes all of it. That costs the way back, but every stack knows it, whereas one throws
            // at PAD (werift 0.24) and another drops the packet (rtc-sctp 0.21).
            let padding = size.saturating_sub(packet.len() + HEARTBEAT_LEN);
            packet.chunk(kind::HEARTBEAT, 0, |out| info.write(out, padding));
        }
    }

    /// Takes the answer to a heartbeat or a probe.
    pub(super) fn on_heartbeat_ack(&mut self, now: Time, value: &[u8]) {
        let Some(info) = HeartbeatInfo::parse(value) else { return };
        if info.probe_size != 0 {
            let Some((rtt, grew)) = self.pmtud.on_ack(now, info.probe_size as usize, info.nonce) else {
                return;
            };
            if self.sender.rtt.smoothed().is_none() {
                self.sender.rtt.sample(rtt);
            }
            if grew {
                self.on_mtu_change();
            }
        } else if let Some((_, sent_at)) = self.heartbeat.pending.take_if(|(nonce, _)| *nonce == info.nonce) {
            self.sender.rtt.sample(now.since(sent_at));
        }
    }
}
