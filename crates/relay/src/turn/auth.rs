//! Who a request comes from: the long-term credentials of RFC 8489, 9.2, with user names that expire and passwords that follow from
//! them, so that nothing is kept of anybody who has no allocation. A nonce is good for one client only and is recognised, not remembered.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ossa_signaling::{Secret, turn_password};
use turn_types::stun::attribute::{Nonce, Realm, Username};
use turn_types::stun::message::{IntegrityAlgorithm, LongTermKeyCredentials, Message};

use super::Client;

/// The realm of every relay. Passwords are made for it, so it never changes; and it is short, since it is in the answer to strangers.
pub(super) const REALM: &str = "ossa";

/// How long a nonce is good (RFC 8656, 5: at most an hour is recommended).
const NONCE_LIFETIME: Duration = Duration::from_secs(3600);

/// Seconds since the start, and 8 bytes of an HMAC over them and the client: 16 characters. Whoever guesses one has shown nothing but
/// that it may receive at its address; the password is still missing.
const NONCE_LEN: usize = 12;

/// Whom a request comes from, and how its answer is signed.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// What all user names of one agent have in common.
    pub(super) agent: String,
    /// When its credentials expire, in seconds since the Unix epoch.
    pub(super) expiry: u64,
    pub(super) credentials: LongTermKeyCredentials,
    pub(super) algorithm: IntegrityAlgorithm,
}

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distrust {
    /// It says nothing about who it comes from (RFC 8489, 9.2.4: 401).
    Anonymous,
    /// It lacks something that has to be there (400).
    Incomplete,
    /// Its nonce is old or of somebody else (438).
    StaleNonce,
    /// User name or password are wrong (401).
    Wrong,
}

pub(super) struct Auth {
    secret: Secret,
    nonces: hmac::Key,
    started: Instant,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Auth")
    }
}

impl Auth {
    /// `seed` makes nonces that nobody else can make.
    pub(super) fn new(secret: Secret, seed: &[u8; 32], started: Instant) -> Self {
        Self { secret, nonces: hmac::Key::new(hmac::HMAC_SHA256, seed), started }
    }

    /// A nonce for this client.
    pub(super) fn nonce(&self, client: &Client, now: Instant) -> String {
        let age = now.saturating_duration_since(self.started).as_secs();
        // After 136 years the count begins anew.
        let seconds = (age as u32).to_be_bytes();
        let mut nonce = [0; NONCE_LEN];
        nonce[..4].copy_from_slice(&seconds);
        nonce[4..].copy_from_slice(&self.mark(client, seconds));
        URL_SAFE_NO_PAD.encode(nonce)
    }

    /// A number that nobody can guess; another one for each `count`.
    pub(super) fn token(&self, count: u64) -> u64 {
        let mut context = hmac::Context::with_key(&self.nonces);
        // Longer than what a nonce is made of, so that no nonce gives a token away.
        context.update(b"the token of a reserved port, number ");
        context.update(&count.to_be_bytes());
        let tag = context.sign();
        u64::from_be_bytes(std::array::from_fn(|i| tag.as_ref()[i]))
    }

    fn is_fresh(&self, client: &Client, nonce: &str, now: Instant) -> bool {
        let mut bytes = [0; NONCE_LEN];
        if nonce.len() != 16 || URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes) != Ok(NONCE_LEN) {
            return false;
        }
        let [a, b, c, d, mark @ ..] = bytes;
        let made = Duration::from_secs(u32::from_be_bytes([a, b, c, d]).into());
        let age = now.saturating_duration_since(self.started).checked_sub(made);
        age.is_some_and(|age| age <= NONCE_LIFETIME) && mark == self.mark(client, [a, b, c, d])
    }

    fn mark(&self, client: &Client, seconds: [u8; 4]) -> [u8; 8] {
        let mut context = hmac::Context::with_key(&self.nonces);
        context.update(&seconds);
        match client.remote.ip() {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        context.update(&client.remote.port().to_be_bytes());
        context.update(&client.stream.map_or([0xff; 8], u64::to_be_bytes));
        let tag = context.sign();
        std::array::from_fn(|i| tag.as_ref()[i])
    }

    /// Who has sent `request`. Nothing costs an HMAC of the message before its nonce has shown that its sender gets answers.
    pub(super) fn caller(
        &self,
        client: &Client,
        request: &Message<'_>,
        now: Instant,
    ) -> Result<Caller, Distrust> {
        use turn_types::stun::attribute::{AttributeStaticType, MessageIntegrity, MessageIntegritySha256};
        if !request.has_attribute(MessageIntegrity::TYPE)
            && !request.has_attribute(MessageIntegritySha256::TYPE)
        {
            return Err(Distrust::Anonymous);
        }
        let incomplete = |_| Distrust::Incomplete;
        let username = request.attribute::<Username>().map_err(incomplete)?;
        let realm = request.attribute::<Realm>().map_err(incomplete)?;
        let nonce = request.attribute::<Nonce>().map_err(incomplete)?;
        if !self.is_fresh(client, nonce.nonce(), now) {
            return Err(Distrust::StaleNonce);
        }
        let (expiry, agent) = username.username().split_once(':').unwrap_or((username.username(), ""));
        let expiry = expiry.parse().map_err(|_| Distrust::Wrong)?;
        if realm.realm() != REALM {
            return Err(Distrust::Wrong);
        }
        let password = turn_password(&self.secret, username.username());
        let credentials = LongTermKeyCredentials::new(
            username.username().to_owned(),
            password.reveal().to_owned(),
            REALM.to_owned(),
        );
        let algorithm =
            request.validate_integrity(&credentials.clone().into()).map_err(|_| Distrust::Wrong)?;
        Ok(Caller { agent: agent.to_owned(), expiry, credentials, algorithm })
    }
}
