use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{BLOCK, Notify, Paced, Source, Ticks, lock};
use crate::pcm::{Block, Encoding, Format, SampleReader};

/// A source of PCM that is written as it comes and played in real time. Where nothing is there to be played, silence is.
pub struct Feed {
    source: Source,
    format: Format,
    capacity: usize,
    notify: Notify,
    inner: Mutex<Inner>,
}

struct Inner {
    reader: SampleReader,
    /// At most `capacity` frames: what more is written is not taken, and the writer waits.
    queue: VecDeque<f32>,
    ticks: Ticks,
    writer_waits: bool,
    ending: bool,
    /// Audio was played, and has not run out since.
    flowing: bool,
    stats: FeedStats,
}

/// What became of what was written. Frames are samples of one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeedStats {
    /// Frames that were taken.
    pub written: u64,
    /// Frames that were played.
    pub played: u64,
    /// Frames that [`Feed::clear`] has dropped.
    pub cleared: u64,
    /// Frames of silence, because nothing was there.
    pub silence: u64,
    /// How many times audio ran out while more could have come.
    pub underruns: u64,
}

/// Where a feed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedState {
    /// Counters.
    pub stats: FeedStats,
    /// Frames that wait to be played.
    pub queued: usize,
    /// Bytes may be written.
    pub room: bool,
    /// All was played and the source has ended, or nobody can hear it any more.
    pub over: bool,
}

impl Feed {
    /// `capacity` is how much may wait, at least two blocks. `notify` is called when a writer that waits has room for half of that, when audio has
    /// run out and when all is over.
    pub fn new(format: Format, encoding: Encoding, capacity: Duration, notify: Notify) -> Self {
        let inner = Inner {
            reader: SampleReader::new(encoding),
            queue: VecDeque::new(),
            ticks: Ticks::default(),
            writer_waits: false,
            ending: false,
            flowing: false,
            stats: FeedStats::default(),
        };
        let capacity = format.frames_in(capacity.max(2 * BLOCK));
        Self { source: Source::new(), format, capacity, notify, inner: Mutex::new(inner) }
    }

    /// What its tracks are made from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Takes of `bytes` what there is room for, and returns how many that were. If it is not all, `notify` tells when to come again.
    pub fn write(&self, bytes: &[u8]) -> usize {
        let mut inner = lock(&self.inner);
        if inner.ending {
            return bytes.len();
        }
        let channels = self.format.channels().count();
        let room = (self.capacity * channels).saturating_sub(inner.queue.len());
        let taken = bytes.len().min(inner.reader.bytes_for(room));
        let Inner { reader, queue, .. } = &mut *inner;
        let before = queue.len() / channels;
        reader.read(&bytes[..taken], |sample| queue.push_back(sample));
        let written = queue.len() / channels - before;
        inner.stats.written += written as u64;
        inner.writer_waits = taken < bytes.len();
        taken
    }

    /// No more will be written: once all was played, the source ends.
    pub fn finish(&self) {
        lock(&self.inner).ending = true;
    }

    /// Drops what waits to be played and returns how many frames that were.
    pub fn clear(&self) -> usize {
        let mut inner = lock(&self.inner);
        let dropped = inner.queue.len() / self.format.channels().count();
        inner.queue.clear();
        inner.reader.reset();
        inner.flowing = false;
        inner.stats.cleared += dropped as u64;
        let waits = std::mem::take(&mut inner.writer_waits);
        drop(inner);
        if waits {
            (self.notify)();
        }
        dropped
    }

    /// Ends the source now, whatever waits.
    pub fn close(&self) {
        self.finish();
        self.clear();
        self.source.end();
        (self.notify)();
    }

    /// Counters and what waits.
    pub fn state(&self) -> FeedState {
        let inner = lock(&self.inner);
        let queued = inner.queue.len() / self.format.channels().count();
        let over = self.source.has_ended() || !self.source.is_heard();
        FeedState { stats: inner.stats, queued, room: queued < self.capacity, over }
    }

    /// The blocks that are due, and whether somebody has to be told.
    fn due(&self, now: Instant) -> (Vec<Block>, bool, bool) {
        let mut inner = lock(&self.inner);
        let mut tell = false;
        let mut blocks = Vec::new();
        for _ in 0..inner.ticks.due(now) {
            if inner.ending && inner.queue.is_empty() {
                break;
            }
            let (block, ran_out) = inner.next(self.format);
            tell |= ran_out;
            blocks.push(block);
        }
        let half = inner.queue.len() <= self.capacity * self.format.channels().count() / 2;
        if half && std::mem::take(&mut inner.writer_waits) {
            tell = true;
        }
        (blocks, tell, inner.ending && inner.queue.is_empty())
    }
}

impl Paced for Feed {
    fn tick(&self, now: Instant) -> bool {
        if self.source.has_ended() {
            return false;
        }
        if !self.source.is_heard() {
            self.close();
            return false;
        }
        let (blocks, tell, over) = self.due(now);
        blocks.iter().for_each(|block| self.source.push(block));
        if over {
            self.source.end();
        }
        if tell || over {
            (self.notify)();
        }
        !over
    }
}

impl Inner {
    /// 10 ms, and whether audio has run out with them.
    fn next(&mut self, format: Format) -> (Block, bool) {
        let channels = format.channels().count();
        let frames = self.ticks.play(format);
        let there = frames.min(self.queue.len() / channels);
        let mut samples: Vec<f32> = self.queue.drain(..there * channels).collect();
        samples.resize(frames * channels, 0.0);
        self.stats.played += there as u64;
        self.stats.silence += (frames - there) as u64;
        let ran_out = there < frames && (self.flowing || there > 0) && !self.ending;
        self.flowing = there == frames;
        self.stats.underruns += u64::from(ran_out);
        (Block::new(format, &samples).expect("a block has at least 80 whole frames"), ran_out)
    }
}
