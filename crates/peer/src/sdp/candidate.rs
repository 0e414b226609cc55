//! ICE candidates: `a=candidate` (RFC 8839, section 5.1; RFC 6544 for TCP).

use std::fmt;
use std::net::IpAddr;

use super::lines::excerpt;

/// Longest candidate line we look at, in bytes: a host name of 255 bytes and room for extensions.
const MAX_LEN: usize = 2048;

/// Transport protocol of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateProtocol {
    /// `udp`
    Udp,
    /// `tcp`
    Tcp,
}

impl CandidateProtocol {
    /// The W3C name (`RTCIceProtocol`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Where a candidate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidateType {
    /// An address of the machine itself.
    Host,
    /// The address that a STUN server sees.
    ServerReflexive,
    /// The address that the peer sees.
    PeerReflexive,
    /// An address of a TURN server.
    Relay,
}

impl CandidateType {
    /// The W3C name (`RTCIceCandidateType`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }
}

/// Who opens the connection of a TCP candidate (RFC 6544, section 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpType {
    /// Opens outgoing connections only.
    Active,
    /// Accepts incoming connections only.
    Passive,
    /// Does both at once.
    SimultaneousOpen,
}

impl TcpType {
    /// The W3C name (`RTCIceTcpCandidateType`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::SimultaneousOpen => "so",
        }
    }
}

/// Address of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CandidateAddress {
    /// An IP address.
    Ip(IpAddr),
    /// A host name, to be resolved; `.local` ones by multicast DNS.
    Fqdn(String),
}

impl CandidateAddress {
    /// The IP address, unless this is a host name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Fqdn(_) => None,
        }
    }

    /// Whether this is a multicast DNS name (RFC 6762), as browsers use to hide local addresses.
    pub fn is_mdns(&self) -> bool {
        matches!(self, Self::Fqdn(name) if name.to_ascii_lowercase().ends_with(".local"))
    }

    /// Brackets and a zone, which names an interface of the other machine, say nothing and are left out.
    fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let bare = bare.split_once('%').map_or(bare, |(address, _)| address);
        let v6 = bare.parse().map(IpAddr::V6);
        if let Ok(ip) = text.parse().or(v6) {
            return Some(Self::Ip(ip));
        }
        let labels_ok = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        // A dotted number that is no IPv4 address is a mistake, not a host name.
        let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        (labels_ok && !numeric && text.len() <= 255).then(|| Self::Fqdn(text.to_owned()))
    }
}

impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Fqdn(name) => f.write_str(name),
        }
    }
}

/// One ICE candidate. `Display` writes the candidate-attribute: `candidate:1 1 udp ...`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// Groups candidates that come from the same place; 1 to 32 ICE characters in a line that keeps to RFC 8839.
    pub foundation: String,
    /// 1 for RTP and data, 2 for RTCP; 1 to 256 in a line that keeps to RFC 8839.
    pub component: u16,
    /// Transport protocol.
    pub protocol: CandidateProtocol,
    /// Larger is preferred.
    pub priority: u32,
    /// Where to send to.
    pub address: CandidateAddress,
    /// Port of the address; 9 for active TCP.
    pub port: u16,
    /// Where the candidate comes from.
    pub typ: CandidateType,
    /// Related address: the base of a reflexive candidate, the mapped address of a relayed one.
    pub raddr: Option<CandidateAddress>,
    /// Port of the related address.
    pub rport: Option<u16>,
    /// Set for TCP only.
    pub tcptype: Option<TcpType>,
    /// Which ICE generation the candidate belongs to, when the line says so (extension `ufrag`).
    pub ufrag: Option<String>,
}

/// Why a line holds no candidate for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CandidateError {
    /// It is no candidate-attribute.
    Malformed(String),
    /// It is one, but of a kind that is of no use here, today or in the future.
    Unusable(&'static str),
}

impl fmt::Display for CandidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(message) => f.write_str(message),
            Self::Unusable(reason) => f.write_str(reason),
        }
    }
}

