//! How an agent comes to be registered: what it has to show, and who may take a name over.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, timeout};

use super::Shared;
use super::address::place_of;
use super::attempts::{Challenge, Registrations};
use super::auth::{Attempt, Denied, Evidence, Identity, Visitor, audiences};
use super::client::Client;
use super::event::ServerEvent;
use super::registry::{Claim, Close, Credentials, TooSlow};
use super::stats::count;
use crate::control::{AuthMode, FEATURE_ROOMS, ServerFrame};
use crate::error::{ErrorBody, close_code, code};
use crate::rate::{Rate, RateLimiter};
use crate::turn::IceServer;
use crate::uri::AgentUri;

/// An authenticator has this long, in which it may ask an application or fetch a key set.
pub(super) const VERIFY_TIMEOUT: Duration = Duration::from_secs(10);

/// Wrong proofs and tokens that one connection may send; it is closed at the next one. An honest client gives up after the
/// first.
const FAILURES_PER_CONNECTION: u32 = 5;

/// Wrong proofs and tokens from one address: enough for a rack of misconfigured agents, and at 100 us for a signature too
/// little to keep a processor busy. Beyond it the address is refused without anything being verified.
const FAILURES_PER_ADDRESS: Rate = Rate { burst: 50.0, per_second: 2.0 };

/// Places whose failures are counted; 50 bytes each. Further ones share a count.
const ADDRESSES: usize = 10_000;

const TOO_MANY_FAILURES: Close = Close { code: close_code::RATE_LIMITED, reason: "too many failed attempts" };

/// Failures by place.
#[derive(Debug)]
pub(super) struct Failures(Mutex<RateLimiter<IpAddr>>);

impl Default for Failures {
    fn default() -> Self {
        Self(Mutex::new(RateLimiter::new(FAILURES_PER_ADDRESS, ADDRESSES)))
    }
}

impl Failures {
    fn allows(&self, visitor: &Visitor) -> bool {
        let mut limiter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.allows(&place_of(visitor.address), Instant::now().into_std())
    }

    fn count(&self, visitor: &Visitor) {
        let mut limiter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.take(&place_of(visitor.address), Instant::now().into_std());
    }
}

/// A name that was not given.
struct NotClaimed {
    error: ErrorBody,
    /// It is somebody else's; the reason is for the operator.
    denied: Option<Cow<'static, str>>,
}

impl From<ErrorBody> for NotClaimed {
    fn from(error: ErrorBody) -> Self {
        Self { error, denied: None }
    }
}

impl Client {
    /// The agent asks to be registered.
    pub(super) async fn register(
        &mut self,
        agent: AgentUri,
        resume: Option<String>,
        token: Option<String>,
    ) -> Result<(), TooSlow> {
        if let Err(error) = self.check_room_for(&agent) {
            return self.refuse(Some(agent), None, error);
        }
        let identity = match self.shared.config.authenticator.mode() {
            AuthMode::Open => Identity::default(),
            AuthMode::Tofu | AuthMode::Keys => return self.challenge(agent, resume),
            AuthMode::Bearer => {
                let bearer = self.registrations.visitor.bearer.as_ref();
                let Some(token) = token.or_else(|| bearer.map(|token| token.reveal().to_owned())) else {
                    let error = "this server wants a bearer token with the registration";
                    return self.refuse(Some(agent), None, ErrorBody::new(code::UNAUTHORIZED, error));
                };
                match self.verify(&agent, Evidence::Token(&token)).await {
                    Ok(identity) => identity,
                    Err(error) => return self.denied(agent, error),
                }
            }
        };
        self.admit(agent, resume, identity).await
    }

    /// The agent answers its challenge, which is used up by that.
    pub(super) async fn prove(
        &mut self,
        agent: AgentUri,
        proof: &str,
        public_key: Option<&str>,
    ) -> Result<(), TooSlow> {
        let Some(challenge) = self.registrations.take_challenge(&agent) else {
            let text = format!("no challenge for {agent} is open on this connection; register first");
            return self.denied(agent, ErrorBody::new(code::UNAUTHORIZED, text));
        };
        let names = match self.shared.config.audience.as_slice() {
            [] => self.registrations.visitor.host.as_slice(),
            names => names,
        };
        let audiences = audiences(names);
        let evidence = Evidence::Proof { proof, public_key, nonce: &challenge.nonce, audiences: &audiences };
        match self.verify(&agent, evidence).await {
            Ok(identity) => self.admit(agent, challenge.resume, identity).await,
            Err(error) => self.denied(agent, error),
        }
    }

