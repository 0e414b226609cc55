//! Relayed candidates: allocations on TURN servers (RFC 8656) over UDP, TCP and TLS.
//!
//! An allocation is a task of its own. The peer hands its datagrams to its [`Relay`], whose queue the task empties; what
//! the server forwards, the task hands to the connection.

pub(crate) mod fuzz;
mod input;
mod output;
mod protocol;
mod refresh;
mod server;
mod session;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ossa_peer::LocalCandidate;
use stun_proto::types::attribute::ErrorCode;

use crate::attempts::Attempts;
use crate::config::Credentials;
use crate::error::UNREACHABLE;
use crate::link::Link;
use crate::relay::Relay;
use crate::shared::Shared;

pub(crate) use server::{TurnError, TurnServer};
use session::Session;

/// Connecting, the TLS handshake and the allocation together take no longer than this for one address of a server.
const ALLOCATE_TIME: Duration = Duration::from_secs(8);

/// Times that a server may send us elsewhere (300 Try Alternate).
const MAX_REDIRECTIONS: usize = 3;

/// Ports of ours that are tried on one address of a server when it takes each for that of an older allocation (437). RFC 8656,
/// section 7.4, asks for three.
const MAX_PORTS: usize = 3;

/// An allocation that a server has given before, if it is still there.
pub(crate) fn find(links: &[Link], url: &str, credentials: &Credentials) -> Option<Arc<Relay>> {
    let relay = |link: &Link| match link {
        Link::Relay(relay, _) if relay.is_from(url, credentials) => Some(relay.clone()),
        _ => None,
    };
    links.iter().find_map(relay)
}

/// Allocates on whichever of the server's addresses is the first to give something. The allocation lives until its [`Relay`] is closed.
pub(crate) async fn allocate(
    shared: &Arc<Shared>,
    server: &Arc<TurnServer>,
    addresses: &[SocketAddr],
    generation: u32,
) -> Result<Arc<Relay>, TurnError> {
    let mut attempts = Attempts::new(addresses);
    let mut redirections = 0;
    let mut error: Option<TurnError> = None;
    loop {
        let attempt = |address| {
            let (at, server) = (shared.clone(), server.clone());
            shared.clone().watch(async move { allocate_at(&at, &server, address, generation).await })
        };
        match attempts.next(attempt).await {
            Some(Ok(relay)) => {
                // One is enough: what the others still bring is given back.
                let late = |late: Result<Arc<Relay>, TurnError>| late.iter().for_each(|relay| relay.close());
                shared.executor.spawn(attempts.rest(late));
                return Ok(relay);
            }
            Some(Err(failed)) => {
                if let Some(alternate) = failed.alternate.filter(|_| redirections < MAX_REDIRECTIONS) {
                    redirections += 1;
                    attempts.insist(alternate);
                }
                // A refusal says more than silence.
                if error.as_ref().is_none_or(|e| e.code == UNREACHABLE) {
                    error = Some(failed);
                }
            }
            None => {
                return Err(
                    error.unwrap_or_else(|| TurnError::unreachable("the TURN server's name has no address"))
                );
            }
        }
    }
}

/// Allocates on one address of the server. A server may still keep an allocation for the port that we have just been given, left
/// behind by a client that has gone without a word: then another port is tried.
async fn allocate_at(
    shared: &Arc<Shared>,
    server: &TurnServer,
    address: SocketAddr,
    generation: u32,
) -> Result<Arc<Relay>, TurnError> {
    let (session, candidates) =
        tokio::time::timeout(ALLOCATE_TIME, open(shared, server, address)).await.unwrap_or_else(|_| {
            let seconds = ALLOCATE_TIME.as_secs();
            Err(TurnError::unreachable(format!(
                "the TURN server {address} did not answer within {seconds} s"
            )))
        })?;
    let relay = Arc::new(Relay::new(candidates, &server.url.url, &server.credentials, generation));
    let add = |candidate: &LocalCandidate| {
        shared.run(|core, _| core.add_link(Link::Relay(relay.clone(), candidate.addr)))
    };
    if !relay.candidates().iter().all(add) {
        // The peer was closed meanwhile: the session takes leave of the server at once.
        relay.close();
    }
    shared.executor.spawn(shared.clone().watch(session.run(relay.clone(), shared.clone())));
    Ok(relay)
}

/// A session with an allocation, from the first of a few ports that the server accepts.
async fn open(
    shared: &Arc<Shared>,
    server: &TurnServer,
    address: SocketAddr,
) -> Result<(Session, Vec<LocalCandidate>), TurnError> {
    // These stay open meanwhile, so that no port is tried twice.
    let mut refused: Vec<(Session, TurnError)> = Vec::new();
    loop {
        let mut session = match Session::connect(shared, server, address).await {
            Ok(session) => session,
            // No other port is to be had (`port_range`): what the server has said is the better explanation.
            Err(error) => return Err(refused.pop().map_or(error, |(_, mismatch)| mismatch)),
        };
        match session.allocate().await {
            Ok(candidates) => return Ok((session, candidates)),
            Err(error) if error.code == ErrorCode::ALLOCATION_MISMATCH && refused.len() + 1 < MAX_PORTS => {
                tracing::debug!(%address, "the TURN server knows our port from an older allocation");
                refused.push((session, error));
            }
            Err(error) => return Err(error),
        }
    }
}
