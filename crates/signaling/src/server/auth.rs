//! Who may register which agent.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Instant;

use crate::control::AuthMode;
use crate::error::{ErrorBody, code};
use crate::first_use::{FirstUsePolicy, KnownName};
use crate::turn::Secret;
use crate::uri::AgentUri;

/// What an agent shows to be registered.
#[derive(Clone, Copy)]
pub enum Evidence<'a> {
    /// The answer to a challenge; nothing in it is proven.
    Proof {
        /// JWT, at most 8 KiB.
        proof: &'a str,
        /// The key that it claims to be signed with, PEM or JWK, at most 8 KiB.
        public_key: Option<&'a str>,
        /// What the server has asked for. Used up by this attempt, whatever comes of it.
        nonce: &'a str,
        /// The names of this server, `host:port` in lower case: the proof must be for one of them.
        audiences: &'a [String],
    },
    /// A bearer token, at most 8 KiB.
    Token(&'a str),
}

impl fmt::Debug for Evidence<'_> {
    /// Without proof and token: they must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proof { .. } => "Proof",
            Self::Token(_) => "Token",
        })
    }
}

/// One try to register an agent.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The name that is claimed.
    pub agent: &'a AgentUri,
    /// What speaks for it.
    pub evidence: Evidence<'a>,
    /// Where the client connects from.
    pub address: IpAddr,
    /// The time, for limits.
    pub now: Instant,
    /// Milliseconds since the Unix epoch, for expiries.
    pub unix_ms: u64,
}

/// Who an agent has proven to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Of two claims of one name with the same owner the later one wins at once. Without an owner, or with another one, a
    /// connection that is alive keeps its names.
    pub owner: Option<String>,
    /// The name is the owner's from its first registration on, also while it is away. The servers of a cluster remember that
    /// together. Not without an owner.
    pub first_use: Option<FirstUsePolicy>,
}

/// Why an agent is not registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// For the client. It does not say what exactly was wrong: whoever tries must not learn which keys, names and clocks
    /// would do.
    pub error: ErrorBody,
    /// For the operator: a stable name, such as `signature-invalid`.
    pub reason: Cow<'static, str>,
}

impl Denied {
    /// What every wrong proof or token is answered with, so that whoever tries does not learn which would do.
    pub fn not_accepted(reason: impl Into<Cow<'static, str>>) -> Self {
        let text =
            "the registration was refused: the proof or token was not accepted; the server's log says why";
        Self { error: ErrorBody::new(code::UNAUTHORIZED, text), reason: reason.into() }
    }

    /// The fault is not the agent's.
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        let text = "the registration cannot be verified at the moment; try again later";
        Self { error: ErrorBody::new(code::INTERNAL_ERROR, text), reason: reason.into() }
    }

    /// There is no room for a name that nobody has had before.
    pub fn no_new_names(reason: impl Into<Cow<'static, str>>) -> Self {
        let text = "no more new names are taken at the moment; try again later";
        Self { error: ErrorBody::new(code::INTERNAL_ERROR, text), reason: reason.into() }
    }
}

/// The outcome of [`Authenticator::verify`], when it is there.
pub type Verdict<'a> = Pin<Box<dyn Future<Output = Result<Identity, Denied>> + Send + 'a>>;

/// Decides who may register which agent.
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// What it takes, and what clients are told of it. `verify` is not called in the mode [`AuthMode::Open`], with
    /// [`Evidence::Token`] in [`AuthMode::Bearer`], and with [`Evidence::Proof`] in the others.
    fn mode(&self) -> AuthMode;

    /// Decides about one attempt. The server gives up after 10 s.
    fn verify<'a>(&'a self, attempt: Attempt<'a>) -> Verdict<'a>;

    /// The agent is registered now with what `verify` has said about it.
    fn registered(&self, _agent: &AgentUri, _identity: &Identity, _now: Instant) {}

    /// The agent is not registered any more.
    fn released(&self, _agent: &AgentUri, _now: Instant) {}

    /// All names that belong to somebody by [`Identity::first_use`], for a cluster that has lost its memory.
    fn known_names(&self, _now: Instant) -> Vec<KnownName> {
        Vec::new()
    }

    /// The cluster knows whose a name is, whatever this server has believed; nobody is registered under it here.
    fn corrected(&self, _name: &KnownName, _now: Instant) {}
}

/// Lets everybody register everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenToAll;

impl Authenticator for OpenToAll {
    fn mode(&self) -> AuthMode {
        AuthMode::Open
    }

    fn verify<'a>(&'a self, _attempt: Attempt<'a>) -> Verdict<'a> {
        Box::pin(std::future::ready(Ok(Identity::default())))
    }
}

/// What the transport knows of a client before its first frame.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// Where it comes from.
    pub(super) address: IpAddr,
    /// The `Host` of its request.
    pub(super) host: Option<String>,
    /// It has come without a proxy that says so.
    pub(super) direct: bool,
    /// The token of its `Authorization: Bearer`.
    pub(super) bearer: Option<Secret>,
}

impl Visitor {
    /// What is known of a client before it has said anything.
    pub(super) fn new(address: IpAddr) -> Self {
        Self { address, host: None, direct: true, bearer: None }
    }

    /// The name by which it reaches this server itself: behind a proxy it is the proxy's.
    pub(super) fn dialled(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| self.direct)
    }

    /// Takes the value of an `Authorization` header; other schemes are left to proxies.
    pub(super) fn authorization(&mut self, value: &str) {
        if let Some((scheme, token)) = value.trim().split_once(' ')
            && scheme.eq_ignore_ascii_case("bearer")
        {
            self.bearer = Some(token.trim().to_owned().into());
        }
    }
}

/// The names of a server as they stand in proofs: `host:port`, lower case. A name without a port means those of `ws:` and
/// `wss:`, which clients leave out in `Host`.
pub(super) fn audiences(names: &[String]) -> Vec<String> {
    let mut audiences = Vec::new();
    for name in names {
        let name = name.to_ascii_lowercase();
        let host_end = name.rfind(']').map_or(0, |end| end + 1);
        if name[host_end..].contains(':') {
            audiences.push(name);
        } else {
            audiences.extend([443, 80].map(|port| format!("{name}:{port}")));
        }
    }
    audiences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_port_stands_for_the_usual_ports() {
        let names = ["Example.COM", "h:8080", "[::1]", "[::1]:99"].map(str::to_owned);
        assert_eq!(
            audiences(&names),
            ["example.com:443", "example.com:80", "h:8080", "[::1]:443", "[::1]:80", "[::1]:99"]
        );
    }

    #[test]
    fn only_bearer_tokens_are_taken_from_the_header() {
        let mut visitor = Visitor::new(IpAddr::from([127, 0, 0, 1]));
        visitor.authorization("Basic YWxpY2U6cw==");
        assert!(visitor.bearer.is_none());
        visitor.authorization("bearer  t0ken ");
        assert_eq!(visitor.bearer.as_ref().map(Secret::reveal), Some("t0ken"));
        assert!(!format!("{visitor:?}").contains("t0ken"));
    }
}
