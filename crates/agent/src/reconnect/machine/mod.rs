//! What to do when the connection to an agent is disturbed, and when: a state machine without a connection.
//!
//! ```text
//!            disconnected        5 s, or no path             not answered, beyond repair
//!      Up ───────────────▶ Disconnected ───▶ Restarting ◀─┐ ─────────────┬──▶ Rebuilding ◀─▶ Backoff ──▶ Over
//!       │                                      ▲  └───────┘ no help yet  │      (who made the last offer)
//!       │  network change, wake-up             │                         └──▶ Waiting ──▶ Over
//!       └──────────────────────────────────────┘                                (the other side)
//! ```
//!
//! As long as both ends have the connection, what is open over it can go on, however long there was no path: ICE is restarted again and
//! again. A new connection finds no path that a restart would not find, so it is for those who have lost the old one: the
//! other side says that it is another program, DTLS or SCTP are over, or nobody answers for a long time.
//!
//! Only the side whose offer made the connection restarts and dials; the other waits for as long as that may take. A new
//! connection is tried at once, then after 2, 4, 8 and 16 s: five attempts, as in the specification's `reconnect()`,
//! without its sleep after the last one.

mod action;
mod restarts;

use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::config::ReconnectConfig;
use crate::verdict::{READING, Verdict};
pub use action::Action;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Disconnected {
        until: Instant,
    },
    Restarting {
        until: Instant,
        /// The other side has said something about the connection since: it has it still.
        answered: bool,
        /// The offer is told once more before that.
        again: Option<Instant>,
    },
    Backoff {
        attempt: u32,
        until: Instant,
    },
    Rebuilding {
        attempt: u32,
        until: Instant,
    },
    /// The other side's turn.
    Waiting {
        until: Instant,
    },
    /// The other side's offer is being answered; then on as before.
    Answering {
        until: Instant,
        attempt: u32,
        give_up: Instant,
    },
    Over,
}

/// The reconnection of one link.
#[derive(Debug)]
pub struct Reconnect {
    config: ReconnectConfig,
    random: ChaCha8Rng,
    offerer: bool,
    state: State,
    /// Whether the end of a state counts when this program gets round to it late: that what was waited for has happened
    /// may not have been read yet.
    verdict: Verdict,
    lost: Option<Instant>,
    /// ICE restarts of this disturbance.
    restarts: u32,
    /// From when on the time counts in which restarts do not help, if not from the loss.
    counted: Option<Instant>,
    /// The other side is one of ours: it takes an offer that it knows already for what it is, and either side's restart.
    ours: bool,
    /// This machine has no network: nothing is tried, and nobody given up.
    offline: bool,
    /// An ICE restart because of the network: not again before this, however often interfaces come and go.
    quiet_until: Option<Instant>,
    /// The signaling service does not know the other side at the moment: until then that costs no attempt.
    absent_until: Option<Instant>,
}

impl Reconnect {
    /// Begins with a connection that works. `offerer`: this side's offer made it. `seed` must differ from agent to
    /// agent: the jitter comes from it.
    pub fn new(config: ReconnectConfig, offerer: bool, seed: [u8; 32]) -> Self {
        let random = ChaCha8Rng::from_seed(seed);
        let (state, verdict) = (State::Up, Verdict::default());
        Self {
            config,
            random,
            offerer,
            state,
            verdict,
            lost: None,
            restarts: 0,
            counted: None,
            ours: false,
            offline: false,
            quiet_until: None,
            absent_until: None,
        }
    }

    /// Whether this side dials when the connection is lost.
    pub fn is_offerer(&self) -> bool {
        self.offerer
    }

    /// The agent at the other end of the present connection has said that it is one of ours.
    pub fn handle_greeted(&mut self) {
        self.ours = true;
    }

    /// A new connection is open; who answers there has not said anything yet.
    pub fn handle_rebuilt(&mut self, now: Instant) -> Option<Action> {
        self.ours = false;
        self.handle_connected(now)
    }

    /// The connection carries messages: after a disturbance, an ICE restart, or as a new one.
    pub fn handle_connected(&mut self, now: Instant) -> Option<Action> {
        let attempts = match self.state {
            State::Up | State::Over => return None,
            // The connection was given up: a late sign of life does not bring it back.
            State::Backoff { .. } | State::Waiting { .. } => return None,
            State::Disconnected { .. } | State::Restarting { .. } => 0,
            State::Rebuilding { attempt, .. } => {
                self.offerer = true;
                attempt
            }
            State::Answering { attempt, .. } => {
                self.offerer = false;
                attempt.max(1)
            }
        };
        self.enter(State::Up);
        self.absent_until = None;
        self.counted = None;
        let lost = self.lost.take()?;
        Some(Action::Recovered { after: now - lost, attempts })
    }

