//! What audio and video have in common.

use super::config::JitterStats;
use super::missing::Missing;
use super::ring::{Ring, Slot};
use crate::frame::ReceivedFrame;

/// The packets that wait, those that are missing, and what is counted of both.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) ring: Ring,
    pub(super) missing: Missing,
    pub(super) stats: JitterStats,
}

impl Common {
    /// Gives up what comes before `number`. What is missing of it counts as given up.
    pub(super) fn skip_to(&mut self, number: u64) {
        let came = self.ring.all().take_while(|&(at, _)| at < number).count() as u64;
        self.stats.given_up += number.saturating_sub(self.ring.head()).saturating_sub(came);
        self.ring.skip_to(number);
        self.missing.forget_before(number);
    }
}

/// A frame that begins with one packet and ends with another, or the same.
pub(super) fn received(first: &Slot, last: &Slot, data: bytes::Bytes) -> ReceivedFrame {
    ReceivedFrame {
        payload: first.packet.payload,
        timestamp: first.packet.timestamp,
        data,
        marker: last.packet.marker,
        key_frame: true,
        lost_before: false,
        contiguous: true,
        arrival: first.arrival.max(last.arrival),
        sequence: first.packet.sequence..=last.packet.sequence,
        audio_level: first.packet.extensions.audio_level,
        // 3GPP TS 26.114 7.4.5: on the last packet of a frame.
        video_orientation: last.packet.extensions.video_orientation,
        csrcs: first.packet.csrcs.clone(),
    }
}
