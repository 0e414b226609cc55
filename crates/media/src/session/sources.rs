//! Who was heard of late: streams, and those that a mixer has put together in them (W3C WebRTC, section 5.3).

use std::time::{Duration, Instant};

use super::MediaSession;
use crate::frame::RtpPacket;
use crate::types::ReceiverId;

/// Who was silent for longer is not told of.
const MEMORY: Duration = Duration::from_secs(10);
/// Most contributing sources of a stream that are remembered. A packet names 15 at most, and a mixer plays out few at a time.
const MAX_CONTRIBUTING: usize = 64;

/// Somebody who was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardSource {
    /// SSRC or CSRC.
    pub ssrc: u32,
    /// A mixer has said so (RFC 3550, section 7.1).
    pub contributing: bool,
    /// When its last packet came.
    pub at: Instant,
    /// Timestamp of that packet.
    pub timestamp: u32,
    /// How loud it was, in -dBov, 0 to 127, if the packet said so (RFC 6464).
    pub level: Option<u8>,
}

/// Who was heard in one stream.
#[derive(Debug, Default)]
pub(super) struct Heard {
    stream: Option<HeardSource>,
    contributing: Vec<HeardSource>,
}

impl Heard {
    pub(super) fn note(&mut self, at: Instant, packet: &RtpPacket) {
        let level = packet.extensions.audio_level.map(|level| level.level);
        let source = |ssrc, contributing, level| HeardSource {
            ssrc,
            contributing,
            at,
            timestamp: packet.timestamp,
            level,
        };
        self.stream = Some(source(packet.ssrc, false, level));
        for &ssrc in &packet.csrcs {
            let heard = source(ssrc, true, None);
            match self.contributing.iter_mut().find(|known| known.ssrc == ssrc) {
                Some(known) => *known = heard,
                None => {
                    self.make_room();
                    self.contributing.push(heard);
                }
            }
        }
    }

    fn make_room(&mut self) {
        let oldest = self.contributing.iter().enumerate().min_by_key(|(_, known)| known.at);
        if let Some((index, _)) = oldest.filter(|_| self.contributing.len() >= MAX_CONTRIBUTING) {
            self.contributing.swap_remove(index);
        }
    }

    fn all(&self) -> impl Iterator<Item = HeardSource> {
        self.stream.iter().chain(&self.contributing).copied()
    }
}

impl MediaSession {
    /// Who was heard of a receiver in the last ten seconds, the latest first.
    pub fn sources(&self, now: Instant, id: ReceiverId) -> Vec<HeardSource> {
        let streams = self.streams.values().filter(|stream| stream.receiver == id);
        let recent = |heard: &HeardSource| now.saturating_duration_since(heard.at) <= MEMORY;
        let mut heard: Vec<HeardSource> =
            streams.flat_map(|stream| stream.heard_sources.all()).filter(recent).collect();
        heard.sort_by_key(|source| (std::cmp::Reverse(source.at), source.contributing, source.ssrc));
        // Two streams of a receiver may name the same one.
        let mut seen = std::collections::HashSet::new();
        heard.retain(|source| seen.insert((source.ssrc, source.contributing)));
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ExtensionValues;
    use crate::testing::origin;

    #[test]
    fn of_many_contributing_sources_the_latest_are_remembered() {
        let (mut heard, start) = (Heard::default(), origin());
        for at in 0..1_000_u32 {
            let packet = RtpPacket {
                payload: 0,
                marker: false,
                sequence: at as u16,
                timestamp: at,
                ssrc: 1,
                csrcs: vec![100 + at, 50],
                extensions: ExtensionValues::default(),
                data: bytes::Bytes::new(),
            };
            heard.note(start + Duration::from_millis(at.into()), &packet);
        }
        let all: Vec<_> = heard.all().collect();
        assert_eq!(all.len(), 1 + MAX_CONTRIBUTING);
        assert!(all.iter().any(|source| source.ssrc == 50 && source.timestamp == 999));
        assert!(all.iter().all(|source| source.timestamp > 900));
    }
}
