//! What a client can be told.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderMap;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::address::Address;
use super::config_error::ConfigError;
use super::dial::ProxyConfig;
use super::prover::Prover;
use crate::uri::AgentUri;

/// Configuration of a [`Client`](crate::Client).
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// URLs of servers that serve the same agents, the preferred one first: `ws://` and `wss://` for WebSockets, `http://`
    /// and `https://` for plain requests. From 1 to 16.
    pub urls: Vec<String>,
    /// The agent to register.
    pub agent: AgentUri,
    /// Time for the connection, its upgrade and the registration, together. Default 10 s.
    pub connect_timeout: Duration,
    /// After so long without a frame from the server the client sends a ping. Default 25 s.
    pub ping_interval: Duration,
    /// After so long without a frame the connection counts as lost. Default 60 s.
    pub idle_timeout: Duration,
    /// The connection counts as lost if the server does not take something for so long. Default 10 s.
    pub write_timeout: Duration,
    /// When to try again.
    pub reconnect: Reconnect,
    /// Registered with another server than the first of `urls`, the client looks after so long, and again and again,
    /// whether the first is back, and moves there. `None` stays until the connection is lost. Default 5 minutes.
    pub fail_back: Option<Duration>,
    /// Proxies on the way. Default: none; see [`ProxyConfig::from_env`].
    pub proxy: ProxyConfig,
    /// Certificate authorities to trust for `wss:` and `https:` besides those of the operating system.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// What the client shows to servers that ask for a certificate.
    pub identity: Option<Arc<ClientIdentity>>,
    /// Sent with the upgrade of a WebSocket and with every HTTP request.
    pub headers: HeaderMap,
    /// Longest message in either direction, in bytes. Default 64 KiB, like the server's.
    pub max_message_size: usize,
    /// Bytes of messages that may wait for the connection. Default 256 KiB.
    pub max_queue_bytes: usize,
    /// Shows the server who the agent is, if it asks. Default: nobody; servers that ask then refuse the agent.
    pub prover: Option<Arc<dyn Prover>>,
}

/// A certificate of the client.
#[derive(Debug)]
pub struct ClientIdentity {
    /// Its certificate, and those that lead from there to an authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first.
    pub key: PrivateKeyDer<'static>,
}

/// The schedule of reconnection: exponential, with jitter downwards so that the clients of a server that was
/// restarted do not return all at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reconnect {
    /// Longest delay before the second attempt. Default 250 ms.
    pub initial: Duration,
    /// Upper bound of the doubling delays. Default 30 s.
    pub max: Duration,
    /// Attempts in a row until the first registration; a wrong URL should be reported, not retried for ever. One attempt
    /// goes through all servers. Default 5.
    pub first_attempts: u32,
    /// Attempts in a row after a loss; `None`, the default, for no limit.
    pub attempts: Option<u32>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(250),
            max: Duration::from_secs(30),
            first_attempts: 5,
            attempts: None,
        }
    }
}

impl Reconnect {
    /// The delay after the `attempt`th failure in a row (1, 2, ...); `random` from 0 to 1 takes up to half of it away.
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let doubled = self.initial.saturating_mul(1 << attempt.saturating_sub(1).min(30));
        doubled.min(self.max).mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
    }

    /// The delay after a server has said that it goes away: another one is there already, and only all of its clients
    /// must not arrive there in one moment. From nothing to four times `initial`.
    pub fn delay_after_goodbye(&self, random: f64) -> Duration {
        self.initial.saturating_mul(4).min(self.max).mul_f64(random.clamp(0.0, 1.0))
    }

    /// Whether so many attempts in a row were the last.
    pub(super) fn is_enough(&self, attempts: u32, ever_registered: bool) -> bool {
        let limit = if ever_registered { self.attempts } else { Some(self.first_attempts) };
        limit.is_some_and(|limit| attempts >= limit)
    }
}

/// Most servers of one client: they are tried one after another, and each may take the whole time for connecting.
const MAX_URLS: usize = 16;

/// Headers that make the connection what it is.
const OWN_HEADERS: [&str; 15] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "ossa-session",
    "proxy-authorization",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "upgrade",
];

impl ClientConfig {
    /// A client for `agent` at `url` with the defaults.
    pub fn new(url: impl Into<String>, agent: AgentUri) -> Self {
        Self {
            urls: vec![url.into()],
            agent,
            connect_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(10),
            reconnect: Reconnect::default(),
            fail_back: Some(Duration::from_secs(300)),
            proxy: ProxyConfig::default(),
            extra_roots: Vec::new(),
            identity: None,
            headers: HeaderMap::new(),
            max_message_size: 64 * 1024,
            max_queue_bytes: 256 * 1024,
            prover: None,
        }
    }

    /// Whether a [`Client`](crate::Client) can be started with it.
    ///
    /// # Errors
    /// A URL, the proxy or a header cannot be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        let servers = self.validate()?;
        self.proxy.matcher(&servers)?;
        Ok(())
    }

    /// The servers, if everything else makes sense as well.
    pub(super) fn validate(&self) -> Result<Vec<Address>, ConfigError> {
        if self.urls.is_empty() || self.urls.len() > MAX_URLS {
            return Err(ConfigError::Count(self.urls.len()));
        }
        match self.headers.keys().find(|name| OWN_HEADERS.contains(&name.as_str())) {
            Some(name) => Err(ConfigError::Header(name.clone())),
            None => self.urls.iter().map(|url| Address::parse(url)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_jitter_only_shortens_them() {
        let schedule = Reconnect::default();
        let longest: Vec<_> = (1..=9).map(|attempt| schedule.delay(attempt, 0.0).as_millis()).collect();
        assert_eq!(longest, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(schedule.delay(3, 1.0).as_millis(), 500);
        assert_eq!(schedule.delay(u32::MAX, 0.0), schedule.max);
    }

    #[test]
    fn clients_of_a_server_that_goes_away_spread_over_a_second() {
        let schedule = Reconnect::default();
        assert_eq!(schedule.delay_after_goodbye(0.0), Duration::ZERO);
        assert_eq!(schedule.delay_after_goodbye(1.0).as_millis(), 1000);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let agent: AgentUri = "agent://a".parse().unwrap();
        let good = ClientConfig::new("wss://h/p?q=1", agent);
        assert_eq!(good.validate().unwrap().len(), 1);
        let none = ClientConfig { urls: vec![], ..good.clone() };
        assert_eq!(none.validate().unwrap_err(), ConfigError::Count(0));
        let one_wrong = ClientConfig { urls: vec!["ws://h".into(), "h".into()], ..good.clone() };
        assert!(one_wrong.validate().unwrap_err().to_string().contains("\"h\""));
        let mut headers = HeaderMap::new();
        headers.insert("upgrade", "h2c".parse().unwrap());
        let error = ClientConfig { headers, ..good }.validate().unwrap_err();
        assert!(error.to_string().contains("upgrade"));
    }
}
