//! Errors that arrive later, in events (`RTCError`), as opposed to those that calls return.

use crate::states::w3c_enum;

w3c_enum! {
    /// `RTCErrorDetailType`, as far as data needs it.
    ErrorDetail {
        /// A channel failed.
        DataChannelFailure => "data-channel-failure",
        /// The DTLS handshake failed or a fatal alert came.
        DtlsFailure => "dtls-failure",
        /// The certificate of the peer is not the signaled one.
        FingerprintFailure => "fingerprint-failure",
        /// The SCTP association failed.
        SctpFailure => "sctp-failure",
    }
}

/// `RTCError`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtcError {
    /// `errorDetail`.
    pub detail: ErrorDetail,
    /// What happened.
    pub message: String,
    /// `sctpCauseCode` (RFC 9260 section 3.3.10), with `sctp-failure`.
    pub sctp_cause_code: Option<u16>,
    /// `receivedAlert`: the fatal DTLS alert that came.
    pub received_alert: Option<u8>,
    /// `sentAlert`: the fatal DTLS alert that we sent.
    pub sent_alert: Option<u8>,
}

impl RtcError {
    pub(crate) fn new(detail: ErrorDetail, message: impl Into<String>) -> Self {
        RtcError {
            detail,
            message: message.into(),
            sctp_cause_code: None,
            received_alert: None,
            sent_alert: None,
        }
    }
}
