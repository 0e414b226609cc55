//! Alerts (RFC 5246 section 7.2, RFC 8446 section 6): which one tells the peer what, and how they look before there are keys.

use std::time::Instant;

use dimpl::{CertificateError, CryptoError, Error, SecurityError};

const ALERT_RECORD: u8 = 21;
const HANDSHAKE_RECORD: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const FATAL: u8 = 2;
const RECORD_HEADER: usize = 13;
/// Records with a smaller first byte have the long header in the clear; those above are DTLS 1.3 ciphertext (RFC 9147 section 4).
const FIRST_CIPHERTEXT: u8 = 32;

const CLOSE_NOTIFY: u8 = 0;
pub(super) const HANDSHAKE_FAILURE: u8 = 40;
pub(super) const BAD_CERTIFICATE: u8 = 42;
const UNSUPPORTED_CERTIFICATE: u8 = 43;
const ILLEGAL_PARAMETER: u8 = 47;
const DECODE_ERROR: u8 = 50;
const DECRYPT_ERROR: u8 = 51;
const PROTOCOL_VERSION: u8 = 70;
const INTERNAL_ERROR: u8 = 80;
const USER_CANCELED: u8 = 90;
const MISSING_EXTENSION: u8 = 109;

/// The alert that has ended our side.
#[derive(Default)]
pub(super) struct LastWords {
    pub(super) datagrams: Vec<Vec<u8>>,
    /// How often they may be said again.
    pub(super) repetitions: u8,
}

/// A fatal alert that may be a stranger's.
pub(super) struct Suspicion {
    pub(super) description: u8,
    /// When it counts as the peer's.
    pub(super) until: Instant,
}

/// What the peer is told about a failure of ours.
pub(super) fn for_error(error: &Error) -> u8 {
    match error {
        Error::SecurityError(error) => for_security_error(error),
        Error::CertificateError(error) => for_certificate_error(error),
        Error::CryptoError(error) => for_crypto_error(error),
        Error::IncompleteServerHello => DECODE_ERROR,
        Error::PskError(_) => HANDSHAKE_FAILURE,
        _ => INTERNAL_ERROR,
    }
}

fn for_security_error(error: &SecurityError) -> u8 {
    use SecurityError as E;
    match error {
        E::UnsupportedHelloVerifyRequestVersion(_)
        | E::UnsupportedServerVersion(_)
        | E::UnsupportedClientVersion(_)
        | E::ClientHelloLegacyVersionNotDtls12
        | E::ServerHelloLegacyVersionNotDtls12
        | E::ClientHelloMissingDtls13SupportedVersions
        | E::HrrDidNotSelectDtls13
        | E::ServerDidNotNegotiateDtls13 => PROTOCOL_VERSION,
        E::NoMutuallyAcceptableCipherSuite
        | E::NoCommonCipherSuite
        | E::NoCommonKeyExchangeGroup
        | E::ExtendedMasterSecretNotNegotiated
        | E::UnsupportedKeyExchangeAlgorithm
        | E::CannotSendSecondHelloRetryRequest => HANDSHAKE_FAILURE,
        E::ServerMissingKeyShare => MISSING_EXTENSION,
        E::ServerFinishedVerificationFailed | E::ClientFinishedVerificationFailed => DECRYPT_ERROR,
        E::SignatureTooLarge => DECODE_ERROR,
        // The rest are choices that were not offered.
        _ => ILLEGAL_PARAMETER,
    }
}

fn for_certificate_error(error: &CertificateError) -> u8 {
    use CertificateError as E;
    match error {
        E::NoServerCertificateReceived => DECODE_ERROR,
        E::UnsupportedHashAlgorithm(_) | E::UnsupportedEcCurve | E::MissingEcCurveParameter => {
            UNSUPPORTED_CERTIFICATE
        }
        E::ServerCertificateContextMustBeEmpty | E::ClientCertificateContextMustBeEmpty => ILLEGAL_PARAMETER,
        _ => BAD_CERTIFICATE,
    }
}

fn for_crypto_error(error: &CryptoError) -> u8 {
    use CryptoError as E;
    match error {
        E::SignatureVerificationFailed { .. } | E::InvalidSignatureFormat => DECRYPT_ERROR,
        E::InvalidPublicKey(_) | E::UnsupportedEcdheNamedGroup(_) | E::SignatureAlgorithmMismatch { .. } => {
            ILLEGAL_PARAMETER
        }
        E::SignatureAlgorithmNotOfferedByClient | E::NoSupportedKeyExchangeGroups => HANDSHAKE_FAILURE,
        E::UnsupportedPublicKeyAlgorithm | E::UnsupportedEcCurve | E::MissingEcCurveParameter => {
            UNSUPPORTED_CERTIFICATE
        }
        E::CertificateParseFailed | E::InvalidEcCurveParameter | E::InvalidSubjectPublicKey => {
            BAD_CERTIFICATE
        }
        _ => INTERNAL_ERROR,
    }
}

