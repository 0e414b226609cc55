//! Keep-alive and reconnection of one link behind one timer.

use std::time::{Duration, Instant};

use super::config::ReconnectConfig;
use super::machine::{Action, Reconnect};
use crate::keepalive::{Beat, KeepAlive};

/// Intervals without a sign of life after which the other side counts as dead, as in the specification.
const MISSED_INTERVALS: u32 = 3;

/// What a link has to do, or may want to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send a heartbeat.
    Heartbeat,
    /// The other side's heartbeats are missing; what is done about it follows.
    Dead {
        /// Time without a sign of life.
        silence: Duration,
    },
    /// This program or its machine stood still; what is done about it follows.
    Woken {
        /// The time lost.
        by: Duration,
    },
    /// Of the reconnection.
    Reconnect(Action),
}

/// The watch over one link: from the first open connection on, through all that replace it.
#[derive(Debug)]
pub struct LinkMonitor {
    interval: Option<Duration>,
    /// While a connection is open.
    keepalive: Option<KeepAlive>,
    reconnect: Reconnect,
    /// A consequence of the step before.
    next: Option<Action>,
}

impl LinkMonitor {
    /// Begins with a connection that is open. `interval` of our heartbeats; `None` to send none. The rest as for
    /// [`Reconnect::new`].
    pub fn new(
        interval: Option<Duration>,
        config: ReconnectConfig,
        offerer: bool,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let keepalive = Some(KeepAlive::new(interval, MISSED_INTERVALS, now));
        Self { interval, keepalive, reconnect: Reconnect::new(config, offerer, seed), next: None }
    }

    /// Whether this side dials when the connection is lost.
    pub fn is_offerer(&self) -> bool {
        self.reconnect.is_offerer()
    }

    /// A new connection is open.
    pub fn handle_rebuilt(&mut self, now: Instant) -> Option<Step> {
        self.keepalive = Some(KeepAlive::new(self.interval, MISSED_INTERVALS, now));
        self.reconnect.handle_rebuilt(now).map(Step::Reconnect)
    }

    /// The same connection works again.
    pub fn handle_connected(&mut self, now: Instant) -> Option<Step> {
        if let Some(keepalive) = self.keepalive.as_mut().filter(|_| self.reconnect.is_lost()) {
            keepalive.resume(now);
        }
        self.reconnect.handle_connected(now).map(Step::Reconnect)
    }

    /// See [`Reconnect::handle_disconnected`].
    pub fn handle_disconnected(&mut self, now: Instant) {
        self.reconnect.handle_disconnected(now);
    }

    /// See [`Reconnect::handle_path_failed`].
    pub fn handle_path_failed(&mut self, now: Instant) -> Option<Step> {
        let action = self.reconnect.handle_path_failed(now);
        self.given_up(action)
    }

    /// See [`Reconnect::handle_answered`].
    pub fn handle_answered(&mut self) {
        self.reconnect.handle_answered();
    }

    /// See [`Reconnect::handle_asked`].
    pub fn handle_asked(&mut self, now: Instant) -> Option<Step> {
        self.reconnect.handle_asked(now).map(Step::Reconnect)
    }

    /// See [`Reconnect::handle_failed`].
    pub fn handle_failed(&mut self, now: Instant) -> Option<Step> {
        let action = self.reconnect.handle_failed(now);
        self.given_up(action)
    }

    /// See [`Reconnect::handle_network_change`].
    pub fn handle_network_change(&mut self, now: Instant) -> Option<Step> {
        self.reconnect.handle_network_change(now).map(Step::Reconnect)
    }

    /// See [`Reconnect::handle_path_lost`].
    pub fn handle_path_lost(&mut self, now: Instant) -> Option<Step> {
        self.reconnect.handle_path_lost(now).map(Step::Reconnect)
    }

    /// See [`Reconnect::handle_absent`].
    pub fn handle_absent(&mut self, now: Instant) -> Option<Step> {
        let action = self.reconnect.handle_absent(now);
        self.given_up(action)
    }

    /// See [`Reconnect::handle_network`].
    pub fn handle_network(&mut self, up: bool, now: Instant) -> Option<Step> {
        self.reconnect.handle_network(up, now).map(Step::Reconnect)
    }

    /// See [`Reconnect::handle_redialled`].
    pub fn handle_redialled(&mut self, now: Instant) {
        self.keepalive = None;
        self.reconnect.handle_redialled(now);
    }

    /// See [`KeepAlive::announced`]; who says so is one of ours.
    pub fn announced(&mut self, interval: Option<Duration>, now: Instant) {
        self.reconnect.handle_greeted();
        if let Some(keepalive) = &mut self.keepalive {
            keepalive.announced(interval, now);
        }
    }

    /// See [`KeepAlive::handle_heartbeat`].
    pub fn handle_heartbeat(&mut self, now: Instant) {
        if let Some(keepalive) = &mut self.keepalive {
            keepalive.handle_heartbeat(now);
        }
    }

    /// See [`KeepAlive::handle_traffic`].
    pub fn handle_traffic(&mut self, at: Instant) {
        if let Some(keepalive) = &mut self.keepalive {
            keepalive.handle_traffic(at);
        }
    }

    /// The link is closed: nothing is due any more.
    pub fn close(&mut self) {
        self.keepalive = None;
        self.next = None;
        self.reconnect.close();
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let keepalive = self.keepalive.as_ref().filter(|_| self.listens()).and_then(KeepAlive::poll_timeout);
        [keepalive, self.reconnect.poll_timeout()].into_iter().flatten().min()
    }

