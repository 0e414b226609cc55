//! Sockets that the event loop of the program waits for in place of their shard, for a moment at a time.
//!
//! # Why
//! A message for JavaScript wakes two threads one after the other: the shard, which decrypts it, and the one that it is for. Where
//! messages go to and fro one by one, the second wake-up takes as long as all the rest. So a peer in a quiet exchange lends
//! the socket that it was last heard at to its program, whose loop then reads it itself.
//!
//! # A busy loop stops nobody
//! Each loan has an end, [`LOAN`] after the loop has last read from the socket. The shard's timer is set to it, and takes the socket
//! back whatever the loop does by then. A datagram waits for a blocked loop for that long at most, and the next one does not:
//! only the loop's thread itself asks for a new loan. All other timers are the shard's at any time.
//!
//! # Messages first
//! Whoever is in a quiet exchange waits for an answer. So reading decrypts and hands over messages and nothing else: acknowledgements and
//! timers follow when the program has taken the messages ([`Served::finish`]), or go with its answer.
//!
//! # Bulk is for the shard
//! A loan ends at once, and there is none for a while, when there is so much to decrypt that the loop's thread had better leave it to
//! another one, see [`Load`].

mod lending;
mod load;
mod poller;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::crash;
use crate::socket::UdpSocket;

pub(crate) use lending::Lending;
use load::Load;
use poller::Poller;

/// How long the loop keeps a socket after it has read from it. As long as SCTP puts off acknowledgements anyway, and a fifth of its
/// shortest retransmission timeout: a peer whose program has got stuck does not notice.
const LOAN: Duration = Duration::from_millis(20);

/// Who lends sockets.
pub(crate) trait Lender: Send + Sync {
    /// Handles all that waits in a socket on loan. While it stays on loan, only events follow at once.
    fn read(&self, socket: &UdpSocket);

    /// Carries out what else follows, such as acknowledgements.
    fn settle(&self);
}

/// The peers that [`Foreground::serve`] has read for.
#[must_use]
pub struct Served {
    /// Nearly always the only one.
    first: Option<Arc<dyn Lender>>,
    others: Vec<Arc<dyn Lender>>,
}

impl Served {
    /// To be called once the program has taken the messages: its answers take along what these peers have to send themselves, and
    /// nobody waits for an answer while they look for that. If the program is busy for longer, the shards do it at the end of the loans.
    pub fn finish(self) {
        for peer in self.first.into_iter().chain(self.others) {
            // A panic has ended this connection, and the sink knows. The others go on.
            let _ = crash::catch(|| peer.settle());
        }
    }
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served").finish_non_exhaustive()
    }
}

/// The sockets lent to one event loop. The loop waits for [`Foreground::as_raw_fd`](std::os::fd::AsRawFd) to have input, and calls [`Foreground::serve`] then.
pub struct Foreground {
    poller: Poller,
    loans: Mutex<Loans>,
    load: Mutex<Load>,
}

#[derive(Default)]
struct Loans {
    last: usize,
    open: HashMap<usize, (Weak<dyn Lender>, Arc<UdpSocket>)>,
}

impl Foreground {
    /// One without sockets.
    ///
    /// # Errors
    /// Those of the system (no file descriptor is left); `Unsupported` on any but Linux.
    pub fn new() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self { poller: Poller::new()?, loans: Mutex::default(), load: Mutex::default() }))
    }

    /// Handles what has come in. Never blocks for longer than the shard works on one of these peers.
    pub fn serve(&self) -> Served {
        if let Some((peer, socket)) = self.only() {
            // It must be this one. Read, it leaves the descriptor without input; what that costs to ask is saved.
            read(&*peer, &socket);
            return Served { first: Some(peer), others: Vec::new() };
        }
        let mut others = Vec::new();
        for token in self.poller.ready() {
            if let Some((peer, socket)) = self.lent(token) {
                read(&*peer, &socket);
                others.push(peer);
            }
        }
        Served { first: None, others }
    }

    /// Whether a socket is on loan.
    pub fn has_loans(&self) -> bool {
        !self.loans.lock().open.is_empty()
    }

    /// The loan, if there is no other.
    fn only(&self) -> Option<(Arc<dyn Lender>, Arc<UdpSocket>)> {
        let loans = self.loans.lock();
        let (peer, socket) = loans.open.values().next().filter(|_| loans.open.len() == 1)?;
        Some((peer.upgrade()?, socket.clone()))
    }

    fn lent(&self, token: usize) -> Option<(Arc<dyn Lender>, Arc<UdpSocket>)> {
        let loans = self.loans.lock();
        let (peer, socket) = loans.open.get(&token)?;
        Some((peer.upgrade()?, socket.clone()))
    }

    /// Takes a socket on loan. `None` if the shard is reading from it.
    fn begin(&self, peer: Weak<dyn Lender>, socket: Arc<UdpSocket>) -> Option<io::Result<usize>> {
        if !socket.lend() {
            return None;
        }
        let token = self.loans.lock().add(peer, socket.clone());
        let watched = self.poller.watch(&socket, token);
        if watched.is_err() {
            self.end(token, &socket);
        }
        Some(watched.map(|()| token))
    }

    fn end(&self, token: usize, socket: &UdpSocket) {
        self.poller.forget(socket);
        self.loans.lock().open.remove(&token);
        socket.take_back();
    }
}

impl std::fmt::Debug for Foreground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foreground").finish_non_exhaustive()
    }
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for Foreground {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.poller.as_raw_fd()
    }
}

/// A panic has ended this connection, and the sink knows. The others go on.
fn read(peer: &dyn Lender, socket: &UdpSocket) {
    let _ = crash::catch(|| peer.read(socket));
}

impl Loans {
    fn add(&mut self, peer: Weak<dyn Lender>, socket: Arc<UdpSocket>) -> usize {
        // Never one that is in use, nor one that was a moment ago: an event of the former may be under way.
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.open.contains_key(&self.last) {
                self.open.insert(self.last, (peer, socket));
                return self.last;
            }
        }
    }
}
