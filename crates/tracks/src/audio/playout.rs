//! Gives audio out, 10 ms each 10 ms, however irregular it comes in.
//!
//! The jitter buffer hands out frames when they are due, so next to nothing waits here: a frame may be late by a thread's turn. Blocks are
//! given out on the ticks of one clock for all streams: how long after a frame the next tick comes decides whether a block must wait
//! beside it. As long as packets are lost, one frame more waits, so that the copy that the next packet carries can still be used.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ossa_codec::pcm::{Block, Channels, Converter, Format, Level};
use ossa_codec::track::{AHEAD, BLOCK, Ticks};

/// So late a frame may be before anything is made up for it.
const SHALLOW: Duration = Duration::from_millis(3);
/// The same while packets get lost.
const DEEP: Duration = Duration::from_millis(30);
/// So long after the last loss.
const DEEP_FOR: Duration = Duration::from_secs(10);
/// More than this beyond what is to wait is cut at once: whoever speaks gets ahead of what is heard.
const SURPLUS: Duration = Duration::from_millis(70);
/// More than this beyond it is played away, 10 ms at a time, if it was there for some seconds.
const SLACK: Duration = Duration::from_millis(10);
const WATCHED: Duration = Duration::from_secs(2);
/// The length of transitions where something is left out.
const TRANSITION: Duration = Duration::from_millis(5);
/// Quieter is silence.
const SILENCE: f32 = 1e-4;

/// What was given out. Samples are those of one channel (webrtc-stats, `RTCInboundRtpStreamStats`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlayoutStats {
    /// `totalSamplesReceived`: all that was given out.
    pub total: u64,
    /// `concealedSamples`: what was made up.
    pub concealed: u64,
    /// `silentConcealedSamples`: of them those that nobody hears.
    pub silent_concealed: u64,
    /// `concealmentEvents`: how many times that began.
    pub concealment_events: u64,
    /// `insertedSamplesForDeceleration`: what was made up although nothing was missing, as it was late.
    pub inserted: u64,
    /// `removedSamplesForAcceleration`: what was left out, as too much waited.
    pub removed: u64,
    /// `synthesizedSamplesDuration`: what was made up only when it was to be given out, as everything was late.
    pub synthesized: u64,
    /// `synthesizedSamplesEvents`.
    pub synthesized_events: u64,
    /// Time that samples have waited here, summed up over all of them.
    pub waited: Duration,
}

/// Where audio comes from that is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Packets.
    Received,
    /// It was made up for packets that are missing or late.
    Concealed,
}

/// What waits to be given out.
pub(crate) struct Playout {
    format: Format,
    queue: VecDeque<f32>,
    ticks: Ticks,
    /// Audio is expected, and made up where it does not come.
    live: bool,
    /// When the first audio came, and what waited before it, until the first tick after it.
    begun: Option<(Instant, usize)>,
    deep_until: Option<Instant>,
    /// The least that has waited since, when it was time for the next block.
    least: Option<(Instant, Duration)>,
    concealing: bool,
    /// The last block, which fades out if nothing is there and nobody has made anything up.
    last: Vec<f32>,
    stats: PlayoutStats,
}

impl Default for Playout {
    fn default() -> Self {
        Self {
            format: Format::FULL,
            queue: VecDeque::new(),
            ticks: Ticks::default(),
            live: false,
            begun: None,
            deep_until: None,
            least: None,
            concealing: false,
            last: Vec::new(),
            stats: PlayoutStats::default(),
        }
    }
}

impl Playout {
    /// Audio came, or was made up.
    pub(super) fn append(&mut self, now: Instant, format: Format, samples: &[f32], origin: Origin) {
        if format != self.format {
            self.change(format);
        }
        if !std::mem::replace(&mut self.live, true) {
            self.begin(now);
        }
        self.queue.extend(samples.iter().copied());
        let frames = (samples.len() / format.channels().count()) as u64;
        self.count(origin, frames, Level::of(samples).peak < SILENCE);
        let target = self.target(now);
        if self.level() > target + SURPLUS {
            let surplus = self.level().saturating_sub(target + SLACK);
            self.leave_out(surplus);
        }
    }

    /// What was made up last was not for anything that is missing.
    pub(super) fn inserted(&mut self, time: Duration) {
        self.stats.inserted += self.format.frames_in(time) as u64;
    }

    /// A packet was lost: from now on more waits, for some time.
    pub(super) fn deepen(&mut self, now: Instant) {
        self.deep_until = Some(now + DEEP_FOR);
    }

    /// How late the next frame may be.
    pub(super) fn target(&self, now: Instant) -> Duration {
        if self.deep_until.is_some_and(|until| now < until) { DEEP } else { SHALLOW }
    }

    /// How much waits.
    pub(super) fn level(&self) -> Duration {
        self.format.duration_of(self.queue.len() / self.format.channels().count())
    }

    /// Not enough waits for the next block. Shortly before it is due, something is to be made up.
    pub(crate) fn runs_out(&self) -> bool {
        self.live && self.level() < BLOCK
    }

    /// No more is expected; what waits is given out.
    pub(crate) fn end(&mut self) {
        self.live = false;
    }

