//! Time-limited TURN credentials (coturn's `use-auth-secret`, draft-uberti-behave-turn-rest): the TURN server shares a secret
//! with us and needs to know nothing of agents.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::uri::AgentUri;

/// Text that is not shown in debug output.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// `RTCIceServer` of W3C.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `turn:`, `turns:` or `stun:` URLs (RFC 7065, RFC 7064).
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Secret>,
}

/// What the user name says about the agent. It ends up in the logs of the TURN server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TurnUser {
    /// The beginning of the SHA-256 of its URI: one agent can be told from another, but not who it is.
    #[default]
    Hash,
    /// Its URI.
    Uri,
}

/// TURN servers for the agents of a signaling server.
#[derive(Debug, Clone)]
pub struct TurnConfig {
    /// `turn:`, `turns:` and `stun:` URLs.
    pub urls: Vec<String>,
    /// The `static-auth-secret` of the TURN server.
    pub secret: Secret,
    /// How long credentials are valid, at least a second. An allocation that was made with them can be kept as long as
    /// they are, so agents get new ones at half of it. Default: an hour.
    pub ttl: Duration,
    /// What the user name says.
    pub user: TurnUser,
    /// Also for agents of a server that is open. Default: no, or everybody could relay through your TURN server.
    pub allow_open: bool,
}

impl TurnConfig {
    /// Credentials for one hour.
    pub fn new(urls: Vec<String>, secret: impl Into<Secret>) -> Self {
        let ttl = Duration::from_secs(3600);
        Self { urls, secret: secret.into(), ttl, user: TurnUser::Hash, allow_open: false }
    }

    /// The servers for `agent`, with credentials that are valid from now on. `unix_ms`: milliseconds since the Unix epoch.
    pub fn ice_servers(&self, agent: &AgentUri, unix_ms: u64) -> Vec<IceServer> {
        let (turn, stun): (Vec<_>, Vec<_>) =
            self.urls.iter().cloned().partition(|url| !url.to_ascii_lowercase().starts_with("stun"));
        let mut servers = Vec::new();
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, username: None, credential: None });
        }
        if !turn.is_empty() {
            let (username, credential) = turn_credentials(&self.secret, self.user, self.ttl, agent, unix_ms);
            servers.push(IceServer { urls: turn, username: Some(username), credential: Some(credential) });
        }
        servers
    }
}

/// User name and password for `agent` that are good for `ttl` from now on. `unix_ms`: milliseconds since the Unix epoch.
pub fn turn_credentials(
    secret: &Secret,
    user: TurnUser,
    ttl: Duration,
    agent: &AgentUri,
    unix_ms: u64,
) -> (String, Secret) {
    let expiry = unix_ms / 1000 + ttl.as_secs();
    let user = match user {
        TurnUser::Uri => agent.as_str().to_owned(),
        // 96 bits: agents do not collide by chance.
        TurnUser::Hash => URL_SAFE_NO_PAD.encode(&digest(&SHA256, agent.as_str().as_bytes()).as_ref()[..12]),
    };
    let username = format!("{expiry}:{user}");
    let password = turn_password(secret, &username);
    (username, password)
}

/// The password that goes with a user name.
pub fn turn_password(secret: &Secret, username: &str) -> Secret {
    // SHA-1 is what TURN servers speak here; HMAC does not need a hash without collisions.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.reveal().as_bytes());
    STANDARD.encode(hmac::sign(&key, username.as_bytes())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_that_coturn_computes() {
        let mut config = TurnConfig::new(vec!["turn:t:3478".into(), "stun:t".into()], "north".to_owned());
        config.user = TurnUser::Uri;
        let servers = config.ice_servers(&"agent://a/b".parse().unwrap(), 1_700_000_000_999);
        assert_eq!(servers[0], IceServer { urls: vec!["stun:t".into()], username: None, credential: None });
        assert_eq!(servers[1].username.as_deref(), Some("1700003600:agent://a/b"));
        // echo -n 1700003600:agent://a/b | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(servers[1].credential.as_ref().unwrap().reveal(), "oFPEGGboZjOQLS/A7IeP32oXZJQ=");
    }

    #[test]
    fn the_default_user_name_does_not_show_the_agent_and_nothing_shows_secrets() {
        let config = TurnConfig::new(vec!["turn:t".into()], "north".to_owned());
        let servers = config.ice_servers(&"agent://alice".parse().unwrap(), 0);
        let username = servers[0].username.clone().unwrap();
        assert!(username.starts_with("3600:") && username.len() == 5 + 16, "{username}");
        assert!(!username.contains("alice"));
        let shown = format!("{config:?} {servers:?}");
        assert!(
            !shown.contains("north") && !shown.contains(servers[0].credential.as_ref().unwrap().reveal())
        );
    }
}
