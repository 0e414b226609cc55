//! Cuts audio that comes in blocks into frames of one length, and gives them RTP timestamps.

use std::time::{Duration, Instant};

use ossa_codec::pcm::Format;

/// Audio that comes so much later than what was before it has gone on is after a pause: ticks and threads are late by less.
const PAUSE: Duration = Duration::from_millis(60);

/// A frame to be encoded.
#[derive(Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) samples: Vec<f32>,
    pub(super) timestamp: u32,
    /// The first after a pause, or of all.
    pub(super) marker: bool,
}

/// The timestamps go on by the audio that comes, and by the time that passes while none does: the other side hears a pause as long as
/// it was.
pub(super) struct Framer {
    format: Format,
    /// Samples of all channels in one frame.
    length: usize,
    /// Ticks of the timestamp in each sample of one channel.
    ticks: u32,
    pending: Vec<f32>,
    /// Of the first pending sample.
    timestamp: u32,
    /// When the audio that came is over, if it is heard as it comes.
    until: Option<Instant>,
    marker: bool,
}

impl Framer {
    /// `clock_rate` is a multiple of the format's rate. The first sample has `timestamp`.
    pub(super) fn new(format: Format, clock_rate: u32, length: Duration, timestamp: u32) -> Self {
        let length = format.frames_in(length).max(1) * format.channels().count();
        let ticks = (clock_rate / format.rate()).max(1);
        Self { format, length, ticks, pending: Vec::new(), timestamp, until: None, marker: true }
    }

    /// Audio came; appends the frames that are complete.
    pub(super) fn push(&mut self, now: Instant, samples: &[f32], frames: &mut Vec<Frame>) {
        let until = self.until.unwrap_or(now);
        if now > until + PAUSE {
            self.pause(now.saturating_duration_since(until));
        }
        let from = if now > until + PAUSE { now } else { until };
        let channels = self.format.channels().count();
        self.until = Some(from + self.format.duration_of(samples.len() / channels));
        self.pending.extend_from_slice(samples);
        while self.pending.len() >= self.length {
            let rest = self.pending.split_off(self.length);
            let samples = std::mem::replace(&mut self.pending, rest);
            frames.push(Frame {
                samples,
                timestamp: self.timestamp,
                marker: std::mem::take(&mut self.marker),
            });
            self.advance(self.length / channels);
        }
    }

    /// So much audio is left out: it could not be encoded in time.
    pub(super) fn skip(&mut self, time: Duration) {
        self.advance(self.format.frames_in(time));
        self.until = self.until.map(|until| until + time);
    }

    /// What is sent next is the first after silence.
    pub(super) fn mark(&mut self) {
        self.marker = true;
    }

    /// Nothing came for so long. A piece of a frame from before it would come too late to be played.
    fn pause(&mut self, time: Duration) {
        self.advance(self.pending.len() / self.format.channels().count());
        self.pending.clear();
        self.advance(self.format.frames_in(time));
        self.marker = true;
    }

    fn advance(&mut self, frames: usize) {
        self.timestamp = self.timestamp.wrapping_add((frames as u32).wrapping_mul(self.ticks));
    }
}

#[cfg(test)]
mod tests {
    use ossa_codec::pcm::Channels;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn framer(rate: u32, timestamp: u32) -> Framer {
        Framer::new(Format::new(rate, Channels::Mono).unwrap(), 48_000, 20 * MS, timestamp)
    }

    fn push(framer: &mut Framer, now: Instant, samples: usize) -> Vec<(u32, bool)> {
        let mut frames = Vec::new();
        framer.push(now, &vec![0.5; samples], &mut frames);
        frames.iter().map(|frame| (frame.timestamp, frame.marker)).collect()
    }

    #[test]
    fn blocks_of_any_length_become_frames_of_one() {
        let start = Instant::now();
        let mut framer = framer(48_000, u32::MAX - 959);
        assert_eq!(push(&mut framer, start, 480), []);
        assert_eq!(push(&mut framer, start + 10 * MS, 480), [(u32::MAX - 959, true)]);
        assert_eq!(push(&mut framer, start + 20 * MS, 2_000), [(0, false), (960, false)]);
        assert_eq!(push(&mut framer, start + 61 * MS, 880), [(1_920, false)]);
    }

    #[test]
    fn the_timestamps_of_a_slower_rate_are_those_of_the_clock() {
        let mut framer = framer(16_000, 0);
        assert_eq!(push(&mut framer, Instant::now(), 640), [(0, true), (960, false)]);
    }

    #[test]
    fn a_pause_is_as_long_in_timestamps_as_it_was() {
        let start = Instant::now();
        let mut framer = framer(48_000, 0);
        assert_eq!(push(&mut framer, start, 960), [(0, true)]);
        // 20 ms were sent; half a frame and a second of nothing follow.
        assert_eq!(push(&mut framer, start + 20 * MS, 480), []);
        assert_eq!(push(&mut framer, start + 1_030 * MS, 960), [(49_440, true)]);
    }

    #[test]
    fn blocks_that_come_late_or_in_bursts_are_no_pause() {
        let start = Instant::now();
        let mut framer = framer(48_000, 0);
        assert_eq!(push(&mut framer, start, 4_800).len(), 5);
        assert_eq!(push(&mut framer, start + 150 * MS, 960), [(4_800, false)]);
        assert_eq!(push(&mut framer, start + 150 * MS, 960), [(5_760, false)]);
    }

    #[test]
    fn what_was_left_out_leaves_its_time_behind() {
        let start = Instant::now();
        let mut framer = framer(48_000, 0);
        assert_eq!(push(&mut framer, start, 960), [(0, true)]);
        framer.skip(40 * MS);
        assert_eq!(push(&mut framer, start + 60 * MS, 960), [(2_880, false)]);
    }
}
