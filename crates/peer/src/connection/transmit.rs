//! Datagrams going out, in batches that one system call can send (GSO).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use ossa_media::MediaSession;
use ossa_sctp::Association;

use super::Connection;
use crate::dtls::DtlsTransport;
use crate::ice::Path;
use crate::sdp::CandidateProtocol;

/// A batch is not longer than this, in bytes: what one UDP GSO send can carry.
const MAX_BATCH: usize = 65_000;

/// Where a batch of datagrams goes, and how it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// Over TCP each datagram goes into a frame of its own (RFC 4571).
    pub protocol: CandidateProtocol,
    /// Local address to send from: the `base` of a local candidate, or the relayed address of a relayed one. With port 9 and TCP it
    /// is the active candidate, and the connection to `remote` is to be opened if there is none.
    pub local: SocketAddr,
    /// Where to send to.
    pub remote: SocketAddr,
    /// Length of each datagram in the buffer, in bytes; the last one may be shorter. Never 0.
    pub segment_size: usize,
    /// The one datagram in the buffer is larger than the path's MTU has become, and can't be cut any more: it is to be
    /// sent with IP fragmentation allowed. All others must not be fragmented, or path MTU discovery finds nothing.
    pub oversized: bool,
}

impl Transmit {
    fn new(path: Path, segment_size: usize, oversized: bool) -> Self {
        let Path { protocol, local, remote } = path;
        Self { protocol, local, remote, segment_size, oversized }
    }
}

/// Datagrams that are ready.
#[derive(Default)]
pub(super) struct Outbox {
    /// A sealed datagram that was longer than those of the batch it was made for.
    held: Option<Held>,
    /// The last words of a closed connection, and where they go.
    farewell: VecDeque<Vec<u8>>,
    farewell_route: Option<Path>,
}

/// A sealed datagram.
struct Held {
    data: Vec<u8>,
    oversized: bool,
}

impl Connection {
    /// Clears `buf` and fills it with datagrams for one pair of addresses: all of the same size, except that the last
    /// one may be shorter; at most `max_datagrams` (at least 1) of them and at most about 64 KiB. `None`: nothing to
    /// send.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        buf: &mut Vec<u8>,
        max_datagrams: usize,
    ) -> Option<Transmit> {
        buf.clear();
        if self.closed {
            return self.poll_farewell(buf);
        }
        if let Some(stun) = self.ice.poll_outgoing() {
            buf.extend_from_slice(&stun.payload);
            return Some(Transmit::new(stun.path, buf.len(), false));
        }
        if !self.ice.can_send() {
            return None;
        }
        let route = self.ice.route()?;
        let mut batch = Batch::default();
        if let Some(handshake) = self.dtls.poll_outgoing() {
            buf.extend_from_slice(&handshake);
            batch = Batch { segment: buf.len(), count: 1, oversized: false };
        } else {
            if let Some(held) = self.tx.held.take() {
                buf.extend_from_slice(&held.data);
                batch = Batch { segment: buf.len(), count: 1, oversized: held.oversized };
            }
            // What is late is of no use, so media goes first. It is paced, and leaves room.
            let media = self.media.as_mut().and_then(|media| media.session());
            if let Some(session) = media.filter(|_| self.dtls.is_connected()) {
                self.tx.held = batch.fill_media(now, session, buf, max_datagrams.max(1));
            }
            let sctp = self.sctp.as_mut().filter(|_| self.tx.held.is_none() && !batch.is_closed(buf));
            if let Some(sctp) = sctp.filter(|_| self.dtls.is_connected()) {
                self.tx.held =
                    batch.fill(now, sctp, &mut self.dtls, &mut self.scratch, buf, max_datagrams.max(1));
            }
        }
        if batch.count == 0 {
            return None;
        }
        self.counters.packets_sent += batch.count as u64;
        self.counters.bytes_sent += buf.len() as u64;
        self.ice.sent(now, batch.count as u64, buf.len() as u64);
        Some(Transmit::new(route.path, batch.segment, batch.oversized))
    }

    /// Lets the association and DTLS say goodbye, before everything is dropped.
    pub(super) fn farewell(&mut self, now: Instant) {
        let Some(route) = self.ice.route().filter(|_| self.ice.can_send()) else { return };
        self.tx.farewell_route = Some(route.path);
        self.tx.farewell.extend(self.tx.held.take().map(|held| held.data));
        let goodbyes = self.media_farewell(now);
        self.tx.farewell.extend(goodbyes.into_iter().map(|datagram| datagram.to_vec()));
        let Some(sctp) = &mut self.sctp else { return };
        sctp.abort("the application has closed the connection");
        // The ABORT is one packet; there is nothing else left to send.
        self.scratch.clear();
        if sctp.poll_transmit(now, &mut self.scratch).is_some() {
            let mut sealed = Vec::new();
            if self.dtls.seal(&self.scratch, &mut sealed) {
                self.tx.farewell.push_back(sealed);
            }
        }
    }

    /// Takes the `close_notify`.
    pub(super) fn collect_farewell(&mut self) {
        if self.tx.farewell_route.is_some() {
            while let Some(datagram) = self.dtls.poll_outgoing() {
                self.tx.farewell.push_back(datagram);
            }
        }
    }

    fn poll_farewell(&mut self, buf: &mut Vec<u8>) -> Option<Transmit> {
        let path = self.tx.farewell_route?;
        let datagram = self.tx.farewell.pop_front()?;
        buf.extend_from_slice(&datagram);
        Some(Transmit::new(path, buf.len(), false))
    }
}

