//! TURN.
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use ossa_peer::LocalCandidate;

use crate::config::IceServer;
use crate::link::{Link, Pending};
use crate::shared::Shared;
use crate::socket::Sent;
use crate::url::IceServerUrl;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    username: String,
    credential: String,
}
impl Credentials {
    pub(crate) fn new(server: &IceServer) -> Option<Self> {
        Some(Self { username: server.username.clone()?, credential: server.credential.clone()? })
    }
}
pub(crate) struct TurnServer {
    pub(crate) url: IceServerUrl,
    pub(crate) credentials: Credentials,
}
#[derive(Debug)]
pub(crate) struct Relay {
    candidate: LocalCandidate,
}
pub(crate) struct TurnError {
    pub(crate) code: u16,
    pub(crate) text: String,
    pub(crate) local: Option<SocketAddr>,
}
impl Relay {
    pub(crate) fn relayed(&self) -> SocketAddr {
        self.candidate.addr
    }
    pub(crate) fn candidate(&self) -> &LocalCandidate {
        &self.candidate
    }
    pub(crate) fn try_send(&self, _: SocketAddr, _: &[u8], _: usize) -> Sent {
        Sent::Done
    }
    pub(crate) fn poll_send(&self, _: &mut Context<'_>, _: &mut Pending) -> Poll<()> {
        Poll::Ready(())
    }
    pub(crate) fn close(&self) {}
}
pub(crate) fn find(links: &[Link], url: &str, credentials: &Credentials) -> Option<Arc<Relay>> {
    let _ = (links, url, credentials);
    None
}
pub(crate) async fn allocate(
    shared: &Arc<Shared>,
    server: &TurnServer,
    addresses: &[SocketAddr],
) -> Result<Arc<Relay>, TurnError> {
    let _ = (shared, server, addresses);
    Err(TurnError { code: 701, text: String::new(), local: None })
}
