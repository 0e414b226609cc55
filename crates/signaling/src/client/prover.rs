//! What a client shows when the server wants to know whether an agent is who it says.

use std::fmt;
use std::pin::Pin;

use crate::uri::AgentUri;

/// What a server asks an agent to sign.
#[derive(Debug, Clone, Copy)]
pub struct Challenge<'a> {
    /// The agent that wants to be registered.
    pub agent: &'a AgentUri,
    /// To be signed.
    pub nonce: &'a str,
    /// The server that was dialled, `host:port` in lower case: a proof is of no use anywhere else.
    pub audience: &'a str,
}

/// The answer to a [`Challenge`].
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// JWT.
    pub proof: String,
    /// The key that it is signed with, PEM or JWK as text.
    pub public_key: String,
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}

/// What a [`Prover`] comes to, when it is there. An error is a text for people; the client tries again later.
pub type Proving<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Speaks for an agent when it is registered. The client asks anew for every connection.
///
/// Both functions are bounded in time by the client's `connect_timeout`.
pub trait Prover: fmt::Debug + Send + Sync + 'static {
    /// The bearer token (RFC 6750) to send with a registration; none by default.
    fn token(&self) -> Proving<'_, Option<String>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Signs a challenge; `None`, the default, says that there is no key to sign with.
    fn prove<'a>(&'a self, _challenge: Challenge<'a>) -> Proving<'a, Option<Proof>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
