//! A peer, as the ports see it.

use std::net::{SocketAddr, TcpStream};

/// Takes what has come for a peer. Called without any lock of the port held.
pub(crate) trait Owner: Send + Sync {
    /// A connection to the port `local` whose first message names this peer; `input` is what was read from it so far.
    fn take_stream(&self, local: SocketAddr, remote: SocketAddr, stream: TcpStream, input: Vec<u8>);
}
