//! The peer's end of an allocation.

use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use ossa_peer::LocalCandidate;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::config::Credentials;
use crate::socket::Sent;

/// Bytes waiting for the allocation's task. Enough to keep a fast path busy between two runs of the task, small enough
/// that the queue adds no delay worth mentioning (10 ms at 25 MB/s).
const QUEUE_BYTES: usize = 256 * 1024;

/// An allocation on a TURN server: an address there, or one of each family.
#[derive(Debug)]
pub(crate) struct Relay {
    candidates: Vec<LocalCandidate>,
    url: String,
    credentials: Credentials,
    queue: Mutex<Queue>,
    /// Signalled when the queue has something, or the relay was closed.
    pub(crate) changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    outgoing: Outgoing,
    /// The ICE generation that it was made for.
    generation: u32,
    /// When it is given back, if its generation is over.
    retires: Option<Instant>,
    closed: bool,
    stalled: bool,
    /// The server is to be asked whether it is still there.
    doubted: bool,
    /// The server does not accept the credentials any more.
    refused: bool,
    /// When the server last said that it is there.
    confirmed: Option<Instant>,
    /// The driver, if it waits for room.
    waiting: Option<Waker>,
}

/// Datagrams in order.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    data: Vec<u8>,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    remote: SocketAddr,
    len: usize,
    segment: usize,
}

impl Outgoing {
    pub(crate) fn for_each(&self, mut f: impl FnMut(SocketAddr, &[u8])) {
        let mut data = &self.data[..];
        for run in &self.runs {
            let (datagrams, rest) = data.split_at(run.len);
            datagrams.chunks(run.segment).for_each(|datagram| f(run.remote, datagram));
            data = rest;
        }
    }

    fn clear(&mut self) {
        self.data.clear();
        self.runs.clear();
    }
}

impl Relay {
    pub(crate) fn new(
        candidates: Vec<LocalCandidate>,
        url: &str,
        credentials: &Credentials,
        generation: u32,
    ) -> Self {
        Self {
            candidates,
            url: url.to_owned(),
            credentials: credentials.clone(),
            queue: Mutex::new(Queue { generation, ..Queue::default() }),
            changed: Notify::new(),
        }
    }

    pub(crate) fn is_from(&self, url: &str, credentials: &Credentials) -> bool {
        self.url == url && self.credentials == *credentials && !self.queue.lock().closed
    }

    /// Whether it is on the server with this URL.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        self.url == url
    }

    pub(crate) fn generation(&self) -> u32 {
        self.queue.lock().generation
    }

    /// Its path is silent: the server is asked whether the allocation is still there.
    pub(crate) fn doubt(&self) {
        self.queue.lock().doubted = true;
        self.changed.notify_one();
    }

    pub(crate) fn is_doubted(&self) -> bool {
        std::mem::take(&mut self.queue.lock().doubted)
    }

    pub(crate) fn confirm(&self, now: Instant) {
        self.queue.lock().confirmed = Some(now);
    }

    /// When the server last said that it is still there, if it was asked.
    pub(crate) fn confirmed(&self) -> Option<Instant> {
        self.queue.lock().confirmed
    }

    /// Its credentials were refused. True the first time.
    pub(crate) fn refuse(&self) -> bool {
        !std::mem::replace(&mut self.queue.lock().refused, true)
    }

    /// Another generation goes on with it.
    pub(crate) fn adopt(&self, generation: u32) {
        let mut queue = self.queue.lock();
        (queue.generation, queue.retires) = (generation, None);
    }

    /// Its generation is over: it is given back at this time.
    pub(crate) fn retire(&self, at: Instant) {
        self.queue.lock().retires.get_or_insert(at);
        self.changed.notify_one();
    }

    pub(crate) fn retires(&self) -> Option<Instant> {
        self.queue.lock().retires
    }

    pub(crate) fn candidates(&self) -> &[LocalCandidate] {
        &self.candidates
    }

    /// The address on the server that a peer's datagrams have come to: that of the peer's family.
    pub(crate) fn reached_by(&self, peer: SocketAddr) -> Option<SocketAddr> {
        self.candidates.iter().map(|c| c.addr).find(|addr| addr.is_ipv4() == peer.is_ipv4())
    }

    /// Queues datagrams of `segment` bytes each (the last may be shorter).
    pub(crate) fn try_send(&self, remote: SocketAddr, data: &[u8], segment: usize) -> Sent {
        let mut queue = self.queue.lock();
        if queue.closed {
            return Sent::Done;
        }
        if queue.outgoing.data.len() >= QUEUE_BYTES {
            // A server that takes nothing for a second mustn't stop the peer's other paths: its datagrams are lost.
            return if queue.stalled { Sent::Done } else { Sent::Blocked(0) };
        }
        queue.outgoing.data.extend_from_slice(data);
        queue.outgoing.runs.push(Run { remote, len: data.len(), segment: segment.max(1) });
        drop(queue);
        self.changed.notify_one();
        Sent::Done
    }

    /// Queues datagrams like [`Self::try_send`] as soon as there is room.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        remote: SocketAddr,
        data: &[u8],
        segment: usize,
    ) -> Poll<()> {
        match self.try_send(remote, data, segment) {
            Sent::Done | Sent::Refused => Poll::Ready(()),
            Sent::Blocked(_) => {
                let mut queue = self.queue.lock();
                if queue.outgoing.data.len() < QUEUE_BYTES {
                    // Emptied between the two locks.
                    cx.waker().wake_by_ref();
                }
                queue.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.lock().closed
    }

    /// Takes everything that is queued, in exchange for an empty buffer.
    pub(crate) fn take(&self, into: &mut Outgoing) {
        into.clear();
        let mut queue = self.queue.lock();
        std::mem::swap(&mut queue.outgoing, into);
        let waiting = queue.waiting.take();
        drop(queue);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    /// While stalled, what doesn't fit is lost.
    pub(crate) fn set_stalled(&self, stalled: bool) {
        let mut queue = self.queue.lock();
        if queue.stalled == stalled {
            return;
        }
        queue.stalled = stalled;
        let waiting = queue.waiting.take();
        drop(queue);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    /// Ends the allocation.
    pub(crate) fn close(&self) {
        let mut queue = self.queue.lock();
        queue.closed = true;
        let waiting = queue.waiting.take();
        drop(queue);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
        self.changed.notify_one();
    }
}
