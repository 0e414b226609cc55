//! Video: packets with one timestamp make a frame, and a decoder gets only frames that it can go on with.

use std::time::{Duration, Instant};

use super::common::{Common, received};
use super::config::JitterConfig;
use super::dependencies::Dependencies;
use super::ring::Slot;
use crate::config::Payload;
use crate::frame::ReceivedFrame;
use crate::payload::{Depacketizer, Start};
use crate::types::Codec;

/// After this, or four round trips, a key frame is asked for as well: what has not come by then may never.
const EARLY: Duration = Duration::from_millis(200);
/// The least time between two requests for a key frame: encoders need some to make one.
const LEAST_REQUEST_INTERVAL: Duration = Duration::from_millis(300);

/// What a stream of video needs beside its packets.
#[derive(Debug)]
pub(super) struct Video {
    patience: Duration,
    depacketizers: Vec<(u8, Depacketizer)>,
    dependencies: Dependencies,
    /// What stands before the head is known to be of another frame.
    border: bool,
    /// Packets from the head up to here have come and are of one frame, as far as was looked.
    scanned: u64,
    /// Frames were lost since the last one that was handed out.
    lost: bool,
    /// A key frame is to be asked for, because something can't be handed out.
    wanted: bool,
    requested: Option<Instant>,
}

fn depacketizer(payload: &Payload) -> Option<(u8, Depacketizer)> {
    Some((payload.number, Depacketizer::new(payload.codec, &payload.fmtp)?))
}

/// Of the frame at the head.
enum Found {
    /// It is whole; what comes behind it begins here.
    End(u64),
    /// This packet has not come.
    Missing(u64),
}

impl Video {
    pub(super) fn new(config: &JitterConfig) -> Self {
        Self {
            patience: config.patience,
            depacketizers: config.payloads.iter().filter_map(depacketizer).collect(),
            dependencies: Dependencies::default(),
            border: false,
            scanned: 0,
            lost: false,
            wanted: false,
            requested: None,
        }
    }

    /// Those that stay keep what they know, as parameter sets.
    pub(super) fn set_payloads(&mut self, before: &[Payload], after: &[Payload]) {
        let mut known = std::mem::take(&mut self.depacketizers);
        let depacketizers = after.iter().filter_map(|payload| {
            let at = known.iter().position(|(number, _)| *number == payload.number);
            let same = at.filter(|_| before.contains(payload));
            same.map(|at| known.swap_remove(at)).or_else(|| depacketizer(payload))
        });
        self.depacketizers = depacketizers.collect();
    }

    /// Gives up all before the first frame that begins at `number` or later.
    pub(super) fn give_up_before(&mut self, common: &mut Common, number: u64) {
        let number = next_start(common, number).max(number);
        let mut last = None;
        for (_, slot) in common.ring.all().take_while(|&(at, _)| at < number) {
            if slot.info.is_some() && last.replace(slot.packet.timestamp) != Some(slot.packet.timestamp) {
                common.stats.frames_dropped += 1;
            }
        }
        let last = common.ring.get(number.saturating_sub(1));
        self.border = last.is_some_and(|last| ends_before(last, common.ring.get(number)));
        common.skip_to(number);
        self.scanned = number;
        self.lose();
    }

    /// The sender began anew: nothing that comes goes on from what was.
    pub(super) fn restart(&mut self) {
        self.dependencies = Dependencies::default();
        self.lose();
    }

    fn lose(&mut self) {
        self.dependencies.lose();
        self.lost = true;
        self.wanted |= self.dependencies.is_broken();
    }

    pub(super) fn poll_frame(
        &mut self,
        common: &mut Common,
        payloads: &[Payload],
        now: Instant,
    ) -> Option<ReceivedFrame> {
        while !common.ring.is_empty() {
            match self.scan(common) {
                Found::End(end) => {
                    let frame = self.take(common, payloads, end, now);
                    if frame.is_some() {
                        return frame;
                    }
                }
                Found::Missing(number) => {
                    let next = self.way_out(common, number, now)?;
                    self.give_up_before(common, next);
                }
            }
        }
        None
    }

    /// Looks for the end of the frame at the head.
    fn scan(&mut self, common: &Common) -> Found {
        let head = common.ring.head();
        let Some(first) = common.ring.get(head) else { return Found::Missing(head) };
        self.scanned = self.scanned.max(head);
        for slot in common.ring.run(self.scanned) {
            // What is no part of a frame, such as padding, comes between frames, or in the middle of one.
            if slot.info.is_some() {
                if first.info.is_none() || slot.packet.timestamp != first.packet.timestamp {
                    return Found::End(self.scanned);
                }
                if slot.packet.marker {
                    self.scanned += 1;
                    return Found::End(self.scanned);
                }
            }
            self.scanned += 1;
        }
        if first.info.is_none() { Found::End(self.scanned) } else { Found::Missing(self.scanned) }
    }

    /// Takes the frame at the head; `None` if it is not to be handed out.
    fn take(
        &mut self,
        common: &mut Common,
        payloads: &[Payload],
        end: u64,
        now: Instant,
    ) -> Option<ReceivedFrame> {
        let mut parts = Vec::new();
        while common.ring.head() < end {
            parts.extend(common.ring.take_head().filter(|slot| slot.info.is_some()));
        }
        common.missing.forget_before(end);
        self.scanned = end;
        let first = parts.first()?; // only padding otherwise, which tells nothing about borders
        let border = std::mem::replace(&mut self.border, true);
        let codec = payloads.iter().find(|format| format.number == first.packet.payload)?.codec;
        let Some(frame) = self.join(&parts, border, codec) else {
            common.stats.frames_dropped += 1;
            return None;
        };
        let came = parts.iter().map(|slot| slot.arrival).min().unwrap_or(now);
        common.stats.frames += 1;
        common.stats.key_frames += u64::from(frame.key_frame);
        common.stats.delay += now.saturating_duration_since(came);
        Some(frame)
    }

