//! The face of the jitter buffer: packets in, frames out, and what to ask the sender for.

use std::time::{Duration, Instant};

use super::audio::Audio;
use super::common::Common;
use super::config::{JitterConfig, JitterStats};
use super::held::Held;
use super::missing::Missing;
use super::ring::{Ring, Slot};
use super::sequence::{Place, Sequence};
use super::video::Video;
use crate::config::Payload;
use crate::frame::{ReceivedFrame, RtpPacket};
use crate::payload::{self, PayloadInfo, Start};
use crate::types::{Codec, Kind};

/// The jitter buffer of one stream.
///
/// After each call of [`handle_packet`](Self::handle_packet), and when the time of [`poll_timeout`](Self::poll_timeout) has come,
/// the owner polls frames until there are none, then what to ask for. Who does not poll frames loses the oldest: at most 2,048
/// packets or 5 MiB wait.
#[derive(Debug)]
pub struct JitterBuffer {
    payloads: Vec<Payload>,
    sequence: Sequence,
    common: Common,
    media: Media,
    held: Held,
}

#[derive(Debug)]
enum Media {
    Audio(Box<Audio>),
    Video(Video),
}

impl JitterBuffer {
    /// An empty one.
    pub fn new(config: JitterConfig) -> Self {
        let asks = asks(&config.payloads);
        let media = match config.kind {
            Kind::Audio => Media::Audio(Box::new(Audio::new(&config))),
            Kind::Video => Media::Video(Video::new(&config)),
        };
        Self {
            payloads: config.payloads,
            sequence: Sequence::default(),
            common: Common {
                ring: Ring::default(),
                missing: Missing::new(asks),
                stats: JitterStats::default(),
            },
            media,
            held: Held::default(),
        }
    }

    /// Other payloads may come in from now on, as a renegotiation has it. What waits stays.
    pub fn set_payloads(&mut self, payloads: Vec<Payload>) {
        if payloads == self.payloads {
            return;
        }
        self.common.missing.set_asks(asks(&payloads));
        if let Media::Video(video) = &mut self.media {
            video.set_payloads(&self.payloads, &payloads);
        }
        self.payloads = payloads;
    }

    /// A packet came: an original, or (`recovered`) one that was sent again as RFC 4588 says, turned back into what it repeats.
    pub fn handle_packet(&mut self, now: Instant, packet: RtpPacket, recovered: bool) {
        let number = match self.sequence.place(packet.sequence, recovered) {
            Place::At(number) => number,
            Place::Restart(number) => {
                self.restart(number);
                number
            }
            Place::Stray => {
                self.common.stats.discarded += 1;
                return;
            }
        };
        let format = self.payloads.iter().find(|format| format.number == packet.payload);
        if let (Media::Audio(audio), Some(format), false) = (&mut self.media, format, recovered) {
            audio.observe(now, packet.timestamp, format);
        }
        let codec = format.map_or(Codec::Other, |format| format.codec);
        let info = if codec == Codec::Other || packet.data.is_empty() {
            None
        } else {
            // What breaks the rules keeps its place, and its frame is given up: asking for it again would bring the same.
            Some(payload::inspect(codec, &packet.data).unwrap_or_else(|_| {
                self.common.stats.malformed += 1;
                PayloadInfo { start: Start::No, ..PayloadInfo::default() }
            }))
        };
        self.insert(now, number, Slot { packet, arrival: now, info }, recovered);
    }

    fn insert(&mut self, now: Instant, number: u64, slot: Slot, recovered: bool) {
        let common = &mut self.common;
        if common.ring.get(number).is_some() {
            common.stats.duplicates += 1;
            return;
        }
        if number >= common.ring.head()
            && let Some(head) = common.ring.overflow(number, slot.packet.data.len())
        {
            self.give_up_before(head);
        }
        let common = &mut self.common;
        let known = common.ring.head()..common.ring.end();
        if !common.ring.insert(number, slot) {
            common.stats.discarded += 1;
            return;
        }
        common.missing.remove(now, number, recovered);
        // The first packet of all leaves nothing out.
        let gap = match known.start {
            0 => return,
            start if number < start => number + 1..start,
            _ => known.end..number,
        };
        if let Some(number) = common.missing.add(now, gap) {
            self.give_up_before(number);
        }
    }

    fn give_up_before(&mut self, number: u64) {
        match &mut self.media {
            Media::Audio(audio) => audio.give_up_before(&mut self.common, number),
            Media::Video(video) => video.give_up_before(&mut self.common, number),
        }
    }

    /// The sender began anew, at `number`.
    fn restart(&mut self, number: u64) {
        self.common.stats.restarts += 1;
        self.give_up_before(self.common.ring.end());
        self.common.ring.skip_to(number);
        match &mut self.media {
            Media::Audio(audio) => audio.restart(),
            Media::Video(video) => video.restart(),
        }
    }

    /// The round trip to the sender, as reports show it: how long retransmissions take.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.common.missing.set_round_trip(round_trip);
    }

    /// How long frames are to wait at least, so that they come steadily: a wish, which is given up before anything is lost for it.
    /// Zero leaves it to the path.
    pub fn set_target(&mut self, target: Duration) {
        match &mut self.media {
            Media::Audio(audio) => audio.set_least(target),
            Media::Video(_) => self.held.set_target(target),
        }
    }

    /// The next frame that is due.
    pub fn poll_frame(&mut self, now: Instant) -> Option<ReceivedFrame> {
        let video = match &mut self.media {
            Media::Audio(audio) => return audio.poll_frame(&mut self.common, now),
            Media::Video(video) => video,
        };
        if self.held.is_idle() {
            return video.poll_frame(&mut self.common, &self.payloads, now);
        }
        while let Some(frame) = video.poll_frame(&mut self.common, &self.payloads, now) {
            self.held.push(now, frame);
        }
        let (frame, kept) = self.held.pop(now)?;
        self.common.stats.delay += kept;
        Some(frame)
    }

    /// Appends the sequence numbers to ask the sender for now (RFC 4585 6.2.1) to `out`, in order.
    pub fn poll_nack(&mut self, now: Instant, out: &mut Vec<u16>) {
        let before = out.len();
        self.common.missing.due(now, out);
        self.common.stats.asked += (out.len() - before) as u64;
    }

    /// Whether to ask the sender for a key frame now. Says so again each two round trips, and not more often than each 300 ms,
    /// until one has come; to be polled also where there is no way to ask.
    pub fn poll_key_frame_request(&mut self, now: Instant) -> bool {
        match &mut self.media {
            Media::Audio(_) => false,
            Media::Video(video) => video.poll_key_frame_request(&self.common, now),
        }
    }

    /// When to poll again, if no packet comes before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let media = match &self.media {
            Media::Audio(audio) => audio.poll_timeout(&self.common),
            Media::Video(video) => video.poll_timeout(&self.common),
        };
        media.into_iter().chain(self.held.poll_timeout()).chain(self.common.missing.next_due()).min()
    }

    /// What it has seen and done.
    pub fn stats(&self) -> JitterStats {
        let current_target = match &self.media {
            Media::Audio(audio) => audio.target(),
            Media::Video(_) => Duration::ZERO,
        };
        JitterStats { waiting: self.common.ring.waiting(), current_target, ..self.common.stats }
    }
}

/// Whether lost packets can be asked for.
fn asks(payloads: &[Payload]) -> bool {
    payloads.iter().any(|payload| payload.nack)
}
