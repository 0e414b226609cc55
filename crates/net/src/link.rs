//! The ways out of a peer: its UDP sockets, its TCP candidates and its TURN allocations.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use ossa_peer::CandidateProtocol;

use crate::listen::{OwnerId, UdpPort};
use crate::relay::Relay;
use crate::socket::{Sent, UdpSocket};
use crate::tcp::TcpBase;

/// A local address that datagrams are sent from and received at.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    /// A socket of our own.
    Udp(Arc<UdpSocket>),
    /// A socket that peers share, and what this one is called there.
    Shared(Arc<UdpPort>, OwnerId),
    /// A TCP candidate with its connections.
    Tcp(Arc<TcpBase>),
    /// An allocation on a TURN server, and the one of its addresses that is meant.
    Relay(Arc<Relay>, SocketAddr),
}

impl Link {
    /// The address by which the connection knows it.
    pub(crate) fn local(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local(),
            Self::Shared(port, _) => port.socket().local(),
            Self::Tcp(base) => base.local(),
            Self::Relay(_, relayed) => *relayed,
        }
    }

    /// What the candidates of it say, whatever a relay is reached by.
    pub(crate) fn protocol(&self) -> CandidateProtocol {
        match self {
            Self::Udp(_) | Self::Shared(..) | Self::Relay(..) => CandidateProtocol::Udp,
            Self::Tcp(_) => CandidateProtocol::Tcp,
        }
    }

    /// Sends datagrams of `segment` bytes each (the last may be shorter) without blocking.
    pub(crate) fn try_send(&self, remote: SocketAddr, data: &[u8], segment: usize) -> Sent {
        match self {
            Self::Udp(socket) => socket.try_send(remote, data, segment),
            Self::Shared(port, id) => port.try_send(*id, remote, data, segment),
            Self::Tcp(base) => base.try_send(remote, data, segment),
            Self::Relay(relay, _) => relay.try_send(remote, data, segment),
        }
    }

    /// Sends one datagram that is too big for the path to pass it whole.
    pub(crate) fn send_fragmentable(&self, remote: SocketAddr, data: &[u8]) {
        match self {
            Self::Udp(socket) => socket.send_fragmentable(remote, data),
            Self::Shared(port, _) => port.socket().send_fragmentable(remote, data),
            // TCP cuts and joins as it likes.
            Self::Tcp(base) => {
                base.try_send(remote, data, data.len());
            }
            // Between the server and the peer nothing forbids fragmentation.
            Self::Relay(relay, _) => {
                relay.try_send(remote, data, data.len());
            }
        }
    }

    /// Ends the allocation of a relay, or the connections of a TCP candidate, and leaves a shared socket. One of its own is closed by
    /// dropping it.
    pub(crate) fn close(&self) {
        match self {
            Self::Udp(_) => {}
            Self::Shared(port, id) => port.remove(*id),
            Self::Tcp(base) => base.close(),
            Self::Relay(relay, _) => relay.close(),
        }
    }

    fn poll_send(&self, cx: &mut Context<'_>, pending: &mut Pending) -> Poll<()> {
        let Pending { remote, data, start, segment } = pending;
        match self {
            Self::Udp(socket) => {
                let mut sent = 0;
                let done = socket.poll_send(cx, *remote, &data[*start..], *segment, &mut sent);
                *start += sent;
                done
            }
            Self::Shared(port, _) => {
                let mut sent = 0;
                let done = port.poll_send(cx, *remote, &data[*start..], *segment, &mut sent);
                *start += sent;
                done
            }
            Self::Tcp(base) => base.poll_send(cx, *remote, &data[*start..], *segment),
            Self::Relay(relay, _) => relay.poll_send(cx, *remote, &data[*start..], *segment),
        }
    }
}

/// Sockets among the links.
pub(crate) fn sockets(links: &[Link]) -> Vec<Arc<UdpSocket>> {
    let socket = |link: &Link| match link {
        Link::Udp(socket) => Some(socket.clone()),
        Link::Shared(..) | Link::Tcp(_) | Link::Relay(..) => None,
    };
    links.iter().filter_map(socket).collect()
}

/// What host candidates over UDP come from.
#[derive(Debug, Clone)]
pub(crate) enum Host {
    /// A socket of our own.
    Own(Arc<UdpSocket>),
    /// A shared one.
    Shared(Arc<UdpPort>, OwnerId),
}

impl Host {
    pub(crate) fn socket(&self) -> &UdpSocket {
        match self {
            Self::Own(socket) => socket,
            Self::Shared(port, _) => port.socket(),
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.socket().local()
    }
}

/// Hosts among the links.
pub(crate) fn hosts(links: &[Link]) -> Vec<Host> {
    let host = |link: &Link| match link {
        Link::Udp(socket) => Some(Host::Own(socket.clone())),
        Link::Shared(port, id) => Some(Host::Shared(port.clone(), *id)),
        Link::Tcp(_) | Link::Relay(..) => None,
    };
    links.iter().filter_map(host).collect()
}

/// TCP candidates among the links.
pub(crate) fn tcp_bases(links: &[Link]) -> Vec<Arc<TcpBase>> {
    let base = |link: &Link| match link {
        Link::Tcp(base) => Some(base.clone()),
        Link::Udp(_) | Link::Shared(..) | Link::Relay(..) => None,
    };
    links.iter().filter_map(base).collect()
}

/// Datagrams that a link had no room for.
#[derive(Debug)]
pub(crate) struct Pending {
    remote: SocketAddr,
    data: Vec<u8>,
    /// Bytes of `data` that are already sent.
    start: usize,
    segment: usize,
}

impl Pending {
    pub(crate) fn new(remote: SocketAddr, data: &[u8], segment: usize) -> Self {
        Self { remote, data: data.to_vec(), start: 0, segment }
    }
}

/// The run of datagrams that must go out before any other, if a link was full.
#[derive(Debug, Default)]
pub(crate) struct Blocked(Option<(Link, Pending)>);

impl Blocked {
    pub(crate) fn is_blocked(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn set(&mut self, link: Link, pending: Pending) {
        self.0 = Some((link, pending));
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// Sends what is left as soon as there is room. Ready when nothing is blocked.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((link, pending)) = &mut self.0 {
            std::task::ready!(link.poll_send(cx, pending));
            self.0 = None;
        }
        Poll::Ready(())
    }
}
