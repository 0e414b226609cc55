//! HyStart++ (RFC 9406): leaves slow start when the round trip time starts to grow, before packets are lost.

use super::Ack;
use crate::time::{MILLISECOND, Nanos};

const MIN_THRESHOLD: Nanos = 4 * MILLISECOND;
const MAX_THRESHOLD: Nanos = 16 * MILLISECOND;
const DIVISOR: Nanos = 8;
const SAMPLES: u32 = 8;
const CONSERVATIVE_DIVISOR: usize = 4;
const CONSERVATIVE_ROUNDS: u32 = 5;

/// State of HyStart++.
#[derive(Debug, Default)]
pub(crate) struct HyStart {
    round_end: u64,
    round_min: Nanos,
    last_round_min: Nanos,
    samples: u32,
    /// Round trip time that started conservative slow start, and the rounds left in it.
    conservative: Option<(Nanos, u32)>,
}

/// How slow start goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlowStart {
    /// Grow by this many bytes.
    Grow(usize),
    /// The pipe is full: congestion avoidance.
    Leave,
}

impl HyStart {
    pub(crate) fn new() -> Self {
        Self { round_min: Nanos::MAX, last_round_min: Nanos::MAX, ..Self::default() }
    }

    /// Takes an acknowledgement in slow start.
    pub(crate) fn on_ack(&mut self, ack: &Ack) -> SlowStart {
        if ack.acked_tsn >= self.round_end && self.start_round(ack.next_tsn) {
            return SlowStart::Leave;
        }
        self.round_min = self.round_min.min(ack.latest_rtt);
        self.samples += 1;
        if self.samples >= SAMPLES {
            self.check_delay();
        }
        SlowStart::Grow(if self.conservative.is_some() {
            ack.bytes / CONSERVATIVE_DIVISOR
        } else {
            ack.bytes
        })
    }

    /// Starts a round; true if conservative slow start has lasted long enough.
    fn start_round(&mut self, next_tsn: u64) -> bool {
        self.round_end = next_tsn;
        self.last_round_min = self.round_min;
        self.round_min = Nanos::MAX;
        self.samples = 0;
        let Some((_, rounds)) = &mut self.conservative else { return false };
        *rounds = rounds.saturating_sub(1);
        *rounds == 0
    }

    fn check_delay(&mut self) {
        if let Some((baseline, _)) = self.conservative {
            if self.round_min < baseline {
                // It was jitter: the delay went down again.
                self.conservative = None;
            }
            return;
        }
        if self.last_round_min == Nanos::MAX {
            return;
        }
        let threshold = (self.last_round_min / DIVISOR).clamp(MIN_THRESHOLD, MAX_THRESHOLD);
        if self.round_min >= self.last_round_min.saturating_add(threshold) {
            self.conservative = Some((self.round_min, CONSERVATIVE_ROUNDS));
        }
    }
}
