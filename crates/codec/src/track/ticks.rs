use std::time::{Duration, Instant};

use super::BLOCK;
use crate::pcm::Format;

/// After a pause of the whole process (a machine that slept, a debugger) the time that is gone is not played in one go.
const MAX_BEHIND: Duration = Duration::from_millis(200);

/// Blocks of an hour.
const HOUR: u32 = 360_000;

/// Says how many blocks of 10 ms have become due, however irregular the clock ticks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ticks {
    /// When the first block was due, and how many have been played since.
    began: Option<Instant>,
    blocks: u32,
}

impl Ticks {
    /// How many blocks are due; the first one is so at the first call.
    pub fn due(&mut self, now: Instant) -> u32 {
        let began = *self.began.get_or_insert(now);
        let elapsed = now.saturating_duration_since(began);
        let mut due = (elapsed.as_nanos() / BLOCK.as_nanos()) as u32 + 1;
        if elapsed > BLOCK * self.blocks + MAX_BEHIND {
            self.began = Some(now);
            self.blocks = 0;
            due = 1;
        }
        // Counting begins anew at a moment where the frames of every rate are whole.
        if self.blocks >= HOUR {
            self.blocks -= HOUR;
            due -= HOUR;
            self.began = Some(began + BLOCK * HOUR);
        }
        due.saturating_sub(self.blocks)
    }

    /// A block is played: how many frames it has. For 11,025 Hz they are 110 or 111.
    pub fn play(&mut self, format: Format) -> usize {
        self.blocks += 1;
        // The n-th block ends where n * 10 ms end.
        let until = |blocks: u32| format.frames_in(BLOCK * blocks);
        until(self.blocks) - until(self.blocks - 1)
    }
}
