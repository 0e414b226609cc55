//! Agent URIs: the names under which agents find each other.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The only scheme accepted.
const SCHEME: &str = "agent://";

/// The name of an agent: `agent://` + host\[:port\] + optional path (RFC 3986, 3.2.2, 3.2.3 and 3.3).
///
/// Scheme and host are lower-cased when parsed; after that two URIs are equal when their bytes are. User
/// information, queries, fragments and other schemes are refused. Cloning is cheap.
///
/// ```
/// use ossa_signaling::AgentUri;
/// let uri: AgentUri = "AGENT://Example.COM/Billing".parse().unwrap();
/// assert_eq!(uri.as_str(), "agent://example.com/Billing");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentUri(Arc<str>);

/// Why a text is not an agent URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentUriError {
    /// Longer than [`AgentUri::MAX_LEN`] bytes.
    #[error("an agent URI has at most 512 bytes, this one has {0}")]
    TooLong(usize),
    /// Another scheme, or none.
    #[error("an agent URI starts with \"agent://\", got {0:?}")]
    Scheme(String),
    /// `agent:///path`, `agent://:80`.
    #[error("the agent URI {0:?} has no host")]
    NoHost(String),
    /// `agent://user@host`: credentials do not belong into a name.
    #[error("the agent URI {0:?} contains user information (\"@\"), which is not allowed")]
    UserInfo(String),
    /// `?...`
    #[error("the agent URI {0:?} contains a query (\"?\"), which is not allowed")]
    Query(String),
    /// `#...`
    #[error("the agent URI {0:?} contains a fragment (\"#\"), which is not allowed")]
    Fragment(String),
    /// Not a decimal number from 1 to 65535.
    #[error("{port:?} in the agent URI {uri:?} is not a port (1 to 65535)")]
    Port {
        /// The text given.
        uri: String,
        /// What stands behind the colon.
        port: String,
    },
    /// `[` without `]`, or something other than an IPv6 address between them.
    #[error("{host:?} in the agent URI {uri:?} is not an IPv6 address in brackets")]
    IpLiteral {
        /// The text given.
        uri: String,
        /// The bracketed part.
        host: String,
    },
    /// A character that RFC 3986 does not allow there unless it is percent-encoded.
    #[error("the character {character:?} at byte {at} of the agent URI {uri:?} must be percent-encoded")]
    Character {
        /// The text given.
        uri: String,
        /// The offending character.
        character: char,
        /// Its offset in bytes.
        at: usize,
    },
    /// `%` that is not followed by two hexadecimal digits.
    #[error("the \"%\" at byte {at} of the agent URI {uri:?} is not followed by two hexadecimal digits")]
    PercentEncoding {
        /// The text given.
        uri: String,
        /// Offset of the percent sign in bytes.
        at: usize,
    },
}

impl AgentUri {
    /// The longest agent URI accepted, in bytes: it is repeated in every message.
    pub const MAX_LEN: usize = 512;

    /// Parses and canonicalises `text`.
    pub fn parse(text: &str) -> Result<Self, AgentUriError> {
        if text.len() > Self::MAX_LEN {
            return Err(AgentUriError::TooLong(text.len()));
        }
        let rest = match text.get(..SCHEME.len()) {
            Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => &text[SCHEME.len()..],
            _ => return Err(AgentUriError::Scheme(excerpt(text))),
        };
        let uri = || text.to_owned();
        if rest.contains('#') {
            return Err(AgentUriError::Fragment(uri()));
        }
        if rest.contains('?') {
            return Err(AgentUriError::Query(uri()));
        }
        let authority_len = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_len);
        if authority.contains('@') {
            return Err(AgentUriError::UserInfo(uri()));
        }
        let (host, port) = split_port(text, authority)?;
        if host.is_empty() {
            return Err(AgentUriError::NoHost(uri()));
        }
        if !host.starts_with('[') {
            check_characters(text, SCHEME.len(), host, "")?;
        }
        if let Some(port) = port {
            check_port(text, port)?;
        }
        check_characters(text, SCHEME.len() + authority_len, path, "/:@")?;
        Ok(Self(format!("{SCHEME}{}{path}", authority.to_ascii_lowercase()).into()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Enough of a refused text to recognise it in a log.
fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Splits `host[:port]`; a bracketed host is checked here, since its colons are no port separators.
fn split_port<'a>(uri: &str, authority: &'a str) -> Result<(&'a str, Option<&'a str>), AgentUriError> {
    if !authority.starts_with('[') {
        return Ok(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))));
    }
    let invalid = || AgentUriError::IpLiteral { uri: uri.to_owned(), host: authority.to_owned() };
    let end = authority.find(']').ok_or_else(invalid)?;
    authority[1..end].parse::<std::net::Ipv6Addr>().map_err(|_| invalid())?;
    match authority[end + 1..].strip_prefix(':') {
        Some(port) => Ok((&authority[..=end], Some(port))),
        None if end + 1 == authority.len() => Ok((authority, None)),
        None => Err(invalid()),
    }
}

