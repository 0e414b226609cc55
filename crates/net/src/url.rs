//! STUN and TURN server URLs (RFC 7064, RFC 7065), with the errors that W3C wants for them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Longest URL accepted, in bytes: a DNS name has at most 253, so this is generous and still bounds our errors.
const MAX_URL: usize = 512;

/// The scheme of a server URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `stun:`, plain STUN. RFC 7064.
    Stun,
    /// `stuns:`, STUN over TLS. RFC 7064.
    Stuns,
    /// `turn:`, plain TURN. RFC 7065.
    Turn,
    /// `turns:`, TURN over TLS. RFC 7065.
    Turns,
}

impl Scheme {
    /// Whether the server relays, and therefore needs credentials.
    pub fn is_turn(self) -> bool {
        matches!(self, Self::Turn | Self::Turns)
    }

    /// Whether the connection to the server is encrypted.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Stuns | Self::Turns)
    }

    fn default_port(self) -> u16 {
        if self.is_secure() { 5349 } else { 3478 }
    }
}

/// How to reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerTransport {
    /// UDP; with a secure scheme this means DTLS.
    Udp,
    /// TCP; with a secure scheme this means TLS.
    Tcp,
}

/// The host part of a server URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address literal: no name resolution takes place.
    Ip(IpAddr),
    /// A name, lower-cased.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A checked STUN or TURN server URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IceServerUrl {
    /// `stun`, `stuns`, `turn` or `turns`.
    pub scheme: Scheme,
    /// Name or address of the server.
    pub host: Host,
    /// Port, with the scheme's default (3478, secure: 5349) filled in.
    pub port: u16,
    /// UDP unless `?transport=tcp` or a secure scheme says otherwise.
    pub transport: ServerTransport,
    /// The URL as it was written, which is how W3C wants it reported in candidates and errors.
    pub url: String,
}

/// Why a server URL is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{url}' is not a STUN or TURN server URL: {reason}")]
pub struct UrlError {
    /// The URL (shortened if it is very long).
    pub url: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl UrlError {
    /// The `DOMException` name that W3C prescribes for a bad server URL.
    pub fn name(&self) -> &'static str {
        "SyntaxError"
    }
}

/// Parses one entry of `RTCIceServer.urls`. W3C webrtc-pc, "validate an ICE server URL".
///
/// # Errors
/// Everything that RFC 7064/7065 does not allow: another scheme, no host, userinfo, a path, a fragment, a port out of 1-65535, a query
/// other than `?transport=udp|tcp`, or any query with `stun:`/`stuns:`. In JavaScript this is a `SyntaxError`.
pub fn parse_ice_server_url(url: &str) -> Result<IceServerUrl, UrlError> {
    parse(url).map_err(|reason| UrlError { url: url.chars().take(128).collect(), reason })
}

fn parse(url: &str) -> Result<IceServerUrl, &'static str> {
    if url.len() > MAX_URL {
        return Err("it is longer than 512 bytes");
    }
    let (scheme, rest) = url.split_once(':').ok_or("it has no scheme; write 'stun:host' or 'turn:host'")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "stun" => Scheme::Stun,
        "stuns" => Scheme::Stuns,
        "turn" => Scheme::Turn,
        "turns" => Scheme::Turns,
        _ => return Err("the scheme must be stun, stuns, turn or turns"),
    };
    let (authority, query) = match rest.split_once('?') {
        Some((authority, query)) => (authority, Some(query)),
        None => (rest, None),
    };
    let transport = match query {
        None if scheme.is_secure() => ServerTransport::Tcp,
        None => ServerTransport::Udp,
        Some(_) if !scheme.is_turn() => return Err("a stun URL takes no query"),
        Some("transport=udp") => ServerTransport::Udp,
        Some("transport=tcp") => ServerTransport::Tcp,
        Some(_) => return Err("the query must be '?transport=udp' or '?transport=tcp'"),
    };
    let (host, port) = parse_authority(authority)?;
    Ok(IceServerUrl {
        scheme,
        host,
        port: port.unwrap_or(scheme.default_port()),
        transport,
        url: url.to_owned(),
    })
}

fn parse_authority(authority: &str) -> Result<(Host, Option<u16>), &'static str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']').ok_or("the IPv6 address is not closed with ']'")?;
        let ip = ip.parse::<Ipv6Addr>().map_err(|_| "the text in brackets is not an IPv6 address")?;
        let port = match rest {
            "" => None,
            _ => Some(rest.strip_prefix(':').ok_or("after ']' only a port may follow")?),
        };
        (Host::Ip(IpAddr::V6(ip)), port)
    } else {
        let (name, port) = match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        };
        (parse_name(name)?, port)
    };
    Ok((host, port.map(parse_port).transpose()?))
}

fn parse_name(name: &str) -> Result<Host, &'static str> {
    if name.is_empty() {
        return Err("it has no host");
    }
    if name.len() > 253 {
        return Err("the host name is longer than 253 bytes");
    }
    // RFC 3986 reg-name without percent escapes, which no resolver understands.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    if !name.bytes().all(allowed) {
        return Err(
            "the host may hold letters, digits, '-', '.', '_' and '~' only; IPv6 addresses need brackets",
        );
    }
    Ok(match name.parse::<IpAddr>() {
        Ok(ip) => Host::Ip(ip),
        Err(_) => Host::Name(name.to_ascii_lowercase()),
    })
}

fn parse_port(port: &str) -> Result<u16, &'static str> {
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err("the port must be a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(url: &str) -> IceServerUrl {
        parse_ice_server_url(url).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn defaults_follow_the_scheme() {
        let stun = ok("stun:stun.example.org");
        assert_eq!((stun.port, stun.transport), (3478, ServerTransport::Udp));
        let turn = ok("TURN:Turn.Example.org?transport=tcp");
        assert_eq!((turn.port, turn.transport), (3478, ServerTransport::Tcp));
        assert_eq!(turn.host, Host::Name("turn.example.org".into()));
        let turns = ok("turns:turn.example.org");
        assert_eq!((turns.port, turns.transport), (5349, ServerTransport::Tcp));
        assert_eq!(ok("turns:t.example?transport=udp").transport, ServerTransport::Udp);
    }

    #[test]
    fn addresses_and_ports_are_read() {
        assert_eq!(ok("stun:[2001:db8::1]:19302").port, 19302);
        assert_eq!(ok("stun:[2001:db8::1]").host, Host::Ip("2001:db8::1".parse().unwrap()));
        assert_eq!(ok("stun:192.0.2.1:1").host, Host::Ip("192.0.2.1".parse().unwrap()));
        assert_eq!(ok("stun:stun.example:3478").url, "stun:stun.example:3478");
    }

    #[test]
    fn everything_else_is_a_syntax_error() {
        for url in [
            "",
            "stun",
            "stun:",
            "stun://host",
            "http://host",
            "stun:host:",
            "stun:host:0",
            "stun:host:65536",
            "stun:host:+1",
            "stun:host?transport=udp",
            "turn:host?",
            "turn:host?transport=sctp",
            "turn:host?transport=udp&x=1",
            "turn:u@host",
            "turn:host/path",
            "turn:host#f",
            "stun:[::1",
            "stun:[::1]x",
            "stun:[host]",
            "stun:::1",
            "turn:ho st",
            "stun:host:1:2",
            "stuns:",
            "turn:?transport=udp",
            "turn:\u{e9}.example",
        ] {
            let error = parse_ice_server_url(url).expect_err(url);
            assert_eq!(error.name(), "SyntaxError");
        }
        assert!(parse_ice_server_url(&format!("stun:{}", "a".repeat(600))).is_err());
    }
}
