//! Where the Redis server of a cluster is, and how patient a node is with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use rustls::pki_types::CertificateDer;

use crate::client::ClientIdentity;

/// The longest prefix of keys, in bytes: it is repeated in every key.
const MAX_PREFIX: usize = 64;

/// Shares agents, rooms and messages with other servers through a Redis server (version 6 or later, or Valkey; one primary,
/// no Redis Cluster).
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// Servers with the same place are one cluster.
    pub place: Place,
    /// Certificates of authorities to trust for `rediss:`, besides the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// What is shown to a Redis server that asks for a certificate (`tls-auth-clients`).
    pub identity: Option<Arc<ClientIdentity>>,
    /// A node that Redis has not heard for so long is dead, and its agents are not registered any more. It says so three
    /// times as often. Default 10 s.
    pub lease: Duration,
    /// Redis is lost when it does not answer for so long, or cannot be connected to in that time. Default 2 s.
    pub timeout: Duration,
    /// Bytes that may wait for Redis. Beyond it messages to other servers are undeliverable and registrations are refused,
    /// for the moment. Default 8 MiB: a tenth of a second at the speed of a local Redis server.
    pub max_queue_bytes: usize,
}

/// A Redis server, a database of it, and a prefix of keys and channels.
#[derive(Clone)]
pub struct Place {
    pub(super) target: Target,
    pub(super) login: RedisConnectionInfo,
    pub(super) prefix: String,
}

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Tcp {
        host: String,
        port: u16,
        tls: bool,
    },
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

/// Why a [`ClusterConfig`] was refused. Never repeats the URL, which may have a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterConfigError {
    /// Not the URL of a Redis server.
    #[error("the URL of the cluster's Redis server is not valid: {0}")]
    Url(String),
    /// Not a usable prefix.
    #[error("the prefix {0:?} must have 1 to 64 visible ASCII characters")]
    Prefix(String),
}

impl ClusterConfig {
    /// A cluster through the Redis server at `url`: `redis://[[user]:password@]host[:port][/database]`, `rediss://...` for
    /// TLS, or, on Unix, `unix:///path[?db=1&user=...&pass=...]`.
    ///
    /// # Errors
    /// The URL or the prefix is not valid.
    pub fn new(url: &str, prefix: &str) -> Result<Self, ClusterConfigError> {
        if !(1..=MAX_PREFIX).contains(&prefix.len()) || !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClusterConfigError::Prefix(prefix.to_owned()));
        }
        // The crate knows only the schemes that its features serve; TLS is ours, with the same trust as everywhere else.
        let (tls, plain) = match url.split_once("://") {
            Some(("rediss", rest)) => (true, format!("redis://{rest}")),
            Some(("unix" | "redis+unix", _)) if cfg!(not(unix)) => {
                let text = "Redis has no Unix sockets on this system; use redis:// or rediss://";
                return Err(ClusterConfigError::Url(text.to_owned()));
            }
            Some(("redis" | "unix" | "redis+unix", _)) => (false, url.to_owned()),
            _ => {
                let text = "it must begin with redis://, rediss:// or unix://";
                return Err(ClusterConfigError::Url(text.to_owned()));
            }
        };
        if plain.contains('#') {
            return Err(ClusterConfigError::Url("it must not have a fragment".to_owned()));
        }
        // What a parser says may repeat the text, and with it the password.
        let info = plain.into_connection_info().map_err(|error| {
            ClusterConfigError::Url(
                error.detail().map_or("it cannot be parsed", |_| "a part of it is not valid").to_owned(),
            )
        })?;
        let target = match info.addr() {
            ConnectionAddr::Tcp(host, port) => {
                Target::Tcp { host: host.trim_matches(['[', ']']).to_owned(), port: *port, tls }
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => Target::Unix(path.clone()),
            _ => return Err(ClusterConfigError::Url("it names no host".to_owned())),
        };
        let login = info.redis_settings().clone().set_protocol(redis::ProtocolVersion::RESP3);
        Ok(Self {
            place: Place { target, login, prefix: prefix.to_owned() },
            extra_roots: Vec::new(),
            identity: None,
            lease: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            max_queue_bytes: 8 * 1024 * 1024,
        })
    }
}

impl fmt::Debug for Place {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, prefix, .. } = self;
        f.debug_struct("Place").field("target", target).field("prefix", prefix).finish_non_exhaustive()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, tls: false } => write!(f, "redis://{host}:{port}"),
            Self::Tcp { host, port, tls: true } => write!(f, "rediss://{host}:{port}"),
            #[cfg(unix)]
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_with_and_without_tls_are_understood() {
        let target = |url| ClusterConfig::new(url, "ossa:").unwrap().place.target.to_string();
        assert_eq!(target("redis://h"), "redis://h:6379");
        assert_eq!(target("rediss://user:secret@h:7000/3"), "rediss://h:7000");
        assert_eq!(target("redis://[::1]:7"), "redis://::1:7");
    }

    #[test]
    fn a_unix_socket_is_understood_where_there_are_any_and_refused_with_the_reason_elsewhere() {
        let target =
            ClusterConfig::new("unix:///run/redis.sock?db=1", "ossa:").map(|c| c.place.target.to_string());
        if cfg!(unix) {
            assert_eq!(target.unwrap(), "unix:///run/redis.sock");
        } else {
            assert!(target.unwrap_err().to_string().ends_with("use redis:// or rediss://"));
        }
    }

    #[test]
    fn no_text_about_a_configuration_has_its_password_in_it() {
        let config = ClusterConfig::new("rediss://user:hunter2@h/0", "ossa:").unwrap();
        assert!(!format!("{config:?} {}", config.place.target).contains("hunter2"));
        for url in [
            "http://u:hunter2@h",
            "redis://u:hunter2@h:99999",
            "redis://u:hunter2@h/x",
            "redis://u:hunter2@h#x",
            "hunter2",
        ] {
            let error = ClusterConfig::new(url, "ossa:").unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_prefix_must_be_visible_and_short() {
        for prefix in ["", "a b", "ä", &"x".repeat(65)] {
            assert!(ClusterConfig::new("redis://h", prefix).is_err(), "{prefix:?}");
        }
    }
}
