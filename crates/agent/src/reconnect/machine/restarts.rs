//! Restarts of ICE on the connection that there is: when they begin, and for how long they go on.

use std::time::Instant;

use super::{Action, Reconnect, State};

impl Reconnect {
    /// ICE has failed: nothing may be sent any more before a restart (RFC 7675 section 5.1). What is above lives on.
    pub fn handle_path_failed(&mut self, now: Instant) -> Option<Action> {
        match self.state {
            State::Up | State::Disconnected { .. } | State::Restarting { .. } => {}
            _ => return self.handle_failed(now),
        }
        self.handle_disconnected(now);
        match self.state {
            State::Disconnected { .. } if self.offerer && !self.offline => Some(self.restart(now)),
            _ => None,
        }
    }

    /// The other side has answered the restart, or has restarted ICE itself: it has the connection still.
    pub fn handle_answered(&mut self) {
        if let State::Restarting { answered, again, .. } = &mut self.state {
            *answered = true;
            *again = None;
            self.absent_until = None;
        }
    }

    /// The other side wants to restart ICE on a connection that was given up here: it can be reached, so a new one is made at once,
    /// by a program that wants attempts at all.
    pub fn handle_asked(&mut self, now: Instant) -> Option<Action> {
        match self.state {
            State::Backoff { attempt, .. } => Some(self.dial(attempt, now)),
            State::Waiting { .. } if self.config.attempts > 0 => Some(self.dial(1, now)),
            _ => None,
        }
    }

    /// Peers that know the specification only need not expect an offer from the side that they have called.
    pub(super) fn may_restart(&self) -> bool {
        self.offerer || self.ours
    }

    pub(super) fn restart(&mut self, now: Instant) -> Action {
        self.quiet_until = Some(now + self.config.grace);
        self.enter_restarting(now);
        Action::RestartIce { lost: self.lost.is_some(), attempt: self.restarts }
    }

    /// Each round is longer than the one before: the candidates of the present one are tried all the time.
    fn enter_restarting(&mut self, now: Instant) {
        self.restarts = self.restarts.saturating_add(1);
        let longer = self.shortened(self.config.longest_delay(self.restarts));
        let until = now + self.config.attempt_timeout.saturating_add(longer);
        self.enter(State::Restarting { until, answered: false, again: None });
    }

    /// A restart has had its time.
    pub(super) fn after_restarting(&mut self, answered: bool, now: Instant) -> Option<Action> {
        let Some(lost) = self.lost else {
            // It has worked all the time.
            self.enter(State::Up);
            return None;
        };
        let since = self.counted.map_or(lost, |counted| counted.max(lost));
        let keeps = now.saturating_duration_since(since) < self.config.keeping();
        if !keeps || !(answered || self.ours) || self.config.attempts == 0 {
            return Some(self.attempt(1, now));
        }
        if answered {
            return Some(self.restart(now));
        }
        self.enter_restarting(now);
        Some(Action::Repeat)
    }
}
