//! Opening connections from an active candidate.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::base::TcpBase;
use super::framing::Deframer;
use super::serve;
use super::stream::Stream;
use crate::shared::Shared;

/// A host that has not answered by then is not going to: the system would go on for two minutes.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Begins to open the connections that checks ask for. `bind` is the address that they leave from, with any port.
pub(crate) fn start(shared: &Arc<Shared>, base: &Arc<TcpBase>, bind: SocketAddr) {
    let task = run(shared.clone(), base.clone(), bind);
    shared.executor.spawn(shared.clone().watch(task));
}

async fn run(shared: Arc<Shared>, base: Arc<TcpBase>, bind: SocketAddr) {
    // Dropped with it, which ends the attempts.
    let mut attempts = JoinSet::new();
    while let Some(wanted) = base.take_wanted() {
        for stream in wanted {
            attempts.spawn(shared.clone().watch(open(shared.clone(), base.clone(), stream, bind)));
        }
        tokio::select! {
            () = base.changed.notified() => {}
            Some(_) = attempts.join_next() => {}
        }
    }
}

async fn open(shared: Arc<Shared>, base: Arc<TcpBase>, stream: Arc<Stream>, bind: SocketAddr) {
    match timeout(CONNECT_TIME, connect(bind, stream.remote)).await {
        Ok(Ok(io)) => {
            let io = Arc::new(io);
            stream.connected(io.clone());
            // A task of its own: it has something to write when all attempts are over.
            let served = serve::run(shared.clone(), base, stream, io, Deframer::default());
            shared.executor.spawn(shared.clone().watch(served));
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TCP candidate can't be connected to");
            stream.close();
        }
        Err(_) => stream.close(),
    }
}

async fn connect(bind: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(bind)?;
    let stream = socket.connect(with_scope(remote, bind)).await?;
    serve::prepare(&stream)?;
    Ok(stream)
}

/// A link-local address means one of our own interface.
fn with_scope(remote: SocketAddr, bind: SocketAddr) -> SocketAddr {
    match (remote, bind) {
        (SocketAddr::V6(mut remote), SocketAddr::V6(bind)) if remote.ip().is_unicast_link_local() => {
            remote.set_scope_id(bind.scope_id());
            remote.into()
        }
        (remote, _) => remote,
    }
}
