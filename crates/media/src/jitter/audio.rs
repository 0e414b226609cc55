//! Audio: each packet is a frame, handed out when it is due.

use std::time::{Duration, Instant};

use super::common::{Common, received};
use super::config::JitterConfig;
use super::delay::Delay;
use crate::config::Payload;
use crate::frame::ReceivedFrame;
use crate::types::Codec;

/// What a stream of audio needs beside its packets.
#[derive(Debug)]
pub(super) struct Audio {
    delay: Delay,
    paced: bool,
    /// Packets were given up since the last frame that was handed out.
    lost: bool,
}

impl Audio {
    pub(super) fn new(config: &JitterConfig) -> Self {
        Self { delay: Delay::new(config.min_delay, config.max_delay), paced: config.paced, lost: false }
    }

    /// Learns from the time at which a packet came. Tones of telephones keep the timestamp of their begin, and comfort noise comes
    /// when there is nothing to hear: neither tells anything.
    pub(super) fn observe(&mut self, now: Instant, timestamp: u32, format: &Payload) {
        if matches!(format.codec, Codec::Opus | Codec::Pcmu | Codec::Pcma) {
            self.delay.observe(now, timestamp, format.clock_rate);
        }
    }

    /// The least delay aimed at from now on.
    pub(super) fn set_least(&mut self, least: Duration) {
        self.delay.set_least(least);
    }

    pub(super) fn give_up_before(&mut self, common: &mut Common, number: u64) {
        let frames = common.ring.all().filter(|&(at, slot)| at < number && slot.info.is_some()).count();
        common.stats.frames_dropped += frames as u64;
        common.skip_to(number);
        self.lost = true;
    }

    /// The sender began anew, with a clock of its own.
    pub(super) fn restart(&mut self) {
        self.delay.restart();
    }

    /// The first packet that waits, and when it is due.
    fn next(&self, common: &Common) -> Option<(u64, Instant)> {
        let (number, slot) = common.ring.all().next()?;
        let in_order = number == common.ring.head();
        let due = match slot.info {
            None if in_order => slot.arrival,
            Some(_) if in_order && !self.paced => slot.arrival,
            _ => self.delay.due(slot.arrival, slot.packet.timestamp),
        };
        Some((number, due))
    }

    pub(super) fn poll_frame(&mut self, common: &mut Common, now: Instant) -> Option<ReceivedFrame> {
        loop {
            let (number, due) = self.next(common)?;
            if due > now {
                return None;
            }
            if number > common.ring.head() {
                self.lost = true;
                common.skip_to(number);
            }
            let slot = common.ring.take_head()?;
            if slot.info.is_none() {
                continue;
            }
            let mut frame = received(&slot, &slot, slot.packet.data.clone());
            frame.lost_before = std::mem::take(&mut self.lost);
            frame.contiguous = !frame.lost_before;
            common.stats.frames += 1;
            common.stats.key_frames += 1;
            common.stats.delay += now.saturating_duration_since(slot.arrival);
            common.stats.target_delay += self.delay.target();
            return Some(frame);
        }
    }

    pub(super) fn poll_timeout(&self, common: &Common) -> Option<Instant> {
        Some(self.next(common)?.1)
    }

    pub(super) fn target(&self) -> Duration {
        self.delay.target()
    }
}