fn check_port(uri: &str, port: &str) -> Result<(), AgentUriError> {
    // A leading zero would give one endpoint two names, and `parse` alone would allow a sign.
    let canonical = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
    match port.parse::<u16>() {
        Ok(_) if canonical => Ok(()),
        _ => Err(AgentUriError::Port { uri: uri.to_owned(), port: port.to_owned() }),
    }
}

/// RFC 3986: unreserved, sub-delims and percent-encoded octets, plus the `extra` delimiters of that part.
fn check_characters(uri: &str, offset: usize, part: &str, extra: &str) -> Result<(), AgentUriError> {
    let mut characters = part.char_indices();
    while let Some((index, character)) = characters.next() {
        let at = offset + index;
        if character == '%' {
            let digits = part.as_bytes().get(index + 1..index + 3);
            if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                return Err(AgentUriError::PercentEncoding { uri: uri.to_owned(), at });
            }
            characters.nth(1);
        } else if !(character.is_ascii_alphanumeric()
            || "-._~!$&'()*+,;=".contains(character)
            || extra.contains(character))
        {
            return Err(AgentUriError::Character { uri: uri.to_owned(), character, at });
        }
    }
    Ok(())
}

/// Agents are looked up by what a message says, without a copy of it.
impl Borrow<str> for AgentUri {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentUri {
    type Err = AgentUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for AgentUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AgentUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for AgentUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgentUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scheme_and_host_are_lower_cased_and_the_path_is_kept() {
        for (given, canonical) in [
            ("agent://a", "agent://a"),
            ("AgEnT://Example.COM/Agent-A", "agent://example.com/Agent-A"),
            ("agent://EXAMPLE.com:8080/a/b%2Fc", "agent://example.com:8080/a/b%2Fc"),
            ("agent://[2001:DB8::1]:9/x", "agent://[2001:db8::1]:9/x"),
            ("agent://127.0.0.1/", "agent://127.0.0.1/"),
            ("agent://h/a:b@c", "agent://h/a:b@c"),
        ] {
            assert_eq!(AgentUri::parse(given).unwrap().as_str(), canonical);
        }
        assert_ne!(AgentUri::parse("agent://a").unwrap(), AgentUri::parse("agent://a/").unwrap());
    }

    #[test]
    fn each_refused_part_is_named_in_the_error() {
        let error = |text: &str| AgentUri::parse(text).unwrap_err();
        assert!(matches!(error("http://example.com"), AgentUriError::Scheme(_)));
        assert!(matches!(error("agent:/x"), AgentUriError::Scheme(_)));
        assert!(matches!(error(""), AgentUriError::Scheme(_)));
        assert!(matches!(error("agent://"), AgentUriError::NoHost(_)));
        assert!(matches!(error("agent:///path"), AgentUriError::NoHost(_)));
        assert!(matches!(error("agent://:80/path"), AgentUriError::NoHost(_)));
        assert!(matches!(error("agent://me:pw@host"), AgentUriError::UserInfo(_)));
        assert!(matches!(error("agent://host/a?b"), AgentUriError::Query(_)));
        assert!(matches!(error("agent://host#b"), AgentUriError::Fragment(_)));
        for port in ["", "0", "080", "+80", "65536", "8a"] {
            assert!(matches!(error(&format!("agent://host:{port}")), AgentUriError::Port { .. }), "{port}");
        }
        for host in ["[", "[::1", "[::g]", "[::1]x", "[127.0.0.1]"] {
            assert!(matches!(error(&format!("agent://{host}/p")), AgentUriError::IpLiteral { .. }), "{host}");
        }
        assert!(matches!(error("agent://host/ä"), AgentUriError::Character { character: 'ä', at: 13, .. }));
        assert!(matches!(error("agent://ho st"), AgentUriError::Character { character: ' ', at: 10, .. }));
        assert!(matches!(error("agent://host/%2"), AgentUriError::PercentEncoding { at: 13, .. }));
        assert!(matches!(error("agent://host/%zz"), AgentUriError::PercentEncoding { .. }));
        assert_eq!(error(&format!("agent://{}", "a".repeat(505))), AgentUriError::TooLong(513));
        assert!(AgentUri::parse(&format!("agent://{}", "a".repeat(504))).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_panic(text in ".{0,600}") {
            let _ = AgentUri::parse(&text);
        }

        #[test]
        fn the_canonical_form_is_a_fixed_point(
            text in "(agent|AGENT)://[A-Za-z0-9.%-]{1,20}(:[0-9]{1,5})?(/[A-Za-z0-9%:@-]{0,9}){0,3}"
        ) {
            if let Ok(uri) = AgentUri::parse(&text) {
                prop_assert_eq!(AgentUri::parse(uri.as_str()).unwrap(), uri.clone());
                let json = serde_json::to_string(&uri).unwrap();
                prop_assert_eq!(serde_json::from_str::<AgentUri>(&json).unwrap(), uri);
            }
        }
    }
}
