//! The option `cluster` of a signaling server, as `ts/signaling/server/cluster.ts` gives it, and what it counts.

use std::time::Duration;

use napi::Result;
use napi_derive::napi;
use ossa_signaling::{ClusterConfig, ClusterStats, code};

use super::client_options::{certificates, identity};
use crate::base::agent_error::coded;

/// Other servers to share agents, rooms and messages with; durations in milliseconds, sizes in bytes.
#[napi(object, object_to_js = false)]
pub struct SignalingClusterOptions {
    /// URL of the Redis server.
    pub redis: String,
    /// Begins all keys.
    pub prefix: String,
    /// PEM certificates of authorities to trust besides the system's.
    pub ca: Option<String>,
    /// PEM certificate chain for a Redis server that asks for one; with `key`.
    pub cert: Option<String>,
    /// PEM private key.
    pub key: Option<String>,
    /// A server that Redis has not heard for so long is dead.
    pub lease: Option<u32>,
    /// Redis is lost when it does not answer for so long.
    pub timeout: Option<u32>,
    /// Most bytes waiting for Redis.
    pub max_queue_bytes: Option<u32>,
}

impl SignalingClusterOptions {
    pub(super) fn resolve(self) -> Result<ClusterConfig> {
        let config = ClusterConfig::new(&self.redis, &self.prefix)
            .map_err(|error| coded(code::INVALID_MESSAGE, error))?;
        let time = |given: Option<u32>, default| given.map_or(default, |ms| Duration::from_millis(ms.into()));
        Ok(ClusterConfig {
            lease: time(self.lease, config.lease),
            timeout: time(self.timeout, config.timeout),
            max_queue_bytes: self.max_queue_bytes.map_or(config.max_queue_bytes, |bytes| bytes as usize),
            extra_roots: self.ca.map_or(Ok(Vec::new()), |pem| certificates(&pem, "cluster.ca"))?,
            identity: identity(self.cert, self.key)?,
            ..config
        })
    }
}

/// A cluster as one of its servers sees it.
#[napi(object, object_from_js = false)]
pub struct SignalingClusterStats {
    /// `connecting`, `connected` or `lost`.
    pub state: String,
    /// Why it is lost.
    pub reason: Option<String>,
    /// Servers alive.
    pub nodes: f64,
    /// Agents of all of them.
    pub agents: f64,
    /// Times that Redis was lost.
    pub losses: f64,
    /// Messages for other servers.
    pub sent: f64,
    /// Messages from other servers.
    pub received: f64,
    /// What this release does not know.
    pub unknown: f64,
    /// Bytes waiting for Redis.
    pub queued_bytes: f64,
}

impl From<ClusterStats> for SignalingClusterStats {
    fn from(stats: ClusterStats) -> Self {
        let (state, reason) = stats.state.describe();
        Self {
            state: state.to_owned(),
            reason: reason.map(str::to_owned),
            nodes: stats.nodes as f64,
            agents: stats.agents as f64,
            losses: stats.losses as f64,
            sent: stats.sent as f64,
            received: stats.received as f64,
            unknown: stats.unknown as f64,
            queued_bytes: stats.queued_bytes as f64,
        }
    }
}
