//! A TURN server, and why it gives no allocation.

use std::net::SocketAddr;

use ossa_peer::Fault;

use crate::config::Credentials;
use crate::error::UNREACHABLE;
use crate::url::IceServerUrl;

/// One URL of a TURN server.
#[derive(Debug)]
pub(crate) struct TurnServer {
    pub(crate) url: IceServerUrl,
    pub(crate) credentials: Credentials,
    /// A connection waits for it: requests are repeated soon.
    pub(crate) hasty: bool,
}

/// Why there is no allocation.
#[derive(Debug)]
pub(crate) struct TurnError {
    /// STUN error code (RFC 8489, section 14.8), or 701 if the server was not reached.
    pub(crate) code: u16,
    pub(crate) text: String,
    /// Our address towards the server.
    pub(crate) local: Option<SocketAddr>,
    /// Where the server sends us instead (300 Try Alternate).
    pub(super) alternate: Option<SocketAddr>,
    pub(crate) fault: Fault,
}

impl TurnError {
    pub(super) fn unreachable(text: impl Into<String>) -> Self {
        Self { code: UNREACHABLE, text: text.into(), local: None, alternate: None, fault: Fault::Unreachable }
    }
}
