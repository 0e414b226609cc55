//! Registration with bearer tokens (RFC 6750).

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;

use ossa_signaling::{AgentUri, Attempt, AuthMode, Authenticator, Denied, Evidence, Identity, Verdict};

/// What a [`TokenSource`] says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenVerdict {
    /// Its bearer may register the agent. Two bearers with the same owner are the same agent: the later one takes its name
    /// over at once. Without an owner an agent that is connected and alive keeps its name.
    Accepted {
        /// Whoever it is.
        owner: Option<String>,
    },
    /// It may not.
    Refused,
    /// Nobody can tell at the moment.
    Unavailable,
}

/// A [`TokenVerdict`], when it is there.
pub type Verdicts<'a> = Pin<Box<dyn Future<Output = TokenVerdict> + Send + 'a>>;

/// Decides about tokens.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Whether the bearer of `token`, who connects from `address`, may register `agent`.
    fn verify<'a>(&'a self, token: &'a str, agent: &'a AgentUri, address: IpAddr) -> Verdicts<'a>;
}

/// Registers agents that bear a token.
#[derive(Debug)]
pub struct Bearer<S>(pub S);

impl<S: TokenSource> Bearer<S> {
    async fn decide(&self, attempt: Attempt<'_>) -> Result<Identity, Denied> {
        let Evidence::Token(token) = attempt.evidence else { return Err(Denied::not_accepted("no-token")) };
        match self.0.verify(token, attempt.agent, attempt.address).await {
            TokenVerdict::Accepted { owner } => Ok(Identity { owner, ..Identity::default() }),
            TokenVerdict::Refused => Err(Denied::not_accepted("token-refused")),
            TokenVerdict::Unavailable => Err(Denied::unavailable("token-verification-failed")),
        }
    }
}

impl<S: TokenSource> Authenticator for Bearer<S> {
    fn mode(&self) -> AuthMode {
        AuthMode::Bearer
    }

    fn verify<'a>(&'a self, attempt: Attempt<'a>) -> Verdict<'a> {
        Box::pin(self.decide(attempt))
    }
}