    /// Makes a frame of its packets, if it is whole and a decoder can go on with it.
    fn join(&mut self, parts: &[Slot], border: bool, codec: Codec) -> Option<ReceivedFrame> {
        let (first, last) = (parts.first()?, parts.last()?);
        let info = first.info?;
        let begins = info.start == Start::Yes || info.start == Start::Unknown && border;
        let (_, depacketizer) =
            self.depacketizers.iter_mut().find(|(number, _)| *number == first.packet.payload)?;
        // Also where it can't be handed out: parameter sets of H.264 may come in a frame of their own.
        let payloads = parts.iter().map(|slot| &slot.packet.data);
        let Some(data) = depacketizer.assemble(payloads).ok().filter(|_| begins) else {
            self.lose();
            return None;
        };
        let key_frame = match codec {
            // Any of its slices tells, and the first packet may have none.
            Codec::H264 => parts.iter().any(|slot| slot.info.is_some_and(|info| info.key_frame)),
            _ => info.key_frame,
        };
        if !self.dependencies.admit(key_frame, info.layer) {
            self.lost = true;
            self.wanted |= self.dependencies.is_broken();
            return None;
        }
        if key_frame {
            self.wanted = false;
            self.requested = None;
        }
        let mut frame = received(first, last, data);
        frame.key_frame = key_frame;
        frame.lost_before = std::mem::take(&mut self.lost);
        frame.arrival = parts.iter().map(|slot| slot.arrival).max().unwrap_or(first.arrival);
        Some(frame)
    }

    /// Where to go on without what is missing, if that is not awaited any longer.
    fn way_out(&self, common: &Common, missing: u64, now: Instant) -> Option<u64> {
        let since = common.missing.since(missing)?;
        if now >= self.given_up_at(common, missing, since) {
            return Some(missing + 1);
        }
        if now >= since + self.early(common) { next_whole_key_frame(common, missing) } else { None }
    }

    fn early(&self, common: &Common) -> Duration {
        (common.missing.round_trip() * 4).max(EARLY).min(self.patience)
    }

    fn given_up_at(&self, common: &Common, missing: u64, since: Instant) -> Instant {
        let patience = since + self.patience;
        common.missing.hopeless_at(missing).map_or(patience, |at| at.min(patience))
    }

    /// Since when the frame at the head can't be finished.
    fn stalled_since(&self, common: &Common) -> Option<Instant> {
        common.missing.since(self.scanned.max(common.ring.head()))
    }

    fn request_interval(common: &Common) -> Duration {
        (common.missing.round_trip() * 2).max(LEAST_REQUEST_INTERVAL)
    }

    pub(super) fn poll_key_frame_request(&mut self, common: &Common, now: Instant) -> bool {
        let stalled = self.stalled_since(common).is_some_and(|since| since + self.early(common) <= now);
        let again = self.requested.is_none_or(|last| last + Self::request_interval(common) <= now);
        if (self.wanted || stalled) && again {
            self.requested = Some(now);
            return true;
        }
        false
    }

    pub(super) fn poll_timeout(&self, common: &Common) -> Option<Instant> {
        let again = self.requested.map(|last| last + Self::request_interval(common));
        let wanted = if self.wanted { again } else { None };
        let stalled = self.stalled_since(common).map(|since| {
            let early = again.unwrap_or(since).max(since + self.early(common));
            early.min(self.given_up_at(common, self.scanned.max(common.ring.head()), since))
        });
        wanted.into_iter().chain(stalled).min()
    }
}

/// Whether a frame ends with this packet, as far as it and the one behind it tell.
fn ends_before(slot: &Slot, next: Option<&Slot>) -> bool {
    slot.packet.marker || next.is_some_and(|next| next.packet.timestamp != slot.packet.timestamp)
}

/// Whether a frame is known to begin with this packet.
fn begins(common: &Common, number: u64, slot: &Slot) -> bool {
    match slot.info.map(|info| info.start) {
        Some(Start::Yes) => true,
        Some(Start::Unknown) => {
            common.ring.get(number.saturating_sub(1)).is_some_and(|last| ends_before(last, Some(slot)))
        }
        Some(Start::No) | None => false,
    }
}

/// The first packet from `number` on that is known to begin a frame; what comes next if there is none.
fn next_start(common: &Common, number: u64) -> u64 {
    let mut starts = common.ring.all().filter(|&(at, slot)| at >= number && begins(common, at, slot));
    starts.next().map_or(common.ring.end(), |(at, _)| at)
}

/// The first key frame behind `missing` of which all packets have come.
fn next_whole_key_frame(common: &Common, missing: u64) -> Option<u64> {
    let whole = |number: u64, first: &Slot| {
        let later = common
            .ring
            .run(number)
            .find(|slot| slot.packet.marker || slot.packet.timestamp != first.packet.timestamp);
        later.is_some()
    };
    let mut behind = common.ring.all().filter(|&(at, _)| at > missing);
    let found = behind.find(|&(at, slot)| {
        slot.info.is_some_and(|info| info.key_frame) && begins(common, at, slot) && whole(at, slot)
    });
    found.map(|(at, _)| at)
}
