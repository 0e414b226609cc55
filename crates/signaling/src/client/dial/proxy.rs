//! Proxies on the way to a server: which one.

use std::fmt;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::client::address::Address;
use crate::client::config_error::ConfigError;

/// A proxy that somebody has chosen: a URL `http://[user:password@]host:port`, `https://` where the proxy itself speaks TLS,
/// `socks5://`, or `socks5h://` where the proxy is to look the names of servers up.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxySetting {
    /// The URL; without a scheme it is that of an HTTP proxy.
    pub url: String,
    /// Where it was set, for errors: the name of a variable or an option.
    pub origin: String,
}

/// The URL may hold a password.
impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxySetting").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Which proxies to use, in the form of the usual environment variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// For `ws:` and `http:` servers.
    pub http: Option<ProxySetting>,
    /// For `wss:` and `https:` servers.
    pub https: Option<ProxySetting>,
    /// Where to go without: hosts, domains with all below them, addresses and networks, separated by commas; `*` for all.
    pub no: Option<String>,
    /// Whether servers on this host (`localhost`, `127.0.0.1`, ...) are reached through a proxy as well.
    pub loopback: bool,
}

impl ProxyConfig {
    /// One proxy for every server.
    pub fn fixed(url: impl Into<String>) -> Self {
        let proxy = ProxySetting { url: url.into(), origin: "the proxy".to_owned() };
        Self { http: Some(proxy.clone()), https: Some(proxy), no: None, loopback: true }
    }

    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in capitals or not; an empty value is none.
    /// `HTTP_PROXY` in capitals is not believed in a CGI program, where a request can set it.
    pub fn from_env() -> Self {
        let read = |name: &str| {
            let url = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            Some(ProxySetting { url, origin: name.to_owned() })
        };
        let either = |name: &str| read(&name.to_ascii_lowercase()).or_else(|| read(name));
        let all = either("ALL_PROXY");
        let cgi = std::env::var_os("REQUEST_METHOD").is_some();
        let http = if cgi { read("http_proxy") } else { either("HTTP_PROXY") };
        Self {
            http: http.or_else(|| all.clone()),
            https: either("HTTPS_PROXY").or(all),
            no: either("NO_PROXY").map(|setting| setting.url),
            loopback: false,
        }
    }

    /// # Errors
    /// One of the servers is to be reached through a proxy that cannot be used. A setting that concerns none of them may be
    /// anything: it was made for other programs.
    pub(in crate::client) fn matcher(&self, servers: &[Address]) -> Result<Proxies, ConfigError> {
        let text = |setting: &Option<ProxySetting>| {
            setting.as_ref().map_or_else(String::new, |setting| usable(setting).unwrap_or_default())
        };
        let matcher = Matcher::builder()
            .http(text(&self.http))
            .https(text(&self.https))
            .no(self.no.clone().unwrap_or_default())
            .build();
        let proxies = Proxies { matcher, loopback: self.loopback };
        let without =
            Matcher::builder().http(NOWHERE).https(NOWHERE).no(self.no.clone().unwrap_or_default()).build();
        let concerned = Proxies { matcher: without, loopback: self.loopback };
        for server in servers.iter().filter(|server| concerned.intercept(server).is_some()) {
            if let Some(setting) = if server.secure { &self.https } else { &self.http } {
                usable(setting)?;
            }
        }
        Ok(proxies)
    }
}

/// Stands for any proxy where it only matters whether there is to be one.
const NOWHERE: &str = "http://proxy.invalid";

/// The URL with its scheme. The matcher would pass over what it does not understand, and the connection would go out directly.
fn usable(ProxySetting { url, origin }: &ProxySetting) -> Result<String, ConfigError> {
    let refuse = |reason: &str| {
        let scheme = url.find("://").map_or(0, |at| at + 3);
        let rest = url.rfind('@').map_or(scheme, |at| at + 1);
        let shown = format!("{}{}", &url[..scheme], &url[rest.max(scheme)..]);
        Err(ConfigError::Proxy { origin: origin.clone(), url: shown, reason: reason.to_owned() })
    };
    let with_scheme = if url.contains("://") { url.clone() } else { format!("http://{url}") };
    let Ok(uri) = with_scheme.parse::<Uri>() else { return refuse("it is not a URL") };
    if !matches!(uri.scheme_str(), Some("http" | "https" | "socks5" | "socks5h")) {
        return refuse(
            "only HTTP (http://, https://) and SOCKS5 (socks5://, socks5h://) proxies are supported",
        );
    }
    match uri.host() {
        Some(host) if !host.is_empty() => Ok(with_scheme),
        _ => refuse("it has no host"),
    }
}

/// Tells which proxy stands before a server.
#[derive(Debug)]
pub(in crate::client) struct Proxies {
    matcher: Matcher,
    loopback: bool,
}

/// A proxy to go through.
#[derive(Debug, Clone)]
pub(in crate::client) struct Proxy {
    pub(in crate::client) host: String,
    pub(in crate::client) port: u16,
    pub(in crate::client) protocol: Protocol,
}

/// What is spoken with a proxy.
#[derive(Clone)]
pub(in crate::client) enum Protocol {
    Http {
        /// Whether TLS is spoken with the proxy itself.
        secure: bool,
        authorization: Option<HeaderValue>,
    },
    Socks5 {
        /// The proxy looks the names of servers up.
        remote_names: bool,
        credentials: Option<(String, String)>,
    },
}