    /// The connection does not answer, which may pass.
    pub fn handle_disconnected(&mut self, now: Instant) {
        match self.state {
            State::Up => {
                // The side that does not dial leaves it to the other, but not for ever.
                let patience = if self.offerer { self.config.grace } else { self.config.patience() };
                self.enter(State::Disconnected { until: now + patience });
                self.lost = Some(now);
            }
            State::Restarting { .. } => self.lost = self.lost.or(Some(now)),
            _ => {}
        }
    }

    /// The connection is beyond repair: DTLS or SCTP is over, the other side's heartbeats are missing, or its
    /// certificate has changed.
    pub fn handle_failed(&mut self, now: Instant) -> Option<Action> {
        match self.state {
            State::Up | State::Disconnected { .. } | State::Restarting { .. } => {
                self.lost = self.lost.or(Some(now));
                Some(self.attempt(1, now))
            }
            // It counts only if it could have succeeded.
            State::Rebuilding { attempt, .. } => {
                Some(self.attempt(attempt.saturating_add(u32::from(!self.offline)), now))
            }
            State::Answering { attempt, give_up, .. } => Some(self.after_answering(attempt, give_up, now)),
            State::Backoff { .. } | State::Waiting { .. } | State::Over => None,
        }
    }

    /// The network has changed, or the machine has slept: the present path may be gone, and better ones be there.
    pub fn handle_network_change(&mut self, now: Instant) -> Option<Action> {
        match self.state {
            State::Up if self.quiet_until.is_some_and(|until| now < until) => None,
            State::Up | State::Disconnected { .. } => self.may_restart().then(|| self.restart(now)),
            State::Restarting { .. } => {
                self.counted = Some(now);
                None
            }
            // What failed before may work now.
            State::Backoff { attempt, .. } => Some(self.dial(attempt, now)),
            _ => None,
        }
    }

    /// The path in use is gone for good, and another one can only be found by signaling.
    pub fn handle_path_lost(&mut self, now: Instant) -> Option<Action> {
        match self.state {
            State::Up | State::Disconnected { .. } | State::Restarting { .. } => {
                self.may_restart().then(|| self.restart(now))
            }
            _ => None,
        }
    }

    /// A restart or an attempt came to nothing because the signaling service does not know the other side. As if this side had lost its
    /// network: it may be the other one that has. No attempt is spent for as long as all of them may take, which is as long as the other side waits.
    pub fn handle_absent(&mut self, now: Instant) -> Option<Action> {
        let until = *self.absent_until.get_or_insert(now + self.config.window());
        let delay = self.config.delay.min(self.config.max_delay);
        match self.state {
            State::Up | State::Disconnected { .. } | State::Restarting { answered: true, .. } => None,
            State::Restarting { .. } if self.lost.is_none() => None,
            State::Restarting { until: end, answered, .. } if self.ours && now < until => {
                let again = Some(now + self.shortened(delay));
                self.counted = Some(now);
                self.enter(State::Restarting { until: end, answered, again });
                None
            }
            State::Rebuilding { attempt, .. } if now < until => {
                let delay = self.shortened(delay);
                self.enter(State::Backoff { attempt, until: now + delay });
                Some(Action::Schedule { attempt, delay })
            }
            _ => self.handle_failed(now),
        }
    }

    /// This machine has lost its network, or has one again. Until then nothing is tried; attempts are counted from then on.
    pub fn handle_network(&mut self, up: bool, now: Instant) -> Option<Action> {
        let returns = up && self.offline;
        self.offline = !up;
        if !up {
            return None;
        }
        if !returns {
            return self.handle_network_change(now);
        }
        self.quiet_until = None;
        self.counted = Some(now);
        match self.state {
            State::Backoff { .. } | State::Rebuilding { .. } => Some(self.dial(1, now)),
            State::Waiting { .. } => {
                self.enter(State::Waiting { until: now + self.config.window() });
                None
            }
            State::Answering { attempt, .. } => {
                let until = now + self.config.attempt_timeout;
                let give_up = now + self.config.window();
                self.enter(State::Answering { until, attempt, give_up });
                None
            }
            State::Up | State::Disconnected { .. } | State::Restarting { .. } if self.may_restart() => {
                Some(self.restart(now))
            }
            State::Disconnected { .. } => {
                self.enter(State::Disconnected { until: now + self.config.patience() });
                None
            }
            State::Up | State::Restarting { .. } | State::Over => None,
        }
    }

