//! When and how data is acknowledged (RFC 9260 section 6.2, RFC 7053).

use super::Receiver;
use crate::chunk::{kind, sack};
use crate::packet::{CHUNK_HEADER, PacketBuilder};
use crate::time::{Nanos, Time};

/// Duplicates reported in one SACK; more say nothing new.
const MAX_DUPLICATES: usize = 16;
/// Gap blocks in one SACK. A packet of 1,191 bytes holds fewer.
const MAX_GAPS: usize = 1024;
/// RFC 9260 section 6.2: an acknowledgement should come at least for every second packet.
const PACKETS_PER_ACK: u32 = 2;

/// What is owed to the peer.
#[derive(Debug)]
pub(crate) struct AckState {
    /// Packets with data since the last SACK.
    packets: u32,
    urgent: bool,
    timer: Option<Time>,
    delay: Nanos,
    duplicates: Vec<u32>,
    gaps: Vec<(u16, u16)>,
}

impl AckState {
    pub(crate) fn new(delay: Nanos) -> Self {
        Self { packets: 0, urgent: false, timer: None, delay, duplicates: Vec::new(), gaps: Vec::new() }
    }

    /// A SACK goes out with the next packet.
    pub(crate) fn now(&mut self) {
        self.urgent = true;
    }

    pub(super) fn on_duplicate(&mut self, tsn: u32) {
        self.urgent = true;
        if self.duplicates.len() < MAX_DUPLICATES {
            self.duplicates.push(tsn);
        }
    }

    pub(super) fn on_packet(&mut self, now: Time) {
        self.packets += 1;
        if self.packets >= PACKETS_PER_ACK {
            self.urgent = true;
        } else if self.timer.is_none() {
            self.timer = Some(now.after(self.delay));
        }
    }

    pub(crate) fn on_timeout(&mut self, now: Time) {
        if self.timer.is_some_and(|timer| timer <= now) {
            self.timer = None;
            self.urgent = true;
        }
    }

    pub(crate) fn timeout(&self) -> Option<Time> {
        self.timer.filter(|_| !self.urgent)
    }

    /// Whether a SACK has to go out now.
    pub(crate) fn is_due(&self) -> bool {
        self.urgent
    }

    /// Whether a SACK would tell the peer something.
    pub(crate) fn is_pending(&self) -> bool {
        self.urgent || self.packets > 0
    }
}

impl Receiver {
    /// Adds a SACK if there is room. `on_sack_sent` has to follow if the packet really goes out.
    pub(crate) fn write_sack(&mut self, packet: &mut PacketBuilder<'_>) -> bool {
        let Some(room) = packet.room().checked_sub(CHUNK_HEADER + sack::FIXED) else { return false };
        let fields = room / 4;
        let mut gaps = std::mem::take(&mut self.ack.gaps);
        gaps.clear();
        self.tracker.gaps(fields.min(MAX_GAPS), &mut gaps);
        let duplicates = &self.ack.duplicates[..self.ack.duplicates.len().min(fields - gaps.len())];
        let (cumulative, window) = (self.tracker.cumulative() as u32, self.window.available() as u32);
        packet.chunk(kind::SACK, 0, |out| sack::write(out, cumulative, window, &gaps, duplicates));
        self.ack.gaps = gaps;
        true
    }

    /// A SACK went out.
    pub(crate) fn on_sack_sent(&mut self) {
        self.window.advertise();
        self.ack.packets = 0;
        self.ack.urgent = false;
        self.ack.timer = None;
        self.ack.duplicates.clear();
    }
}