    /// What is due at `now`, one thing at a time: call it until it returns `None`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Step> {
        if let Some(action) = self.next.take() {
            return self.given_up(Some(action));
        }
        // First: a program that stood still must not take its own absence for that of the other side.
        let listens = self.listens();
        let keepalive = self.keepalive.as_mut().filter(|_| listens);
        if let Some(beat) = keepalive.and_then(|keepalive| keepalive.handle_timeout(now)) {
            return Some(match beat {
                Beat::Send => Step::Heartbeat,
                Beat::Dead { silence } => {
                    self.next = self.reconnect.handle_failed(now);
                    Step::Dead { silence }
                }
                Beat::Late { by } => {
                    self.next = self.reconnect.handle_network_change(now);
                    Step::Woken { by }
                }
            });
        }
        while self.reconnect.poll_timeout().is_some_and(|due| due <= now) {
            if let Some(action) = self.reconnect.handle_timeout(now) {
                return self.given_up(Some(action));
            }
        }
        None
    }

    /// While nothing comes over the network anyway, missing heartbeats say nothing, and ours would only pile up.
    fn listens(&self) -> bool {
        !self.reconnect.is_lost()
    }

    /// Without a connection there is nobody to hear or to send heartbeats.
    fn given_up(&mut self, action: Option<Action>) -> Option<Step> {
        let action = action?;
        if matches!(action, Action::Schedule { .. } | Action::Wait { .. } | Action::GiveUp { .. }) {
            self.keepalive = None;
        }
        Some(Step::Reconnect(action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::epoch;

    const SECOND: Duration = Duration::from_secs(1);

    fn monitor(start: Instant) -> LinkMonitor {
        let config = ReconnectConfig { jitter: 0.0, ..ReconnectConfig::default() };
        LinkMonitor::new(Some(30 * SECOND), config, true, [1; 32], start)
    }

    /// Everything until `end` seconds but our own heartbeats.
    fn run(monitor: &mut LinkMonitor, start: Instant, end: u32) -> Vec<(u64, Step)> {
        let mut seen = Vec::new();
        while let Some(at) = monitor.poll_timeout().filter(|at| *at <= start + end * SECOND) {
            while let Some(step) = monitor.handle_timeout(at) {
                seen.push(((at - start).as_secs(), step));
            }
        }
        seen.retain(|(_, step)| *step != Step::Heartbeat);
        seen
    }

    #[test]
    fn missing_heartbeats_lead_to_a_new_connection_which_is_watched_anew() {
        let start = epoch();
        let mut monitor = monitor(start);
        monitor.announced(Some(10 * SECOND), start);
        let rebuild = |attempt| Step::Reconnect(Action::Rebuild { attempt });
        let schedule = Step::Reconnect(Action::Schedule { attempt: 1, delay: Duration::ZERO });
        let dead = Step::Dead { silence: 30 * SECOND };
        assert_eq!(run(&mut monitor, start, 31), [(30, dead), (30, schedule), (30, rebuild(1))]);
        let recovered = Action::Recovered { after: 2 * SECOND, attempts: 1 };
        let now = start + 32 * SECOND;
        assert_eq!(monitor.handle_rebuilt(now), Some(Step::Reconnect(recovered)));
        assert_eq!(run(&mut monitor, start, 1000), []);
    }

    #[test]
    fn a_program_that_slept_looks_at_the_network_before_it_judges_the_other_side() {
        let start = epoch();
        let mut monitor = monitor(start);
        monitor.handle_heartbeat(start);
        let now = start + 1000 * SECOND;
        assert_eq!(monitor.handle_timeout(now), Some(Step::Woken { by: 970 * SECOND }));
        let restart = Step::Reconnect(Action::RestartIce { lost: false, attempt: 1 });
        assert_eq!(monitor.handle_timeout(now), Some(restart));
        assert_eq!(monitor.handle_timeout(now), Some(Step::Heartbeat));
        assert_eq!(monitor.handle_timeout(now), None);
    }

    #[test]
    fn heartbeats_say_nothing_while_there_is_no_path_and_count_from_its_return_on() {
        let start = epoch();
        let mut monitor = monitor(start);
        monitor.announced(Some(10 * SECOND), start);
        let restart = Step::Reconnect(Action::RestartIce { lost: true, attempt: 1 });
        assert_eq!(monitor.handle_path_failed(start + SECOND), Some(restart));
        let mut now = start;
        while let Some(at) = monitor.poll_timeout().filter(|at| *at <= start + 100 * SECOND) {
            now = at;
            while let Some(step) = monitor.handle_timeout(at) {
                assert_eq!(step, Step::Reconnect(Action::Repeat), "neither sent nor missed");
            }
        }
        assert!(now > start + 30 * SECOND);
        let back = start + 100 * SECOND;
        assert!(matches!(monitor.handle_connected(back), Some(Step::Reconnect(Action::Recovered { .. }))));
        let dead = Step::Dead { silence: 30 * SECOND };
        assert_eq!(run(&mut monitor, start, 131).first(), Some(&(130, dead)));
    }

    #[test]
    fn no_heartbeats_are_due_while_there_is_no_connection_or_after_the_end() {
        let start = epoch();
        let mut monitor = monitor(start);
        monitor.handle_heartbeat(start);
        monitor.handle_failed(start);
        let heartbeats = std::iter::from_fn(|| {
            let at = monitor.poll_timeout()?;
            Some(std::iter::from_fn(|| monitor.handle_timeout(at)).collect::<Vec<_>>())
        });
        assert!(heartbeats.flatten().all(|step| matches!(step, Step::Reconnect(_))));
        let mut closed = self::monitor(start);
        closed.close();
        assert_eq!(closed.poll_timeout(), None);
    }
}
