//! Registration with keys that can be looked up.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;

use ossa_signaling::{AgentUri, Attempt, AuthMode, Authenticator, Denied, Evidence, Identity, Verdict};

use super::{PresentedProof, verify_proof};
use crate::auth::{PublicKey, Verifier};

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoKeys {
    /// Stable name, for the operator.
    pub reason: Cow<'static, str>,
    /// It may be different in a moment: a key server could not be reached.
    pub temporary: bool,
}

/// The keys of an agent, when they are there.
pub type FoundKeys<'a> = Pin<Box<dyn Future<Output = Result<Vec<PublicKey>, NoKeys>> + Send + 'a>>;

/// Knows the keys of agents.
pub trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// The keys of `agent`; `kid` is the name of the key that the proof claims to be signed with.
    fn keys<'a>(&'a self, agent: &'a AgentUri, kid: Option<&'a str>) -> FoundKeys<'a>;
}

/// Registers agents that prove to hold a key which is known as theirs.
#[derive(Debug)]
pub struct KnownKeys<S>(pub S);

impl<S: KeySource> KnownKeys<S> {
    async fn decide(&self, attempt: Attempt<'_>) -> Result<Identity, Denied> {
        let Evidence::Proof { proof, nonce, audiences, .. } = attempt.evidence else {
            return Err(Denied::not_accepted("no-proof"));
        };
        let kid = Verifier::kid(proof).map_err(|refusal| Denied::not_accepted(refusal.reason()))?;
        let keys = self.0.keys(attempt.agent, kid.as_deref()).await;
        let keys =
            keys.map_err(
                |NoKeys { reason, temporary }| {
                    if temporary { Denied::unavailable(reason) } else { Denied::not_accepted(reason) }
                },
            )?;
        let presented = PresentedProof { proof, agent: attempt.agent, nonce, audiences };
        verify_proof(&presented, &keys, attempt.unix_ms)
            .map_err(|refusal| Denied::not_accepted(refusal.reason()))?;
        // Whoever holds a key that is the agent's today is the agent, also when it was another key yesterday: with a new
        // key its owner can get rid of somebody who has stolen the old one.
        Ok(Identity { owner: Some("key".to_owned()), ..Identity::default() })
    }
}

impl<S: KeySource> Authenticator for KnownKeys<S> {
    fn mode(&self) -> AuthMode {
        AuthMode::Keys
    }

    fn verify<'a>(&'a self, attempt: Attempt<'a>) -> Verdict<'a> {
        Box::pin(self.decide(attempt))
    }
}
