//! The sockets that peers see.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::task::AbortHandle;

use super::Inner;
use super::socket::Socket;
use crate::turn::{Bound, Client, Family, NoPort, Parity, Turn, Wanted};

/// Ports of a range that others have, before the search is given up: each costs a system call under the lock.
const MAX_TAKEN: usize = 64;

/// A socket towards the peers of one allocation. Closed when it is dropped.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) socket: Arc<Socket>,
    task: AbortHandle,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port, and the one beside it if that was wanted.
type Pair = (Bound<Arc<Port>>, Option<Bound<Arc<Port>>>);

/// The ports for an allocation, by family, and the one beside the first.
pub(super) type Opened = (Vec<(Family, Result<Bound<Arc<Port>>, NoPort>)>, Option<Bound<Arc<Port>>>);

impl Inner {
    /// Binds what is wanted.
    pub(super) fn open(self: &Arc<Self>, turn: &Turn<Arc<Port>>, wanted: &Wanted) -> Opened {
        let mut next = None;
        let mut open = |family: Family, parity: Parity| {
            let address = self.relay_address(family, &wanted.client).ok_or(NoPort::Family)?;
            let (port, beside) = self.bind(turn, address, parity)?;
            next = next.take().or(beside);
            Ok(port)
        };
        let mut ports = Vec::new();
        for (i, &family) in wanted.families.iter().enumerate() {
            let parity = if i == 0 { wanted.parity } else { Parity::Any };
            ports.push((family, open(family, parity)));
        }
        (ports, next)
    }

    /// Where packets of this client leave from.
    fn relay_address(&self, family: Family, client: &Client) -> Option<IpAddr> {
        let fits = |ip: &&IpAddr| ip.is_ipv4() == (family == Family::IPV4);
        let given = self.config.addresses.iter().find(fits);
        let reached = (!client.local.is_unspecified()).then_some(&client.local);
        let found = given.or(reached.filter(fits)).copied();
        found.or_else(|| self.outward.iter().flatten().find(fits).copied())
    }

    /// A port of the range, and the next one if that is wanted. The search starts anywhere: which port comes next is nobody's business.
    fn bind(
        self: &Arc<Self>,
        turn: &Turn<Arc<Port>>,
        address: IpAddr,
        parity: Parity,
    ) -> Result<Pair, NoPort> {
        let (first, last) = (*self.config.ports.start(), *self.config.ports.end());
        let size = u32::from(last - first) + 1;
        // Keyed anew each time, by the system's randomness.
        let start = RandomState::new().hash_one(address) % u64::from(size);
        let candidates = (0..u64::from(size)).map(|i| {
            let offset = (start + i) % u64::from(size);
            // Below 2^16, as is the size.
            first + u16::try_from(offset).unwrap_or(0)
        });
        let is_free = |port| !turn.is_taken(&self.announced(SocketAddr::new(address, port)));
        let mut taken = 0;
        for port in candidates.filter(|port| parity == Parity::Any || port % 2 == 0) {
            let pair = parity == Parity::EvenAndNext;
            if !is_free(port) || (pair && (port >= last || !is_free(port + 1))) {
                continue;
            }
            let bound = Socket::bind(SocketAddr::new(address, port)).and_then(|socket| {
                let next = pair.then(|| Socket::bind(SocketAddr::new(address, port + 1))).transpose()?;
                Ok((socket, next))
            });
            match bound {
                Ok((socket, next)) => return Ok((self.start(socket), next.map(|next| self.start(next)))),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && taken < MAX_TAKEN => taken += 1,
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => return Err(NoPort::Family),
                // No file descriptors left, most likely.
                Err(_) => return Err(NoPort::Exhausted),
            }
        }
        Err(NoPort::Exhausted)
    }

    /// As it is called outside.
    fn announced(&self, address: SocketAddr) -> SocketAddr {
        let names = self.config.announce.iter().find(|name| name.is_ipv4() == address.is_ipv4());
        names.map_or(address, |name| SocketAddr::new(*name, address.port()))
    }

    fn start(self: &Arc<Self>, socket: Socket) -> Bound<Arc<Port>> {
        let socket = Arc::new(socket);
        let address = self.announced(socket.local());
        let (inner, receiving) = (self.clone(), socket.clone());
        let task = tokio::spawn(async move {
            loop {
                inner.take_from_peers(&receiving, address).await;
            }
        });
        Bound { socket: Arc::new(Port { socket, task: task.abort_handle() }), address }
    }
}
