//! The authentication of agents as `ts/agent/auth` sees it: one [`AgentAuth`] per agent.

use std::time::Instant;

use napi::Result;
use napi_derive::napi;
use ossa_agent::auth::{
    Act, JwksCache, Presented, PublicKey, Rate, RateLimiter, Refusal, SigningKey, TokenSigner, Trust,
    Verifier, VerifierConfig,
};

use crate::base::agent_error::coded;
use crate::base::identity::{KeySetLookup, agent_uri, key_error, key_set_lookup, key_sets};
use crate::base::system::{random_seed, unix_ms};

/// A public key in its usual forms.
#[napi(object, object_from_js = false)]
pub struct AgentPublicKey {
    /// `EdDSA`, `ES256` or `RS256`.
    pub algorithm: &'static str,
    /// PEM, label `PUBLIC KEY`.
    pub pem: String,
    /// JWK as JSON text, with its required members only.
    pub jwk: String,
    /// SHA-256 thumbprint (RFC 7638), base64url.
    pub thumbprint: String,
}

impl From<&PublicKey> for AgentPublicKey {
    fn from(key: &PublicKey) -> Self {
        let algorithm = key.algorithm().name();
        Self { algorithm, pem: key.to_pem(), jwk: key.to_jwk(), thumbprint: key.thumbprint() }
    }
}

/// Reads a public key: JWK or PEM.
#[cfg_attr(test, allow(dead_code, reason = "JavaScript calls it, and test builds register nothing there"))]
#[napi]
pub(crate) fn agent_public_key(text: String) -> Result<AgentPublicKey> {
    PublicKey::parse(&text).map(|key| (&key).into()).map_err(key_error)
}

/// The public part of a private key: PEM, label `PRIVATE KEY`.
#[cfg_attr(test, allow(dead_code, reason = "as above"))]
#[napi]
pub(crate) fn agent_private_key(pem: String) -> Result<AgentPublicKey> {
    SigningKey::from_pem(&pem).map(|key| key.public().into()).map_err(key_error)
}

/// What an agent verifies with and signs with.
#[napi(object, object_to_js = false)]
pub struct AgentAuthOptions {
    /// The agent.
    pub agent_id: String,
    /// PEM; without one nothing is signed.
    pub private_key: Option<String>,
    /// Name of the key; its thumbprint if there is none.
    pub kid: Option<String>,
    /// Tokens that are remembered.
    pub replays: u32,
    /// Senders that are told apart by the rate limits.
    pub senders: u32,
    /// Offers of one sender that are looked at.
    pub offers: AgentRate,
    /// Refusals of one sender that are answered and logged.
    pub refusals: AgentRate,
    /// Refusals of all senders together that are: with made-up senders nobody makes us send more than this to others.
    pub all_refusals: AgentRate,
    /// Milliseconds that a published key set is used.
    pub key_set_max_age: Option<u32>,
    /// Milliseconds between two attempts to fetch one.
    pub key_set_cool_down: Option<u32>,
}

/// How often something may happen.
#[napi(object, object_to_js = false)]
pub struct AgentRate {
    /// At once, after a pause.
    pub burst: u32,
    /// In the long run.
    pub per_minute: u32,
}

impl From<AgentRate> for Rate {
    fn from(rate: AgentRate) -> Self {
        Self { burst: rate.burst.into(), per_second: f64::from(rate.per_minute) / 60.0 }
    }
}

/// A received offer or answer.
#[napi(object, object_to_js = false)]
pub struct PresentedMessage {
    /// `auth.token`.
    pub token: String,
    /// `auth.publicKey` as text.
    pub public_key: Option<String>,
    /// The sender.
    pub from: String,
    /// It is an answer, not an offer.
    pub answer: bool,
    /// Its `sessionId`.
    pub session: Option<String>,
    /// Its SDP.
    pub sdp: String,
    /// For an answer: the `jti` of the own offer.
    pub answers: Option<String>,
}

/// What came of it: a refusal, or the rest.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct Verdict {
    /// Stable name of the reason.
    pub refusal: Option<&'static str>,
    /// The reason in words.
    pub text: Option<String>,
    /// `jti` of the token.
    pub jti: Option<String>,
    /// `sha-256 AB:CD:...` of each certificate that the sender may use.
    pub fingerprints: Option<Vec<String>>,
    /// The key that the token was signed with.
    pub key: Option<AgentPublicKey>,
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        Self { refusal: Some(refusal.reason()), text: Some(refusal.to_string()), ..Self::default() }
    }
}

/// The header of a token.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct TokenHeader {
    /// Why it cannot be read.
    pub refusal: Option<&'static str>,
    /// The reason in words.
    pub text: Option<String>,
    /// Names the key.
    pub kid: Option<String>,
}

/// A token that was made.
#[napi(object, object_from_js = false)]
pub struct SignedToken {
    /// JWS in compact form.
    pub token: String,
    /// Its name.
    pub jti: String,
}

