//! A port at which TCP connections are accepted. The first message on each must be a check of a peer that is known here; until it
//! has come, nothing but a little of time and memory is given to a connection.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::first::addressee;
use super::owner::Owner;
use crate::tcp::Deframer;

/// Connections that have not said yet whose they are. A peer needs a round trip for it, so this is thousands of connections per
/// second; beyond it the oldest go, which are those that take their time.
const MAX_PENDING: usize = 512;

/// Of these, from one address (of IPv6: one /64, which is what a site has): so that one who opens many does not push out all others.
const MAX_PENDING_PER_SITE: usize = 32;

/// Time for the first message.
const FIRST_TIME: Duration = Duration::from_secs(5);

/// Bytes of the first message at most: a check has about 100.
const MAX_FIRST: usize = 2_048;

/// Connections that the system holds until they are accepted: a burst of as many peers is taken in without any having to try again.
const BACKLOG: i32 = 1_024;

/// When the process has no descriptors left, accepting is tried again after this.
const EXHAUSTED_TIME: Duration = Duration::from_millis(100);

/// A port with the peers that are found at it. Closed when it is dropped.
pub(crate) struct TcpPort {
    inner: Arc<Inner>,
    task: AbortHandle,
}

struct Inner {
    listener: TcpListener,
    local: SocketAddr,
    owners: Mutex<HashMap<String, Arc<dyn Owner>>>,
}

impl TcpPort {
    /// Opens a port. `keep` lives as long as it is open.
    pub(crate) fn bind(
        executor: &Handle,
        address: SocketAddr,
        keep: impl Send + 'static,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Connections of an earlier process that are still being ended don't keep the port from being opened. On Windows this would
        // let two programs have the same one.
        #[cfg(not(windows))]
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = {
            let _context = executor.enter();
            TcpListener::from_std(socket.into())?
        };
        let bound = listener.local_addr()?;
        let local = SocketAddr::new(bound.ip(), bound.port());
        let inner = Arc::new(Inner { listener, local, owners: Mutex::default() });
        // Only borrowed by its task: the port is closed at the moment when the last peer goes, so that it can be opened again.
        let accepting = accept(Arc::downgrade(&inner));
        let task = executor.spawn(async move {
            let _keep = keep;
            accepting.await;
        });
        Ok(Self { inner, task: task.abort_handle() })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.inner.local
    }

    /// From now on connections that begin with a check for `ufrag` are given to `owner`.
    pub(crate) fn register(&self, ufrag: &str, owner: Arc<dyn Owner>) {
        self.inner.owners.lock().insert(ufrag.to_owned(), owner);
    }

    pub(crate) fn forget(&self, ufrag: &str) {
        self.inner.owners.lock().remove(ufrag);
    }
}

impl std::fmt::Debug for TcpPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TcpPort").field("local", &self.inner.local).finish_non_exhaustive()
    }
}

impl Drop for TcpPort {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(inner: Weak<Inner>) {
    let mut tasks = JoinSet::new();
    let mut pending = Pending::default();
    loop {
        let next = poll_fn(|cx| match inner.upgrade() {
            Some(inner) => inner.listener.poll_accept(cx).map(Some),
            None => Poll::Ready(None),
        });
        tokio::select! {
            accepted = next => match accepted {
                Some(Ok((stream, remote))) => {
                    // Without an IPv6 scope, as ICE knows it.
                    let remote = SocketAddr::new(remote.ip(), remote.port());
                    pending.make_room(site(remote.ip()));
                    let task = tasks.spawn(introduce(inner.clone(), stream, remote));
                    pending.0.push_back((site(remote.ip()), task));
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "a TCP connection can't be accepted");
                    sleep(EXHAUSTED_TIME).await;
                }
                None => return,
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// Connections whose first message has not come, the oldest first.
#[derive(Default)]
struct Pending(VecDeque<(IpAddr, AbortHandle)>);

impl Pending {
    fn make_room(&mut self, site: IpAddr) {
        self.0.retain(|(_, task)| !task.is_finished());
        let of_site = self.0.iter().filter(|(from, _)| *from == site).count();
        let oldest = match () {
            () if of_site >= MAX_PENDING_PER_SITE => self.0.iter().position(|(from, _)| *from == site),
            () if self.0.len() >= MAX_PENDING => Some(0),
            () => None,
        };
        if let Some((_, task)) = oldest.and_then(|index| self.0.remove(index)) {
            task.abort();
        }
    }
}

/// What one attacker has for itself.
fn site(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// Waits for the first message of a connection and gives it to whose it is.
async fn introduce(inner: Weak<Inner>, stream: TcpStream, remote: SocketAddr) {
    let first = timeout(FIRST_TIME, first_message(&stream)).await;
    let Ok(Ok((ufrag, input))) = first else { return };
    let Some(inner) = inner.upgrade() else { return };
    let (owner, local) = (inner.owners.lock().get(&ufrag).cloned(), inner.local);
    drop(inner);
    if let Some(owner) = owner
        && let Ok(stream) = stream.into_std()
    {
        owner.take_stream(local, remote, stream, input);
    }
}

/// The fragment that the first message names, and all that was read with it.
async fn first_message(stream: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut input = Vec::new();
    let mut chunk = [0; MAX_FIRST];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut chunk[input.len()..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => {
                let end = input.len() + bytes;
                input.extend_from_slice(&chunk[input.len()..end]);
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        let mut first = None;
        let mut deframer = Deframer::default();
        deframer.feed(&input, &mut |message| {
            first.get_or_insert_with(|| addressee(message));
        });
        match first {
            Some(Some(ufrag)) => return Ok((ufrag, input)),
            Some(None) => return Err(io::ErrorKind::InvalidData.into()),
            None if deframer.announced().is_some_and(|length| length > MAX_FIRST)
                || input.len() == MAX_FIRST =>
            {
                return Err(io::ErrorKind::InvalidData.into());
            }
            None => {}
        }
    }
}

/// Opens `make_address(port)` with any port, or with one of a range.
pub(crate) fn listen_in_range(
    executor: &Handle,
    range: Option<(u16, u16)>,
    make_address: impl Fn(u16) -> SocketAddr,
) -> io::Result<TcpPort> {
    let Some((first, last)) = range else {
        return TcpPort::bind(executor, make_address(0), ());
    };
    for port in first..=last {
        match TcpPort::bind(executor, make_address(port), ()) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
            other => return other,
        }
    }
    let what = format!(
        "all TCP ports from {first} to {last} are taken: widen tcpPortRange or close other connections"
    );
    Err(io::Error::new(io::ErrorKind::AddrInUse, what))
}
