//! The DTLS transport and its W3C state.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dimpl::{Dtls, Output, ProtocolVersion};
use ossa_media::SrtpKeys;

use super::alert::{LastWords, Suspicion};
use super::receive::ReceiveBuffer;
use super::small::Shrinking;
use super::{alert, config, last_word, small, sniff, srtp};
use crate::certificate::{Certificate, matches_fingerprints};
use crate::config::{DtlsConfig, DtlsVersions};
use crate::error::Error;
use crate::jsep::DtlsRole;
use crate::rtc_error::RtcError;
use crate::sdp::Fingerprint;
use crate::states::DtlsState;

/// Datagrams kept that arrive before the role is known: the first flight of the peer, which may have seen the answer
/// before us. A flight has a few datagrams.
const MAX_EARLY: usize = 16;
/// Longest of them.
const MAX_EARLY_LEN: usize = 2048;
/// The engine may ask to be called at once again and again while it is stuck on a message that it refuses. It is called
/// no sooner than this, until the handshake time-out ends it.
pub(super) const MIN_TICK: Duration = Duration::from_millis(20);
/// Datagrams of a flight that are kept for the connectivity checks: a few are usual.
const MAX_FLIGHT: usize = 16;
/// Room that handshake output is first offered.
const HANDSHAKE_ROOM: usize = 2048;

pub(crate) struct DtlsTransport {
    state: DtlsState,
    role: Option<DtlsRole>,
    versions: DtlsVersions,
    config: Arc<dimpl::Config>,
    in_checks: bool,
    certificate: Certificate,
    pub(super) engine: Option<Box<Dtls>>,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) remote_certificate: Option<Bytes>,
    early: VecDeque<Vec<u8>>,
    pub(super) outgoing: VecDeque<Vec<u8>>,
    /// What was said since somebody last took it for the connectivity checks.
    flight: Vec<Vec<u8>>,
    pub(super) deadline: Option<Instant>,
    pub(super) handshake_timeout: Duration,
    /// There is no path yet: the handshake goes on inside of connectivity checks, which repeat what is lost. Since when.
    pathless: Option<Instant>,
    /// How long the engine's clock has stood still for that.
    paused: Duration,
    /// When the handshake has failed if it has not finished.
    pub(super) ends: Option<Instant>,
    /// Something of the handshake has come from the peer.
    pub(super) heard: bool,
    shrinking: Shrinking,
    /// Time that the engine was last told.
    pub(super) clock: Option<Instant>,
    pub(super) error: Option<RtcError>,
    pub(super) suite: Option<u16>,
    /// ClientHellos that were objected to.
    pub(super) objections: u8,
    /// No record of ours in epoch 0 has had this sequence number.
    pub(super) next_unprotected: u64,
    pub(super) suspicion: Option<Suspicion>,
    pub(super) last_words: LastWords,
    /// The keys for SRTP are wanted.
    exports_srtp: bool,
    srtp: Option<SrtpKeys>,
    /// Datagrams that were no valid records.
    pub(crate) discarded: u64,
}

impl DtlsTransport {
    pub(crate) fn new(settings: &DtlsConfig, certificate: Certificate) -> Result<Self, Error> {
        Ok(DtlsTransport {
            state: DtlsState::New,
            role: None,
            versions: settings.versions,
            config: config::build(settings)?,
            in_checks: settings.in_checks,
            certificate,
            engine: None,
            fingerprints: Vec::new(),
            remote_certificate: None,
            early: VecDeque::new(),
            outgoing: VecDeque::new(),
            flight: Vec::new(),
            deadline: None,
            pathless: None,
            paused: Duration::ZERO,
            handshake_timeout: settings.handshake_timeout,
            ends: None,
            heard: false,
            shrinking: Shrinking::new(settings),
            clock: None,
            error: None,
            suite: None,
            objections: 0,
            next_unprotected: 0,
            suspicion: None,
            last_words: LastWords::default(),
            exports_srtp: false,
            srtp: None,
            discarded: 0,
        })
    }

    /// What can be seen from outside: a handshake without a path is none, even if it is done. The peer may have been answered in all
    /// its checks before it has answered one of ours, and until then nothing of ours may be sent to it (RFC 8445 section 12.1).
    pub(crate) fn state(&self) -> DtlsState {
        match self.state {
            DtlsState::Connecting | DtlsState::Connected if self.pathless.is_some() => DtlsState::New,
            state => state,
        }
    }

    pub(crate) fn role(&self) -> Option<DtlsRole> {
        self.role
    }

