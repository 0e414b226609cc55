//! A UDP socket that sends and receives many datagrams per system call where the kernel can (`sendmsg` with UDP_SEGMENT,
//! `recvmmsg` with UDP_GRO), and one by one elsewhere. `quinn-udp` knows which.

use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::datagrams::Received;
use crate::fragmentation;
use crate::readiness::Watched;
use crate::socket_options;

/// Kernel buffers read per system call. 8 of up to 64 KiB each are enough to make the call cheap, and small enough to
/// stay in the processor's cache until they are decrypted.
pub(crate) const BATCH: usize = 8;

/// The largest run of datagrams the kernel hands out in one buffer with GRO, and the largest UDP datagram.
const BUFFER: usize = 65_536;

/// Most bytes in one `sendmsg` with segmentation: one IPv4 datagram's worth.
const MAX_GSO_BYTES: usize = 65_000;

/// Datagrams of up to this size fit into the MTU of every interface (IPv6's minimum, less its header and UDP's).
const SAFE_DATAGRAM: usize = 1_232;

/// Errors in a row after which a socket is given up. Each reports another lost datagram at most.
const MAX_RECV_ERRORS: u32 = 1_000;

/// A bound, non-blocking socket. Any thread may send; the shard receives, or whoever it is lent to.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    io: Watched,
    state: UdpSocketState,
    /// As bound, with the real port and without the scope.
    local: SocketAddr,
    /// Scope for link-local destinations, 0 otherwise.
    scope: u32,
    /// The largest datagram that the interface has taken, and where it went.
    proven: Mutex<Option<(SocketAddr, usize)>>,
    /// Held from reading a batch until it is handled, see [`Self::in_order`].
    reading: Mutex<()>,
}

/// What became of a run of datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Handed to the kernel, or lost for a reason that is the network's own (no route, too big).
    Done,
    /// The socket's buffer is full. The first this many bytes went out; offer the others again.
    Blocked(usize),
    /// Another peer of the same port talks to that address: nothing was sent.
    Refused,
}

