//! What can be seen of a cluster from outside.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// How a server stands to its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterState {
    /// It has not been in the cluster yet.
    Connecting,
    /// It is in the cluster, and everything that it has is published.
    Connected,
    /// Redis is lost: the server serves its own agents, and those of other servers are unreachable.
    Lost {
        /// Why. Without anything secret.
        reason: String,
    },
}

/// A cluster as one of its servers sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStats {
    /// How this server stands to it.
    pub state: ClusterState,
    /// Servers alive, this one included; as of the last beat.
    pub nodes: u64,
    /// Agents registered with all of them; as of the last beat.
    pub agents: u64,
    /// Times that Redis was lost since the start.
    pub losses: u64,
    /// Messages that Redis took for other servers.
    pub sent: u64,
    /// Messages that came from other servers.
    pub received: u64,
    /// Bytes that wait for Redis.
    pub queued_bytes: u64,
}

/// The live side of [`ClusterStats`].
#[derive(Debug)]
pub(crate) struct Status {
    state: watch::Sender<ClusterState>,
    nodes: AtomicU64,
    agents: AtomicU64,
    losses: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) received: AtomicU64,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(ClusterState::Connecting),
            nodes: AtomicU64::new(0),
            agents: AtomicU64::new(0),
            losses: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }
}

impl Status {
    pub(crate) fn watch(&self) -> watch::Receiver<ClusterState> {
        self.state.subscribe()
    }

    pub(crate) fn stats(&self, queued_bytes: usize) -> ClusterStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClusterStats {
            state: self.state.borrow().clone(),
            nodes: read(&self.nodes),
            agents: read(&self.agents),
            losses: read(&self.losses),
            sent: read(&self.sent),
            received: read(&self.received),
            queued_bytes: queued_bytes as u64,
        }
    }

    pub(super) fn connected(&self) {
        self.state.send_replace(ClusterState::Connected);
    }

    /// The first reason stays until the state changes: later ones are about attempts to come back.
    pub(super) fn lost(&self, reason: String) {
        let changed = self.state.send_if_modified(|state| {
            let changed = !matches!(state, ClusterState::Lost { .. });
            if changed {
                *state = ClusterState::Lost { reason };
            }
            changed
        });
        if changed {
            self.losses.fetch_add(1, Ordering::Relaxed);
            self.nodes.store(0, Ordering::Relaxed);
            self.agents.store(0, Ordering::Relaxed);
        }
    }

    /// Takes the numbers of a beat; whether dead nodes are left to bury.
    pub(super) fn counted(&self, numbers: &[String]) -> bool {
        let number = |index: usize| numbers.get(index).and_then(|text| text.parse().ok()).unwrap_or(0);
        self.nodes.store(number(0), Ordering::Relaxed);
        self.agents.store(number(1), Ordering::Relaxed);
        number(2) > 0
    }
}
