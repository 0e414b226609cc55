//! Names of agents and their published keys, as agents and signaling servers both need them.

use std::time::Duration;

use napi::{Error, Result};
use napi_derive::napi;
use ossa_agent::auth::{JwksCache, JwksConfig, KeyError, Lookup, PublicKey};
use ossa_agent::code::INVALID_MESSAGE;
use ossa_signaling::AgentUri;

use super::agent_error::coded;

/// Parses an agent URI; the text in the error says what is wrong.
pub(crate) fn agent_uri(text: &str) -> Result<AgentUri> {
    AgentUri::parse(text).map_err(|error| coded(INVALID_MESSAGE, error))
}

/// A key that cannot be used.
pub(crate) fn key_error(error: KeyError) -> Error {
    coded(INVALID_MESSAGE, error)
}

/// What is known of a published key.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct KeySetLookup {
    /// The keys, as JWK.
    pub keys: Option<Vec<String>>,
    /// The set has to be fetched.
    pub fetch: bool,
    /// Why there is none.
    pub refusal: Option<&'static str>,
    /// The reason in words.
    pub text: Option<String>,
}

/// An empty cache; times in milliseconds.
pub(crate) fn key_sets(max_age: Option<u32>, cool_down: Option<u32>) -> JwksCache {
    let defaults = JwksConfig::default();
    let time = |ms: Option<u32>, default| ms.map_or(default, |ms| Duration::from_millis(ms.into()));
    JwksCache::new(JwksConfig {
        max_age: time(max_age, defaults.max_age),
        cool_down: time(cool_down, defaults.cool_down),
        ..defaults
    })
}

/// What was looked up, for JavaScript.
pub(crate) fn key_set_lookup(lookup: Lookup) -> KeySetLookup {
    match lookup {
        Lookup::Found(keys) => {
            let keys = keys.iter().map(PublicKey::to_jwk).collect();
            KeySetLookup { keys: Some(keys), ..KeySetLookup::default() }
        }
        Lookup::Fetch => KeySetLookup { fetch: true, ..KeySetLookup::default() },
        Lookup::Refused(refusal) => KeySetLookup {
            refusal: Some(refusal.reason()),
            text: Some(refusal.to_string()),
            ..KeySetLookup::default()
        },
    }
}
