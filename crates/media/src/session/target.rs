//! What encoders are told to make of what may be sent.

use std::time::Instant;

/// A target that differs by less than this share from the one told last is not worth telling: encoders take a while to follow.
const WORTH_TELLING: f64 = 0.05;
/// What is sent beside video counts over about this time: as long as an encoder needs to make less, and shorter than losses go on.
const WINDOW: f64 = 0.5;
/// Encoders of video are left this share of the target, however much has to be sent again.
const LEAST_FOR_VIDEO: f64 = 0.5;

/// How much may be sent, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// All packets together.
    pub(super) all: u64,
    /// What encoders of video should make.
    pub(super) video: u64,
}

/// Leaves room for what is sent beside video, and remembers what was told.
#[derive(Debug, Default)]
pub(super) struct Targets {
    told: Option<Target>,
    beside: Beside,
}

impl Targets {
    /// A packet left of which no encoder of video has made so many bytes, and which was not sent just to try the path.
    pub(super) fn sent_beside(&mut self, now: Instant, bytes: usize) {
        self.beside.add(now, bytes);
    }

    /// The target where `all` may be sent and encoders make `most`, if it has become another that is worth telling.
    pub(super) fn poll(&mut self, now: Instant, all: u64, most: u64) -> Option<Target> {
        // Otherwise repairs come on top of a rate that fills the path already, cause losses and with them more repairs, and the
        // queue stays full: what arrives then is all that the path carries, so the estimate has no reason to fall further.
        let left = (all as f64 - self.beside.rate(now)).max(all as f64 * LEAST_FOR_VIDEO);
        // Where it is the encoders that make no more, nothing says that the path would not carry the rest as well.
        let video = if all >= most { all } else { left as u64 };
        let target = Target { all, video };
        let near = |told: u64, now: u64| told.abs_diff(now) as f64 <= told as f64 * WORTH_TELLING;
        if self.told.is_some_and(|told| near(told.all, target.all) && near(told.video, target.video)) {
            return None;
        }
        self.told = Some(target);
        self.told
    }
}

/// What is sent beside video: headers, audio, and what is sent again.
#[derive(Debug, Default)]
struct Beside {
    /// Bits, of which those of the past count ever less.
    bits: f64,
    last: Option<Instant>,
}

impl Beside {
    fn add(&mut self, now: Instant, bytes: usize) {
        self.bits = self.rate(now) * WINDOW + bytes as f64 * 8.0;
        self.last = Some(now);
    }

    /// Bits per second.
    fn rate(&self, now: Instant) -> f64 {
        let passed = self.last.map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f64());
        self.bits / WINDOW * (-passed / WINDOW).exp()
    }
}
