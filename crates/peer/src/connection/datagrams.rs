//! Datagrams coming in, and time passing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_sctp::Association;

use super::Connection;
use crate::ice::{Path, next_change};
use crate::sdp::CandidateProtocol;

/// How often memory that was not used since is given back.
const HOUSEKEEPING: Duration = Duration::from_secs(2);

/// Records that wait for the association: what a peer sends at first, before anything was acknowledged. What comes beyond is lost, as
/// in a network, and the peer repeats it.
const MAX_UNCLAIMED: usize = 16;

/// Gives a record to the association. One that came in the same datagram as the end of the handshake is there first: it waits
/// for the association that the next look at the states makes, or the path without which there is none.
pub(super) fn deliver(
    now: Instant,
    sctp: &mut Option<Box<Association>>,
    unclaimed: &mut Vec<Bytes>,
    record: Bytes,
) {
    match sctp {
        Some(sctp) => sctp.handle_packet(now, record),
        None if unclaimed.len() < MAX_UNCLAIMED => unclaimed.push(record),
        None => {}
    }
}

impl Connection {
    /// A datagram has arrived. `local` is the address of the socket (the candidate's `base`), or the relayed address.
    /// Whatever is not a valid message of the peer is ignored and counted. Returns whether it was one.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        data: &[u8],
    ) -> bool {
        self.handle_message(now, Path { protocol: CandidateProtocol::Udp, local, remote }, data)
    }

    /// A message has arrived over TCP, out of its frame (RFC 4571). `local` is the address of the TCP candidate, which has port 9 if
    /// that is an active one; `remote` the other end of the TCP connection. Returns whether it was the peer's: of a connection
    /// that begins with something else nothing good is to be expected.
    pub fn handle_framed(
        &mut self,
        now: Instant,
        local: SocketAddr,
        remote: SocketAddr,
        data: &[u8],
    ) -> bool {
        self.handle_message(now, Path { protocol: CandidateProtocol::Tcp, local, remote }, data)
    }

    /// A TCP connection has ended. One that we have opened is opened again by the next check (RFC 6544 section 7.3); what the peer
    /// has opened comes back as another one, if at all, and must not be sent to any longer.
    pub fn tcp_closed(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr) {
        if self.is_over() {
            return;
        }
        self.ice.tcp_closed(now, Path { protocol: CandidateProtocol::Tcp, local, remote });
        self.update(now);
    }

    fn handle_message(&mut self, now: Instant, path: Path, data: &[u8]) -> bool {
        if self.is_over() {
            return false;
        }
        // RFC 7983: the first byte tells the protocols apart.
        let known = match data.first() {
            Some(0..=3) => {
                let ours = self.ice.handle_stun(now, path, data);
                if ours {
                    self.exchange_flights(now);
                    self.ice.pump(now);
                    self.update(now);
                    self.forget_unclaimed();
                }
                ours
            }
            Some(20..=63) => self.handle_dtls(now, path, data),
            Some(128..=191) if self.media.is_some() => self.handle_media(now, path, data),
            _ => false,
        };
        self.counters.discarded += u64::from(!known);
        known
    }

    /// False if the sender is not known to be the peer.
    fn handle_dtls(&mut self, now: Instant, path: Path, data: &[u8]) -> bool {
        if !self.ice.pairs.datagram_received(now, path, data.len()) {
            return false;
        }
        self.counters.packets_received += 1;
        self.counters.bytes_received += data.len() as u64;
        let before = self.dtls.state();
        if !self.dtls.has_finished() {
            self.ice.embedding.heard(data);
        }
        let (sctp, unclaimed) = (&mut self.sctp, &mut self.unclaimed);
        self.dtls.receive(now, data, &mut self.rx, &mut |record| deliver(now, sctp, unclaimed, record));
        if self.housekeeping.is_none() {
            self.housekeeping = now.checked_add(HOUSEKEEPING);
        }
        if self.ice.embedding.is_open() {
            self.exchange_flights(now);
        }
        if self.dtls.state() != before || self.dtls.has_early() {
            self.update(now);
        }
        self.forget_unclaimed();
        true
    }

    /// No association was made for what has come: without a path there may still be one, otherwise there will be none.
    fn forget_unclaimed(&mut self) {
        if !self.dtls.is_pathless() {
            self.unclaimed.clear();
        }
    }

    /// Time has passed: to be called when [`Self::poll_timeout`] is due; calling it earlier does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        self.ice.handle_timeout(now);
        let (sctp, unclaimed) = (&mut self.sctp, &mut self.unclaimed);
        self.dtls.handle_timeout(now, &mut self.rx, &mut |record| deliver(now, sctp, unclaimed, record));
        if let Some(sctp) = self.sctp.as_mut().filter(|s| s.poll_timeout().is_some_and(|t| t <= now)) {
            sctp.handle_timeout(now);
        }
        if let Some(session) = self.media.as_mut().and_then(|media| media.session()) {
            session.handle_timeout(now);
        }
        if self.ice.embedding.is_open() {
            self.exchange_flights(now);
        }
        self.channels.handle_timeout(now, self.sctp.as_deref_mut());
        if self.housekeeping.is_some_and(|at| at <= now) {
            self.housekeeping = if self.rx.rest() { now.checked_add(HOUSEKEEPING) } else { None };
            self.give_back();
        }
        self.update(now);
        self.forget_unclaimed();
    }

    /// Queues and lists were made for a set-up, and have room for more than will come: of thousands of idle connections that
    /// would be most of the memory.
    fn give_back(&mut self) {
        self.scratch = Vec::new();
        self.events.shrink_to_fit();
        self.session.shrink();
        self.ice.shrink();
        self.dtls.shrink();
        self.channels.shrink();
        if let Some(sctp) = &mut self.sctp {
            sctp.shrink();
        }
    }

    /// When to call [`Self::handle_timeout`] next. It may lie in the past; then call it at once.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        // Without a way to the peer the association would only run up its timers.
        let can_send = self.ice.can_send() && self.dtls.is_connected();
        let sctp = self.sctp.as_ref().filter(|_| can_send).and_then(|s| s.poll_timeout());
        let media =
            self.media.as_mut().filter(|_| can_send).and_then(|media| media.session()?.poll_timeout());
        [
            self.ice.agent_deadline(),
            next_change(&self.ice),
            self.ice.suspicion_due(),
            self.dtls.poll_timeout(),
            self.channels.poll_timeout(),
            self.housekeeping,
            sctp,
            media,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn only_so_much_waits_for_an_association() {
        let mut unclaimed = Vec::new();
        for _ in 0..1000 {
            deliver(Instant::now(), &mut None, &mut unclaimed, Bytes::from_static(b"record"));
        }
        assert_eq!(unclaimed.len(), MAX_UNCLAIMED);
    }
}
