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
    /// What came from other servers and is unknown in this release: skipped.
    pub unknown: u64,
    /// Bytes that wait for Redis.
    pub queued_bytes: u64,
}

impl ClusterStats {
    /// Name, description and value of what goes up and down.
    pub(crate) fn gauges(&self) -> [(&'static str, &'static str, u64); 4] {
        let connected = u64::from(self.state == ClusterState::Connected);
        [
            ("cluster_connected", "1 if the server is in its cluster.", connected),
            ("cluster_nodes", "Servers of the cluster that are alive.", self.nodes),
            ("cluster_agents", "Agents registered with all of them.", self.agents),
            ("cluster_queued_bytes", "Bytes that wait for Redis.", self.queued_bytes),
        ]
    }

    /// Name, description and value of what only goes up.
    pub(crate) fn totals(&self) -> [(&'static str, &'static str, u64); 4] {
        [
            ("cluster_losses_total", "Times that Redis was lost.", self.losses),
            ("cluster_sent_total", "Messages that Redis took for other servers.", self.sent),
            ("cluster_received_total", "Messages that came from other servers.", self.received),
            (
                "cluster_unknown_total",
                "What other servers said that this release does not know.",
                self.unknown,
            ),
        ]
    }

    /// As in the status page.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let Self { state, nodes, agents, losses, sent, received, unknown, queued_bytes } = self;
        let (state, reason) = state.describe();
        serde_json::json!({
            "state": state, "reason": reason, "nodes": nodes, "agents": agents, "losses": losses, "sent": sent,
            "received": received, "unknown": unknown, "queuedBytes": queued_bytes,
        })
    }
}

impl ClusterState {
    /// `connecting`, `connected` or `lost`, and why.
    pub fn describe(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Connecting => ("connecting", None),
            Self::Connected => ("connected", None),
            Self::Lost { reason } => ("lost", Some(reason)),
        }
    }
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
    unknown: AtomicU64,
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
            unknown: AtomicU64::new(0),
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
            unknown: read(&self.unknown),
            queued_bytes: queued_bytes as u64,
        }
    }

    /// Why the server is not in its cluster, for load balancers.
    pub(crate) fn absence(&self) -> Option<&'static str> {
        match &*self.state.borrow() {
            ClusterState::Connecting => Some("cluster not reached yet"),
            ClusterState::Connected => None,
            ClusterState::Lost { .. } => Some("cluster lost"),
        }
    }

    /// Another release may say a lot that this one does not know: the first is worth a line, the others are counted.
    pub(super) fn not_understood(&self) {
        if self.unknown.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "another server of the cluster says something that this release does not know; skipped"
            );
        }
    }

    pub(super) fn connected(&self) {
        self.state.send_replace(ClusterState::Connected);
    }

    /// The first reason stays until the state changes: later ones are about attempts to come back, and return false.
    pub(super) fn lost(&self, reason: &str) -> bool {
        let changed = self.state.send_if_modified(|state| {
            let changed = !matches!(state, ClusterState::Lost { .. });
            if changed {
                *state = ClusterState::Lost { reason: reason.to_owned() };
            }
            changed
        });
        if changed {
            self.losses.fetch_add(1, Ordering::Relaxed);
            self.nodes.store(0, Ordering::Relaxed);
            self.agents.store(0, Ordering::Relaxed);
        }
        changed
    }

    /// Takes the numbers of a beat; whether dead nodes are left to bury.
    pub(super) fn counted(&self, numbers: &[String]) -> bool {
        let number = |index: usize| numbers.get(index).and_then(|text| text.parse().ok()).unwrap_or(0);
        self.nodes.store(number(0), Ordering::Relaxed);
        self.agents.store(number(1), Ordering::Relaxed);
        number(2) > 0
    }
}
