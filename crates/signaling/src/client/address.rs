//! Where a server is, and how it is spoken to.

use std::sync::atomic::AtomicBool;

use hyper::Uri;

use super::config_error::ConfigError;

/// What carries the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    WebSocket,
    /// `POST` to send, server-sent events or long polls to receive.
    Http,
}

/// One server, taken apart.
#[derive(Debug)]
pub(super) struct Address {
    /// As it was given.
    pub(super) text: String,
    pub(super) transport: Transport,
    /// Whether TLS is spoken.
    pub(super) secure: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// With the scheme `http` or `https` whatever the transport: the form in which proxies and requests need it.
    pub(super) uri: Uri,
    /// Something on the way holds streams of events back: the server has to be polled.
    pub(super) streams_blocked: AtomicBool,
}

/// A URL without what may be secret in it: user and password, and the query, which some services take tokens in.
fn harmless(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..authority_end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host..])
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let refuse = |reason: &str| ConfigError::Url { url: harmless(text), reason: reason.to_owned() };
        let uri: Uri = text.parse().map_err(|error| refuse(&format!("{error}")))?;
        let scheme = uri.scheme_str().map(str::to_ascii_lowercase);
        let (transport, secure) = match scheme.as_deref() {
            Some("ws") => (Transport::WebSocket, false),
            Some("wss") => (Transport::WebSocket, true),
            Some("http") => (Transport::Http, false),
            Some("https") => (Transport::Http, true),
            _ => return Err(refuse("the scheme must be ws, wss, http or https")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            // They would end up in logs; the options have a place for them.
            return Err(refuse("it must not have a user or password in it"));
        }
        // `http::Uri` reads a port that is out of range as no port at all.
        let host_end = authority.rfind(']').map_or(0, |end| end + 1);
        let port = match authority[host_end..].rsplit_once(':') {
            None if secure => 443,
            None => 80,
            Some((_, port)) => port.parse().map_err(|_| refuse("the port must be from 0 to 65535"))?,
        };
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(refuse("it has no host"));
        }
        if transport == Transport::Http && uri.query().is_some() {
            return Err(refuse("an HTTP URL must have no query"));
        }
        let mut parts = uri.into_parts();
        parts.scheme =
            Some(if secure { hyper::http::uri::Scheme::HTTPS } else { hyper::http::uri::Scheme::HTTP });
        let uri = Uri::from_parts(parts).map_err(|error| refuse(&error.to_string()))?;
        let streams_blocked = AtomicBool::new(false);
        Ok(Self { text: text.to_owned(), transport, secure, host, port, uri, streams_blocked })
    }

    /// The URL for people, and for logs.
    pub(super) fn shown(&self) -> String {
        harmless(&self.text)
    }

    /// Host and port as the URL has them: what the `Host` header says.
    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Host and port, always with both: what a proxy is asked for (RFC 9110, 9.3.6).
    pub(super) fn host_and_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Host in lower case and port: what a proof is made for.
    pub(super) fn audience(&self) -> String {
        self.host_and_port().to_ascii_lowercase()
    }

    /// Whether the host is this one, by its name or address.
    pub(super) fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_tells_transport_encryption_and_port() {
        let of = |text: &str| {
            let address = Address::parse(text).unwrap();
            (address.transport, address.secure, address.host_and_port())
        };
        assert_eq!(of("ws://h/p?q=1"), (Transport::WebSocket, false, "h:80".into()));
        assert_eq!(of("WSS://H"), (Transport::WebSocket, true, "H:443".into()));
        assert_eq!(of("http://[::1]:8080/x"), (Transport::Http, false, "[::1]:8080".into()));
        assert_eq!(of("https://h:1/"), (Transport::Http, true, "h:1".into()));
    }

    #[test]
    fn a_proof_is_made_for_the_host_and_port_that_are_dialled() {
        let audience = |url: &str| Address::parse(url).unwrap().audience();
        assert_eq!(audience("wss://Signal.Example/path?q=1"), "signal.example:443");
        assert_eq!(audience("http://signal.example"), "signal.example:80");
        assert_eq!(audience("ws://[::1]:8080/x"), "[::1]:8080");
    }

    #[test]
    fn a_url_that_is_none_of_a_server_is_refused_with_a_reason() {
        for url in ["ftp://h", "h:80", "", "ws://", "ws://h:99999", "/x", "http://h/?q", "ws://:80"] {
            let error = Address::parse(url).unwrap_err();
            assert!(error.to_string().contains("is not the URL of a signaling server"), "{error}");
        }
        let error = Address::parse("wss://me:secret@h/").unwrap_err().to_string();
        assert!(error.contains("user or password") && !error.contains("secret"), "{error}");
        for url in ["ftp://me:secret@h/x?token=secret", "http://h/?token=secret", "ws://me:secret@[h?secret"]
        {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret_in_it() {
        let shown = |url: &str| Address::parse(url).unwrap().shown();
        assert_eq!(shown("wss://Host:1/path/x@y?token=s3cret"), "wss://Host:1/path/x@y");
        assert_eq!(shown("ws://h?token=s3cret"), "ws://h");
    }
}
