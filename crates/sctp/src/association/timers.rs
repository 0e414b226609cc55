//! Timers.

use std::time::Instant;

use super::Association;
use crate::state::State;

impl Association {
    /// Runs the timers that are due; call it at [`poll_timeout`](Self::poll_timeout). Too early does no harm. After
    /// a pause, hand in the packets that have arrived first: otherwise what they acknowledge is sent again.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.at(now);
        if self.ended {
            return;
        }
        if self.handshake.timer.is_some_and(|at| at <= now) {
            self.on_handshake_timeout(now);
        }
        if !self.is_up() {
            return;
        }
        if self.shutdown.timer.is_some_and(|at| at <= now) {
            self.on_shutdown_timeout();
        }
        self.heartbeat.on_timeout(now, self.config.heartbeat_interval);
        self.pmtud.on_timeout(now);
        self.resets.on_timeout(now);
        self.receiver.ack.on_timeout(now);
        if self.sender.timeout().is_some_and(|at| at <= now) {
            self.sender.on_timeout(now);
            self.check_black_hole();
        }
        self.advance_shutdown();
    }

    /// When `handle_timeout` wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        let next = match self.state {
            State::Closed => None,
            State::CookieWait | State::CookieEchoed => self.handshake.timer,
            _ => [
                self.handshake.timer,
                self.shutdown.timer,
                self.heartbeat.timer,
                self.pmtud.timeout(),
                self.resets.timeout(),
                self.receiver.ack.timeout(),
                self.sender.timeout(),
            ]
            .into_iter()
            .flatten()
            .min(),
        };
        self.clock.instant(next?)
    }
}
