//! What waits to be sent.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use crate::frame::RtpPacket;
use crate::types::SenderId;

/// A packet that waits. It is written and encrypted when it leaves, since its header then tells when that was.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) sender: SenderId,
    pub(super) encoding: usize,
    pub(super) since: Instant,
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
    pub(super) fn len(&self) -> usize {
        match &self.what {
            What::First { packet, .. } | What::Repeat(packet) => packet.data.len(),
            What::Datagram(datagram) => datagram.len(),
        }
    }
}

/// In which order things leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A late packet of audio is a gap.
    Audio,
    /// A frame waits at the other side for what is repeated.
    Repeat,
    /// All else.
    Video,
}

/// What waits to be sent, the most urgent first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lanes: [VecDeque<Waiting>; 3],
    bytes: usize,
}

impl Queue {
    /// Bytes of payload that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, urgency: Urgency, waiting: Waiting) {
        self.bytes += waiting.len();
        self.lanes[urgency as usize].push_back(waiting);
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.lanes.iter_mut().find_map(VecDeque::pop_front)?;
        self.bytes -= waiting.len();
        Some(waiting)
    }

    /// Drops what waits of a sender.
    pub(super) fn forget(&mut self, sender: SenderId) {
        for lane in &mut self.lanes {
            lane.retain(|waiting| waiting.sender != sender);
        }
        self.bytes = self.lanes.iter().flatten().map(Waiting::len).sum();
    }
}
