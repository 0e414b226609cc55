//! A peer, as the ports see it.

use std::net::{SocketAddr, TcpStream};

use crate::datagrams::Received;

/// Takes what has come for a peer. Called without any lock of the port held, and never panics.
pub(crate) trait Owner: Send + Sync {
    /// A connection to the port `local` whose first message names this peer; `input` is what was read from it so far.
    fn take_stream(&self, local: SocketAddr, remote: SocketAddr, stream: TcpStream, input: Vec<u8>);

    /// Datagrams at the port `local`. Whether any of them was the peer's.
    fn take_datagrams(&self, local: SocketAddr, received: &[Received<'_>]) -> bool;
}
