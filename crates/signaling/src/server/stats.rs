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
        }
    }
}
