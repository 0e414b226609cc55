//! The options of a signaling client, as `ts/signaling/client/options.ts` has checked them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use napi::Result;
use napi_derive::napi;
use ossa_signaling::http::header::{HeaderMap, HeaderName, HeaderValue};
use ossa_signaling::{AgentUri, ClientConfig, ClientIdentity, ProxyConfig, ProxySetting, Reconnect, code};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::base::agent_error::coded;

/// Options of a signaling client; durations in milliseconds. What is left out has its default.
#[napi(object, object_to_js = false)]
pub struct SignalingClientOptions {
    /// Servers, the preferred one first.
    pub urls: Vec<String>,
    /// Time for connection and registration.
    pub connect_timeout: Option<u32>,
    /// Time for the server to take what is sent.
    pub write_timeout: Option<u32>,
    /// Silence before a ping.
    pub ping_interval: Option<u32>,
    /// Silence before the end.
    pub idle_timeout: Option<u32>,
    /// Longest first delay of a reconnection.
    pub reconnect_delay: Option<u32>,
    /// Longest delay of a reconnection.
    pub max_reconnect_delay: Option<u32>,
    /// Attempts in a row before the first registration.
    pub first_attempts: Option<u32>,
    /// Attempts in a row after a loss; no limit if left out.
    pub attempts: Option<u32>,
    /// Time between looks for the preferred server; 0 for never.
    pub fail_back: Option<u32>,
    /// Proxies on the way; none if left out.
    pub proxy: Option<SignalingProxy>,
    /// Sent with the upgrade of a WebSocket and with every HTTP request.
    pub headers: Option<HashMap<String, String>>,
    /// PEM certificates of authorities to trust besides the system's.
    pub ca: Option<String>,
    /// PEM certificate of the client, and those that lead to its authority.
    pub cert: Option<String>,
    /// PEM private key of `cert`.
    pub key: Option<String>,
}

/// See `ProxyConfig` of the crate.
#[napi(object, object_to_js = false)]
pub struct SignalingProxy {
    /// For `ws:` and `http:`.
    pub http: Option<SignalingProxySetting>,
    /// For `wss:` and `https:`.
    pub https: Option<SignalingProxySetting>,
    /// Exceptions, as in `NO_PROXY`.
    pub no: Option<String>,
    /// Also for servers on this host.
    pub loopback: bool,
}

/// See `ProxySetting` of the crate.
#[napi(object, object_to_js = false)]
pub struct SignalingProxySetting {
    /// The URL of the proxy.
    pub url: String,
    /// The variable or option that it is from, for errors.
    pub origin: String,
}

impl From<SignalingProxySetting> for ProxySetting {
    fn from(SignalingProxySetting { url, origin }: SignalingProxySetting) -> Self {
        Self { url, origin }
    }
}

pub(super) fn refused(error: impl std::fmt::Display) -> napi::Error {
    coded(code::INVALID_MESSAGE, error)
}

impl SignalingClientOptions {
    pub(super) fn config(self, agent: AgentUri) -> Result<ClientConfig> {
        let defaults = ClientConfig::new("", agent);
        let schedule = Reconnect::default();
        let time = |given: Option<u32>, default| given.map_or(default, |ms| Duration::from_millis(ms.into()));
        let fail_back = match self.fail_back {
            None => defaults.fail_back,
            Some(0) => None,
            Some(ms) => Some(Duration::from_millis(ms.into())),
        };
        Ok(ClientConfig {
            urls: self.urls,
            connect_timeout: time(self.connect_timeout, defaults.connect_timeout),
            write_timeout: time(self.write_timeout, defaults.write_timeout),
            ping_interval: time(self.ping_interval, defaults.ping_interval),
            idle_timeout: time(self.idle_timeout, defaults.idle_timeout),
            reconnect: Reconnect {
                initial: time(self.reconnect_delay, schedule.initial),
                max: time(self.max_reconnect_delay, schedule.max),
                first_attempts: self.first_attempts.unwrap_or(schedule.first_attempts),
                attempts: self.attempts,
            },
            fail_back,
            proxy: self.proxy.map_or_else(ProxyConfig::default, |proxy| ProxyConfig {
                http: proxy.http.map(Into::into),
                https: proxy.https.map(Into::into),
                no: proxy.no,
                loopback: proxy.loopback,
            }),
            headers: headers(self.headers.unwrap_or_default())?,
            extra_roots: self.ca.map_or(Ok(Vec::new()), |pem| certificates(&pem, "ca"))?,
            identity: identity(self.cert, self.key)?,
            ..defaults
        })
    }
}

fn headers(given: HashMap<String, String>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let text = format!("the header {name:?} is not one");
        let name: HeaderName = name.parse().map_err(|_| refused(&text))?;
        // The value is not shown: it may be a secret.
        let mut value = HeaderValue::from_str(&value).map_err(|_| refused(format!("the value of {text}")))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

pub(super) fn identity(cert: Option<String>, key: Option<String>) -> Result<Option<Arc<ClientIdentity>>> {
    match (cert, key) {
        (Some(cert), Some(key)) => {
            let chain = certificates(&cert, "cert")?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| {
                refused(format!("the option \"key\" is not a private key in PEM without a password: {error}"))
            })?;
            Ok(Some(Arc::new(ClientIdentity { chain, key })))
        }
        (None, None) => Ok(None),
        _ => Err(refused("the options \"cert\" and \"key\" need each other")),
    }
}

pub(super) fn certificates(pem: &str, option: &str) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(refused(format!("the option \"{option}\" has no PEM certificate in it"))),
        Err(error) => Err(refused(format!("the option \"{option}\" is not PEM: {error}"))),
    }
}
