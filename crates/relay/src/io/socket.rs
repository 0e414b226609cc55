//! A UDP socket that takes and gives many datagrams per system call where the kernel can.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::task::{Poll, ready};

use ossa_net::{Watched, enlarge_buffers, ignore_unreachable};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

/// Buffers per system call. Most of a thousand clients send one datagram at a time, which takes a buffer of its own; with GRO a run
/// of one client takes one. 1 MiB for a thread.
const BATCH: usize = 16;

/// The largest run of datagrams in one buffer, and the largest datagram.
const BUFFER: usize = 65_536;

/// Most bytes in one call with segmentation: one IPv4 datagram's worth.
const MAX_RUN: usize = 65_000;

/// Errors in a row after which a socket waits for its next input. Each reports another lost datagram at most.
const MAX_ERRORS: u32 = 1000;

/// A bound, non-blocking socket.
#[derive(Debug)]
pub(super) struct Socket {
    io: Watched,
    state: UdpSocketState,
    local: SocketAddr,
}

struct Buffers {
    data: Vec<u8>,
    meta: [RecvMeta; BATCH],
}

thread_local! {
    /// Of all sockets of a thread.
    static BUFFERS: RefCell<Buffers> =
        RefCell::new(Buffers { data: vec![0; BATCH * BUFFER], meta: [RecvMeta::default(); BATCH] });
}

/// A datagram, where it comes from and which address it was sent to.
pub(super) struct Datagram<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: IpAddr,
    pub(super) data: &'a [u8],
}

impl Socket {
    /// Must be called within a tokio runtime.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = RawSocket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // As a TCP listener does: `::` means both families, and everything else is of one anyway.
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        enlarge_buffers(&socket);
        ignore_unreachable(&socket)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let state = UdpSocketState::new((&socket).into())?;
        let io = Watched::new(socket.into())?;
        let local = io.local_addr()?;
        Ok(Self { io, state, local })
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// What leaves is never cut into fragments.
    pub(super) fn never_fragments(&self) -> bool {
        !self.state.may_fragment()
    }

    /// Waits for input and hands on what has come.
    pub(super) async fn recv(&self, mut handle: impl FnMut(&mut dyn Iterator<Item = Datagram<'_>>)) {
        let received = poll_fn(|cx| {
            BUFFERS.with_borrow_mut(|buffers| {
                let Buffers { data, meta } = buffers;
                let received = ready!(self.io.poll_input(cx, BATCH, || self.recv_into(data, meta)));
                if let Ok(count) = received {
                    handle(&mut self.datagrams(data, &meta[..count]));
                }
                Poll::Ready(received)
            })
        });
        if received.await.is_err() {
            // The poller is gone, and with it soon this task.
            std::future::pending::<()>().await;
        }
    }

    fn recv_into(&self, data: &mut [u8], meta: &mut [RecvMeta; BATCH]) -> io::Result<usize> {
        let mut chunks = data.chunks_mut(BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        for _ in 0..MAX_ERRORS {
            match self.state.recv(self.io.socket(), &mut slices, meta) {
                // Some systems report here that an earlier datagram did not reach its goal.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn datagrams<'a>(&self, data: &'a [u8], meta: &'a [RecvMeta]) -> impl Iterator<Item = Datagram<'a>> {
        let own = self.local.ip();
        data.chunks(BUFFER).zip(meta).flat_map(move |(buffer, meta)| {
            let from = canonical(meta.addr);
            let to = meta.dst_ip.unwrap_or(own).to_canonical();
            buffer[..meta.len].chunks(meta.stride.max(1)).map(move |data| Datagram { from, to, data })
        })
    }

    /// Sends datagrams of `segment` bytes each, the last of which may be shorter, from the address `from` if there are several. Returns
    /// how many were not taken: whoever relays does not wait for the network.
    pub(super) fn send(&self, to: SocketAddr, from: Option<IpAddr>, data: &[u8], segment: usize) -> u64 {
        let destination = self.of_our_family(to);
        // An address that the socket is bound to anyway needs not be said.
        let src_ip = from.filter(|_| self.local.ip().is_unspecified());
        let (mut sent, mut one_by_one, mut lost) = (0, false, 0);
        while sent < data.len() {
            let left = data.len() - sent;
            let segments = self.state.max_gso_segments().min(MAX_RUN / segment).max(1);
            let run = left.min(if one_by_one { segment } else { segments * segment });
            let segment_size = (run > segment).then_some(segment);
            let contents = &data[sent..sent + run];
            let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip };
            match self.state.try_send(self.io.socket(), &transmit) {
                // Segmentation may be at fault: of a network card, or of a path that takes less than it did.
                Err(error) if run > segment && error.kind() != io::ErrorKind::WouldBlock => {
                    one_by_one = true;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return lost + (left.div_ceil(segment)) as u64;
                }
                // Too big for the path, or no way there: lost, as on any network.
                Err(_) => lost += 1,
                Ok(()) => {}
            }
            sent += run;
        }
        lost
    }

    fn of_our_family(&self, to: SocketAddr) -> SocketAddr {
        match (self.local, to) {
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => {
                SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port())
            }
            _ => to,
        }
    }
}

/// IPv4 as IPv4, and without the scope of IPv6, which is of this host only.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
