//! The token as it stands: a JWS in compact form (RFC 7515) with the claims of an offer or answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::Refusal;
use super::fingerprint::MediaKey;

/// The largest token that is looked at, in bytes. Ours have about 1,000.
pub(super) const MAX_TOKEN: usize = 8192;

/// The longest `kid` and `jti`, in bytes: a DID URL fits, and the replay cache stays small.
const MAX_NAME: usize = 512;

/// The `typ` of our tokens (RFC 8725, 3.11).
pub(super) const TYPE: &str = "ossa-webrtc+jwt";

/// What the signed message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It offers a connection.
    Offer,
    /// It answers an offer.
    Answer,
}

impl Act {
    /// The `type` of the message, and the value of the claim `act`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
        }
    }
}

/// The protected header. `jwk`, `jku`, `x5u` and `x5c` are not read: keys never come from a token (RFC 8725, 3.10).
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    #[serde(default)]
    pub(super) typ: Option<String>,
    #[serde(default)]
    pub(super) kid: Option<String>,
    #[serde(default)]
    pub(super) crit: Option<IgnoredAny>,
}

/// All claims that we know. A claim given twice is refused by serde: readers would disagree on which counts.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claims {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agent_id: Option<String>,
    /// Milliseconds since the Unix epoch; the specification's own claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timestamp: Option<serde_json::Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) aud: Option<Audience>,
    /// Seconds since the Unix epoch, as `nbf` and `exp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iat: Option<serde_json::Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nbf: Option<serde_json::Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exp: Option<serde_json::Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jti: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) act: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mky: Option<Vec<MediaKey>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) otid: Option<String>,
    /// What a signaling server wants to be signed (OpenID Connect Core, 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nonce: Option<String>,
}

/// RFC 7519, 4.1.3: one recipient, or a list. A list of more than one is for nobody here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many([String; 1]),
}

impl Audience {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::One(name) | Self::Many([name]) => name,
        }
    }
}

/// A token taken apart. Nothing in it is proven.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) header: Header,
    pub(super) claims: Claims,
    /// Header and claims as they were signed.
    pub(super) signed: &'a str,
    /// base64url.
    pub(super) signature: &'a str,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > MAX_TOKEN {
            return Err(Refusal::TokenTooLarge);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::TokenMalformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::TokenMalformed)?;
        let (header, claims): (Header, Claims) = (part(header)?, part(claims)?);
        let too_long = |name: &Option<String>| {
            name.as_ref().is_some_and(|name| name.is_empty() || name.len() > MAX_NAME)
        };
        if too_long(&header.kid) || too_long(&claims.jti) {
            return Err(Refusal::TokenMalformed);
        }
        Ok(Self { header, claims, signed, signature })
    }
}

fn part<T: DeserializeOwned>(base64: &str) -> Result<T, Refusal> {
    let json = URL_SAFE_NO_PAD.decode(base64).map_err(|_| Refusal::TokenMalformed)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::TokenMalformed)
}
