//! What is known about why a connection does not come about.

use crate::ice::IceCandidateError;
use crate::states::{DtlsState, IceState, SctpState};

/// Candidates of one side, by kind (RFC 8445, section 4).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct KindCounts {
    /// Addresses of interfaces.
    pub host: usize,
    /// Addresses as servers or the peer see them.
    pub reflexive: usize,
    /// Addresses of TURN servers.
    pub relay: usize,
    /// How many of them all are IPv6.
    pub ipv6: usize,
    /// How many of them all are addresses of a network that is nobody's on the internet: private (RFC 1918, RFC 6598, RFC 4193),
    /// link-local, loopback.
    pub inner: usize,
}

impl KindCounts {
    /// Of any kind.
    pub fn all(&self) -> usize {
        self.host + self.reflexive + self.relay
    }
}

/// What a connection knows of its own set-up: facts, of which the caller makes causes. Those of ICE are of the newest generation.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// `iceTransportPolicy` is `relay`.
    pub relay_only: bool,
    /// All servers have answered, or their time is over.
    pub gathered: bool,
    /// Both descriptions are known.
    pub described: bool,
    /// The candidates of this side.
    pub local: KindCounts,
    /// Those that the peer has told of.
    pub remote: KindCounts,
    /// Candidates of the peer whose host name was not found.
    pub names_not_found: u32,
    /// Connectivity checks sent.
    pub checks_sent: u64,
    /// Checks of the peer that came in.
    pub checks_received: u64,
    /// Answers to our checks.
    pub answers_received: u64,
    /// A pair has been in use.
    pub had_path: bool,
    /// State of ICE.
    pub ice: IceState,
    /// State of DTLS.
    pub dtls: DtlsState,
    /// Why DTLS has failed.
    pub dtls_error: Option<String>,
    /// State of SCTP.
    pub sctp: SctpState,
    /// Servers that did not help, and failures of this machine.
    pub faults: Vec<IceCandidateError>,
}
