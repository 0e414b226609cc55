//! Registration by trust on first use: a name belongs to the first key that proves itself under it.

use std::collections::HashMap;
use std::future::ready;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ossa_signaling::{
    AgentUri, Attempt, AuthMode, Authenticator, Denied, ErrorBody, Evidence, Identity, Rate, RateLimiter,
    Verdict, code, place_of,
};

use super::{PresentedProof, denied, verify_proof};
use crate::auth::PublicKey;

/// The pause between two searches for names that may be forgotten: each is a pass over all of them.
const SWEEP: Duration = Duration::from_secs(1);

/// New names from one place: a host full of agents at once, but not a flood that fills the book for everybody.
const NEW_NAMES: Rate = Rate { burst: 1000.0, per_second: 1.0 };

/// Places whose new names are counted; further ones share a count.
const ADDRESSES: usize = 10_000;

/// Bounds of [`FirstUse`].
#[derive(Debug, Clone, Copy)]
pub struct FirstUseConfig {
    /// Names that are remembered, about 200 bytes each. At the bound new names are refused: to forget one that is in use
    /// would let somebody else take it. Default: 100,000.
    pub capacity: usize,
    /// How long a name stays its owner's after it was last registered. Default: 7 days.
    pub retention: Duration,
}

impl Default for FirstUseConfig {
    fn default() -> Self {
        Self { capacity: 100_000, retention: Duration::from_secs(7 * 86_400) }
    }
}

/// Registers agents with the key that they came with first. What it knows is lost at the end of the process.
#[derive(Debug)]
pub struct FirstUse {
    config: FirstUseConfig,
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    names: HashMap<AgentUri, Name>,
    fresh: RateLimiter<IpAddr>,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Name {
    owner: String,
    connected: bool,
    last: Instant,
}

impl Name {
    fn is_kept(&self, retention: Duration, now: Instant) -> bool {
        self.connected || now.saturating_duration_since(self.last) < retention
    }
}

impl FirstUse {
    /// Knows nobody yet.
    pub fn new(config: FirstUseConfig) -> Self {
        let book = Book { names: HashMap::new(), fresh: RateLimiter::new(NEW_NAMES, ADDRESSES), swept: None };
        Self { config, book: Mutex::new(book) }
    }

    /// Names that are remembered.
    pub fn len(&self) -> usize {
        self.book().names.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing panics while it is locked; the maps would still be consistent.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, attempt: Attempt<'_>) -> Result<Identity, Denied> {
        let Evidence::Proof { proof, public_key, nonce, audiences } = attempt.evidence else {
            return Err(denied("no-proof"));
        };
        let key = public_key.ok_or_else(|| denied("key-missing"))?;
        let key = PublicKey::parse(key).map_err(|_| denied("key-malformed"))?;
        let owner = format!("key:{}", key.thumbprint());
        match self.book().owner(attempt.agent, self.config, attempt.now) {
            Some(known) if known != owner => return Err(denied("key-mismatch")),
            _ => {}
        }
        let presented = PresentedProof { proof, agent: attempt.agent, nonce, audiences };
        verify_proof(&presented, &[key], attempt.unix_ms).map_err(|refusal| denied(refusal.reason()))?;
        self.book().make_room(&attempt, self.config)?;
        Ok(Identity { owner: Some(owner) })
    }
}

impl Book {
    fn owner(&self, agent: &AgentUri, config: FirstUseConfig, now: Instant) -> Option<&str> {
        let name = self.names.get(agent).filter(|name| name.is_kept(config.retention, now))?;
        Some(&name.owner)
    }

    fn make_room(&mut self, attempt: &Attempt<'_>, config: FirstUseConfig) -> Result<(), Denied> {
        let now = attempt.now;
        if self.names.contains_key(attempt.agent) {
            return Ok(());
        }
        let busy = |reason| {
            let text = "no more new names are taken at the moment; try again later";
            Denied { error: ErrorBody::new(code::INTERNAL_ERROR, text), reason }
        };
        if !self.fresh.take(&place_of(attempt.address), now) {
            return Err(busy("too-many-new-names".into()));
        }
        let rested = self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP);
        if self.names.len() >= config.capacity && rested {
            self.swept = Some(now);
            self.names.retain(|_, name| name.is_kept(config.retention, now));
        }
        if self.names.len() < config.capacity { Ok(()) } else { Err(busy("known-keys-full".into())) }
    }
}

impl Authenticator for FirstUse {
    fn mode(&self) -> AuthMode {
        AuthMode::Tofu
    }

    fn verify<'a>(&'a self, attempt: Attempt<'a>) -> Verdict<'a> {
        Box::pin(ready(self.decide(attempt)))
    }

    /// Only now the name is the key's: whoever was refused for another reason has not won it.
    fn registered(&self, agent: &AgentUri, identity: &Identity, now: Instant) {
        let Some(owner) = identity.owner.clone() else { return };
        self.book().names.insert(agent.clone(), Name { owner, connected: true, last: now });
    }

    fn released(&self, agent: &AgentUri, now: Instant) {
        if let Some(name) = self.book().names.get_mut(agent) {
            name.connected = false;
            name.last = now;
        }
    }
}