/// Signs and verifies for one agent, and keeps the books that belong to it.
#[napi]
pub struct AgentAuth {
    signer: Option<TokenSigner>,
    verifier: Verifier,
    key_sets: JwksCache,
    offers: RateLimiter,
    refusals: RateLimiter,
    all_refusals: RateLimiter,
}

#[napi]
impl AgentAuth {
    /// Throws a coded error if the URI or the key is not one.
    #[napi(constructor)]
    pub fn new(options: AgentAuthOptions) -> Result<Self> {
        let agent = agent_uri(&options.agent_id)?;
        let signer = match options.private_key {
            Some(pem) => {
                let key = SigningKey::from_pem(&pem).map_err(key_error)?;
                Some(TokenSigner::new(agent.clone(), key, options.kid, random_seed()))
            }
            None => None,
        };
        let config =
            VerifierConfig { replay_capacity: options.replays as usize, ..VerifierConfig::default() };
        let senders = options.senders as usize;
        Ok(Self {
            signer,
            verifier: Verifier::new(agent, config),
            key_sets: key_sets(options.key_set_max_age, options.key_set_cool_down),
            offers: RateLimiter::new(options.offers.into(), senders),
            refusals: RateLimiter::new(options.refusals.into(), senders),
            all_refusals: RateLimiter::new(options.all_refusals.into(), 1),
        })
    }

    /// The token for an offer or answer; `null` without a key.
    #[napi]
    pub fn sign(
        &mut self,
        answer: bool,
        to: String,
        session: Option<String>,
        sdp: String,
        answers: Option<String>,
    ) -> Result<Option<SignedToken>> {
        let Some(signer) = &mut self.signer else { return Ok(None) };
        let signed = signer.sign(
            act(answer),
            &agent_uri(&to)?,
            session.as_deref(),
            &sdp,
            answers.as_deref(),
            unix_ms(),
        );
        let signed = signed.map_err(|error| coded("AUTH_FAILED", error))?;
        Ok(Some(SignedToken { token: signed.token, jti: signed.jti }))
    }

    /// Reads the header of a token, to look its key up.
    #[napi]
    pub fn header(&self, token: String) -> TokenHeader {
        match Verifier::kid(&token) {
            Ok(kid) => TokenHeader { kid, ..TokenHeader::default() },
            Err(refusal) => TokenHeader {
                refusal: Some(refusal.reason()),
                text: Some(refusal.to_string()),
                ..TokenHeader::default()
            },
        }
    }

    /// The `jti` of a token that nobody has verified.
    #[napi]
    pub fn unverified_jti(&self, token: String) -> Option<String> {
        Verifier::jti(&token)
    }

    /// Decides about a message. `trust` is `keys`: the sender has one of `keys` (JWK or PEM), `first-use` or `claimed`.
    #[napi]
    pub fn verify(&mut self, message: PresentedMessage, trust: String, keys: Vec<String>) -> Result<Verdict> {
        let from = agent_uri(&message.from)?;
        let keys = keys.iter().map(|key| PublicKey::parse(key)).collect::<std::result::Result<Vec<_>, _>>();
        let keys = keys.map_err(key_error)?;
        let trust = match trust.as_str() {
            "first-use" => Trust::FirstUse,
            "claimed" => Trust::Claimed,
            _ => Trust::Keys(&keys),
        };
        let presented = Presented {
            token: &message.token,
            public_key: message.public_key.as_deref(),
            from: &from,
            act: act(message.answer),
            session: message.session.as_deref(),
            sdp: &message.sdp,
            answers: message.answers.as_deref(),
        };
        Ok(match self.verifier.verify(&presented, trust, unix_ms()) {
            Ok(verified) => Verdict {
                jti: verified.jti,
                fingerprints: Some(verified.fingerprints.iter().map(ToString::to_string).collect()),
                key: Some((&verified.key).into()),
                ..Verdict::default()
            },
            Err(refusal) => refusal.into(),
        })
    }

    /// Whether `from` may make one more offer now.
    #[napi]
    pub fn take_offer(&mut self, from: String) -> bool {
        self.offers.take(&from, Instant::now())
    }

    /// Whether one more refusal of `from` is answered and logged.
    #[napi]
    pub fn take_refusal(&mut self, from: String) -> bool {
        let now = Instant::now();
        self.refusals.take(&from, now) && self.all_refusals.take("", now)
    }

    /// The keys of `from` named `kid` in the set at `url`; `shared`: the set is not this agent's own.
    #[napi]
    pub fn look_up_key(
        &mut self,
        url: String,
        from: String,
        kid: String,
        shared: bool,
    ) -> Result<KeySetLookup> {
        let from = agent_uri(&from)?;
        Ok(key_set_lookup(self.key_sets.lookup(&url, &from, &kid, shared, Instant::now())))
    }

    /// Keeps what was fetched. False: it is not a key set.
    #[napi]
    pub fn store_keys(&mut self, url: String, body: String) -> bool {
        self.key_sets.store(&url, &body, Instant::now())
    }
}

fn act(answer: bool) -> Act {
    if answer { Act::Answer } else { Act::Offer }
}
