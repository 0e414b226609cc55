//! The proof that an agent holds its key: a JWT for one nonce of one server.

use std::fmt;

use ossa_signaling::{AgentUri, Challenge, Proof};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Number;

use crate::auth::sign::{compact, new_jti};
use crate::auth::token::{Audience, Claims, Token};
use crate::auth::{Algorithm, PublicKey, Refusal, SignError, SigningKey};

/// The `typ` of proofs: a token of an offer is none, nor is a proof a token of an offer (RFC 8725, 3.11 and 3.12).
const TYPE: &str = "ossa-signaling+jwt";

/// How long a proof says to be valid, in seconds. What bounds its use is the nonce.
const LIFETIME: u64 = 60;

/// The longest lifetime that is accepted, in seconds.
const MAX_LIFETIME: f64 = 300.0;

/// How far the clocks of an agent and a server may be apart, in seconds. The nonce already makes a proof fresh, so an agent
/// with a wrong time zone is let in; what is a day off is no clock any more.
const LEEWAY: f64 = 86_400.0;

/// Keys that are tried for one proof. An agent has several only while it replaces one.
const MAX_KEYS: usize = 8;

/// Signs challenges as one agent.
pub struct ProofSigner {
    key: SigningKey,
    kid: String,
    random: ChaCha8Rng,
}

impl ProofSigner {
    /// `kid` names the key; without one it is the thumbprint of the key (RFC 7638). `seed` must be unpredictable.
    pub fn new(key: SigningKey, kid: Option<String>, seed: [u8; 32]) -> Self {
        let kid = kid.unwrap_or_else(|| key.public().thumbprint());
        Self { key, kid, random: ChaCha8Rng::from_seed(seed) }
    }

    /// The answer to a challenge. `unix_ms`: milliseconds since the Unix epoch.
    pub fn sign(&mut self, challenge: &Challenge<'_>, unix_ms: u64) -> Result<Proof, SignError> {
        let agent = Some(challenge.agent.as_str().to_owned());
        let now = unix_ms / 1000;
        let claims = Claims {
            iss: agent.clone(),
            sub: agent,
            aud: Some(Audience::One(challenge.audience.to_owned())),
            iat: Some(now.into()),
            exp: Some((now + LIFETIME).into()),
            jti: Some(new_jti(&mut self.random)),
            nonce: Some(challenge.nonce.to_owned()),
            ..Claims::default()
        };
        let proof = compact(&self.key, &self.kid, TYPE, &claims)?;
        Ok(Proof { proof, public_key: self.key.public().to_pem() })
    }
}

impl fmt::Debug for ProofSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofSigner").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What came as an answer to a challenge.
#[derive(Debug, Clone, Copy)]
pub struct PresentedProof<'a> {
    /// The JWT.
    pub proof: &'a str,
    /// The agent that wants to be registered.
    pub agent: &'a AgentUri,
    /// What was to be signed.
    pub nonce: &'a str,
    /// The names of this server.
    pub audiences: &'a [String],
}

/// Decides about a proof: it must be signed by one of `keys` and made for this challenge. Returns that key.
///
/// The header of the proof does not say which keys count (RFC 8725, 3.10), only how they are used, and that has to fit
/// them (3.1).
pub fn verify_proof(
    presented: &PresentedProof<'_>,
    keys: &[PublicKey],
    unix_ms: u64,
) -> Result<PublicKey, Refusal> {
    let token = Token::parse(presented.proof)?;
    if keys.is_empty() {
        return Err(Refusal::KeyUnknown);
    }
    let algorithm = Algorithm::from_name(&token.header.alg).ok_or(Refusal::AlgorithmNotAllowed)?;
    if token.header.crit.is_some() {
        return Err(Refusal::CriticalHeader);
    }
    let mut fitting = keys.iter().filter(|key| key.algorithm() == algorithm).take(MAX_KEYS).peekable();
    if fitting.peek().is_none() {
        return Err(Refusal::AlgorithmMismatch);
    }
    // What costs nothing is checked before the signature: a flood of nonsense is cheap to refuse.
    check_claims(&token, presented, unix_ms)?;
    let signer = fitting.find(|key| key.verifies(token.signed, token.signature));
    signer.cloned().ok_or(Refusal::SignatureInvalid)
}

fn check_claims(token: &Token<'_>, presented: &PresentedProof<'_>, unix_ms: u64) -> Result<(), Refusal> {
    let claims = &token.claims;
    if !token.header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE)) {
        return Err(Refusal::TypeWrong);
    }
    for name in [&claims.iss, &claims.sub] {
        let named = name.as_deref().and_then(|name| AgentUri::parse(name).ok());
        if named.as_ref() != Some(presented.agent) {
            return Err(Refusal::IdentityMismatch);
        }
    }
    let audience = claims.aud.as_ref().map_or("", Audience::name);
    if !presented.audiences.iter().any(|name| name.eq_ignore_ascii_case(audience)) {
        return Err(Refusal::AudienceWrong);
    }
    if claims.nonce.as_deref() != Some(presented.nonce) {
        return Err(Refusal::NonceWrong);
    }
    check_times(claims, unix_ms as f64 / 1000.0)
}

fn check_times(claims: &Claims, now: f64) -> Result<(), Refusal> {
    let seconds = |value: &Option<Number>| value.as_ref().and_then(Number::as_f64).filter(|n| n.is_finite());
    let (Some(iat), Some(exp), Some(_)) = (seconds(&claims.iat), seconds(&claims.exp), &claims.jti) else {
        return Err(Refusal::ClaimMissing);
    };
    if exp - iat > MAX_LIFETIME {
        return Err(Refusal::LifetimeTooLong);
    }
    if now >= exp + LEEWAY {
        return Err(Refusal::Expired);
    }
    if iat > now + LEEWAY { Err(Refusal::NotYetValid) } else { Ok(()) }
}
