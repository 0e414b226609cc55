//! What the state machine asks its owner to do.

use std::time::Duration;

/// What the connection is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Restart ICE on the present connection. `lost`: it does not work; else it may be about to, or be on a path that
    /// is worse than need be.
    RestartIce {
        /// Whether the connection is down.
        lost: bool,
        /// From 1, of this disturbance.
        attempt: u32,
    },
    /// The restart was not answered: its offer may be lost, and is to be told once more.
    Repeat,
    /// The present connection is given up; attempt number `attempt` to make a new one begins in `delay`.
    Schedule {
        /// From 1.
        attempt: u32,
        /// Zero before the first.
        delay: Duration,
    },
    /// Make a new connection now.
    Rebuild {
        /// From 1.
        attempt: u32,
    },
    /// The present connection is given up; the other side will make a new one within `patience`, or not at all.
    Wait {
        /// How long this side waits.
        patience: Duration,
    },
    /// It works again.
    Recovered {
        /// For how long it did not.
        after: Duration,
        /// New connections that were tried; 0 if the old one works again.
        attempts: u32,
    },
    /// All attempts have failed, or the other side did not come back. Nothing follows.
    GiveUp {
        /// New connections that were tried.
        attempts: u32,
    },
}