/// A fatal alert in the clear. `sequence`: 48 bits, not used before in epoch 0.
pub(super) fn plaintext(description: u8, sequence: u64) -> Vec<u8> {
    let mut record = vec![ALERT_RECORD, 0xfe, 0xfd];
    // The epoch, 0, is above the sequence number.
    record.extend_from_slice(&(sequence & 0xffff_ffff_ffff).to_be_bytes());
    record.extend_from_slice(&[0, 2, FATAL, description]);
    record
}

/// The records of a datagram that can be told apart without keys: their place, and the content of alerts in the clear.
fn records(datagram: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = datagram.get(at..)?;
        let header = rest.get(..RECORD_HEADER).filter(|header| header[0] < FIRST_CIPHERTEXT)?;
        let len = RECORD_HEADER + usize::from(u16::from_be_bytes([header[11], header[12]]));
        let content = rest.get(RECORD_HEADER..len)?;
        let number = header[3..11].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let start = at;
        at += len;
        Some(Record { start, end: at, kind: header[0], number, content })
    })
}

struct Record<'a> {
    start: usize,
    end: usize,
    kind: u8,
    /// Epoch and sequence number.
    number: u64,
    content: &'a [u8],
}

impl Record<'_> {
    fn is_unprotected(&self) -> bool {
        self.number >> 48 == 0
    }
}

/// The highest sequence number that a datagram of ours has in epoch 0.
pub(super) fn last_unprotected(datagram: &[u8]) -> Option<u64> {
    records(datagram).filter(Record::is_unprotected).map(|record| record.number).max()
}

/// Takes alerts in the clear out of a datagram: anybody can send them. Returns the rest, and the description of the first fatal one.
pub(super) fn take_unprotected(datagram: &[u8]) -> Option<(Vec<u8>, Option<u8>)> {
    let is_alert = |record: &Record<'_>| record.kind == ALERT_RECORD && record.is_unprotected();
    if !records(datagram).any(|record| is_alert(&record)) {
        return None;
    }
    let (mut rest, mut fatal, mut end) = (Vec::new(), None, 0);
    for record in records(datagram) {
        end = record.end;
        if !is_alert(&record) {
            rest.extend_from_slice(&datagram[record.start..record.end]);
        } else if let &[FATAL, description] = record.content
            && !matches!(description, CLOSE_NOTIFY | USER_CANCELED)
        {
            fatal = fatal.or(Some(description));
        }
    }
    rest.extend_from_slice(&datagram[end..]);
    Some((rest, fatal))
}

/// Whether a datagram begins with a ClientHello that is not cut into fragments.
pub(super) fn is_whole_client_hello(datagram: &[u8]) -> bool {
    let hello = records(datagram).next().filter(|r| r.kind == HANDSHAKE_RECORD && r.is_unprotected());
    // msg_type(1), length(3), message_seq(2), fragment_offset(3), fragment_length(3)
    hello.is_some_and(|r| {
        r.content.first() == Some(&CLIENT_HELLO)
            && r.content.get(1..4) == r.content.get(9..12)
            && r.content.get(6..9) == Some(&[0; 3])
    })
}

/// Whether a datagram begins with an alert in the clear, or one of DTLS 1.2 under keys.
pub(super) fn is_alert(datagram: &[u8]) -> bool {
    datagram.first() == Some(&ALERT_RECORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, sequence: u8, content: &[u8]) -> Vec<u8> {
        let mut record = vec![
            kind,
            0xfe,
            0xfd,
            0,
            epoch,
            0,
            0,
            0,
            0,
            0,
            sequence,
            0,
            u8::try_from(content.len()).unwrap(),
        ];
        record.extend_from_slice(content);
        record
    }

    #[test]
    fn alerts_in_the_clear_are_taken_out_wherever_they_are() {
        let (hello, finished) = (record(22, 0, 0, b"hello"), record(22, 1, 0, b"finished"));
        let ciphertext = [0x2e, 1, 2, 3, 4];
        let datagram =
            [&hello[..], &record(21, 0, 1, &[1, 0]), &plaintext(40, 2), &finished, &ciphertext].concat();
        let (rest, fatal) = take_unprotected(&datagram).unwrap();
        assert_eq!(rest, [&hello[..], &finished, &ciphertext].concat());
        assert_eq!(fatal, Some(40));
        assert_eq!(last_unprotected(&datagram), Some(2));
    }

    #[test]
    fn protected_alerts_and_goodbyes_are_left_to_the_engine_or_ignored() {
        assert!(take_unprotected(&record(21, 1, 0, &[7; 26])).is_none());
        assert!(take_unprotected(&[0x2e, 21, 2, 40]).is_none());
        let goodbye = record(21, 0, 0, &[2, 0]);
        assert_eq!(take_unprotected(&goodbye), Some((Vec::new(), None)));
    }

    #[test]
    fn cut_records_stay_as_they_are() {
        let alert = plaintext(40, 0);
        for len in 0..alert.len() {
            assert!(take_unprotected(&alert[..len]).is_none(), "{len} bytes");
        }
        let more = [&alert[..], &[22, 0xfe]].concat();
        assert_eq!(take_unprotected(&more), Some((vec![22, 0xfe], Some(40))));
    }
}
