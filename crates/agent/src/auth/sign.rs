//! Makes the token of an offer or answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ossa_signaling::AgentUri;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::token::{Audience, Claims, TYPE};
use super::{Act, Fingerprint, PublicKey, Refusal, SigningKey};

/// How long a token is valid, in seconds: long enough for a slow signaling service, short enough to be of no use to
/// whoever finds it later.
const LIFETIME: u64 = 60;

/// Signs what one agent sends.
///
/// A verifier that knows the specification only finds `agentId` and `timestamp` in its tokens; the other claims bind a
/// token to one message, one recipient and one certificate.
#[derive(Debug)]
pub struct TokenSigner {
    agent: AgentUri,
    key: SigningKey,
    kid: String,
    random: ChaCha8Rng,
}

/// A token that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// JWS in compact form.
    pub token: String,
    /// Its name; the answer to an offer has to repeat it.
    pub jti: String,
}

/// Why a description was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The own description has no fingerprint, or one that nobody would accept.
    #[error("the description cannot be signed: {0}")]
    Description(Refusal),
    /// The cryptographic library refuses the key.
    #[error("signing failed with the {0} key")]
    Key(&'static str),
}

impl TokenSigner {
    /// Signs as `agent`. `kid` names the key; without one it is the thumbprint of the key (RFC 7638). `seed` must be
    /// unpredictable: the names of the tokens come from it.
    pub fn new(agent: AgentUri, key: SigningKey, kid: Option<String>, seed: [u8; 32]) -> Self {
        let kid = kid.unwrap_or_else(|| key.public().thumbprint());
        Self { agent, key, kid, random: ChaCha8Rng::from_seed(seed) }
    }

    /// The key that others verify with.
    pub fn public_key(&self) -> &PublicKey {
        self.key.public()
    }

    /// The name of the key in the header of tokens.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The token for a message to `to` with this `sessionId` and SDP; `answers` is the `jti` of the offer that an answer
    /// belongs to. `unix_ms`: milliseconds since the Unix epoch.
    pub fn sign(
        &mut self,
        act: Act,
        to: &AgentUri,
        session: Option<&str>,
        sdp: &str,
        answers: Option<&str>,
        unix_ms: u64,
    ) -> Result<Signed, SignError> {
        let fingerprints = Fingerprint::all_in(sdp).map_err(SignError::Description)?;
        let jti = new_jti(&mut self.random);
        let agent = Some(self.agent.as_str().to_owned());
        let now = unix_ms / 1000;
        let claims = Claims {
            agent_id: agent.clone(),
            timestamp: Some(unix_ms.into()),
            iss: agent.clone(),
            sub: agent,
            aud: Some(Audience::One(to.as_str().to_owned())),
            iat: Some(now.into()),
            nbf: Some(now.into()),
            exp: Some((now + LIFETIME).into()),
            jti: Some(jti.clone()),
            act: Some(act.name().to_owned()),
            sid: session.map(str::to_owned),
            mky: Some(fingerprints.iter().map(Fingerprint::media_key).collect()),
            otid: answers.map(str::to_owned),
            nonce: None,
        };
        Ok(Signed { token: compact(&self.key, &self.kid, TYPE, &claims)?, jti })
    }
}

/// A name for a token.
pub(super) fn new_jti(random: &mut ChaCha8Rng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// A JWS in compact form (RFC 7515, 3.1).
pub(super) fn compact(key: &SigningKey, kid: &str, typ: &str, claims: &Claims) -> Result<String, SignError> {
    let alg = key.public().algorithm().name();
    let header = json!({ "alg": alg, "typ": typ, "kid": kid }).to_string();
    let claims = json!(claims).to_string();
    let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.sign(&token).ok_or(SignError::Key(alg))?;
    token.push('.');
    token.push_str(&signature);
    Ok(token)
}
