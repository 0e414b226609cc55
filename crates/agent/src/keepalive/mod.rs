//! When to send heartbeats, and when their absence means that the other agent is dead.
//!
//! Each side sends a heartbeat per interval (30 s in the specification), the first one an interval after the start. A
//! remote agent that has ever sent one is dead when nothing has come from it for three of its intervals. One that never
//! did is left to ICE consent (RFC 7675): naive peers need not send any.
//!
//! The silence of others is judged by what was heard when this program runs, not by the clock alone: see
//! [`verdict`](crate::verdict). One that was late by five seconds or more says so as well, as its network may have changed.

use std::time::{Duration, Instant};

use crate::verdict::{READING, Verdict};

/// What the specification's own code uses; taken for a remote agent that does not say what it does.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(30);

/// How much later than wanted the program may get round to a timer before it counts as having stood still.
const LATE: Duration = Duration::from_secs(5);

/// What the keep-alive asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Send a heartbeat now.
    Send,
    /// Nothing has come from the remote agent for too long.
    Dead {
        /// How long.
        silence: Duration,
    },
    /// This program stood still or slept, by so much: what the network is like now has to be found out.
    Late {
        /// The time lost.
        by: Duration,
    },
}

/// The heartbeats of one connection, in both directions.
#[derive(Debug)]
pub struct KeepAlive {
    /// None: this side sends none.
    interval: Option<Duration>,
    /// Intervals of silence that mean death.
    missed: u32,
    remote: Remote,
    next_beat: Option<Instant>,
    deadline: Option<Instant>,
    /// Whether the deadline counts when this program gets round to it late.
    verdict: Verdict,
    heard: Instant,
}

/// What is known about the heartbeats of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remote {
    /// Nothing has come yet, so nothing is expected.
    Unknown,
    /// It said that it sends none.
    Silent,
    /// It has sent one, or said how often it does.
    Beats(Duration),
}

impl KeepAlive {
    /// Starts when the channel for heartbeats is open. `interval` is ours, `None` to send none; `missed` intervals of
    /// the remote agent without a sign of life mean that it is dead (3 in the specification).
    pub fn new(interval: Option<Duration>, missed: u32, now: Instant) -> Self {
        let next_beat = interval.map(|interval| now + interval);
        let verdict = Verdict::default();
        Self { interval, missed, remote: Remote::Unknown, next_beat, deadline: None, verdict, heard: now }
    }

    /// The other side has said how often it sends heartbeats: `None` for never.
    pub fn announced(&mut self, interval: Option<Duration>, now: Instant) {
        self.remote = interval.map_or(Remote::Silent, Remote::Beats);
        self.heard_at(now);
    }

    /// A heartbeat has come, in whatever form.
    pub fn handle_heartbeat(&mut self, now: Instant) {
        if self.remote == Remote::Unknown {
            // Nothing says how often: as the specification has it, or less often if this side is slower itself.
            let interval = self.interval.unwrap_or_default().max(HEARTBEAT_INTERVAL);
            self.remote = Remote::Beats(interval);
        }
        self.heard_at(now);
    }

    /// Anything else has come from the remote agent: a sign of life as well. `at` may lie in the past.
    pub fn handle_traffic(&mut self, at: Instant) {
        if at > self.heard {
            self.heard_at(at);
        }
    }

    fn heard_at(&mut self, at: Instant) {
        self.heard = at;
        self.verdict.settle();
        let Remote::Beats(interval) = self.remote else {
            self.deadline = None;
            return;
        };
        self.deadline = interval.checked_mul(self.missed).and_then(|time| at.checked_add(time));
    }

    /// The path works again after a time in which nothing could come: from now on silence counts as it does at the start.
    pub fn resume(&mut self, now: Instant) {
        self.heard_at(now);
        self.next_beat = self.interval.map(|interval| now + interval);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let judgement = self.deadline.map(|deadline| self.verdict.look_at(deadline));
        [self.next_beat, judgement].into_iter().flatten().min()
    }

    /// What is due at `now`, one thing at a time: call it until it returns `None`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Beat> {
        let due = self.poll_timeout().filter(|due| *due <= now)?;
        let by = now - due;
        if by >= LATE {
            return Some(self.late(by, now));
        }
        let deadline = self.deadline.filter(|deadline| *deadline <= now);
        if deadline.is_some_and(|deadline| self.verdict.falls(deadline, now, READING)) {
            // Once is enough: the connection is given up with it.
            self.deadline = None;
            self.next_beat = None;
            return Some(Beat::Dead { silence: now - self.heard });
        }
        self.next_beat.filter(|beat| *beat <= now)?;
        self.next_beat = self.interval.map(|interval| now + interval);
        Some(Beat::Send)
    }

    /// What the remote agent sent meanwhile waits to be read: it gets another interval to be heard.
    fn late(&mut self, by: Duration, now: Instant) -> Beat {
        if let (Some(deadline), Remote::Beats(interval)) = (self.deadline, self.remote) {
            self.deadline = Some(deadline.max(now.checked_add(interval).unwrap_or(deadline)));
            self.verdict.settle();
        }
        // A heartbeat at once: the other side has missed some.
        self.next_beat = self.next_beat.map(|_| now);
        Beat::Late { by }
    }
}

#[cfg(test)]
mod tests;
