//! CUBIC (RFC 9438) with the slow start of HyStart++ (RFC 9406).

use super::hystart::{HyStart, SlowStart};
use super::{Ack, Controller, MAX_WINDOW, decayed, initial_window, min_window};
use crate::time::{SECOND, Time};

/// Steepness of the curve, in packets per second cubed.
const C: f64 = 0.4;
/// What is left of the window after a loss.
const BETA: f64 = 0.7;
/// Growth of the Reno-friendly estimate, in packets per window, until it has caught up.
const ALPHA: f64 = 3.0 * (1.0 - BETA) / (1.0 + BETA);

/// The curve since the last loss.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: Time,
    /// Seconds from `start` to the plateau.
    k: f64,
    /// Height of the plateau in bytes.
    plateau: f64,
    /// Window that Reno would have, in bytes.
    estimate: f64,
}

/// What a mistaken reduction has to restore.
#[derive(Clone, Copy, Debug)]
struct Before {
    window: f64,
    threshold: usize,
    max: f64,
    epoch: Option<Epoch>,
}

/// State of CUBIC.
#[derive(Debug)]
pub(crate) struct Cubic {
    mtu: usize,
    window: f64,
    threshold: usize,
    /// Window at the last loss, lowered when flows have to make room (fast convergence).
    max: f64,
    epoch: Option<Epoch>,
    hystart: HyStart,
    before: Option<Before>,
}

impl Cubic {
    pub(crate) fn new(mtu: usize) -> Self {
        Self {
            mtu,
            window: initial_window(mtu) as f64,
            threshold: MAX_WINDOW,
            max: 0.0,
            epoch: None,
            hystart: HyStart::new(),
            before: None,
        }
    }

    fn reduce(&mut self) {
        let before =
            Before { window: self.window, threshold: self.threshold, max: self.max, epoch: self.epoch };
        self.before = Some(before);
        self.max = if self.window < self.max { self.window * (1.0 + BETA) / 2.0 } else { self.window };
        self.threshold = ((self.window * BETA) as usize).max(min_window(self.mtu));
        self.epoch = None;
    }

    fn avoid_congestion(&mut self, ack: &Ack) {
        let mtu = self.mtu as f64;
        let window = self.window;
        let max = self.max;
        let epoch = self.epoch.get_or_insert_with(|| {
            let plateau = max.max(window);
            Epoch { start: ack.now, k: ((plateau - window) / mtu / C).cbrt(), plateau, estimate: window }
        });
        let elapsed = (ack.now.since(epoch.start) + ack.srtt) as f64 / SECOND as f64;
        let target = epoch.plateau + C * (elapsed - epoch.k).powi(3) * mtu;
        let alpha = if epoch.estimate >= max { 1.0 } else { ALPHA };
        epoch.estimate += alpha * mtu * ack.bytes as f64 / window;
        if target < epoch.estimate && epoch.estimate > window {
            self.window = epoch.estimate;
        } else {
            let target = target.clamp(window, window * 1.5);
            self.window += (target - window) * (ack.bytes as f64 / window).min(1.0);
        }
    }
}

impl Controller for Cubic {
    fn window(&self) -> usize {
        self.window as usize
    }

    fn threshold(&self) -> usize {
        self.threshold
    }

    fn on_ack(&mut self, ack: &Ack) {
        if ack.recovering {
            return;
        }
        if !ack.limited {
            // The curve must not run on while nobody uses the window (RFC 9438 section 5.8).
            self.epoch = None;
            return;
        }
        if self.window() >= self.threshold {
            self.avoid_congestion(ack);
        } else if self.threshold < MAX_WINDOW {
            // After a timeout the way up to the threshold is known to be safe.
            self.window = (self.window + ack.bytes as f64).min(self.threshold as f64);
        } else {
            match self.hystart.on_ack(ack) {
                SlowStart::Grow(bytes) => self.window += bytes as f64,
                SlowStart::Leave => self.threshold = self.window(),
            }
        }
        self.window = self.window.min(MAX_WINDOW as f64);
    }

    fn on_loss(&mut self, _now: Time) {
        self.reduce();
        self.window = self.threshold as f64;
    }

    fn on_timeout(&mut self, _now: Time) {
        self.reduce();
        self.window = self.mtu as f64;
    }

    fn undo(&mut self) {
        if let Some(before) = self.before.take() {
            self.window = self.window.max(before.window);
            self.threshold = before.threshold;
            self.max = before.max;
            self.epoch = before.epoch;
        }
    }

    fn on_idle(&mut self, timeouts: u32) {
        self.threshold = self.threshold.max(self.window() / 4 * 3);
        self.window = decayed(self.window(), timeouts, self.mtu) as f64;
        self.epoch = None;
    }

    fn on_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        let floor = if self.threshold == MAX_WINDOW { initial_window(mtu) } else { min_window(mtu) };
        self.window = self.window.max(floor as f64);
        self.epoch = None;
    }
}
