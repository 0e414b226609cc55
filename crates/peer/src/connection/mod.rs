//! The connection: everything put together.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;

use crate::channels::{ChannelId, ChannelInfo, DataChannelInit, MessageKind};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::ice::{IceCandidateError, LocalCandidate};
use crate::jsep::{CandidateInit, SdpType, Session, SessionConfig};
use crate::snapshot::Snapshot;
use crate::states::{ConnectionState, GatheringState, IceState};
use crate::stats::StatsReport;

/// Where a batch of datagrams goes, and how it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// Local address to send from: the `base` of a local candidate, or the relayed address of a relayed one.
    pub local: SocketAddr,
    /// Where to send to.
    pub remote: SocketAddr,
    /// Length of each datagram in the buffer, in bytes; the last one may be shorter. Never 0.
    pub segment_size: usize,
}

/// One connection. See the [crate documentation](crate) for how to drive it.
pub struct Connection {
    session: Session,
}

impl Connection {
    /// A new connection. All randomness that is not left to the cryptographic library comes from `seed`, which must
    /// be unpredictable outside of tests.
    ///
    /// # Errors
    /// `RangeError` for settings outside of their ranges.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Result<Self, Error> {
        let _ = now;
        let session = Session::new(SessionConfig {
            fingerprints: config.certificate.fingerprints(),
            max_message_size: config.max_message_size,
            sctp_port: config.sctp_port,
            session_id: u64::from_be_bytes([
                0, seed[1], seed[2], seed[3], seed[4], seed[5], seed[6], seed[7],
            ]),
            always_negotiate: config.always_negotiate_data_channels,
        });
        Ok(Connection { session })
    }

    /// `createOffer()`.
    pub fn create_offer(&mut self, now: Instant, ice_restart: bool) -> Result<String, Error> {
        let _ = (now, ice_restart);
        Err(not_yet())
    }

    /// `createAnswer()`.
    pub fn create_answer(&mut self, now: Instant) -> Result<String, Error> {
        let _ = now;
        Err(not_yet())
    }

    /// `setLocalDescription()`. An empty `sdp` stands for the last created offer or answer.
    pub fn set_local_description(&mut self, now: Instant, kind: SdpType, sdp: &str) -> Result<(), Error> {
        let _ = now;
        self.session.set_local(kind, sdp).map(drop)
    }

    /// `setRemoteDescription()`.
    pub fn set_remote_description(&mut self, now: Instant, kind: SdpType, sdp: &str) -> Result<(), Error> {
        let _ = now;
        self.session.set_remote(kind, sdp).map(drop)
    }

    /// `addIceCandidate()`. A candidate with a host name becomes [`Event::ResolveCandidate`].
    pub fn add_ice_candidate(&mut self, now: Instant, candidate: &CandidateInit) -> Result<(), Error> {
        let _ = now;
        self.session.add_remote_candidate(candidate).map(drop)
    }

    /// The answer to [`Event::ResolveCandidate`]: the addresses found for its name. Unknown tokens are ignored.
    pub fn add_resolved_candidate(&mut self, now: Instant, token: u32, addresses: &[IpAddr]) {
        let _ = (now, token, addresses);
    }

    /// `restartIce()`: the next offer has new ICE credentials.
    pub fn restart_ice(&mut self) {
        self.session.request_ice_restart();
    }

    /// Whether `negotiationneeded` is due (W3C 4.7.3).
    pub fn negotiation_needed(&self) -> bool {
        self.session.negotiation_needed()
    }

    /// `close()`: every state becomes `closed` at once and without events. What tells the peer is taken with
    /// [`Self::poll_transmit`] afterwards. Idempotent.
    pub fn close(&mut self, now: Instant) {
        let _ = now;
        self.session.close();
    }

    /// The observable state.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            signaling_state: self.session.signaling_state(),
            connection_state: ConnectionState::New,
            ice_connection_state: IceState::New,
            ice_gathering_state: GatheringState::New,
            current_local_description: self.session.current_local_description(),
            pending_local_description: self.session.pending_local_description(),
            current_remote_description: self.session.current_remote_description(),
            pending_remote_description: self.session.pending_remote_description(),
            can_trickle_ice_candidates: self.session.can_trickle_ice_candidates(),
            negotiation_needed: self.session.negotiation_needed(),
            sctp: None,
            dtls: None,
            ice: None,
        }
    }

    /// A local candidate of the given generation. Candidates of generations gone by are ignored.
    pub fn add_local_candidate(&mut self, now: Instant, generation: u32, candidate: LocalCandidate) {
        let _ = (now, generation, candidate);
    }

    /// No more local candidates in this generation.
    pub fn gathering_done(&mut self, now: Instant, generation: u32) {
        let _ = (now, generation);
    }

    /// A STUN or TURN server has failed: passed on as [`Event::IceCandidateError`].
    pub fn gathering_error(&mut self, error: IceCandidateError) {
        let _ = error;
    }

    /// The local socket (or relay) with this address is gone, and all candidates based on it.
    pub fn remove_local_candidate(&mut self, now: Instant, base: SocketAddr) {
        let _ = (now, base);
    }

    /// A datagram has arrived. `local` is the address of the socket, or the relayed address.
    pub fn handle_datagram(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, data: &[u8]) {
        let _ = (now, local, remote, data);
    }

    /// Time has passed: to be called when [`Self::poll_timeout`] is due; calling it earlier does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// When to call [`Self::handle_timeout`] next.
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }

    /// Clears `buf` and fills it with datagrams for one pair of addresses: all of the same size, except that the last
    /// one may be shorter; at most `max_datagrams` of them and not much more than 64 KiB. `None`: nothing to send.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        buf: &mut Vec<u8>,
        max_datagrams: usize,
    ) -> Option<Transmit> {
        let _ = (now, max_datagrams);
        buf.clear();
        None
    }

    /// `createDataChannel()`.
    pub fn create_data_channel(&mut self, now: Instant, init: DataChannelInit) -> Result<ChannelId, Error> {
        let _ = (now, init);
        Err(not_yet())
    }

    /// `RTCDataChannel.send()`.
    pub fn send(&mut self, now: Instant, id: ChannelId, kind: MessageKind, data: Bytes) -> Result<(), Error> {
        let _ = (now, id, kind, data);
        Err(not_yet())
    }

    /// `RTCDataChannel.close()`.
    pub fn close_channel(&mut self, now: Instant, id: ChannelId) {
        let _ = (now, id);
    }

    /// Attributes of a channel; `None` once it is closed and forgotten.
    pub fn channel(&self, id: ChannelId) -> Option<ChannelInfo> {
        let _ = id;
        None
    }

    /// The next event. With `accept_data` false only control events come; messages stay in the SCTP association,
    /// whose receive window closes, and the peer stops sending.
    pub fn poll_event(&mut self, now: Instant, accept_data: bool) -> Option<Event> {
        let _ = (now, accept_data);
        None
    }

    /// Statistics.
    pub fn stats(&self, now: Instant) -> StatsReport {
        let _ = now;
        StatsReport::default()
    }
}

fn not_yet() -> Error {
    Error::new(ErrorKind::InvalidState, "the connection has no transport")
}