impl UdpSocket {
    /// Binds to `address`. Must be called within a tokio runtime.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket_options::enlarge_buffers(&socket);
        socket_options::ignore_unreachable(&socket)?;
        socket.bind(&address.into())?;
        let state = UdpSocketState::new((&socket).into())?;
        let io = Watched::new(socket.into())?;
        let scope = match address {
            SocketAddr::V6(v6) => v6.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        let local = without_scope(io.local_addr()?);
        Ok(Self { io, state, local, scope, proven: Mutex::default(), reading: Mutex::default() })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Most datagrams that one system call can send.
    pub(crate) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends datagrams of `segment` bytes each (the last may be shorter) without blocking.
    pub(crate) fn try_send(&self, remote: SocketAddr, data: &[u8], segment: usize) -> Sent {
        let remote = self.with_scope(remote);
        let (mut sent, mut one_by_one) = (0, false);
        while sent < data.len() {
            let left = data.len() - sent;
            let alone = one_by_one || !self.is_proven(remote, segment);
            let run = if alone { left.min(segment) } else { self.run_length(left, segment) };
            let contents = &data[sent..sent + run];
            let segment_size = (run > segment).then_some(segment);
            match self.hand_over(remote, contents, segment_size) {
                Ok(()) => {
                    sent += run;
                    if run == segment {
                        self.prove(remote, segment);
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Sent::Blocked(sent),
                Err(e) if run > segment && self.segmentation_may_be_at_fault(&e) => {
                    one_by_one = true;
                }
                Err(error) => {
                    log_send_error(&error, run.min(segment));
                    // What follows may be shorter, and pass.
                    one_by_one = true;
                    sent += run;
                }
            }
        }
        Sent::Done
    }

    /// One datagram, or a run of them in one system call.
    fn hand_over(&self, remote: SocketAddr, contents: &[u8], segment_size: Option<usize>) -> io::Result<()> {
        // Alone it needs nothing that only `sendmsg` can say, and the kernel has less to copy and to check.
        if cfg!(unix) && segment_size.is_none() {
            return self.io.send_to(contents, remote);
        }
        let transmit =
            quinn_udp::Transmit { destination: remote, ecn: None, contents, segment_size, src_ip: None };
        self.state.try_send(self.io.socket(), &transmit)
    }

    /// Whether the datagrams of a run that failed may pass one by one. On Linux, quinn-udp has found that segmentation doesn't work
    /// here, and has turned it off; or the path has changed to an interface with a smaller MTU. On Windows the driver decides, and
    /// those that fail (virtual adapters, VPN clients) have no error in common.
    fn segmentation_may_be_at_fault(&self, error: &io::Error) -> bool {
        cfg!(windows) || self.max_segments() == 1 || quinn_udp::is_msg_size_err(error)
    }

    /// Whether datagrams of this size may be sent with segmentation. If they are too big for the interface, the kernel refuses
    /// all of the run (a probe for the path's MTU would take along what follows it); and older kernels with an error that
    /// quinn-udp takes for a reason to do without segmentation from then on. So a new size goes alone at first.
    fn is_proven(&self, remote: SocketAddr, segment: usize) -> bool {
        segment <= SAFE_DATAGRAM
            || self.proven.lock().is_some_and(|(to, size)| to == remote && segment <= size)
    }

    fn prove(&self, remote: SocketAddr, segment: usize) {
        if !self.is_proven(remote, segment) {
            *self.proven.lock() = Some((remote, segment));
        }
    }

    /// Sends one datagram, which may be fragmented on its way. Lost if the socket is full: it is repeated data anyway.
    pub(crate) fn send_fragmentable(&self, remote: SocketAddr, data: &[u8]) {
        fragmentation::while_allowed(&self.io, remote.is_ipv4(), || {
            self.try_send(remote, data, data.len());
        });
    }

    fn run_length(&self, left: usize, segment: usize) -> usize {
        let segments = self.max_segments().min(MAX_GSO_BYTES / segment.max(1)).max(1);
        left.min(segments * segment)
    }

    /// Sends like [`Self::try_send`] as soon as the socket takes it. Ready when all is gone; until then `sent` counts the bytes.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        remote: SocketAddr,
        data: &[u8],
        segment: usize,
        sent: &mut usize,
    ) -> Poll<()> {
        let done = self.io.poll_room(cx, || match self.try_send(remote, &data[*sent..], segment) {
            Sent::Done | Sent::Refused => {
                *sent = data.len();
                Ok(())
            }
            Sent::Blocked(bytes) => {
                *sent += bytes;
                Err(io::ErrorKind::WouldBlock.into())
            }
        });
        // An error means that the poller is gone: nothing can be sent any more.
        done.map(drop)
    }

    /// Ready once the socket has room again, for whoever has found it full.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        // An error means that the poller is gone: nothing can be sent any more.
        self.io.poll_writable(cx).map(drop)
    }

    /// Receives into up to [`BATCH`] buffers; [`RecvBuffers::deliver`] takes the count.
    pub(crate) fn poll_recv(&self, cx: &mut Context<'_>, buffers: &mut RecvBuffers) -> Poll<usize> {
        let received = self.io.poll_input(cx, BATCH, || self.recv(buffers));
        match ready!(received) {
            Ok(count) => Poll::Ready(count),
            Err(error) => {
                tracing::debug!(%error, "a socket can't receive any more");
                Poll::Pending
            }
        }
    }

    /// The same without waiting, for whoever has the socket on loan. `None` if there is nothing.
    pub(crate) fn try_recv(&self, buffers: &mut RecvBuffers) -> Option<usize> {
        self.recv(buffers).ok()
    }

    fn recv(&self, buffers: &mut RecvBuffers) -> io::Result<usize> {
        let mut attempts = 0;
        loop {
            match buffers.recv(&self.state, self.io.socket()) {
                // Some systems report here that an earlier datagram didn't reach its goal. The socket is none the worse.
                Err(e) if e.kind() != io::ErrorKind::WouldBlock && attempts < MAX_RECV_ERRORS => {
                    attempts += 1;
                }
                result => return result,
            }
        }
    }

    /// Reads and handles what was read as one: when a socket changes hands, a thread that has read and not handled yet must not be
    /// overtaken by the other one, to which what it reads would look lost. Taken before the lock of the peer.
    pub(crate) fn in_order<T>(&self, read_and_handle: impl FnOnce() -> T) -> T {
        let _turn = self.reading.lock();
        read_and_handle()
    }

    /// From now on somebody else waits for input, until [`Self::take_back`]. False if that can't be just now.
    pub(crate) fn lend(&self) -> bool {
        self.io.lend()
    }

    /// The shard waits for input again, when its task has run.
    pub(crate) fn take_back(&self) {
        self.io.take_back();
    }

    fn with_scope(&self, remote: SocketAddr) -> SocketAddr {
        match remote {
            SocketAddr::V6(mut v6) if self.scope != 0 && v6.ip().is_unicast_link_local() => {
                v6.set_scope_id(self.scope);
                v6.into()
            }
            remote => remote,
        }
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.io.as_raw_fd()
    }
}

/// The address as ICE knows it: candidates carry no IPv6 scope or flow.
fn without_scope(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

fn log_send_error(error: &io::Error, segment: usize) {
    // Too big for the interface: that is how path MTU discovery finds its upper bound.
    if !quinn_udp::is_msg_size_err(error) {
        tracing::debug!(%error, segment, "a datagram was not sent");
    }
}

/// Receive buffers, shared by all peers of a shard.
pub(crate) struct RecvBuffers {
    data: Vec<u8>,
    meta: [RecvMeta; BATCH],
}

impl RecvBuffers {
    fn new() -> Self {
        Self { data: vec![0; BATCH * BUFFER], meta: [RecvMeta::default(); BATCH] }
    }

    /// Runs `f` with the buffers of this thread. Must not be nested.
    pub(crate) fn with<R>(f: impl FnOnce(&mut Self) -> R) -> R {
        thread_local! {
            static BUFFERS: RefCell<RecvBuffers> = RefCell::new(RecvBuffers::new());
        }
        BUFFERS.with_borrow_mut(f)
    }

    fn recv(&mut self, state: &UdpSocketState, socket: UdpSockRef<'_>) -> io::Result<usize> {
        let mut chunks = self.data.chunks_mut(BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        state.recv(socket, &mut slices, &mut self.meta)
    }

    /// What was received, by buffer: each has datagrams from one address.
    pub(crate) fn received(&self, count: usize) -> impl Iterator<Item = Received<'_>> {
        self.data.chunks(BUFFER).zip(&self.meta[..count]).map(|(buffer, meta)| Received {
            remote: without_scope(meta.addr),
            data: &buffer[..meta.len],
            stride: meta.stride,
        })
    }

    /// Passes each received datagram to `handle`. Returns the number of bytes.
    pub(crate) fn deliver(&self, count: usize, handle: &mut dyn FnMut(SocketAddr, &[u8])) -> usize {
        let mut bytes = 0;
        for received in self.received(count) {
            bytes += received.data.len();
            received.datagrams().for_each(|datagram| handle(received.remote, datagram));
        }
        bytes
    }
}

/// Binds `make_address(port)` to any port, or to one of a range.
pub(crate) fn bind_in_range(
    range: Option<(u16, u16)>,
    make_address: impl Fn(u16) -> SocketAddr,
) -> io::Result<UdpSocket> {
    let Some((first, last)) = range else {
        return UdpSocket::bind(make_address(0));
    };
    // Starting anywhere but at the first port keeps many peers from probing the same taken ports again and again.
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let size = u32::from(last - first) + 1;
    let start = u32::from(NEXT.fetch_add(1, Ordering::Relaxed)) % size;
    for i in 0..size {
        let offset = u16::try_from((start + i) % size).unwrap_or(0);
        match UdpSocket::bind(make_address(first + offset)) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
            other => return other,
        }
    }
    let what = format!(
        "all {size} UDP ports from {first} to {last} are taken: widen port_range or close other peers"
    );
    Err(io::Error::new(io::ErrorKind::AddrInUse, what))
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
