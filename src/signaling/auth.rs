//! What a signaling server asks agents for, as `ts/signaling/server/auth.ts` sees it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use napi::Result;
use napi::bindgen_prelude::{FnArgs, Function};
use napi_derive::napi;
use ossa_agent::auth::registration::{
    Bearer, FirstUse, FirstUseConfig, FoundKeys, KeySource, KnownKeys, NoKeys, TokenSource, TokenVerdict,
    Verdicts,
};
use ossa_agent::auth::{JwksCache, PublicKey};
use ossa_signaling::{AgentUri, Authenticator, TurnConfig, TurnUser};
use serde::Deserialize;
use serde_json::json;

use super::ask::Asker;
use crate::base::identity::{KeySetLookup, agent_uri, key_set_lookup, key_sets};
use crate::base::lock::lock;

/// What a server asks for.
#[napi(object, object_to_js = false)]
pub struct SignalingAuthOptions {
    /// `tofu`, `keys` or `bearer`.
    pub mode: String,
    /// `tofu`: names that are remembered.
    pub capacity: Option<u32>,
    /// `tofu`: milliseconds that a name is kept.
    pub retention: Option<f64>,
    /// `keys`: milliseconds that a published key set is used.
    pub key_set_max_age: Option<u32>,
    /// `keys`: milliseconds between two attempts to fetch one.
    pub key_set_cool_down: Option<u32>,
}

/// Decides who may register what, with the help of JavaScript.
#[napi]
pub struct SignalingAuth {
    authenticator: Arc<dyn Authenticator>,
    asker: Arc<Asker>,
    key_sets: Mutex<JwksCache>,
}

#[napi]
impl SignalingAuth {
    /// `ask` is called with the number of a question and its content. In the mode `keys` that is `{agentId, kid}`, to be
    /// answered by `{keys}` (PEM) or `{reason, temporary}`; in the mode `bearer` `{token, agentId, address}`, to be answered by
    /// `{accepted, owner?}` or `{unavailable: true}`.
    #[napi(constructor)]
    pub fn new(options: SignalingAuthOptions, ask: Function<'_, FnArgs<(u32, String)>, ()>) -> Result<Self> {
        let asker = Arc::new(Asker::new(&ask)?);
        let authenticator: Arc<dyn Authenticator> = match options.mode.as_str() {
            "tofu" => {
                let defaults = FirstUseConfig::default();
                let retention = options.retention.map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1000.0));
                Arc::new(FirstUse::new(FirstUseConfig {
                    capacity: options.capacity.map_or(defaults.capacity, |capacity| capacity as usize),
                    retention: retention.unwrap_or(defaults.retention),
                }))
            }
            "bearer" => Arc::new(Bearer(Ask(asker.clone()))),
            _ => Arc::new(KnownKeys(Ask(asker.clone()))),
        };
        let key_sets = Mutex::new(key_sets(options.key_set_max_age, options.key_set_cool_down));
        Ok(Self { authenticator, asker, key_sets })
    }

    /// Answers a question.
    #[napi]
    pub fn answer(&self, id: u32, answer: String) {
        self.asker.answer(id, answer);
    }

    /// As of `AgentAuth`.
    #[napi]
    pub fn look_up_key(&self, url: String, from: String, kid: String, shared: bool) -> Result<KeySetLookup> {
        let from = agent_uri(&from)?;
        Ok(key_set_lookup(self.sets().lookup(&url, &from, &kid, shared, Instant::now())))
    }

    /// As of `AgentAuth`.
    #[napi]
    pub fn store_keys(&self, url: String, body: String) -> bool {
        self.sets().store(&url, &body, Instant::now())
    }

    fn sets(&self) -> MutexGuard<'_, JwksCache> {
        lock(&self.key_sets)
    }
}

impl SignalingAuth {
    pub(super) fn authenticator(&self) -> Arc<dyn Authenticator> {
        self.authenticator.clone()
    }
}

/// The application, as somebody who knows.
#[derive(Debug)]
struct Ask(Arc<Asker>);

impl KeySource for Ask {
    fn keys<'a>(&'a self, agent: &'a AgentUri, kid: Option<&'a str>) -> FoundKeys<'a> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Answer {
            Keys { keys: Vec<String> },
            None { reason: String, temporary: bool },
        }
        Box::pin(async move {
            let question = json!({ "agentId": agent, "kid": kid }).to_string();
            let answer = self.0.ask(question).await;
            let unusable = || NoKeys { reason: "resolver-failed".into(), temporary: true };
            match answer.as_deref().map(serde_json::from_str).ok_or_else(unusable)?.map_err(|_| unusable())? {
                Answer::Keys { keys } => {
                    keys.iter().map(|key| PublicKey::parse(key).map_err(|_| unusable())).collect()
                }
                Answer::None { reason, temporary } => Err(NoKeys { reason: reason.into(), temporary }),
            }
        })
    }
}

impl TokenSource for Ask {
    fn verify<'a>(&'a self, token: &'a str, agent: &'a AgentUri, address: IpAddr) -> Verdicts<'a> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Answer {
            Decided {
                accepted: bool,
                #[serde(default)]
                owner: Option<String>,
            },
            Unavailable {},
        }
        Box::pin(async move {
            let question = json!({ "token": token, "agentId": agent, "address": address }).to_string();
            let answer = self.0.ask(question).await;
            match answer.as_deref().and_then(|answer| serde_json::from_str(answer).ok()) {
                Some(Answer::Decided { accepted: true, owner }) => TokenVerdict::Accepted { owner },
                Some(Answer::Decided { accepted: false, .. }) => TokenVerdict::Refused,
                Some(Answer::Unavailable {}) | None => TokenVerdict::Unavailable,
            }
        })
    }
}

/// TURN servers for agents.
#[napi(object, object_to_js = false)]
pub struct SignalingTurnOptions {
    /// `turn:`, `turns:`, `stun:` URLs.
    pub urls: Vec<String>,
    /// Shared with the TURN servers.
    pub secret: String,
    /// Seconds that credentials are valid.
    pub ttl: u32,
    /// The user name shows the URI of the agent.
    pub show_agent: bool,
    /// Also for agents of an open server.
    pub allow_open: bool,
}

impl From<SignalingTurnOptions> for TurnConfig {
    fn from(options: SignalingTurnOptions) -> Self {
        Self {
            ttl: Duration::from_secs(options.ttl.into()),
            user: if options.show_agent { TurnUser::Uri } else { TurnUser::Hash },
            allow_open: options.allow_open,
            ..Self::new(options.urls, options.secret)
        }
    }
}
