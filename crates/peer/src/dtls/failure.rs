//! How a handshake fails, and how the peer gets to know.

use std::time::{Duration, Instant};

use dimpl::{Dtls, Output, ProtocolVersion, SecurityError};
use tracing::trace;

use super::alert::{LastWords, Suspicion};
use super::transport::DtlsTransport;
use super::{alert, last_word};
use crate::jsep::DtlsRole;
use crate::rtc_error::{ErrorDetail, RtcError};
use crate::states::DtlsState;

/// A fatal alert in the clear may be anybody's. It counts if the peer says nothing else for this long: more than a round trip, so
/// that a handshake that goes on has done so.
const DOUBT: Duration = Duration::from_secs(1);

/// How often our alert is sent again when the peer repeats what it had sent before (RFC 9147 section 4.5.2). Later it has given up.
const REPETITIONS: u8 = 8;

impl DtlsTransport {
    /// Takes alerts in the clear out of a datagram of the handshake. Returns the rest, or nothing if there were none.
    pub(super) fn filter_alerts(&mut self, now: Instant, datagram: &[u8]) -> Option<Vec<u8>> {
        let Some((rest, fatal)) = alert::take_unprotected(datagram) else {
            self.suspicion = None;
            return None;
        };
        if let (Some(description), None) = (fatal, &self.suspicion) {
            self.suspicion = now.checked_add(DOUBT).map(|until| Suspicion { description, until });
        }
        Some(rest)
    }

    /// When a suspicion becomes certainty.
    pub(super) fn doubt_ends(&self) -> Option<Instant> {
        self.suspicion.as_ref().map(|suspicion| suspicion.until)
    }

    /// The peer has not gone on after its alert.
    pub(super) fn settle_doubt(&mut self, now: Instant) {
        if self.state() == DtlsState::Connecting
            && let Some(suspicion) = self.suspicion.take_if(|suspicion| suspicion.until <= now)
        {
            self.received_alert(suspicion.description);
        }
    }

