//! Settings of a [`Connection`](crate::Connection).

use std::sync::Arc;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::jsep::MediaCapabilities;

/// Settings of one connection. Made by [`Config::new`] and then adjusted field by field.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our DTLS certificate; its fingerprints go into every description.
    pub certificate: Certificate,
    /// Which candidates may be used (`RTCIceTransportPolicy`).
    pub ice_transport_policy: IceTransportPolicy,
    /// ICE timing.
    pub ice: IceConfig,
    /// DTLS versions and timing.
    pub dtls: DtlsConfig,
    /// Our SCTP port, announced as `a=sctp-port`. 1 to 65535, normally 5000.
    pub sctp_port: u16,
    /// The largest message we are willing to receive, in bytes, announced as `a=max-message-size`; 0 means no limit.
    pub max_message_size: u64,
    /// Most bytes that a channel may have queued and not yet sent; beyond it `send` fails with an `OperationError`. 0 means
    /// no limit.
    pub send_buffer_limit: usize,
    /// Put SCTP's INIT into descriptions and take the peer's from there, which saves the two round trips of its handshake
    /// (draft-hancke-tsvwg-snap). A peer that does not know it gets the handshake.
    pub init_in_descriptions: bool,
    /// Always put an `m=application` section into offers, also without a data channel (W3C `alwaysNegotiateDataChannels`).
    pub always_negotiate_data_channels: bool,
    /// Negotiate audio and video as well. `None`: sections for them in an offer are kept without use, or rejected.
    pub media: Option<MediaSettings>,
    /// Tuning of the SCTP association. Ports and message sizes are taken from the negotiation instead.
    pub sctp: ossa_sctp::Config,
}

impl Config {
    /// The settings used when nothing else is asked for.
    pub fn new(certificate: Certificate) -> Self {
        Config {
            certificate,
            ice_transport_policy: IceTransportPolicy::All,
            ice: IceConfig::default(),
            dtls: DtlsConfig::default(),
            sctp_port: 5000,
            // What we can receive is bounded by memory only; 256 MiB is what the design promises to carry.
            max_message_size: 256 * 1024 * 1024,
            send_buffer_limit: 16 * 1024 * 1024,
            init_in_descriptions: true,
            always_negotiate_data_channels: false,
            media: None,
            sctp: ossa_sctp::Config::default(),
        }
    }
}

/// Settings for audio and video.
#[derive(Debug, Clone)]
pub struct MediaSettings {
    /// The codecs and header extensions that there are.
    pub capabilities: Arc<MediaCapabilities>,
    /// What a clock on the wall says when the connection is made, as time since the Unix epoch: reports to the peer tell it
    /// (RFC 3550, section 6.4.1).
    pub wall_clock: Duration,
}

/// `RTCIceTransportPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceTransportPolicy {
    /// Any candidate.
    All,
    /// Only relayed candidates.
    Relay,
}

/// ICE timing (RFC 8445, RFC 7675).
#[derive(Debug, Clone)]
pub struct IceConfig {
    /// Pace of connectivity checks, Ta. RFC 8445 recommends 50 ms for many media flows; one data flow can go faster.
    pub check_interval: Duration,
    /// First retransmission time-out of a check; doubles up to [`Self::max_rto`].
    pub initial_rto: Duration,
    /// Longest time between two checks, which is also the pace of consent checks. 1 s to 5 s.
    pub max_rto: Duration,
    /// Without any answer for this long the state becomes `disconnected`.
    pub disconnected_timeout: Duration,
    /// Without any answer for this long the state becomes `failed` (consent expiry, RFC 7675). `None`: never, checks go on.
    pub failed_timeout: Option<Duration>,
    /// Be a lite implementation (RFC 8445 section 2.5): send no checks, only answer them, and let the other side choose the pair. For a
    /// server that everybody can reach at its host candidates; there are no others then. Between two lite sides both send checks
    /// all the same, as nothing would come about otherwise.
    pub lite: bool,
    /// How long after all candidates are known a first usable pair may still be found before the state becomes `failed`.
    pub checking_timeout: Duration,
}

impl IceConfig {
    /// Silence on the pair in use after which checks are sent more often: an answer is overdue by half an interval.
    pub(crate) fn patience(&self) -> Duration {
        self.max_rto + self.max_rto / 2 + self.check_interval
    }
}

impl Default for IceConfig {
    fn default() -> Self {
        IceConfig {
            check_interval: Duration::from_millis(5),
            initial_rto: Duration::from_millis(100),
            max_rto: Duration::from_millis(2500),
            disconnected_timeout: Duration::from_secs(5),
            failed_timeout: Some(Duration::from_secs(30)),
            lite: false,
            checking_timeout: Duration::from_secs(15),
        }
    }
}

/// Which DTLS versions may be negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DtlsVersions {
    /// 1.3 if the peer can, else 1.2.
    Auto,
    /// 1.2 only (RFC 6347).
    V1_2,
    /// 1.3 only (RFC 9147).
    V1_3,
}

/// DTLS settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DtlsConfig {
    /// Versions to offer and accept.
    pub versions: DtlsVersions,
    /// The handshake fails when it has not finished after this long.
    pub handshake_timeout: Duration,
    /// First retransmission time-out of a handshake flight; doubles at each try.
    pub initial_rto: Duration,
    /// Largest handshake datagram in bytes (UDP payload); at most 1,050 are used with [`Self::in_checks`].
    pub mtu: usize,
    /// Let the handshake travel in the connectivity checks, so that both take their round trips at the same time
    /// (draft-hancke-webrtc-sped). A peer that does not know it gets it afterwards.
    pub in_checks: bool,
    /// Records sent under one key with DTLS 1.3; then a new one is agreed on (RFC 9147 section 4.5.3). 1 to 2^23.
    pub key_update_records: u64,
}

impl Default for DtlsConfig {
    fn default() -> Self {
        DtlsConfig {
            versions: DtlsVersions::Auto,
            handshake_timeout: Duration::from_secs(30),
            // The path has just answered ICE checks, so a second is far too long to wait for a lost flight.
            initial_rto: Duration::from_millis(250),
            mtu: 1200,
            in_checks: true,
            key_update_records: 1 << 23,
        }
    }
}