/// A batch in the making.
#[derive(Default)]
struct Batch {
    segment: usize,
    count: usize,
    /// It is one datagram above the path's MTU, and stays alone.
    oversized: bool,
}

impl Batch {
    /// Whether its last datagram is a shorter one, which only the last may be.
    fn is_closed(&self, buf: &[u8]) -> bool {
        self.count > 0 && !buf.len().is_multiple_of(self.segment)
    }

    fn has_room(&self, buf: &[u8], max_datagrams: usize) -> bool {
        let room = self.count < max_datagrams && buf.len() + self.segment <= MAX_BATCH;
        room && !self.oversized && !self.is_closed(buf)
    }

    /// Adds SRTP and SRTCP while they fit. Returns the datagram that did not.
    fn fill_media(
        &mut self,
        now: Instant,
        session: &mut MediaSession,
        buf: &mut Vec<u8>,
        max_datagrams: usize,
    ) -> Option<Held> {
        while self.has_room(buf, max_datagrams) {
            let start = buf.len();
            let len = session.poll_transmit_into(now, buf)?;
            if self.count == 0 {
                self.segment = len;
            }
            if len > self.segment {
                return Some(Held { data: buf.split_off(start), oversized: false });
            }
            self.count += 1;
        }
        None
    }

    /// Adds sealed packets while they fit. Returns the one that did not.
    fn fill(
        &mut self,
        now: Instant,
        sctp: &mut Association,
        dtls: &mut DtlsTransport,
        scratch: &mut Vec<u8>,
        buf: &mut Vec<u8>,
        max_datagrams: usize,
    ) -> Option<Held> {
        while !self.oversized && self.count < max_datagrams && buf.len() + self.segment <= MAX_BATCH {
            scratch.clear();
            sctp.poll_transmit(now, scratch)?;
            let oversized = is_oversized(sctp, scratch);
            let start = buf.len();
            if !dtls.seal(scratch, buf) {
                // Lost, as on any network; the association repeats it.
                continue;
            }
            let len = buf.len() - start;
            if self.count == 0 {
                self.segment = len;
                self.oversized = oversized;
            }
            if len > self.segment || (oversized && !self.oversized) {
                return Some(Held { data: buf.split_off(start), oversized });
            }
            self.count += 1;
            if len < self.segment {
                return None;
            }
        }
        None
    }
}

/// Whether a packet holds a data chunk from before the path's MTU shrank. Probes for a larger MTU are above it as well, by
/// purpose: they start with a HEARTBEAT.
fn is_oversized(sctp: &Association, packet: &[u8]) -> bool {
    /// Smaller packets pass everywhere: 576 bytes, less the headers of IP, UDP, DTLS and TURN.
    const SAFE: usize = 500;
    const HEARTBEAT: u8 = 4;
    packet.len() > SAFE && packet.get(12) != Some(&HEARTBEAT) && packet.len() > sctp.metrics().mtu
}
