//! Frames of video that are kept back on purpose: the application wants them late and steady.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::frame::ReceivedFrame;

/// Four seconds of 60 pictures a second. Beyond, the oldest is handed out at once: nothing is lost for a wish.
const MAX_FRAMES: usize = 256;

/// A frame, and since when it could have been handed out.
#[derive(Debug)]
struct Waiting {
    frame: ReceivedFrame,
    since: Instant,
}

/// Keeps frames back until they are as old as was asked for.
#[derive(Debug, Default)]
pub(super) struct Held {
    target: Duration,
    frames: VecDeque<Waiting>,
}

impl Held {
    /// How long after its last packet each frame is handed out.
    pub(super) fn set_target(&mut self, target: Duration) {
        self.target = target;
    }

    /// Nothing is kept back, or waits still.
    pub(super) fn is_idle(&self) -> bool {
        self.target.is_zero() && self.frames.is_empty()
    }

    pub(super) fn push(&mut self, since: Instant, frame: ReceivedFrame) {
        self.frames.push_back(Waiting { frame, since });
    }

    /// The oldest frame if it is due, and how long it was kept back.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(ReceivedFrame, Duration)> {
        let due = self.poll_timeout()?;
        if due > now && self.frames.len() <= MAX_FRAMES {
            return None;
        }
        let Waiting { frame, since } = self.frames.pop_front()?;
        Some((frame, now.saturating_duration_since(since)))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        Some(self.frames.front()?.frame.arrival + self.target)
    }
}