    /// The handshake has taken too long. The engine counts from its own first flight only, and a server that hears nothing
    /// sends none.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.state() != DtlsState::Connecting || self.ends.is_none_or(|ends| ends > now) {
            return;
        }
        let timeout = self.handshake_timeout.as_millis();
        let message = match self.heard {
            true => format!("the handshake timed out: it has not finished within {timeout} ms"),
            false => format!(
                "the handshake timed out: ICE has a path, but nothing of DTLS has come over it from the peer within {timeout} ms"
            ),
        };
        self.fail(ErrorDetail::DtlsFailure, message, None);
    }

    fn received_alert(&mut self, description: u8) {
        self.fail(ErrorDetail::DtlsFailure, format!("the peer has sent a fatal alert ({description})"), None);
        if let Some(error) = &mut self.error {
            error.received_alert = Some(description);
        }
    }

    pub(super) fn handle_error(&mut self, error: dimpl::Error) {
        use dimpl::Error as E;
        let connected = self.state() == DtlsState::Connected;
        match &error {
            E::SecurityError(SecurityError::FatalAlert { description }) => self.received_alert(*description),
            E::Timeout(_) if connected => trace!(%error, "key update unanswered"),
            E::Timeout(_) => {
                self.fail(ErrorDetail::DtlsFailure, format!("the handshake timed out: {error}"), None);
            }
            // With keys in place whatever is wrong with a datagram is no fault of the peer: anybody can send it.
            _ if connected => self.discarded += 1,
            E::UnexpectedMessage(_)
            | E::ReceiveQueueFull
            | E::TransmitQueueFull
            | E::RenegotiationAttempt => self.discarded += 1,
            E::CertificateError(reason) => {
                // The engine has prepared the alert itself in this case, and nothing else.
                if *reason == dimpl::CertificateError::NoClientCertificateReceived {
                    self.take_packets();
                }
                let message =
                    format!("the peer's certificate cannot be used (only ECDSA ones are supported): {error}");
                self.fail(ErrorDetail::DtlsFailure, message, Some(alert::for_error(&error)));
            }
            _ => {
                let alert = alert::for_error(&error);
                self.fail(ErrorDetail::DtlsFailure, format!("the handshake failed: {error}"), Some(alert));
            }
        }
    }

    /// The engine passes over a ClientHello that offers nothing it knows. The client is told, but nothing ends here: such a hello may be
    /// anybody's.
    pub(super) fn object(&mut self, datagram: &[u8]) {
        let unanswered =
            self.state() == DtlsState::Connecting && self.suite.is_none() && self.outgoing.is_empty();
        let objects = unanswered && self.role() == Some(DtlsRole::Server) && self.objections < REPETITIONS;
        if objects && alert::is_whole_client_hello(datagram) {
            self.objections += 1;
            self.outgoing.push_back(alert::plaintext(alert::HANDSHAKE_FAILURE, self.next_unprotected));
            self.next_unprotected += 1;
        }
    }

    /// The peer is not who it should be. It is told so with the keys that there are, or in the clear before that.
    pub(super) fn dismiss(&mut self) {
        let version = self.engine.as_ref().and_then(|engine| engine.protocol_version());
        let is_13 = version == Some(ProtocolVersion::DTLS1_3);
        let connected = self.state() == DtlsState::Connected;
        if is_13 || connected {
            if let Some(engine) = &mut self.engine {
                // Fails only if it is closed already.
                let _ = last_word::say(alert::BAD_CERTIFICATE, || engine.close());
            }
            self.take_packets();
        }
        let names: Vec<&str> = self.fingerprints.iter().map(|f| f.algorithm.as_str()).collect();
        let names = names.join(", ");
        let message = match self.remote_certificate {
            None => "the peer has shown no certificate".to_owned(),
            Some(_) => {
                format!("the certificate of the peer has none of the signaled fingerprints ({names})")
            }
        };
        // Under the keys of DTLS 1.2 the engine can only say goodbye.
        let alert = (is_13 || !connected).then_some(alert::BAD_CERTIFICATE);
        self.fail(ErrorDetail::FingerprintFailure, message, alert);
    }

    /// What the engine still has to send is our last word.
    fn take_packets(&mut self) {
        let Some(engine) = &mut self.engine else { return };
        let datagrams = packets(engine, &mut self.remote_certificate);
        self.last_words = LastWords { datagrams, repetitions: REPETITIONS };
    }

    /// Ends the transport. The peer is told by `alert`, if there is one.
    fn fail(&mut self, detail: ErrorDetail, message: impl Into<String>, alert: Option<u8>) {
        if matches!(self.state(), DtlsState::Failed | DtlsState::Closed) {
            return;
        }
        let mut error = RtcError::new(detail, message);
        error.sent_alert = alert.filter(|_| self.engine.is_some());
        if let Some(description) = error.sent_alert.filter(|_| self.last_words.datagrams.is_empty()) {
            let datagram = alert::plaintext(description, self.next_unprotected);
            self.last_words = LastWords { datagrams: vec![datagram], repetitions: REPETITIONS };
        }
        self.outgoing.extend(self.last_words.datagrams.iter().cloned());
        self.give_up(error);
    }

    /// The peer has not understood yet: it repeats something.
    pub(super) fn repeat_last_words(&mut self, datagram: &[u8]) {
        if self.last_words.repetitions > 0 && !alert::is_alert(datagram) {
            self.last_words.repetitions -= 1;
            self.outgoing.extend(self.last_words.datagrams.iter().cloned());
        }
    }
}

/// Takes everything out of an engine that is given up; keeps its datagrams and the peer's certificate.
fn packets(engine: &mut Dtls, certificate: &mut Option<bytes::Bytes>) -> Vec<Vec<u8>> {
    let (mut room, mut datagrams) = (vec![0; 4096], Vec::new());
    loop {
        match engine.poll_output(&mut room) {
            Output::Packet(packet) => datagrams.push(packet.to_vec()),
            Output::PeerCert(der) => *certificate = Some(bytes::Bytes::copy_from_slice(der)),
            Output::BufferTooSmall { needed } => room.resize(needed, 0),
            Output::Timeout(_) => return datagrams,
            _ => {}
        }
    }
}
