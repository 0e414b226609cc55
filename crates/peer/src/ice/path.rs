//! The way that a message goes: addresses and transport.

use std::net::SocketAddr;

use is::Protocol;

use crate::sdp::CandidateProtocol;

/// The port of every active TCP candidate, "discard": nobody can connect there (RFC 6544 section 4.5).
pub(crate) const ACTIVE_PORT: u16 = 9;

/// A 5-tuple. Two of the same addresses are not the same if one is of UDP and the other of TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Path {
    pub protocol: CandidateProtocol,
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

impl Path {
    /// The protocol by its name in the agent.
    pub(crate) fn agent_protocol(&self) -> Protocol {
        agent_protocol(self.protocol)
    }
}

pub(crate) fn agent_protocol(protocol: CandidateProtocol) -> Protocol {
    match protocol {
        CandidateProtocol::Udp => Protocol::Udp,
        CandidateProtocol::Tcp => Protocol::Tcp,
    }
}

/// The agent knows of TLS as well, which it is never given.
pub(crate) fn of_agent(protocol: Protocol) -> CandidateProtocol {
    match protocol {
        Protocol::Udp => CandidateProtocol::Udp,
        Protocol::Tcp | Protocol::SslTcp | Protocol::Tls => CandidateProtocol::Tcp,
    }
}