    /// The other side has offered a new connection, which is being answered.
    pub fn handle_redialled(&mut self, now: Instant) {
        let until = now + self.config.attempt_timeout;
        let (attempt, give_up) = match self.state {
            State::Over => return,
            State::Backoff { attempt, .. } => (attempt - 1, now),
            State::Rebuilding { attempt, .. } => (attempt, now),
            State::Waiting { until } => (0, until),
            State::Answering { attempt, give_up, .. } => (attempt, give_up),
            State::Up | State::Disconnected { .. } | State::Restarting { .. } => {
                (0, now + self.config.window())
            }
        };
        self.lost = self.lost.or(Some(now));
        self.enter(State::Answering { until, attempt, give_up: give_up.max(until) });
    }

    /// The link is closed: nothing is due any more.
    pub fn close(&mut self) {
        self.enter(State::Over);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.until().map(|until| self.verdict.look_at(until))
    }

    /// When the present state ends.
    fn until(&self) -> Option<Instant> {
        match self.state {
            _ if self.offline => None,
            State::Up | State::Over => None,
            State::Restarting { until, again, .. } => Some(again.map_or(until, |again| again.min(until))),
            State::Disconnected { until }
            | State::Backoff { until, .. }
            | State::Rebuilding { until, .. }
            | State::Answering { until, .. }
            | State::Waiting { until } => Some(until),
        }
    }

    /// What is due at `now`, one thing at a time: call it until it returns `None`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Action> {
        let until = self.until()?;
        // To dial, or to ask once more, is no verdict on anybody.
        let dials = matches!(self.state, State::Backoff { .. } | State::Restarting { again: Some(_), .. });
        if until > now || !(dials || self.verdict.falls(until, now, READING)) {
            return None;
        }
        match self.state {
            State::Disconnected { .. } if self.offerer => Some(self.restart(now)),
            State::Disconnected { .. } => Some(self.give_up(0)),
            State::Restarting { answered, again: Some(_), .. } => {
                let until = now + self.config.attempt_timeout;
                self.enter(State::Restarting { until, answered, again: None });
                Some(Action::Repeat)
            }
            State::Restarting { answered, .. } => self.after_restarting(answered, now),
            State::Backoff { attempt, .. } => Some(self.dial(attempt, now)),
            State::Rebuilding { attempt, .. } => Some(self.attempt(attempt.saturating_add(1), now)),
            State::Answering { attempt, give_up, .. } => Some(self.after_answering(attempt, give_up, now)),
            State::Waiting { .. } => Some(self.give_up(0)),
            State::Up | State::Over => None,
        }
    }

    /// Whether the connection is there and carries nothing.
    pub fn is_lost(&self) -> bool {
        let there = matches!(self.state, State::Disconnected { .. } | State::Restarting { .. });
        there && self.lost.is_some()
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.verdict.settle();
        if state == State::Up {
            self.restarts = 0;
        }
    }

    /// The present connection is no good: the next one, by whoever makes it.
    fn attempt(&mut self, attempt: u32, now: Instant) -> Action {
        if self.config.attempts == 0 || attempt > self.config.attempts {
            return self.give_up(attempt - 1);
        }
        if !self.offerer {
            let patience = self.config.window();
            self.enter(State::Waiting { until: now + patience });
            return Action::Wait { patience };
        }
        let delay = self.shortened(self.config.longest_delay(attempt));
        self.enter(State::Backoff { attempt, until: now + delay });
        Action::Schedule { attempt, delay }
    }

    /// A wait of which chance takes off its share.
    fn shortened(&mut self, longest: Duration) -> Duration {
        // 53 bits make a fraction below 1.
        let fraction = (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        longest.mul_f64(1.0 - self.config.jitter.clamp(0.0, 1.0) * fraction)
    }

    fn dial(&mut self, attempt: u32, now: Instant) -> Action {
        self.enter(State::Rebuilding { attempt, until: now + self.config.attempt_timeout });
        Action::Rebuild { attempt }
    }

    /// The other side's new connection did not work either.
    fn after_answering(&mut self, attempt: u32, give_up: Instant, now: Instant) -> Action {
        if self.offerer {
            return self.attempt(attempt.saturating_add(1), now);
        }
        if give_up <= now && !self.offline {
            return self.give_up(attempt);
        }
        self.enter(State::Waiting { until: give_up });
        Action::Wait { patience: give_up.saturating_duration_since(now) }
    }

    fn give_up(&mut self, attempts: u32) -> Action {
        self.enter(State::Over);
        Action::GiveUp { attempts }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod keep_tests;
