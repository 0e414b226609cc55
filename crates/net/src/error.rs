use std::io;

/// The code that W3C prescribes for a STUN or TURN server that can't be reached (`RTCPeerConnectionIceErrorEvent.errorCode`).
pub(crate) const UNREACHABLE: u16 = 701;

/// What can go wrong when a peer or a runtime is set up. Nothing that arrives from the network ends up here:
/// servers that fail are reported as [`ossa_peer::Event`]s, and datagrams that make no sense are dropped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused a thread, a socket or a poller.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted, with its arguments.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The runtime was shut down; make a new one.
    #[error("the network runtime was shut down: create the peer on a running one")]
    ShutDown,
    /// The connection refused its configuration.
    #[error(transparent)]
    Connection(#[from] ossa_peer::Error),
    /// A setting is out of its range.
    #[error("invalid {setting}: {reason}")]
    Config {
        /// The name of the field in [`crate::PeerConfig`].
        setting: &'static str,
        /// Its value and what is allowed.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }
}
