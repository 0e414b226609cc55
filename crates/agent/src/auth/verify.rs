//! Decides about the token of a received offer or answer.

use std::collections::BTreeSet;

use ossa_signaling::AgentUri;
use serde_json::Number;

use super::key::MAX_TEXT;
use super::token::{TYPE, Token};
use super::{Act, Algorithm, Fingerprint, PublicKey, Refusal, ReplayCache};

/// What a [`Verifier`] allows.
#[derive(Debug, Clone, Copy)]
pub struct VerifierConfig {
    /// How far the clocks of two agents may be apart, in seconds; at most 60. Default: 60.
    pub leeway: u64,
    /// Tokens that are remembered until they expire; see [`ReplayCache`]. Default: 16,384, which is 45 new connections
    /// per second at the longest lifetime, and at most 18 MiB.
    pub replay_capacity: usize,
}

/// The largest leeway, in seconds: more would make the lifetime of a token meaningless.
const MAX_LEEWAY: u64 = 60;

/// The longest lifetime of a token, in seconds.
const MAX_LIFETIME: f64 = 300.0;

impl Default for VerifierConfig {
    fn default() -> Self {
        Self { leeway: MAX_LEEWAY, replay_capacity: 16_384 }
    }
}

/// A received offer or answer, as far as the token speaks of it.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// `auth.token`.
    pub token: &'a str,
    /// `auth.publicKey`: a JWK as JSON text, or PEM.
    pub public_key: Option<&'a str>,
    /// The sender that the message names.
    pub from: &'a AgentUri,
    /// What the message is.
    pub act: Act,
    /// Its `sessionId`.
    pub session: Option<&'a str>,
    /// Its SDP.
    pub sdp: &'a str,
    /// For an answer: the `jti` of the own offer.
    pub answers: Option<&'a str>,
}

/// Whose word counts.
#[derive(Debug, Clone, Copy)]
pub enum Trust<'a> {
    /// The sender has one of these keys.
    Keys(&'a [PublicKey]),
    /// Nothing is known of the sender; the key in the message is to be remembered. All else is checked.
    FirstUse,
    /// As in the specification: the key in the message verifies the token. A token may lack every claim but `agentId`;
    /// those that are there have to be right. It proves nothing.
    Claimed,
}

/// What a token has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its name, for the answer to repeat. A naive token has none.
    pub jti: Option<String>,
    /// The certificates that the sender may use. Of a naive token: those of the SDP.
    pub fingerprints: BTreeSet<Fingerprint>,
    /// The key that it was signed with.
    pub key: PublicKey,
}

/// Verifies what comes in for one agent.
#[derive(Debug)]
pub struct Verifier {
    agent: AgentUri,
    leeway: f64,
    replays: ReplayCache,
}

impl Verifier {
    /// A verifier for messages to `agent`.
    pub fn new(agent: AgentUri, config: VerifierConfig) -> Self {
        let replays = ReplayCache::new(config.replay_capacity);
        Self { agent, leeway: config.leeway.min(MAX_LEEWAY) as f64, replays }
    }

    /// The `kid` in the header of a token, to look the key up. Nothing in it is proven yet.
    pub fn kid(token: &str) -> Result<Option<String>, Refusal> {
        Ok(Token::parse(token)?.header.kid)
    }

    /// The `jti` of a token that is not verified, for an agent that does not verify but still answers with a token.
    pub fn jti(token: &str) -> Option<String> {
        Token::parse(token).ok()?.claims.jti
    }

    /// Decides about one message. An accepted token is remembered and does not count again.
    pub fn verify(
        &mut self,
        message: &Presented<'_>,
        trust: Trust<'_>,
        unix_ms: u64,
    ) -> Result<Verified, Refusal> {
        let token = Token::parse(message.token)?;
        let key = choose_key(message, trust)?;
        check_algorithm(&token, &key)?;
        if !key.verifies(token.signed, token.signature) {
            return Err(Refusal::SignatureInvalid);
        }
        if let Trust::Claimed = trust {
            return self.check_claimed(token, message, key, unix_ms);
        }
        let typ = token.header.typ.as_deref().unwrap_or_default();
        if !typ.eq_ignore_ascii_case(TYPE) {
            return Err(Refusal::TypeWrong);
        }
        self.check_identity(&token, message)?;
        let expiry = self.check_times(&token, unix_ms)?;
        let fingerprints = Fingerprint::all_in(message.sdp)?;
        let signed = token.claims.mky.as_deref().map(Fingerprint::all_of).transpose()?;
        if signed.as_ref() != Some(&fingerprints) {
            return Err(Refusal::FingerprintMismatch);
        }
        let jti = token.claims.jti.ok_or(Refusal::ClaimMissing)?;
        self.replays.insert(message.from.as_str(), &jti, expiry, unix_ms)?;
        Ok(Verified { jti: Some(jti), fingerprints, key })
    }

    /// `act`, then who speaks to whom, then which conversation it belongs to.
    fn check_identity(&self, token: &Token<'_>, message: &Presented<'_>) -> Result<(), Refusal> {
        let claims = &token.claims;
        if claims.act.as_deref() != Some(message.act.name()) {
            return Err(Refusal::ActWrong);
        }
        let names = |name: Option<&str>, agent| name.is_some_and(|name| is_agent(name, agent));
        for name in [&claims.agent_id, &claims.iss, &claims.sub] {
            if !names(name.as_deref(), message.from) {
                return Err(Refusal::IdentityMismatch);
            }
        }
        if !names(claims.aud.as_ref().map(|aud| aud.name()), &self.agent) {
            return Err(Refusal::AudienceWrong);
        }
        if claims.sid.as_deref() != message.session {
            return Err(Refusal::SessionWrong);
        }
        // An answer to no offer of ours has nothing that it could name.
        if message.act == Act::Answer && (claims.otid.is_none() || claims.otid.as_deref() != message.answers)
        {
            return Err(Refusal::OfferWrong);
        }
        Ok(())
    }