    /// Registers an agent that did not ask for it, by its first frame; possible only where nothing has to be shown.
    pub(super) async fn register_implicitly(&mut self, agent: &AgentUri) -> Result<(), ErrorBody> {
        if self.shared.config.authenticator.mode() != AuthMode::Open {
            let text = format!("{agent} is not registered on this connection; register first");
            return Err(ErrorBody::new(code::UNAUTHORIZED, text));
        }
        self.check_room_for(agent)?;
        let claimed = self.claim(agent, None, &Identity::default()).await;
        claimed.map(drop).map_err(|NotClaimed { error, .. }| error)
    }

    fn check_room_for(&self, agent: &AgentUri) -> Result<(), ErrorBody> {
        if let Some(wait) = self.shared.flooders.wait(agent.as_str(), Instant::now()) {
            let seconds = wait.as_secs_f64().ceil();
            let text = format!("{agent} was disconnected for sending too much; try again in {seconds} s");
            return Err(ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        let limit = self.shared.config.max_registrations;
        if self.agents.contains(agent) || self.agents.len() < limit {
            return Ok(());
        }
        let text = format!("this connection has {limit} agents already, the most allowed");
        Err(ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text))
    }

    fn challenge(&mut self, agent: AgentUri, resume: Option<String>) -> Result<(), TooSlow> {
        let nonce = nonce();
        let challenges = &mut self.registrations.challenges;
        challenges.retain(|challenge| challenge.agent != agent);
        if challenges.len() >= self.shared.config.max_registrations {
            challenges.remove(0);
        }
        challenges.push(Challenge { agent: agent.clone(), nonce: nonce.clone(), resume, at: Instant::now() });
        let names = [self.shared.config.audience.first(), self.registrations.visitor.host.as_ref()];
        let audience = names.into_iter().flatten().next().cloned();
        self.answer(&ServerFrame::Challenge { agent_id: agent, nonce, audience })
    }

    async fn verify(&mut self, agent: &AgentUri, evidence: Evidence<'_>) -> Result<Identity, ErrorBody> {
        let Registrations { attempts, rate, .. } = &mut self.registrations;
        if !attempts.take(*rate, Instant::now()) {
            let text = "too many registrations on this connection; slow down";
            return Err(ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        let (shared, visitor) = (&self.shared, &self.registrations.visitor);
        if !shared.failures.allows(visitor) {
            let text = "too many failed registrations from your address; try again later";
            return Err(ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text));
        }
        let now = Instant::now().into_std();
        let attempt = Attempt { agent, evidence, address: visitor.address, now, unix_ms: unix_ms() };
        let verdict = timeout(VERIFY_TIMEOUT, shared.config.authenticator.verify(attempt)).await;
        let Denied { error, reason } = match verdict {
            Ok(Ok(identity)) => return Ok(identity),
            Ok(Err(denied)) => denied,
            Err(_) => {
                let text = "the registration could not be verified in time; try again later";
                Denied {
                    error: ErrorBody::new(code::INTERNAL_ERROR, text),
                    reason: "verification-timeout".into(),
                }
            }
        };
        self.report(agent, reason);
        Err(error)
    }

    /// Tells the operator why an agent was denied; the agent is not told.
    fn report(&self, agent: &AgentUri, reason: Cow<'static, str>) {
        self.shared.emit(|| ServerEvent::Denied {
            connection: self.handle.id,
            address: self.registrations.visitor.address,
            agent: agent.clone(),
            reason,
        });
    }

    /// Answers a failed attempt, and counts it. If the failure is the server's own it does not end the connection, but what was
    /// looked up in vain is counted for the place: nobody shall keep the key server or the application busy for the others.
    fn denied(&mut self, agent: AgentUri, error: ErrorBody) -> Result<(), TooSlow> {
        count(&self.shared.counters.denied);
        self.shared.failures.count(&self.registrations.visitor);
        if error.code != code::INTERNAL_ERROR {
            self.registrations.failures += 1;
        }
        let answered = self.refuse(Some(agent), None, error);
        if self.registrations.failures > FAILURES_PER_CONNECTION {
            self.handle.close(TOO_MANY_FAILURES);
        }
        answered
    }

    /// Registers an agent that has shown what it has to.
    async fn admit(
        &mut self,
        agent: AgentUri,
        resume: Option<String>,
        identity: Identity,
    ) -> Result<(), TooSlow> {
        match self.claim(&agent, resume, &identity).await {
            Ok(resume) => {
                let (ice_servers, ice_servers_ttl) = self.ice_servers(&agent);
                self.answer(&ServerFrame::Registered {
                    agent_id: agent,
                    resume,
                    idle_timeout_ms: millis(self.shared.config.idle_timeout),
                    features: vec![FEATURE_ROOMS.to_owned()],
                    auth: self.shared.config.authenticator.mode(),
                    ice_servers,
                    ice_servers_ttl,
                })
            }
            Err(NotClaimed { error, denied: None }) => self.refuse(Some(agent), None, error),
            Err(NotClaimed { error, denied: Some(reason) }) => {
                self.report(&agent, reason);
                if error.code == code::INTERNAL_ERROR {
                    // The cluster's own trouble, for which nobody was asked: it must not keep the others of the place out.
                    count(&self.shared.counters.denied);
                    return self.refuse(Some(agent), None, error);
                }
                // As if the authenticator had said so itself.
                self.denied(agent, error)
            }
        }
    }

    /// Takes the name and returns its resume token. If another connection has it and this is not proven to be the same
    /// agent, that one must answer a ping within the take-over time, or loses it.
    async fn claim(
        &mut self,
        agent: &AgentUri,
        resume: Option<String>,
        identity: &Identity,
    ) -> Result<String, NotClaimed> {
        self.check_room_for(agent)?;
        // Before the claim, which may take a while: if the connection ends meanwhile, the name is given up like the others.
        let known = self.agents.contains(agent);
        if !known {
            self.agents.push(agent.clone());
        }
        let claimed = self.contend(agent, resume.as_deref(), identity).await;
        if claimed.is_ok() {
            self.shared.config.authenticator.registered(agent, identity, Instant::now().into_std());
        }
        if claimed.is_ok() && !known {
            let connection = self.handle.id;
            self.shared.emit(|| ServerEvent::Registered { connection, agent: agent.clone() });
        } else if !known {
            self.agents.retain(|other| other != agent);
        }
        claimed
    }

    async fn contend(
        &self,
        agent: &AgentUri,
        resume: Option<&str>,
        identity: &Identity,
    ) -> Result<String, NotClaimed> {
        let Shared { registry, config, .. } = &*self.shared;
        let Identity { owner, first_use } = identity;
        let (owner, first_use) = (owner.as_deref(), *first_use);
        let mut dead = None;
        loop {
            let credentials = Credentials { resume, owner, first_use, dead: dead.as_ref() };
            match registry.claim(agent, &self.handle, credentials).await {
                Claim::Granted { resume, displaced } => {
                    if let Some(old) = displaced {
                        old.tell_displaced(agent);
                    }
                    return Ok(resume);
                }
                Claim::Held(holding) => {
                    if registry.answers(agent, &holding, config.takeover_timeout).await {
                        let text = format!("{agent} is registered by another connection, which is alive");
                        return Err(ErrorBody::new(code::UNAUTHORIZED, text).into());
                    }
                    dead = Some(holding);
                }
                Claim::Refused(error) => return Err(error.into()),
                Claim::Denied(Denied { error, reason }) => {
                    return Err(NotClaimed { error, denied: Some(reason) });
                }
            }
        }
    }

    fn ice_servers(&self, agent: &AgentUri) -> (Vec<IceServer>, Option<u64>) {
        let Some(ttl) = self.shared.credentials_ttl() else { return (Vec::new(), None) };
        self.shared.registry.gave_credentials(agent, &self.handle, Instant::now());
        (self.shared.ice_servers(agent, self.handle.dialled()), Some(ttl.as_secs()))
    }
}

/// 244 random bits.
fn nonce() -> String {
    [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(|uuid| uuid.simple().to_string()).concat()
}

pub(super) fn unix_ms() -> u64 {
    // A clock before 1970 makes everything expired or not valid yet; nothing worse.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
