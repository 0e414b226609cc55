//! A TCP candidate of ours, and the connections of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::ACTIVE_PORT;
use super::stream::Stream;
use crate::socket::Sent;

/// Connections of one candidate that are kept. A peer needs as many as it has addresses that reach this one; further ones take
/// the place of those that have been silent for longest.
const MAX_STREAMS: usize = 64;

/// An address of ours: connections are opened from it, or accepted at it.
#[derive(Debug)]
pub(crate) struct TcpBase {
    local: SocketAddr,
    streams: Mutex<HashMap<SocketAddr, Arc<Stream>>>,
    wanted: Mutex<Wanted>,
    /// Signalled when a connection is to be opened, or the candidate is gone.
    pub(super) changed: Notify,
}

#[derive(Debug, Default)]
struct Wanted {
    streams: Vec<Arc<Stream>>,
    closed: bool,
}

impl TcpBase {
    /// `local` is the address as the connection knows it.
    pub(crate) fn new(local: SocketAddr) -> Self {
        Self { local, streams: Mutex::default(), wanted: Mutex::default(), changed: Notify::new() }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether connections are opened from here. Others are accepted here.
    pub(crate) fn is_active(&self) -> bool {
        self.local.port() == ACTIVE_PORT
    }

    /// Sends datagrams of `segment` bytes each (the last may be shorter) without blocking. A check opens the connection for it, if that is
    /// for us to do; all else is lost without one, as it would be over UDP.
    pub(crate) fn try_send(&self, remote: SocketAddr, data: &[u8], segment: usize) -> Sent {
        match self.stream_for(remote, data) {
            Some(stream) => stream.try_send(data, segment),
            None => Sent::Done,
        }
    }

    /// Sends like [`Self::try_send`] as soon as there is room.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        remote: SocketAddr,
        data: &[u8],
        segment: usize,
    ) -> Poll<()> {
        match self.stream_for(remote, data) {
            Some(stream) => stream.poll_send(cx, data, segment),
            None => Poll::Ready(()),
        }
    }

    fn stream_for(&self, remote: SocketAddr, data: &[u8]) -> Option<Arc<Stream>> {
        let mut streams = self.streams.lock();
        let existing = streams.get(&remote);
        // RFC 7983: STUN is told by the first byte.
        let opens = self.is_active() && matches!(data, [0..=3, ..]);
        let now = Instant::now();
        if !opens || existing.is_some_and(|stream| !stream.is_spent(now)) {
            return existing.cloned();
        }
        if let Some(spent) = existing {
            spent.close();
        }
        let stream = Arc::new(Stream::new(remote, None));
        insert(&mut streams, stream.clone());
        let mut wanted = self.wanted.lock();
        if wanted.closed {
            return None;
        }
        wanted.streams.push(stream.clone());
        self.changed.notify_one();
        Some(stream)
    }

    /// Connections to be opened; `None` if the candidate is gone.
    pub(super) fn take_wanted(&self) -> Option<Vec<Arc<Stream>>> {
        let mut wanted = self.wanted.lock();
        (!wanted.closed).then(|| std::mem::take(&mut wanted.streams))
    }

    /// A connection that the peer has opened. False if the candidate is gone.
    pub(super) fn add(&self, stream: Arc<Stream>) -> bool {
        let mut streams = self.streams.lock();
        if self.wanted.lock().closed {
            return false;
        }
        insert(&mut streams, stream);
        true
    }

    /// A connection has ended. One that was refused stays, so that it is not tried again at once.
    pub(super) fn ended(&self, stream: &Arc<Stream>) {
        let mut streams = self.streams.lock();
        let same = streams.get(&stream.remote).is_some_and(|known| Arc::ptr_eq(known, stream));
        if same && !self.is_active() {
            streams.remove(&stream.remote);
        }
    }

    /// Ends all connections.
    pub(crate) fn close(&self) {
        let mut streams = self.streams.lock();
        let mut wanted = self.wanted.lock();
        (wanted.closed, wanted.streams) = (true, Vec::new());
        streams.drain().for_each(|(_, stream)| stream.close());
        self.changed.notify_one();
    }
}

fn insert(streams: &mut HashMap<SocketAddr, Arc<Stream>>, stream: Arc<Stream>) {
    if streams.len() >= MAX_STREAMS && !streams.contains_key(&stream.remote) {
        let silent = streams.values().min_by_key(|s| (!s.is_closed(), s.last_heard())).cloned();
        if let Some(silent) = silent {
            silent.close();
            streams.remove(&silent.remote);
        }
    }
    streams.insert(stream.remote, stream);
}