    /// Returns when the token may be forgotten, in milliseconds since the Unix epoch.
    fn check_times(&self, token: &Token<'_>, unix_ms: u64) -> Result<u64, Refusal> {
        let now = unix_ms as f64 / 1000.0;
        let (Some(iat), Some(exp)) = (seconds(&token.claims.iat), seconds(&token.claims.exp)) else {
            return Err(Refusal::ClaimMissing);
        };
        let nbf = seconds(&token.claims.nbf).unwrap_or(iat);
        if now >= exp + self.leeway {
            return Err(Refusal::Expired);
        }
        if iat.max(nbf) > now + self.leeway {
            return Err(Refusal::NotYetValid);
        }
        if exp - iat > MAX_LIFETIME {
            return Err(Refusal::LifetimeTooLong);
        }
        // Positive and near `now`, as has just been checked. Rounded up: forgotten too late rather than too early.
        Ok(((exp + self.leeway) * 1000.0).ceil() as u64)
    }

    /// What is there has to be right; nothing but `agentId` has to be there.
    fn check_claimed(
        &mut self,
        token: Token<'_>,
        message: &Presented<'_>,
        key: PublicKey,
        unix_ms: u64,
    ) -> Result<Verified, Refusal> {
        let claims = &token.claims;
        let named = [&claims.agent_id, &claims.iss, &claims.sub];
        if claims.agent_id.is_none() || named.into_iter().flatten().any(|name| !is_agent(name, message.from))
        {
            return Err(Refusal::IdentityMismatch);
        }
        if claims.act.as_deref().is_some_and(|act| act != message.act.name()) {
            return Err(Refusal::ActWrong);
        }
        if claims.aud.as_ref().is_some_and(|aud| !is_agent(aud.name(), &self.agent)) {
            return Err(Refusal::AudienceWrong);
        }
        if claims.sid.is_some() && claims.sid.as_deref() != message.session {
            return Err(Refusal::SessionWrong);
        }
        if claims.otid.is_some() && claims.otid.as_deref() != message.answers {
            return Err(Refusal::OfferWrong);
        }
        let expiry = self.check_claimed_times(&token, unix_ms)?;
        let fingerprints = Fingerprint::all_in(message.sdp)?;
        if let Some(keys) = &claims.mky
            && Fingerprint::all_of(keys)? != fingerprints
        {
            return Err(Refusal::FingerprintMismatch);
        }
        if let Some(jti) = &claims.jti {
            self.replays.insert(message.from.as_str(), jti, expiry, unix_ms)?;
        }
        Ok(Verified { jti: token.claims.jti, fingerprints, key })
    }

    fn check_claimed_times(&self, token: &Token<'_>, unix_ms: u64) -> Result<u64, Refusal> {
        let now = unix_ms as f64 / 1000.0;
        let claims = &token.claims;
        let timestamp = claims.timestamp.as_ref().and_then(Number::as_f64).map(|ms| ms / 1000.0);
        let begun = [timestamp, seconds(&claims.iat), seconds(&claims.nbf)].into_iter().flatten();
        if begun.clone().any(|begun| begun > now + self.leeway) {
            return Err(Refusal::NotYetValid);
        }
        let latest = [timestamp.map(|begun| begun + MAX_LIFETIME), seconds(&claims.exp)];
        if latest.into_iter().flatten().any(|end| now >= end + self.leeway) {
            return Err(Refusal::Expired);
        }
        Ok(unix_ms + (MAX_LIFETIME as u64 + 2 * MAX_LEEWAY) * 1000)
    }
}

/// The key that the token has to be signed with.
fn choose_key(message: &Presented<'_>, trust: Trust<'_>) -> Result<PublicKey, Refusal> {
    if let Trust::Keys([]) = trust {
        return Err(Refusal::KeyUnknown);
    }
    let text = message.public_key.ok_or(Refusal::KeyMissing)?;
    if text.len() > MAX_TEXT {
        return Err(Refusal::KeyMalformed);
    }
    let claimed = PublicKey::parse(text).map_err(|_| Refusal::KeyMalformed)?;
    match trust {
        Trust::Keys(keys) => keys.iter().find(|key| **key == claimed).cloned().ok_or(Refusal::KeyMismatch),
        Trust::FirstUse | Trust::Claimed => Ok(claimed),
    }
}

fn check_algorithm(token: &Token<'_>, key: &PublicKey) -> Result<(), Refusal> {
    let algorithm = Algorithm::from_name(&token.header.alg).ok_or(Refusal::AlgorithmNotAllowed)?;
    if algorithm != key.algorithm() {
        return Err(Refusal::AlgorithmMismatch);
    }
    if token.header.crit.is_some() {
        return Err(Refusal::CriticalHeader);
    }
    Ok(())
}

fn is_agent(name: &str, agent: &AgentUri) -> bool {
    AgentUri::parse(name).is_ok_and(|name| name == *agent)
}

fn seconds(value: &Option<Number>) -> Option<f64> {
    value.as_ref().and_then(Number::as_f64).filter(|seconds| seconds.is_finite())
}
