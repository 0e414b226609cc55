//! The tones of a telephone's keys, as events in place of audio (RFC 4733).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_codec::track::BLOCK;
use ossa_media::EncodedFrame;

/// How often the other side is told that a tone goes on: as often as it would get audio.
const UPDATE: Duration = Duration::from_millis(20);

/// The last packet of an event is sent so many times (RFC 4733 2.5.1.4), each 10 ms: all are gone before the next tone begins, which may be 30 ms
/// later (W3C WebRTC 7.2).
const LAST_PACKETS: u32 = 3;

/// The longest that a packet can tell of; what is longer goes on as another segment (RFC 4733 2.5.1.3).
const MAX_TICKS: u32 = 0xffff;

/// How loud it is, in decibels below 1 mW: what browsers say.
const VOLUME: u8 = 10;

/// Tones that wait. Whoever plays tones in time has one here at most; who does not is told.
const MAX_WAITING: usize = 16;

/// A tone that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tone {
    /// RFC 4733, table 3: 0 to 9 are digits, 10 is `*`, 11 is `#`, 12 to 15 are A to D.
    pub(crate) event: u8,
    pub(crate) duration: Duration,
}

/// The tones of one sender, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Tones {
    waiting: VecDeque<Tone>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    tone: Tone,
    payload: u8,
    clock_rate: u32,
    began: Instant,
    /// Of the segment that goes on.
    timestamp: u32,
    /// Ticks of the segments before it.
    before: u32,
    /// What the other side was told last.
    told: Duration,
    marker: bool,
    /// Last packets that were sent.
    last_packets: u32,
    /// The timestamp of the segment before, whose last packet is to be sent so many times more.
    repeated: (u32, u32),
}

impl Tones {
    /// A tone is to be sent when those before it are over. False: too many wait.
    pub(crate) fn add(&mut self, tone: Tone) -> bool {
        let room = self.waiting.len() < MAX_WAITING;
        if room {
            self.waiting.push_back(tone);
        }
        room
    }

    /// Nothing is sent, nor will be.
    pub(crate) fn is_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    /// Nothing can be sent.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Appends the packets that are due. A tone that begins does so with the payload type that was negotiated, and at the timestamp that
    /// audio would have. Its duration is in units of the timestamp (RFC 4733 2.3.5): whoever has events of 8 kHz beside Opus only, as
    /// Firefox, reckons with the clock of Opus.
    pub(crate) fn advance(
        &mut self,
        now: Instant,
        (payload, clock_rate): (u8, u32),
        timestamp: impl Fn() -> u32,
        frames: &mut Vec<EncodedFrame>,
    ) {
        while let Some(current) = &mut self.current {
            current.advance(now, frames);
            if !current.is_over() {
                return;
            }
            self.current = None;
        }
        self.current = self.waiting.pop_front().map(|tone| Current {
            tone,
            payload,
            clock_rate,
            began: now,
            timestamp: timestamp(),
            before: 0,
            told: Duration::ZERO,
            marker: true,
            last_packets: 0,
            repeated: (0, 0),
        });
    }
}

impl Current {
    fn is_over(&self) -> bool {
        self.last_packets == LAST_PACKETS
    }

    fn advance(&mut self, now: Instant, frames: &mut Vec<EncodedFrame>) {
        let passed = now.saturating_duration_since(self.began);
        let Some(over) = passed.checked_sub(self.tone.duration) else {
            let updates = passed.as_nanos() / UPDATE.as_nanos();
            // A thread that is late has no need to tell what was.
            let told = UPDATE * u32::try_from(updates).unwrap_or(u32::MAX);
            if told > self.told {
                self.told = told;
                self.update(told, false, frames);
            }
            return;
        };
        let due = u32::try_from(over.as_nanos() / BLOCK.as_nanos()).unwrap_or(u32::MAX).saturating_add(1);
        for _ in self.last_packets..due.min(LAST_PACKETS) {
            self.update(self.tone.duration, true, frames);
            self.last_packets += 1;
        }
    }

    /// Tells how long it has been going on.
    fn update(&mut self, length: Duration, end: bool, frames: &mut Vec<EncodedFrame>) {
        if let (timestamp, left @ 1..) = self.repeated {
            self.repeated.1 = left - 1;
            self.tell(timestamp, MAX_TICKS, false, frames);
        }
        let ticks = length.as_nanos() * u128::from(self.clock_rate) / 1_000_000_000;
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        while ticks - self.before > MAX_TICKS {
            self.tell(self.timestamp, MAX_TICKS, false, frames);
            self.repeated = (self.timestamp, LAST_PACKETS - 1);
            self.timestamp = self.timestamp.wrapping_add(MAX_TICKS);
            self.before += MAX_TICKS;
        }
        self.tell(self.timestamp, ticks - self.before, end, frames);
    }

