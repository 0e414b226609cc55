use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use super::{Notify, Sink, lock};
use crate::pcm::{Block, Converter, Format};

/// A sink that is read. What is not read in time is dropped, the oldest first, and counted: live audio that is late is worth nothing.
pub struct Tap {
    /// What comes out; `None`: whatever comes in.
    format: Option<Format>,
    capacity: Duration,
    notify: Notify,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    converter: Option<Converter>,
    blocks: VecDeque<Block>,
    queued: Duration,
    /// The last block did not fit in.
    overrunning: bool,
    ended: bool,
    stats: TapStats,
}

/// What became of what came in. Frames are samples of one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TapStats {
    /// Frames that were read.
    pub read: u64,
    /// Frames that were dropped.
    pub dropped: u64,
    /// How many times the reader was too slow.
    pub overruns: u64,
}

/// Where a tap stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapState {
    /// Counters.
    pub stats: TapStats,
    /// No more comes.
    pub ended: bool,
    /// Something can be read.
    pub readable: bool,
}

impl Tap {
    /// `capacity` is how much may wait. `notify` is called for every block and at the end.
    pub fn new(format: Option<Format>, capacity: Duration, notify: Notify) -> Self {
        Self { format, capacity, notify, inner: Mutex::default() }
    }

    /// The oldest block that waits.
    pub fn read(&self) -> Option<Block> {
        let mut inner = lock(&self.inner);
        let block = inner.blocks.pop_front()?;
        inner.queued = inner.queued.saturating_sub(block.duration());
        inner.overrunning = false;
        inner.stats.read += block.frames() as u64;
        Some(block)
    }

    /// No more comes.
    pub fn has_ended(&self) -> bool {
        lock(&self.inner).ended
    }

    /// Counters, and whether it is over.
    pub fn state(&self) -> TapState {
        let inner = lock(&self.inner);
        TapState { stats: inner.stats, ended: inner.ended, readable: !inner.blocks.is_empty() }
    }
}

impl Sink for Tap {
    fn take(&self, block: &Block) {
        let mut inner = lock(&self.inner);
        let Some(block) = inner.convert(block, self.format) else { return };
        inner.queued += block.duration();
        inner.blocks.push_back(block);
        while inner.queued > self.capacity && inner.blocks.len() > 1 {
            let Some(oldest) = inner.blocks.pop_front() else { break };
            inner.queued = inner.queued.saturating_sub(oldest.duration());
            inner.stats.dropped += oldest.frames() as u64;
            inner.stats.overruns += u64::from(!inner.overrunning);
            inner.overrunning = true;
        }
        drop(inner);
        (self.notify)();
    }

    fn end(&self) {
        lock(&self.inner).ended = true;
        (self.notify)();
    }
}

impl Inner {
    fn convert(&mut self, block: &Block, format: Option<Format>) -> Option<Block> {
        let Some(to) = format.filter(|to| *to != block.format()) else { return Some(block.clone()) };
        let from = block.format();
        // A source may change its format, as a sender does that changes its codec.
        let converter = match &mut self.converter {
            Some(converter) if converter.from() == from => converter,
            other => other.insert(Converter::new(from, to)),
        };
        let mut samples = Vec::with_capacity(to.frames_in(block.duration()) * to.channels().count() + 2);
        converter.convert(block.samples(), &mut samples);
        Block::new(to, &samples)
    }
}