    /// Whether there is anything to be given out, or will be.
    pub(crate) fn is_running(&self) -> bool {
        self.live || !self.queue.is_empty()
    }

    /// The blocks that are due.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<Block> {
        let mut blocks = Vec::new();
        self.settle(now);
        for _ in 0..self.ticks.due(now) {
            if self.is_running() {
                blocks.push(self.next(now));
            }
        }
        blocks
    }

    /// Samples a second of what is given out.
    pub(crate) fn rate(&self) -> u32 {
        self.format.rate()
    }

    /// What was given out until now.
    pub(crate) fn stats(&self) -> PlayoutStats {
        self.stats
    }

    /// The first audio, or the first after a pause.
    fn begin(&mut self, now: Instant) {
        self.ticks = Ticks::default();
        self.least = None;
        self.last.clear();
        self.begun = Some((now, self.queue.len()));
    }

    /// The first tick after audio has begun. Frames go on coming at that distance to ticks: what is missing in it, so that one may be
    /// late, waits as silence before the first one.
    fn settle(&mut self, now: Instant) {
        let Some((begun, before)) = self.begun.take() else { return };
        let channels = self.format.channels().count();
        let before = before.min(self.queue.len());
        let waits = now.saturating_duration_since(begun) + self.format.duration_of(before / channels);
        let missing = (self.target(now) + AHEAD).saturating_sub(waits);
        // What comes in shorter pieces than a block goes on coming until the next one.
        let blocks = missing.as_nanos().div_ceil(BLOCK.as_nanos()) as u32;
        let blocks = blocks.max(u32::from(self.level() < BLOCK));
        let after = self.queue.split_off(before);
        let silence = self.format.frames_in(BLOCK * blocks) * channels;
        self.queue.extend(std::iter::repeat_n(0.0, silence));
        self.queue.extend(after);
    }

    fn next(&mut self, now: Instant) -> Block {
        let channels = self.format.channels().count();
        let frames = self.ticks.play(self.format);
        self.watch(now);
        self.stats.waited += self.level() * frames as u32;
        let there = self.queue.len().min(frames * channels);
        let mut samples: Vec<f32> = self.queue.drain(..there).collect();
        if there < frames * channels {
            self.fade(frames, &mut samples);
        }
        self.stats.total += frames as u64;
        self.last.clone_from(&samples);
        Block::new(self.format, &samples).expect("a block has at least 80 whole frames")
    }

    /// Whoever makes up what is missing is late as well.
    fn fade(&mut self, frames: usize, samples: &mut Vec<f32>) {
        let missing = frames * self.format.channels().count() - samples.len();
        let before = if self.last.is_empty() { vec![0.0; 1] } else { std::mem::take(&mut self.last) };
        let faded = before.iter().rev().cycle().take(missing).enumerate();
        let faded = faded.map(|(at, sample)| sample * 0.5 * (1.0 - at as f32 / missing as f32));
        samples.extend(faded);
        if self.live {
            let silent = Level::of(samples).peak < SILENCE;
            self.stats.synthesized += (missing / self.format.channels().count()) as u64;
            self.stats.synthesized_events += 1;
            self.count(Origin::Concealed, (missing / self.format.channels().count()) as u64, silent);
        }
    }

    fn count(&mut self, origin: Origin, frames: u64, silent: bool) {
        let concealed = origin == Origin::Concealed;
        if concealed {
            self.stats.concealed += frames;
            self.stats.silent_concealed += if silent { frames } else { 0 };
            self.stats.concealment_events += u64::from(!self.concealing);
        }
        self.concealing = concealed;
    }

    /// Plays away what waits for nothing.
    fn watch(&mut self, now: Instant) {
        let level = self.level().saturating_sub(BLOCK);
        let (since, least) = *self.least.get_or_insert((now, level));
        self.least = Some((since, least.min(level)));
        if now.saturating_duration_since(since) >= WATCHED {
            self.least = None;
            if least > self.target(now) + SLACK {
                self.leave_out(BLOCK);
            }
        }
    }

    /// Leaves out about so much of what comes next; the transition is smooth.
    fn leave_out(&mut self, time: Duration) {
        let channels = self.format.channels().count();
        let transition = self.format.frames_in(TRANSITION) * channels;
        let most = (self.queue.len() / channels * channels).saturating_sub(transition);
        let gone = (self.format.frames_in(time) * channels).min(most);
        for at in 0..transition.min(self.queue.len().saturating_sub(gone)) {
            let share = at as f32 / transition as f32;
            self.queue[gone + at] = self.queue[at] * (1.0 - share) + self.queue[gone + at] * share;
        }
        self.queue.drain(..gone);
        self.stats.removed += (gone / channels) as u64;
    }

    /// What comes has another shape: what waits gets it as well.
    fn change(&mut self, format: Format) {
        let mut converted = Vec::new();
        Converter::new(self.format, format).convert(self.queue.make_contiguous(), &mut converted);
        if format.channels() == Channels::Stereo {
            converted.truncate(converted.len() / 2 * 2);
        }
        self.queue = converted.into();
        self.last.clear();
        if let Some((_, before)) = &mut self.begun {
            *before = 0;
        }
        self.format = format;
    }
}
