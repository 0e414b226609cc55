//! Candidates and errors as they go in from gathering and out to the application.

use std::net::{IpAddr, SocketAddr};

use crate::sdp::{CandidateProtocol, TcpType};
use crate::states::w3c_enum;

w3c_enum! {
    /// `RTCIceCandidateType`.
    CandidateKind {
        /// An address of an interface.
        Host => "host",
        /// An address seen by a STUN server.
        ServerReflexive => "srflx",
        /// An address seen in a connectivity check.
        PeerReflexive => "prflx",
        /// An address of a TURN server.
        Relay => "relay",
    }
}

w3c_enum! {
    /// `RTCIceServerTransportProtocol`: how we talk to the TURN server of a relayed candidate.
    RelayProtocol {
        /// TURN over UDP.
        Udp => "udp",
        /// TURN over TCP.
        Tcp => "tcp",
        /// TURN over TLS.
        Tls => "tls",
    }
}

/// A local candidate, handed in with [`Connection::add_local_candidate`](crate::Connection::add_local_candidate).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalCandidate {
    /// How it was found. Peer-reflexive ones are found by the agent itself.
    pub kind: LocalCandidateKind,
    /// The address others send to.
    pub addr: SocketAddr,
    /// Host and server-reflexive: the address of the local socket; it differs from `addr` of a host behind a 1:1 NAT that knows its public
    /// address. Relay: the address from which the TURN server
    /// sees us, which becomes `raddr`.
    ///
    /// Datagrams of a relayed candidate are given to `handle_datagram` and come from `poll_transmit` with `addr`
    /// (the relayed address) as their local address; of all others with `base`. Those of TCP go in by `handle_framed`.
    pub base: SocketAddr,
    /// URL of the STUN or TURN server it came from.
    pub url: Option<String>,
    /// Transport to the TURN server of a relayed candidate.
    pub relay_protocol: Option<RelayProtocol>,
}

/// Kinds of candidates that gathering finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalCandidateKind {
    /// An address of an interface.
    Host,
    /// An address seen by a STUN server.
    ServerReflexive,
    /// An address of a TURN server.
    Relay,
    /// An address of an interface from which TCP connections are opened (RFC 6544). Port 9 stands for all of them, as
    /// neither side knows the real one before.
    TcpActive,
    /// An address of an interface at which TCP connections are accepted.
    TcpPassive,
}

impl LocalCandidateKind {
    /// What it is over TCP; `None` over UDP.
    pub(crate) fn tcp_type(self) -> Option<TcpType> {
        match self {
            Self::TcpActive => Some(TcpType::Active),
            Self::TcpPassive => Some(TcpType::Passive),
            Self::Host | Self::ServerReflexive | Self::Relay => None,
        }
    }

    pub(crate) fn protocol(self) -> CandidateProtocol {
        match self.tcp_type() {
            Some(_) => CandidateProtocol::Tcp,
            None => CandidateProtocol::Udp,
        }
    }
}

/// A STUN or TURN server did not give a candidate (`RTCPeerConnectionIceErrorEvent`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceCandidateError {
    /// Local address used, if known.
    pub address: Option<IpAddr>,
    /// Local port used, if known.
    pub port: Option<u16>,
    /// URL of the server.
    pub url: String,
    /// STUN error code 300 to 699, or 701 when the server was not reached.
    pub code: u16,
    /// What happened.
    pub text: String,
    /// The same for programs.
    pub fault: Fault,
}

w3c_enum! {
    /// What kind of failure an [`IceCandidateError`] is.
    Fault {
        /// The server has answered, and refuses.
        Refused => "refused",
        /// Nothing or nothing of use came from the server.
        Unreachable => "unreachable",
        /// Its name has no address.
        NameNotFound => "name-not-found",
        /// Its certificate is not trusted, or is for another name.
        Untrusted => "untrusted",
        /// No server is to blame but this machine, or its settings.
        Local => "local",
    }
}

/// A remote candidate with a host name (mDNS `.local`, or any FQDN) that the caller should resolve.
/// Answer with [`Connection::add_resolved_candidate`](crate::Connection::add_resolved_candidate); no answer is fine too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveCandidate {
    /// To be given back with the answer.
    pub token: u32,
    /// The name to look up.
    pub name: String,
}

/// One end of a candidate pair, as the application sees it (`RTCIceCandidate`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateInfo {
    /// Candidate line (`candidate:...`), empty for a peer-reflexive one that was never signaled.
    pub candidate: String,
    /// Kind.
    pub kind: CandidateKind,
    /// Transport protocol.
    pub protocol: CandidateProtocol,
    /// Who opens the connection, over TCP.
    pub tcp_type: Option<TcpType>,
    /// Transport address.
    pub addr: SocketAddr,
    /// Priority.
    pub priority: u32,
    /// Foundation.
    pub foundation: String,
    /// Related address (base).
    pub related: Option<SocketAddr>,
    /// Username fragment of the generation it belongs to.
    pub ufrag: String,
    /// `a=mid` of the section.
    pub mid: String,
    /// URL of the server it came from (local candidates only).
    pub url: Option<String>,
    /// Transport to the TURN server (local relayed candidates only).
    pub relay_protocol: Option<RelayProtocol>,
}

/// `RTCIceCandidatePair`: the pair in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedPair {
    /// Our end.
    pub local: CandidateInfo,
    /// Their end.
    pub remote: CandidateInfo,
}
