//! The algorithm of RFC 9260 section 7.2, which is TCP NewReno's.

use super::{Ack, Controller, MAX_WINDOW, decayed, initial_window, min_window};
use crate::time::Time;

/// State of NewReno.
#[derive(Debug)]
pub(crate) struct NewReno {
    mtu: usize,
    window: usize,
    threshold: usize,
    /// Bytes acknowledged since the window last grew in congestion avoidance.
    partial: usize,
    /// Window and threshold before the last reduction.
    before: Option<(usize, usize)>,
}

impl NewReno {
    pub(crate) fn new(mtu: usize) -> Self {
        Self { mtu, window: initial_window(mtu), threshold: MAX_WINDOW, partial: 0, before: None }
    }

    fn reduce(&mut self, window: impl FnOnce(usize) -> usize) {
        self.before = Some((self.window, self.threshold));
        self.threshold = (self.window / 2).max(min_window(self.mtu));
        self.window = window(self.threshold);
        self.partial = 0;
    }
}

impl Controller for NewReno {
    fn window(&self) -> usize {
        self.window
    }

    fn threshold(&self) -> usize {
        self.threshold
    }

    fn on_ack(&mut self, ack: &Ack) {
        if ack.recovering || !ack.limited {
            return;
        }
        if self.window < self.threshold {
            self.window += ack.bytes;
        } else {
            self.partial += ack.bytes;
            if self.partial >= self.window {
                self.partial -= self.window;
                self.window += self.mtu;
            }
        }
        self.window = self.window.min(MAX_WINDOW);
    }

    fn on_loss(&mut self, _now: Time) {
        self.reduce(|threshold| threshold);
    }

    fn on_timeout(&mut self, _now: Time) {
        let mtu = self.mtu;
        self.reduce(|_| mtu);
    }

    fn undo(&mut self) {
        if let Some((window, threshold)) = self.before.take() {
            self.window = self.window.max(window);
            self.threshold = threshold;
        }
    }

    fn on_idle(&mut self, timeouts: u32) {
        self.threshold = self.threshold.max(self.window / 4 * 3);
        self.window = decayed(self.window, timeouts, self.mtu);
    }

    fn on_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        if self.threshold == MAX_WINDOW {
            self.window = self.window.max(initial_window(mtu));
        }
        self.window = self.window.max(min_window(mtu));
    }
}