    fn tell(&mut self, timestamp: u32, ticks: u32, end: bool, frames: &mut Vec<EncodedFrame>) {
        let [high, low] = (ticks.min(MAX_TICKS) as u16).to_be_bytes();
        frames.push(EncodedFrame {
            payload: self.payload,
            timestamp,
            data: Bytes::copy_from_slice(&[self.tone.event, u8::from(end) << 7 | VOLUME, high, low]),
            marker: std::mem::take(&mut self.marker),
            key_frame: true,
            audio_level: None,
            video_orientation: None,
            csrcs: Vec::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Timestamp, marker, event, whether it is the end, and the duration in ticks.
    type Told = (u32, bool, u8, bool, u16);

    fn read(frames: &[EncodedFrame]) -> Vec<Told> {
        let read = |frame: &EncodedFrame| {
            let [event, flags, high, low] = frame.data[..] else { panic!("{frame:?}") };
            assert_eq!(flags & 0x7f, VOLUME);
            (frame.timestamp, frame.marker, event, flags & 0x80 != 0, u16::from_be_bytes([high, low]))
        };
        frames.iter().map(read).collect()
    }

    /// All that is sent of these tones by a thread that looks each `step`; the timestamps are those of a clock that begins at 0.
    fn play(tones: &[Tone], clock_rate: u32, step: Duration) -> Vec<Told> {
        let mut playing = Tones::default();
        assert!(tones.iter().all(|tone| playing.add(*tone)));
        let start = Instant::now();
        let (mut frames, mut now) = (Vec::new(), start);
        while !playing.is_idle() {
            let timestamp = || ((now - start).as_nanos() * u128::from(clock_rate) / 1_000_000_000) as u32;
            playing.advance(now, (110, clock_rate), timestamp, &mut frames);
            now += step;
        }
        read(&frames)
    }

    #[test]
    fn a_tone_is_told_as_it_goes_on_and_its_end_three_times() {
        let five = Tone { event: 5, duration: 70 * MS };
        assert_eq!(
            play(&[five], 8_000, 10 * MS),
            [
                (0, true, 5, false, 160),
                (0, false, 5, false, 320),
                (0, false, 5, false, 480),
                (0, false, 5, true, 560),
                (0, false, 5, true, 560),
                (0, false, 5, true, 560),
            ]
        );
    }

    #[test]
    fn the_next_tone_has_a_timestamp_and_a_marker_of_its_own() {
        let tones = [1, 11].map(|event| Tone { event, duration: 40 * MS });
        let told = play(&tones, 48_000, 10 * MS);
        let second: Vec<_> = told.iter().skip_while(|(_, _, event, ..)| *event == 1).collect();
        // 60 ms after the first has begun, its last packet is gone.
        assert_eq!(second[0], &(2_880, true, 11, false, 960));
        assert!(second[1..].iter().all(|(timestamp, marker, ..)| (*timestamp, *marker) == (2_880, false)));
        assert_eq!(told.iter().filter(|(_, _, _, end, _)| *end).count(), 6);
    }

    #[test]
    fn what_is_longer_than_a_packet_can_tell_goes_on_in_segments() {
        let told = play(&[Tone { event: 9, duration: 3_000 * MS }], 48_000, 10 * MS);
        let segments = [(0, MAX_TICKS), (MAX_TICKS, MAX_TICKS), (2 * MAX_TICKS, 144_000 - 2 * MAX_TICKS)];
        for (timestamp, ticks) in segments {
            let of: Vec<_> = told.iter().filter(|told| told.0 == timestamp).collect();
            let last = of.iter().filter(|(.., duration)| u32::from(*duration) == ticks).count();
            assert_eq!(last, 3, "the end of each segment comes three times");
            assert!(of.is_sorted_by_key(|(.., duration)| duration));
        }
        assert_eq!(told.iter().filter(|(_, marker, ..)| *marker).count(), 1);
        let ends = told.iter().filter(|(_, _, _, end, _)| *end);
        assert!(ends.map(|told| told.0).eq([2 * MAX_TICKS; 3]), "a segment is not the end");
    }

    #[test]
    fn a_thread_that_is_late_tells_all_that_matters() {
        let told = play(&[Tone { event: 0, duration: 100 * MS }], 8_000, 1_000 * MS);
        assert_eq!(told, [(0, true, 0, true, 800), (0, false, 0, true, 800), (0, false, 0, true, 800)]);
    }

    #[test]
    fn whoever_adds_tones_without_end_is_told() {
        let mut tones = Tones::default();
        let tone = Tone { event: 1, duration: 40 * MS };
        assert_eq!((0..1_000).filter(|_| tones.add(tone)).count(), MAX_WAITING);
        tones.clear();
        assert!(tones.is_idle());
    }
}
