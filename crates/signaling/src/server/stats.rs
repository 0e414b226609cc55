//! What a server counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a [`Server`](crate::Server) since its start, and its present size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Open connections.
    pub connections: u64,
    /// Registered agents.
    pub agents: u64,
    /// Rooms that somebody is in.
    pub rooms: u64,
    /// Connections accepted so far (their upgrade succeeded).
    pub total_connections: u64,
    /// Messages handed to the connection of their recipient.
    pub relayed: u64,
    /// Bytes of those messages.
    pub relayed_bytes: u64,
    /// Messages whose recipient was not registered.
    pub undeliverable: u64,
    /// Frames and registrations refused.
    pub refused: u64,
    /// Clients disconnected because they did not read.
    pub slow_consumers: u64,
    /// Registrations whose proof or token was wrong.
    pub denied: u64,
    /// Frames refused because somebody sent too many.
    pub rate_limited: u64,
    /// Connections and requests turned away before they became clients: too many, or from a page of a foreign origin.
    pub turned_away: u64,
    /// Attempts to accept a connection that have failed; most often there are no file descriptors left.
    pub accept_failures: u64,
}

/// Name, explanation and value of one metric.
pub(crate) type Metric = (&'static str, &'static str, u64);

impl Stats {
    /// Sizes at this moment.
    pub(super) fn gauges(&self) -> [Metric; 3] {
        [
            ("connections", "Connected clients.", self.connections),
            ("agents", "Registered agents.", self.agents),
            ("rooms", "Rooms that somebody is in.", self.rooms),
        ]
    }

    /// Counts since the start.
    pub(super) fn totals(&self) -> [Metric; 10] {
        [
            ("connections_total", "Clients so far.", self.total_connections),
            ("relayed_messages_total", "Messages handed to the connection of their recipient.", self.relayed),
            ("relayed_bytes_total", "Bytes of those messages.", self.relayed_bytes),
            (
                "undeliverable_messages_total",
                "Messages to agents that are not registered.",
                self.undeliverable,
            ),
            ("refused_frames_total", "Frames and registrations refused.", self.refused),
            ("denied_registrations_total", "Registrations whose proof or token was wrong.", self.denied),
            ("rate_limited_frames_total", "Frames refused because of a rate limit.", self.rate_limited),
            ("slow_consumers_total", "Clients disconnected because they did not read.", self.slow_consumers),
            (
                "turned_away_total",
                "Connections and requests refused before they became clients.",
                self.turned_away,
            ),
            (
                "accept_failures_total",
                "Attempts to accept a connection that have failed.",
                self.accept_failures,
            ),
        ]
    }
}

/// The live counters behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) total_connections: AtomicU64,
    pub(super) relayed: AtomicU64,
    pub(super) relayed_bytes: AtomicU64,
    pub(super) undeliverable: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) slow_consumers: AtomicU64,
    pub(super) denied: AtomicU64,
    pub(super) rate_limited: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) accept_failures: AtomicU64,
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn snapshot(&self, agents: usize, rooms: usize) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            connections: read(&self.connections),
            agents: agents as u64,
            rooms: rooms as u64,
            total_connections: read(&self.total_connections),
            relayed: read(&self.relayed),
            relayed_bytes: read(&self.relayed_bytes),
            undeliverable: read(&self.undeliverable),
            refused: read(&self.refused),
            slow_consumers: read(&self.slow_consumers),
            denied: read(&self.denied),
            rate_limited: read(&self.rate_limited),
            turned_away: read(&self.turned_away),
            accept_failures: read(&self.accept_failures),
        }
    }
}
