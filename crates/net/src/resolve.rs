//! Names to addresses, always with a time limit.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ossa_peer::ResolveCandidate;

use crate::shared::Shared;
use crate::url::Host;

/// Resolvers retry for up to 30 s; who waits for candidates has given up by then.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// A name with more addresses than this is cut off: each one is a candidate to be checked.
const MAX_ADDRESSES: usize = 8;

/// The addresses of a STUN or TURN server, IPv4 first.
pub(crate) async fn server(host: &Host, port: u16) -> Result<Vec<SocketAddr>, String> {
    let mut addresses = match host {
        Host::Ip(ip) => vec![*ip],
        Host::Name(name) => lookup(name).await?,
    };
    addresses.sort_by_key(IpAddr::is_ipv6);
    Ok(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

async fn lookup(name: &str) -> Result<Vec<IpAddr>, String> {
    // The look-up itself can't be interrupted; it stays behind on a resolver thread.
    match tokio::time::timeout(TIME_LIMIT, tokio::net::lookup_host((name, 0))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<IpAddr> = found.map(|a| a.ip()).collect();
            addresses.truncate(MAX_ADDRESSES);
            Ok(addresses)
        }
        Ok(Err(error)) => Err(format!("the name '{name}' was not found: {error}")),
        Err(_) => Err(format!("the name '{name}' was not resolved within {} s", TIME_LIMIT.as_secs())),
    }
}

/// Resolves a remote candidate in the background. No answer means no candidate, never an error.
pub(crate) fn start(shared: &Arc<Shared>, request: ResolveCandidate) {
    let shared = shared.clone();
    shared.executor.clone().spawn(async move {
        if let Ok(addresses) = lookup(&request.name).await {
            shared.run(|core, now| core.connection.add_resolved_candidate(now, request.token, &addresses));
        }
    });
}
