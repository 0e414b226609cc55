//! A UDP port that many peers share.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use parking_lot::Mutex;
use stun_proto::types::message::TransactionId;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::owner::Owner;
use super::table::{Destination, OwnerId, Table};
use crate::datagrams::Received;
use crate::socket::{RecvBuffers, Sent, UdpSocket};

/// Most bytes received before others of the shard get their turn, as with a peer's own socket.
const RECEIVE_BUDGET: usize = 1 << 20;

/// A socket with the peers that are found at it. Closed when the last of them lets go of it.
pub(crate) struct UdpPort {
    socket: UdpSocket,
    table: Mutex<Table>,
    /// Peers that wait for room.
    waiting: Mutex<Vec<Waker>>,
    task: Mutex<Task>,
}

#[derive(Default)]
struct Task {
    waker: Option<Waker>,
    handle: Option<AbortHandle>,
}

impl UdpPort {
    /// Opens a port. `keep` lives as long as it is open.
    pub(crate) fn bind(
        executor: &Handle,
        address: SocketAddr,
        keep: impl Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let socket = {
            let _context = executor.enter();
            UdpSocket::bind(address)?
        };
        let port = Arc::new(Self {
            socket,
            table: Mutex::default(),
            waiting: Mutex::default(),
            task: Mutex::default(),
        });
        // Only borrowed by its task: the socket is closed at the moment when the last peer goes, so that it can be opened again.
        let weak = Arc::downgrade(&port);
        let task = executor.spawn(async move {
            let _keep = keep;
            poll_fn(|cx| poll(&weak, cx)).await;
        });
        port.task.lock().handle = Some(task.abort_handle());
        Ok(port)
    }

    pub(crate) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    pub(crate) fn add(&self, owner: Arc<dyn Owner>) -> OwnerId {
        self.table.lock().add(owner)
    }

    pub(crate) fn remove(&self, id: OwnerId) {
        self.table.lock().remove(id);
    }

    /// From now on checks for `ufrag` are given to this peer.
    pub(crate) fn register(&self, ufrag: &str, id: OwnerId) {
        self.table.lock().name(ufrag, id);
    }

    pub(crate) fn forget(&self, ufrag: &str) {
        self.table.lock().forget_name(ufrag);
    }

    /// The answer to this question to a STUN server is this peer's.
    pub(crate) fn ask(&self, question: TransactionId, id: OwnerId) {
        self.table.lock().ask(question, id);
    }

    pub(crate) fn forget_question(&self, question: TransactionId) {
        self.table.lock().forget_question(question);
    }

    /// Sends datagrams of `segment` bytes each (the last may be shorter) without blocking.
    pub(crate) fn try_send(&self, id: OwnerId, remote: SocketAddr, data: &[u8], segment: usize) -> Sent {
        let opens = matches!(data, [0..=3, ..]);
        if !self.table.lock().may_send(Instant::now(), remote, id, opens) {
            return Sent::Refused;
        }
        self.socket.try_send(remote, data, segment)
    }

    /// Sends like [`Self::try_send`] as soon as the socket takes it. Until then `sent` counts the bytes.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        remote: SocketAddr,
        data: &[u8],
        segment: usize,
        sent: &mut usize,
    ) -> Poll<()> {
        // Before the attempt: room that comes in between wakes us.
        self.waiting.lock().push(cx.waker().clone());
        match self.socket.try_send(remote, &data[*sent..], segment) {
            Sent::Blocked(bytes) => {
                *sent += bytes;
                self.wake_task();
                Poll::Pending
            }
            Sent::Done | Sent::Refused => {
                *sent = data.len();
                Poll::Ready(())
            }
        }
    }

    fn wake_task(&self) {
        if let Some(waker) = &self.task.lock().waker {
            waker.wake_by_ref();
        }
    }

    fn drive(&self, cx: &mut Context<'_>) {
        {
            let mut task = self.task.lock();
            if !task.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                task.waker = Some(cx.waker().clone());
            }
        }
        if !self.waiting.lock().is_empty() && self.socket.poll_writable(cx).is_ready() {
            std::mem::take(&mut *self.waiting.lock()).into_iter().for_each(Waker::wake);
        }
        let mut budget = RECEIVE_BUDGET;
        while budget > 0 {
            let received = RecvBuffers::with(|buffers| {
                let count = self.socket.poll_recv(cx, buffers);
                count.map(|count| self.deliver(buffers, count))
            });
            match received {
                Poll::Ready(bytes) => budget = budget.saturating_sub(bytes.max(1)),
                Poll::Pending => return,
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Hands out what has been received: runs of one peer together, as its lock is taken for each.
    fn deliver(&self, buffers: &RecvBuffers, count: usize) -> usize {
        let now = Instant::now();
        let mut bytes = 0;
        let mut run: Option<(OwnerId, Arc<dyn Owner>, Vec<Received<'_>>)> = None;
        for received in buffers.received(count) {
            bytes += received.data.len();
            // A check may be the last of a run of other datagrams from there.
            let holds_check = received.datagrams().any(|datagram| matches!(datagram, [0, 1, ..]));
            let pieces = if holds_check {
                received.datagrams().map(|d| received.only(d)).collect()
            } else {
                vec![received]
            };
            for piece in pieces {
                let destination = self.table.lock().destination(now, piece.remote, piece.data);
                match destination {
                    Destination::Owner(id, owner) => match &mut run {
                        Some((of, _, list)) if *of == id => list.push(piece),
                        _ => {
                            self.hand_over(run.replace((id, owner, vec![piece])));
                        }
                    },
                    Destination::Introduced(id, owner) => {
                        self.hand_over(run.take());
                        if owner.take_datagrams(self.socket.local(), &[piece]) {
                            self.table.lock().claim(now, piece.remote, id);
                        }
                    }
                    Destination::Nobody => {}
                }
            }
        }
        self.hand_over(run);
        bytes
    }

    fn hand_over(&self, run: Option<(OwnerId, Arc<dyn Owner>, Vec<Received<'_>>)>) {
        if let Some((_, owner, list)) = run {
            owner.take_datagrams(self.socket.local(), &list);
        }
    }
}

fn poll(port: &Weak<UdpPort>, cx: &mut Context<'_>) -> Poll<()> {
    let Some(port) = port.upgrade() else { return Poll::Ready(()) };
    port.drive(cx);
    Poll::Pending
}

impl std::fmt::Debug for UdpPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UdpPort").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Drop for UdpPort {
    fn drop(&mut self) {
        if let Some(task) = &self.task.get_mut().handle {
            task.abort();
        }
    }
}
