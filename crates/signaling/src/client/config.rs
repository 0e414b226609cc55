//! What a client can be told.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Uri;

use super::Prover;
use crate::AgentUri;

/// Configuration of a [`Client`](crate::Client).
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// `ws://` or `wss://` URL of the server.
    pub url: String,
    /// The agent to register.
    pub agent: AgentUri,
    /// Time for the connection, its upgrade and the registration, together. Default 10 s.
    pub connect_timeout: Duration,
    /// After so long without a frame from the server the client sends a ping. Default 25 s.
    pub ping_interval: Duration,
    /// After so long without a frame the connection counts as lost. Default 60 s.
    pub idle_timeout: Duration,
    /// When to try again.
    pub reconnect: Reconnect,
    /// Certificate authorities to trust for `wss:` besides those of the operating system.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Longest message in either direction, in bytes. Default 64 KiB, like the server's.
    pub max_message_size: usize,
    /// Bytes of messages that may wait for the connection. Default 256 KiB.
    pub max_queue_bytes: usize,
    /// Shows the server who the agent is, if it asks. Default: nobody; servers that ask then refuse the agent.
    pub prover: Option<Arc<dyn Prover>>,
}

/// The schedule of reconnection: exponential, with jitter downwards so that the clients of a server that was
/// restarted do not return all at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reconnect {
    /// Longest delay before the second attempt. Default 250 ms.
    pub initial: Duration,
    /// Upper bound of the doubling delays. Default 30 s.
    pub max: Duration,
    /// Attempts in a row until the first registration; a wrong URL should be reported, not retried for ever.
    /// Default 5.
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

    /// Attempts in a row.
    pub(super) fn attempts(&self, ever_registered: bool) -> Option<u32> {
        if ever_registered { self.attempts } else { Some(self.first_attempts) }
    }
}

/// Why a [`ClientConfig`] was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not `ws://host...` or `wss://host...`.
    #[error("{url:?} is not the URL of a signaling server (ws:// or wss://): {reason}")]
    Url {
        /// The text given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ClientConfig {
    /// A client for `agent` at `url` with the defaults.
    pub fn new(url: impl Into<String>, agent: AgentUri) -> Self {
        Self {
            url: url.into(),
            agent,
            connect_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            idle_timeout: Duration::from_secs(60),
            reconnect: Reconnect::default(),
            extra_roots: Vec::new(),
            max_message_size: 64 * 1024,
            max_queue_bytes: 256 * 1024,
            prover: None,
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |reason: &str| ConfigError::Url { url: self.url.clone(), reason: reason.to_owned() };
        let request = self.url.as_str().into_client_request().map_err(|error| refuse(&error.to_string()))?;
        if !matches!(request.uri().scheme_str(), Some("ws" | "wss")) {
            return Err(refuse("the scheme must be ws or wss"));
        }
        // `http::Uri` reads a port that is out of range as no port at all.
        let authority = request.uri().authority().map_or("", |authority| authority.as_str());
        let host_end = authority.rfind(']').map_or(0, |end| end + 1);
        match authority[host_end..].rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_err() => {
                Err(refuse("the port must be from 0 to 65535"))
            }
            _ => Ok(()),
        }
    }

    /// `host:port` of the URL in lower case, the port always there: what a proof is made for.
    pub(super) fn audience(&self) -> String {
        let uri: Option<Uri> = self.url.parse().ok();
        let authority = uri.as_ref().and_then(Uri::authority);
        let host = authority.map_or("", |authority| authority.host()).to_ascii_lowercase();
        let port = authority.and_then(|authority| authority.port_u16());
        format!("{host}:{}", port.unwrap_or(if self.is_secure() { 443 } else { 80 }))
    }

    pub(super) fn is_secure(&self) -> bool {
        self.url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("wss:"))
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
    fn a_proof_is_made_for_the_host_and_port_that_are_dialled() {
        let agent: AgentUri = "agent://a".parse().unwrap();
        let audience = |url: &str| ClientConfig::new(url, agent.clone()).audience();
        assert_eq!(audience("wss://Signal.Example/path?q=1"), "signal.example:443");
        assert_eq!(audience("ws://signal.example"), "signal.example:80");
        assert_eq!(audience("ws://user@[::1]:8080/x"), "[::1]:8080");
    }

    #[test]
    fn a_url_that_is_not_a_websockets_is_refused_with_a_reason() {
        let agent: AgentUri = "agent://a".parse().unwrap();
        for url in ["http://h", "h:80", "", "ws://", "ws://h:99999", "/x"] {
            let error = ClientConfig::new(url, agent.clone()).validate().unwrap_err();
            assert!(error.to_string().contains("is not the URL of a signaling server"), "{error}");
        }
        assert!(ClientConfig::new("wss://h/p?q=1", agent).validate().is_ok());
    }
}