/// The password is not shown.
impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http { secure: true, .. } => "https",
            Self::Http { .. } => "http",
            Self::Socks5 { remote_names: true, .. } => "socks5h",
            Self::Socks5 { .. } => "socks5",
        })
    }
}

impl Proxies {
    pub(in crate::client) fn of(&self, address: &Address) -> Option<Proxy> {
        let intercept = self.intercept(address)?;
        let uri = intercept.uri();
        let (protocol, port) = match uri.scheme_str() {
            Some(scheme @ ("socks5" | "socks5h")) => {
                let credentials =
                    intercept.raw_auth().map(|(user, password)| (user.to_owned(), password.to_owned()));
                (Protocol::Socks5 { remote_names: scheme == "socks5h", credentials }, 1080)
            }
            scheme => {
                let secure = scheme == Some("https");
                let authorization = intercept.basic_auth().cloned();
                (Protocol::Http { secure, authorization }, if secure { 443 } else { 80 })
            }
        };
        Some(Proxy {
            host: uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(port),
            protocol,
        })
    }

    fn intercept(&self, address: &Address) -> Option<Intercept> {
        if !self.loopback && address.is_loopback() {
            return None;
        }
        self.matcher.intercept(&address.uri)
    }
}

impl Proxy {
    /// Whether TLS is spoken with the proxy itself.
    pub(in crate::client) fn speaks_tls(&self) -> bool {
        matches!(self.protocol, Protocol::Http { secure: true, .. })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(url: &str) -> Option<ProxySetting> {
        Some(ProxySetting { url: url.to_owned(), origin: "ALL_PROXY".to_owned() })
    }

    /// `protocol host:port` of the proxy before a server.
    fn proxy_of(config: &ProxyConfig, url: &str) -> Option<String> {
        let address = Address::parse(url).unwrap();
        let proxies = config.matcher(std::slice::from_ref(&address)).unwrap();
        proxies.of(&address).map(|proxy| format!("{:?} {proxy}", proxy.protocol))
    }

    #[test]
    fn the_scheme_of_the_server_chooses_the_proxy_and_exceptions_are_heeded() {
        let config = ProxyConfig {
            http: setting("plain.test:3128"),
            https: setting("https://secure.test"),
            no: Some("internal.test, 10.0.0.0/8".into()),
            loopback: false,
        };
        assert_eq!(proxy_of(&config, "ws://h").as_deref(), Some("http plain.test:3128"));
        assert_eq!(proxy_of(&config, "http://h").as_deref(), Some("http plain.test:3128"));
        assert_eq!(proxy_of(&config, "wss://h").as_deref(), Some("https secure.test:443"));
        assert_eq!(proxy_of(&config, "https://h").as_deref(), Some("https secure.test:443"));
        for direct in
            ["ws://a.internal.test", "wss://10.1.2.3", "ws://localhost:1", "ws://[::1]", "ws://127.0.0.9"]
        {
            assert_eq!(proxy_of(&config, direct), None, "{direct}");
        }
        assert!(proxy_of(&ProxyConfig::fixed("http://p"), "ws://localhost").is_some());
        assert_eq!(proxy_of(&ProxyConfig::default(), "ws://h"), None);
    }

    #[test]
    fn socks_proxies_have_a_port_of_their_own_and_passwords_as_they_were_meant() {
        assert_eq!(proxy_of(&ProxyConfig::fixed("socks5://p"), "ws://h").as_deref(), Some("socks5 p:1080"));
        let config = ProxyConfig::fixed("socks5h://m%65:p%40ss@[::1]:9");
        let address = Address::parse("wss://h").unwrap();
        let proxy = config.matcher(std::slice::from_ref(&address)).unwrap().of(&address).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("::1", 9));
        let Protocol::Socks5 { remote_names: true, credentials } = proxy.protocol else {
            panic!("{proxy:?}")
        };
        assert_eq!(credentials, Some(("me".to_owned(), "p@ss".to_owned())));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_with_its_origin_and_its_password_not_shown() {
        let server = [Address::parse("ws://h").unwrap()];
        for url in
            ["socks4://me:secret@h", "http://me:secret@", "http://me:secret@h:x y", "socks://me:secret@h:1"]
        {
            let config = ProxyConfig { http: setting(url), ..ProxyConfig::default() };
            let error = config.matcher(&server).unwrap_err().to_string();
            assert!(error.starts_with("ALL_PROXY is ") && !error.contains("secret"), "{error}");
        }
        let error = ProxyConfig::fixed("socks4://me:secret@h:1").matcher(&server).unwrap_err().to_string();
        assert!(error.contains("\"socks4://h:1\"") && error.contains("socks5h://"), "{error}");
        assert!(!format!("{:?}", ProxyConfig::fixed("http://me:secret@h")).contains("secret"));
    }

    #[test]
    fn a_proxy_that_no_server_needs_may_be_anything() {
        let config = ProxyConfig {
            http: setting("socks4://h"),
            https: setting("http://good.test"),
            no: Some("internal.test".into()),
            loopback: false,
        };
        for url in ["ws://127.0.0.1:1", "ws://internal.test"] {
            assert_eq!(proxy_of(&config, url), None, "{url}");
        }
        assert_eq!(proxy_of(&config, "wss://h").as_deref(), Some("http good.test:80"));
    }
}
