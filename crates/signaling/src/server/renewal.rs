//! New TURN credentials for agents before their old ones expire.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::registry::Outgoing;
use super::{Phase, Shared, closing};
use crate::control::ServerFrame;

/// Sends `ice-servers` to every agent whose credentials are half-way through their life.
///
/// One task for all agents, which looks around eight times in a life: new ones come after a half to five eighths of it.
pub(super) async fn run(shared: Arc<Shared>, ttl: Duration, mut shutdown: watch::Receiver<Phase>) {
    loop {
        tokio::select! {
            () = sleep(ttl / 8) => {}
            () = closing(&mut shutdown) => return,
        }
        for (agent, handle) in shared.registry.credentials_older_than(ttl / 2, Instant::now()) {
            let ice_servers = shared.ice_servers(&agent, handle.dialled());
            let frame = ServerFrame::IceServers { agent_id: agent, ice_servers, ttl: ttl.as_secs() };
            // One that does not read is being disconnected.
            let _ = handle.push(Outgoing::Text(frame.to_json().into()));
        }
    }
}