    pub(crate) fn error(&self) -> Option<&RtcError> {
        self.error.as_ref()
    }

    pub(crate) fn remote_certificate(&self) -> Option<&Bytes> {
        self.remote_certificate.as_ref()
    }

    /// The handshake is done, and there is a path for what it protects.
    pub(crate) fn is_connected(&self) -> bool {
        self.state() == DtlsState::Connected
    }

    /// The handshake is done.
    pub(crate) fn has_finished(&self) -> bool {
        self.state == DtlsState::Connected
    }

    /// The peer needs nothing more of us, once the handshake is done: its last flight was the answer to ours.
    pub(crate) fn is_answered(&self) -> bool {
        let is_13 = self.version() == Some(ProtocolVersion::DTLS1_3);
        self.role == Some(if is_13 { DtlsRole::Server } else { DtlsRole::Client })
    }

    fn version(&self) -> Option<ProtocolVersion> {
        self.engine.as_ref()?.protocol_version()
    }

    /// `FEFD` or `FEFC`, once connected.
    pub(crate) fn tls_version(&self) -> Option<&'static str> {
        match self.version().filter(|_| self.is_connected())? {
            ProtocolVersion::DTLS1_3 => Some("FEFC"),
            ProtocolVersion::DTLS1_2 => Some("FEFD"),
            _ => None,
        }
    }

    /// IANA name of the cipher suite, once connected.
    pub(crate) fn cipher(&self) -> Option<&'static str> {
        self.suite.filter(|_| self.is_connected()).and_then(sniff::suite_name)
    }

    /// Whether keys for SRTP are kept when the handshake gives some. To be said before it begins.
    pub(crate) fn export_srtp_keys(&mut self, wanted: bool) {
        self.exports_srtp = wanted;
    }

    /// Keys for SRTP, once connected; `None` if the peer has no profile of ours.
    pub(crate) fn srtp_keys(&self) -> Option<&SrtpKeys> {
        self.srtp.as_ref().filter(|_| self.is_connected())
    }

    /// Both descriptions are known. The role is settled by the first call; the fingerprints must go on fitting the
    /// certificate that was verified.
    pub(crate) fn set_parameters(&mut self, role: DtlsRole, fingerprints: Vec<Fingerprint>) {
        self.role.get_or_insert(role);
        self.fingerprints = fingerprints;
        if self.remote_certificate.is_some() && !self.is_expected() {
            self.dismiss();
        }
    }

    /// Starts the handshake if it has not been and the parameters are known. Without a path time begins to count when
    /// [`Self::path_found`] is called.
    pub(crate) fn start(
        &mut self,
        now: Instant,
        has_path: bool,
        rx: &mut ReceiveBuffer,
        sink: &mut impl FnMut(Bytes),
    ) {
        let Some(role) = self.role else { return };
        if self.state != DtlsState::New {
            return;
        }
        self.pathless = (!has_path).then_some(now);
        self.engine = Some(Box::new(self.new_engine(now, role)));
        self.state = DtlsState::Connecting;
        self.ends = now.checked_add(self.handshake_timeout).filter(|_| has_path);
        self.tick(now, rx, sink);
        for datagram in mem::take(&mut self.early) {
            self.receive(now, &datagram, rx, sink);
        }
    }

    /// Datagrams can be sent. What `has` says that the peer has, or will, need not be.
    pub(crate) fn path_found(&mut self, now: Instant, has: impl Fn(&[u8]) -> bool) {
        let Some(since) = self.pathless.take() else { return };
        self.paused = now.saturating_duration_since(since);
        if self.state == DtlsState::Connecting {
            self.ends = now.checked_add(self.handshake_timeout);
        }
        self.outgoing.retain(|datagram| !has(datagram));
        // The engine says anew when it wants to be called.
        self.clock = None;
        self.deadline = Some(now);
    }

    /// Whether there was no path when the handshake began, and nobody has told of one.
    pub(crate) fn is_pathless(&self) -> bool {
        self.pathless.is_some()
    }

    /// What the engine has to say since the last call, for the connectivity checks. Without a path it takes the place of what waits.
    pub(crate) fn take_flight(&mut self) -> Option<Vec<Vec<u8>>> {
        let flight = mem::take(&mut self.flight);
        if flight.is_empty() {
            return None;
        }
        if self.pathless.is_some() {
            self.outgoing = flight.iter().cloned().collect();
        }
        Some(flight)
    }

    /// The engine's time.
    fn engine_time(&self, now: Instant) -> Instant {
        self.pathless.unwrap_or_else(|| now.checked_sub(self.paused).unwrap_or(now))
    }

    /// When the engine wants to be called, in its own time.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        let deadline = deadline + self.paused;
        let soonest = self.clock.map_or(deadline, |clock| deadline.max(clock + MIN_TICK));
        self.deadline = Some(soonest).filter(|_| self.pathless.is_none());
    }

    /// A datagram with DTLS records has come from the peer's address. Plaintext goes to `sink`.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        datagram: &[u8],
        rx: &mut ReceiveBuffer,
        sink: &mut impl FnMut(Bytes),
    ) {
        match self.state {
            DtlsState::New => {
                if self.early.len() < MAX_EARLY && datagram.len() <= MAX_EARLY_LEN {
                    self.early.push_back(datagram.to_vec());
                }
                return;
            }
            DtlsState::Connecting => {
                self.tick(now, rx, sink);
                match self.filter_alerts(now, datagram) {
                    None => self.continue_handshake(now, datagram),
                    Some(rest) => self.continue_handshake(now, &rest),
                }
            }
            DtlsState::Connected => {
                let Some(engine) = &mut self.engine else { return };
                if let Err(error) = engine.handle_packet(datagram) {
                    self.handle_error(error);
                }
            }
            DtlsState::Failed => return self.repeat_last_words(datagram),
            DtlsState::Closed => return,
        }
        self.drain(datagram.len(), rx, sink);
        self.object(datagram);
    }

    fn continue_handshake(&mut self, now: Instant, datagram: &[u8]) {
        if datagram.is_empty() {
            return;
        }
        self.heard = true;
        self.shrinking.received(now, datagram);
        self.suite = sniff::cipher_suite(datagram).or(self.suite);
        match self.watched(|engine| engine.handle_packet(datagram)) {
            Ok(()) => {}
            Err(dimpl::Error::TooManyClientHelloFragments) => self.begin_again(now, datagram),
            Err(error) => self.handle_error(error),
        }
    }

    /// Does something that may take the handshake past the peer's certificate.
    fn watched(&mut self, f: impl FnOnce(&mut Dtls) -> Result<(), dimpl::Error>) -> Result<(), dimpl::Error> {
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let (result, stranger) = last_word::watch(&mut self.fingerprints, || f(engine));
        if stranger {
            self.dismiss();
        }
        result
    }

    fn new_engine(&self, now: Instant, role: DtlsRole) -> Dtls {
        let now = self.engine_time(now);
        let (config, certificate) = (Arc::clone(&self.config), self.certificate.to_dtls());
        let mut engine = match self.versions {
            DtlsVersions::Auto => Dtls::new_auto(config, certificate, now),
            DtlsVersions::V1_2 => Dtls::new_12(config, certificate, now),
            DtlsVersions::V1_3 => Dtls::new_13(config, certificate, now),
        };
        engine.set_active(role == DtlsRole::Client);
        engine
    }

    /// A server that waits for the ClientHello collects its fragments, and takes no more once it has collected too
    /// much that is none. The ClientHello may still come.
    fn begin_again(&mut self, now: Instant, datagram: &[u8]) {
        self.discarded += 1;
        let mut engine = self.new_engine(now, DtlsRole::Server);
        // It was made a moment ago: time cannot have run out, and what the datagram is worth is seen later.
        let _ = engine.handle_timeout(self.engine_time(now));
        let _ = engine.handle_packet(datagram);
        self.engine = Some(Box::new(engine));
    }

    /// The next datagram of the handshake or an alert.
    pub(crate) fn poll_outgoing(&mut self) -> Option<Vec<u8>> {
        let datagram = self.outgoing.pop_front();
        if self.outgoing.is_empty() && self.outgoing.capacity() > 0 {
            self.outgoing = VecDeque::new();
        }
        datagram
    }

    /// Datagrams have come before the handshake could start.
    pub(crate) fn has_early(&self) -> bool {
        !self.early.is_empty()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            DtlsState::Connecting => {
                self.deadline.into_iter().chain(self.doubt_ends()).chain(self.ends).min()
            }
            DtlsState::Connected => self.deadline,
            _ => None,
        }
    }

    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        rx: &mut ReceiveBuffer,
        sink: &mut impl FnMut(Bytes),
    ) {
        if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.expire(now);
            self.tick(now, rx, sink);
            self.settle_doubt(now);
        }
    }

    /// Closes; a `close_notify` is left in the queue of outgoing datagrams if the peer can understand it.
    pub(crate) fn close(&mut self, rx: &mut ReceiveBuffer) {
        if matches!(self.state, DtlsState::Connecting | DtlsState::Connected) {
            if let Some(engine) = &mut self.engine {
                // Fails only if it is closed already.
                let _ = engine.close();
            }
            self.drain(0, rx, &mut |_| {});
        }
        self.state = DtlsState::Closed;
        self.engine = None;
        self.early.clear();
        self.deadline = None;
    }

    /// Gives back room for flights once the handshake is over.
    pub(crate) fn shrink(&mut self) {
        self.early.shrink_to_fit();
        self.outgoing.shrink_to_fit();
        self.flight.shrink_to_fit();
    }

    fn tick(&mut self, now: Instant, rx: &mut ReceiveBuffer, sink: &mut impl FnMut(Bytes)) {
        if self.clock == Some(now) {
            return;
        }
        self.clock = Some(now);
        let time = self.engine_time(now);
        let result = match self.state {
            DtlsState::Connecting => self.watched(|engine| engine.handle_timeout(time)),
            _ => self.engine.as_mut().map_or(Ok(()), |engine| engine.handle_timeout(time)),
        };
        if let Err(error) = result {
            self.handle_error(error);
        }
        self.drain(0, rx, sink);
    }

    /// Takes everything out of the engine. `expect`: length of the datagram that was just put in.
    fn drain(&mut self, expect: usize, rx: &mut ReceiveBuffer, sink: &mut impl FnMut(Bytes)) {
        let mut room = if self.state == DtlsState::Connected { expect } else { HANDSHAKE_ROOM };
        loop {
            let Some(engine) = &mut self.engine else { return };
            match engine.poll_output(rx.room(room)) {
                Output::ApplicationData(data) => {
                    let len = data.len();
                    // The engine reports the certificate and the connection first, and verification comes with them.
                    if self.state == DtlsState::Connected {
                        sink(rx.take(len));
                    }
                }
                Output::Packet(packet) => {
                    self.suite = match self.state {
                        DtlsState::Connecting => sniff::cipher_suite(packet).or(self.suite),
                        _ => self.suite,
                    };
                    self.post(packet);
                }
                Output::PeerCert(der) => {
                    self.remote_certificate = Some(Bytes::copy_from_slice(der));
                    // In DTLS 1.3 there are keys for the alert only when the peer has proved that the certificate is its own.
                    let waits = engine.protocol_version() == Some(ProtocolVersion::DTLS1_3);
                    if !waits && !self.is_expected() {
                        self.dismiss();
                    }
                }
                Output::Connected => self.connected(),
                // It comes right after the former, and only if the peer has a profile of ours.
                Output::KeyingMaterial(exported, profile) if self.exports_srtp => {
                    self.srtp = srtp::keys(profile, &exported, self.role);
                }
                Output::CloseNotify => {
                    self.state = DtlsState::Closed;
                    return;
                }
                Output::BufferTooSmall { needed } => room = needed,
                Output::Timeout(deadline) => {
                    self.set_deadline(deadline);
                    return;
                }
                _ => {}
            }
        }
    }

    /// Puts a datagram of the engine into the queue, in pieces if larger ones seem to get lost.
    fn post(&mut self, packet: &[u8]) {
        let limit = self.clock.filter(|_| self.pathless.is_none()).and_then(|now| self.shrinking.limit(now));
        let datagrams = match limit {
            Some(limit) => small::split(packet, limit, &mut self.next_unprotected),
            None => {
                if let Some(sequence) = alert::last_unprotected(packet) {
                    self.next_unprotected = self.next_unprotected.max(sequence + 1);
                }
                vec![packet.to_vec()]
            }
        };
        if self.in_checks {
            let room = MAX_FLIGHT - self.flight.len();
            self.flight.extend(datagrams.iter().take(room).cloned());
        }
        self.outgoing.extend(datagrams);
    }

    fn connected(&mut self) {
        if self.state != DtlsState::Connecting {
            return;
        }
        if !self.is_expected() {
            self.dismiss();
            return;
        }
        self.state = DtlsState::Connected;
    }

    /// Whether the peer's certificate is the signaled one.
    fn is_expected(&self) -> bool {
        self.remote_certificate.as_ref().is_some_and(|der| matches_fingerprints(der, &self.fingerprints))
    }

    /// The end, with this error.
    pub(crate) fn give_up(&mut self, error: RtcError) {
        self.state = DtlsState::Failed;
        self.error = Some(error);
        self.engine = None;
        self.deadline = None;
        self.suspicion = None;
        self.early.clear();
    }
}
