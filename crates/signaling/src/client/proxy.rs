//! HTTP proxies on the way to a server.

use std::fmt;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Request, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;

use super::ConfigError;
use super::address::Address;
use super::dial::{Aborted, Stream};

/// Which proxies to use, in the form of the usual environment variables: URLs `http://[user:password@]host:port`, or
/// `https://` where the proxy itself speaks TLS.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// For `ws:` and `http:` servers.
    pub http: Option<String>,
    /// For `wss:` and `https:` servers.
    pub https: Option<String>,
    /// Where to go without: hosts, domains with all below them, addresses and networks, separated by commas; `*` for all.
    pub no: Option<String>,
    /// Whether servers on this host (`localhost`, `127.0.0.1`, ...) are reached through a proxy as well.
    pub loopback: bool,
}

/// The values hold passwords.
impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("no", &self.no)
            .field("loopback", &self.loopback)
            .finish()
    }
}

impl ProxyConfig {
    /// One proxy for every server.
    pub fn fixed(url: impl Into<String>) -> Self {
        let url = url.into();
        Self { http: Some(url.clone()), https: Some(url), no: None, loopback: true }
    }

    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in capitals or not; an empty value is none.
    /// `HTTP_PROXY` in capitals is not believed in a CGI program, where a request can set it.
    pub fn from_env() -> Self {
        let value = |name: &str| {
            let lower = std::env::var(name.to_ascii_lowercase()).ok().filter(|value| !value.is_empty());
            lower.or_else(|| std::env::var(name).ok().filter(|value| !value.is_empty()))
        };
        let all = value("ALL_PROXY");
        let cgi = std::env::var_os("REQUEST_METHOD").is_some();
        let http = if cgi { std::env::var("http_proxy").ok() } else { value("HTTP_PROXY") };
        Self {
            http: http.or_else(|| all.clone()),
            https: value("HTTPS_PROXY").or(all),
            no: value("NO_PROXY"),
            loopback: false,
        }
    }

    pub(super) fn matcher(&self) -> Result<Proxies, ConfigError> {
        for given in [&self.http, &self.https].into_iter().flatten() {
            check(given)?;
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let matcher =
            Matcher::builder().http(text(&self.http)).https(text(&self.https)).no(text(&self.no)).build();
        Ok(Proxies { matcher, loopback: self.loopback })
    }
}

/// The matcher would pass over what it does not understand, and the connection would go out directly.
fn check(given: &str) -> Result<(), ConfigError> {
    let refuse = |reason: &str| {
        let shown = given.rsplit_once('@').map_or(given, |(_, rest)| rest).to_owned();
        Err(ConfigError::Proxy { url: shown, reason: reason.to_owned() })
    };
    let with_scheme = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
    let Ok(uri) = with_scheme.parse::<Uri>() else { return refuse("it is not a URL") };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return refuse("only HTTP proxies are supported (http:// or https://)");
    }
    match uri.host() {
        Some(host) if !host.is_empty() => Ok(()),
        _ => refuse("it has no host"),
    }
}

/// Tells which proxy stands before a server.
#[derive(Debug)]
pub(super) struct Proxies {
    matcher: Matcher,
    loopback: bool,
}

/// A proxy to go through.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether TLS is spoken with the proxy itself.
    pub(super) secure: bool,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxies {
    pub(super) fn of(&self, address: &Address) -> Option<Proxy> {
        if !self.loopback && address.is_loopback() {
            return None;
        }
        let intercept = self.matcher.intercept(&address.uri)?;
        let uri = intercept.uri();
        let secure = uri.scheme_str() == Some("https");
        Some(Proxy {
            host: uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            secure,
            authorization: intercept.basic_auth().cloned(),
        })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Asks the proxy at the other end of `stream` for a tunnel to the server (RFC 9110, 9.3.6).
pub(super) async fn tunnel(stream: Stream, proxy: &Proxy, address: &Address) -> Result<Stream, String> {
    let failed = |error: hyper::Error| format!("the proxy {proxy} failed: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let _driver = Aborted::spawn(async move {
        // What goes wrong is told to whoever waits for the answer.
        let _ = connection.with_upgrades().await;
    });
    let target = address.host_and_port();
    let mut request = Request::connect(&target)
        .header(HOST, &target)
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("{target} cannot be asked of a proxy: {error}"))?;
    if let Some(authorization) = &proxy.authorization {
        request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    let response = sender.send_request(request).await.map_err(failed)?;
    if !response.status().is_success() {
        let status = response.status();
        // Its explanation is for people, and may be a whole page: none of it is needed.
        let _ = Limited::new(response.into_body(), 4096).collect().await;
        return Err(format!("the proxy {proxy} refuses a tunnel to {target}: HTTP {status}"));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(failed)?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy_of(config: &ProxyConfig, url: &str) -> Option<String> {
        config.matcher().unwrap().of(&Address::parse(url).unwrap()).map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_scheme_of_the_server_chooses_the_proxy_and_exceptions_are_heeded() {
        let config = ProxyConfig {
            http: Some("plain.test:3128".into()),
            https: Some("http://secure.test".into()),
            no: Some("internal.test, 10.0.0.0/8".into()),
            loopback: false,
        };
        assert_eq!(proxy_of(&config, "ws://h").as_deref(), Some("plain.test:3128"));
        assert_eq!(proxy_of(&config, "http://h").as_deref(), Some("plain.test:3128"));
        assert_eq!(proxy_of(&config, "wss://h").as_deref(), Some("secure.test:80"));
        assert_eq!(proxy_of(&config, "https://h").as_deref(), Some("secure.test:80"));
        for direct in
            ["ws://a.internal.test", "wss://10.1.2.3", "ws://localhost:1", "ws://[::1]", "ws://127.0.0.9"]
        {
            assert_eq!(proxy_of(&config, direct), None, "{direct}");
        }
        assert!(proxy_of(&ProxyConfig::fixed("http://p"), "ws://localhost").is_some());
        assert_eq!(proxy_of(&ProxyConfig::default(), "ws://h"), None);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_and_its_password_not_shown() {
        for url in ["socks5://me:secret@h", "http://me:secret@", "http://me:secret@h:x y"] {
            let error = ProxyConfig::fixed(url).matcher().unwrap_err().to_string();
            assert!(error.contains("proxy") && !error.contains("secret"), "{error}");
        }
        assert!(!format!("{:?}", ProxyConfig::fixed("http://me:secret@h")).contains("secret"));
    }
}
