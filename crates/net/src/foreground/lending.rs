//! A peer's side: when it lends a socket, and when it takes it back.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::load::Load;
use super::{Foreground, LOAN, Lender};
use crate::socket::UdpSocket;

/// What a peer has lent, and what it goes by.
#[derive(Default)]
pub(crate) struct Lending {
    /// Where something came in last.
    heard: Option<SocketAddr>,
    load: Load,
    /// When the loop's thread last asked.
    asked: Option<Instant>,
    loan: Option<Loan>,
    /// A socket has come back, which the shard's task has to wait for.
    returned: bool,
}

/// A socket on loan. Dropping it takes the socket back.
struct Loan {
    foreground: Arc<Foreground>,
    socket: Arc<UdpSocket>,
    token: usize,
    until: Instant,
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.foreground.end(self.token, &self.socket);
    }
}

impl Lending {
    /// The loop's thread has taken messages and has time for more: the address of the socket to lend it. Who asks twice within the time of
    /// a loan is in the middle of an exchange; for a message now and then a loan costs more than it saves.
    pub(crate) fn wanted(&mut self, now: Instant) -> Option<SocketAddr> {
        let before = self.asked.replace(now);
        let recent = before.is_some_and(|before| now.saturating_duration_since(before) < LOAN);
        let quiet = !self.load.is_bulk(now);
        self.heard.filter(|_| recent && quiet && self.loan.is_none())
    }

    /// Lends a socket. Returns when the shard takes it back; `None` if it wasn't lent.
    pub(crate) fn begin(
        &mut self,
        now: Instant,
        foreground: &Arc<Foreground>,
        peer: Weak<dyn Lender>,
        socket: Arc<UdpSocket>,
    ) -> Option<Instant> {
        if foreground.load.lock().is_bulk(now) {
            return None;
        }
        match foreground.begin(peer, socket.clone())? {
            Ok(token) => {
                let until = now + LOAN;
                self.loan = Some(Loan { foreground: foreground.clone(), socket, token, until });
                Some(until)
            }
            Err(error) => {
                tracing::debug!(%error, "a socket was not lent to the event loop");
                self.returned = true;
                // For the shard to look at it now.
                Some(now)
            }
        }
    }

    /// Something was received at `local`.
    pub(crate) fn heard(&mut self, now: Instant, local: SocketAddr, bytes: usize, datagrams: usize) {
        self.heard = Some(local);
        self.load.add(now, bytes, datagrams);
        let mut bulk = self.load.is_bulk(now);
        // Only the loop reads from this socket now: it is alive.
        if let Some(loan) = &mut self.loan
            && loan.socket.local() == local
        {
            loan.until = now + LOAN;
            let mut load = loan.foreground.load.lock();
            load.add(now, bytes, datagrams);
            bulk |= load.is_bulk(now);
        }
        if bulk {
            self.end();
        }
    }

    /// So much is to be sent.
    pub(crate) fn sending(&mut self, now: Instant, bytes: usize) {
        self.load.add(now, bytes, 0);
        if self.load.is_bulk(now) {
            self.end();
        }
    }

    /// When the shard takes the socket back.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.loan.as_ref().map(|loan| loan.until)
    }

    /// Takes the socket back if it is time.
    pub(crate) fn expire(&mut self, now: Instant) {
        if self.until().is_some_and(|until| until <= now) {
            self.end();
        }
    }

    /// The same if it is the socket of this address, which is about to be closed.
    pub(crate) fn end_of(&mut self, local: SocketAddr) {
        if self.loan.as_ref().is_some_and(|loan| loan.socket.local() == local) {
            self.end();
        }
    }

    /// Takes back what is lent.
    pub(crate) fn end(&mut self) {
        if self.loan.take().is_some() {
            self.returned = true;
        }
    }

    /// Whether the shard's task has to look at a socket that has come back.
    pub(crate) fn is_returned(&self) -> bool {
        self.returned
    }

    /// The same, for the task that does it.
    pub(crate) fn take_returned(&mut self) -> bool {
        std::mem::take(&mut self.returned)
    }
}