impl Candidate {
    /// Parses `candidate:...`, with or without a leading `a=`.
    ///
    /// As tolerant as browsers: a foundation may be missing or longer than RFC 8839 allows, unknown extensions and those
    /// with impossible values are skipped.
    ///
    /// # Errors
    /// [`CandidateError::Malformed`] for a line that is no candidate-attribute; [`CandidateError::Unusable`] for one with a
    /// transport, type, number or address that we can do nothing with.
    pub fn parse(line: &str) -> Result<Self, CandidateError> {
        if line.len() > MAX_LEN {
            return Err(malformed(format!(
                "a candidate has at most {MAX_LEN} bytes, this one {}",
                line.len()
            )));
        }
        let line = line.trim_ascii();
        let line = line.strip_prefix("a=").unwrap_or(line);
        let Some(value) = strip_prefix_ignore_case(line, "candidate:") else {
            return Err(malformed(format!(
                "a candidate starts with \"candidate:\", not {:?}",
                excerpt(line)
            )));
        };
        // Some write no foundation: the value begins with the space that would follow it.
        let bare = value.starts_with([' ', '\t']);
        let mut tokens = bare.then_some("").into_iter().chain(value.split_ascii_whitespace());
        let mut next = |what: &str| {
            tokens.next().ok_or_else(|| malformed(format!("the candidate ends before its {what}")))
        };
        let foundation = next("foundation")?;
        let component = next("component")?;
        let protocol = next("transport")?;
        let priority = next("priority")?;
        let address = next("address")?;
        let port = next("port")?;
        let typ = next("type")?;
        if !typ.eq_ignore_ascii_case("typ") {
            return Err(malformed(format!("\"typ\" follows the port, not {:?}", excerpt(typ))));
        }
        let typ = next("type")?;
        let number_range = CandidateError::Unusable("its component, priority or port is out of range");
        let mut candidate = Self {
            foundation: foundation.to_owned(),
            component: number(component).ok_or_else(|| number_range.clone())?,
            protocol: match protocol {
                t if t.eq_ignore_ascii_case("udp") => CandidateProtocol::Udp,
                t if t.eq_ignore_ascii_case("tcp") => CandidateProtocol::Tcp,
                _ => return Err(CandidateError::Unusable("its transport is neither UDP nor TCP")),
            },
            priority: number(priority).ok_or_else(|| number_range.clone())?,
            address: CandidateAddress::parse(address)
                .ok_or(CandidateError::Unusable("its address is neither an IP address nor a host name"))?,
            port: number(port).ok_or(number_range)?,
            typ: candidate_type(typ)
                .ok_or(CandidateError::Unusable("its type is not host, srflx, prflx or relay"))?,
            raddr: None,
            rport: None,
            tcptype: None,
            ufrag: None,
        };
        candidate.take_extensions(tokens);
        Ok(candidate)
    }

    fn take_extensions<'a>(&mut self, mut tokens: impl Iterator<Item = &'a str>) {
        while let Some(name) = tokens.next() {
            // Some stacks end the line with a name without a value; it carries nothing, so it is skipped.
            let Some(value) = tokens.next() else { return };
            match name.to_ascii_lowercase().as_str() {
                "raddr" => self.raddr = CandidateAddress::parse(value),
                "rport" => self.rport = number(value),
                "tcptype" if self.protocol == CandidateProtocol::Tcp => self.tcptype = tcp_type(value),
                "ufrag" => self.ufrag = Some(value.to_owned()),
                _ => {}
            }
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "candidate:{} {} {} {} {} {} typ {}",
            self.foundation,
            self.component,
            self.protocol.as_str(),
            self.priority,
            self.address,
            self.port,
            self.typ.as_str()
        )?;
        if let Some(raddr) = &self.raddr {
            write!(f, " raddr {raddr}")?;
        }
        if let Some(rport) = self.rport {
            write!(f, " rport {rport}")?;
        }
        if let Some(tcptype) = self.tcptype {
            write!(f, " tcptype {}", tcptype.as_str())?;
        }
        match &self.ufrag {
            Some(ufrag) => write!(f, " ufrag {ufrag}"),
            None => Ok(()),
        }
    }
}

/// What ufrags and passwords are made of: `ice-char` of RFC 8839, and four characters that media servers write and libwebrtc takes.
pub(crate) fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-' | b'#')
}

fn malformed(message: String) -> CandidateError {
    CandidateError::Malformed(message)
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

fn candidate_type(text: &str) -> Option<CandidateType> {
    use CandidateType::{Host, PeerReflexive, Relay, ServerReflexive};
    [Host, ServerReflexive, PeerReflexive, Relay].into_iter().find(|t| text.eq_ignore_ascii_case(t.as_str()))
}

fn tcp_type(text: &str) -> Option<TcpType> {
    [TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen]
        .into_iter()
        .find(|t| text.eq_ignore_ascii_case(t.as_str()))
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}
