//! Names to addresses, always with a time limit.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ossa_peer::ResolveCandidate;

use crate::core::Core;
use crate::mdns;
use crate::names::Lookups;
use crate::shared::Shared;
use crate::url::Host;

/// Resolvers retry for up to 30 s; who waits for candidates has given up by then.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The addresses of a STUN or TURN server, IPv4 first.
pub(crate) async fn server(shared: &Shared, host: &Host, port: u16) -> Result<Vec<SocketAddr>, String> {
    let mut addresses = match host {
        Host::Ip(ip) => vec![*ip],
        Host::Name(name) => lookup(&shared.runtime.names.servers, name).await?,
    };
    addresses.sort_by_key(IpAddr::is_ipv6);
    Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

async fn lookup(lookups: &Lookups, name: &str) -> Result<Vec<IpAddr>, String> {
    // The look-up itself can't be interrupted; it stays behind on its thread.
    let found = tokio::time::timeout(TIME_LIMIT, lookups.find(name)).await;
    found.unwrap_or_else(|_| {
        Err(format!("the name '{name}' was not resolved within {} s", TIME_LIMIT.as_secs()))
    })
}

/// Names of remote candidates that are looked up at once for one peer. The other side makes them up, and each costs us a
/// task, a socket or a resolver thread; honest ones have a handful.
const MAX_LOOKUPS: usize = 16;

/// Resolves a remote candidate in the background. No answer means no candidate, never an error.
pub(crate) fn start(shared: &Arc<Shared>, core: &mut Core, request: ResolveCandidate) {
    if core.lookups >= MAX_LOOKUPS {
        tracing::debug!("too many remote candidates with names: one is ignored");
        core.connection.add_resolved_candidate(Instant::now(), request.token, &[]);
        return;
    }
    core.lookups += 1;
    let task = {
        let shared = shared.clone();
        async move {
            let found = candidate(&shared, &request.name).await;
            shared.run(|core, now| {
                core.lookups -= 1;
                let addresses = found.unwrap_or_else(|error| {
                    tracing::debug!(%error, "a remote candidate's name was not resolved");
                    Vec::new()
                });
                // Also without any: the connection waits for a limited number of names.
                core.connection.add_resolved_candidate(now, request.token, &addresses);
            });
        }
    };
    shared.executor.spawn(shared.clone().watch(task));
}

async fn candidate(shared: &Shared, name: &str) -> Result<Vec<IpAddr>, String> {
    let lookups = &shared.runtime.names.candidates;
    if !mdns::is_local(name) {
        return lookup(lookups, name).await;
    }
    let interfaces = shared.runtime.interfaces.get().map_err(|e| e.to_string())?;
    let found = mdns::lookup(name, &interfaces).await.unwrap_or_default();
    if found.is_empty() {
        // Some systems resolve such names themselves.
        return lookup(lookups, name).await;
    }
    Ok(found)
}
