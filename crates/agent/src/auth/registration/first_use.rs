//! Registration by trust on first use: a name belongs to the first key that proves itself under it.

use std::collections::HashMap;
use std::future::ready;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ossa_signaling::{
    AgentUri, Attempt, AuthMode, Authenticator, Denied, Evidence, FirstUsePolicy, Identity, KnownName, Rate,
    RateLimiter, Verdict, place_of,
};

use super::{PresentedProof, verify_proof};
use crate::auth::PublicKey;

/// The pause between two searches for names that may be forgotten: each is a pass over all of them.
const SWEEP: Duration = Duration::from_secs(1);

/// New names from one place: a host full of agents at once, but not a flood that fills the book for everybody.
const NEW_NAMES: Rate = Rate { burst: 1000.0, per_second: 1.0 };

const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);

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

/// Registers agents with the key that they came with first. What it knows is lost at the end of the process; the servers of a
/// cluster have one memory, in which this is what one of them has seen of it.
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
    /// Of the first use, in milliseconds since 1970.
    since: u64,
    connected: bool,
    /// The end of its retention, unless it is connected.
    until: Instant,
}

impl Name {
    fn is_kept(&self, now: Instant) -> bool {
        self.connected || now < self.until
    }
}

impl FirstUse {
    /// Knows nobody yet.
    pub fn new(config: FirstUseConfig) -> Self {
        // Time that is added to the present must not overflow.
        let config = FirstUseConfig { retention: config.retention.min(CENTURY), ..config };
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
            return Err(Denied::not_accepted("no-proof"));
        };
        let key = public_key.ok_or_else(|| Denied::not_accepted("key-missing"))?;
        let key = PublicKey::parse(key).map_err(|_| Denied::not_accepted("key-malformed"))?;
        let owner = format!("key:{}", key.thumbprint());
        let known = match self.book().find(attempt.agent, attempt.now) {
            Some(name) if name.owner != owner => return Err(Denied::not_accepted("key-mismatch")),
            Some(name) => Some(name.since),
            None => None,
        };
        let presented = PresentedProof { proof, agent: attempt.agent, nonce, audiences };
        verify_proof(&presented, &[key], attempt.unix_ms)
            .map_err(|refusal| Denied::not_accepted(refusal.reason()))?;
        self.book().make_room(&attempt, self.config)?;
        let FirstUseConfig { capacity, retention } = self.config;
        let since = known.unwrap_or(attempt.unix_ms);
        let policy = FirstUsePolicy { known: known.is_some(), since, retention, capacity };
        Ok(Identity { owner: Some(owner), first_use: Some(policy) })
    }
}

impl Book {
    fn find(&self, agent: &AgentUri, now: Instant) -> Option<&Name> {
        self.names.get(agent).filter(|name| name.is_kept(now))
    }

    fn make_room(&mut self, attempt: &Attempt<'_>, config: FirstUseConfig) -> Result<(), Denied> {
        let now = attempt.now;
        if self.names.contains_key(attempt.agent) {
            return Ok(());
        }
        if !self.fresh.take(&place_of(attempt.address), now) {
            return Err(Denied::no_new_names("too-many-new-names"));
        }
        let rested = self.swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEEP);
        if self.names.len() >= config.capacity && rested {
            self.swept = Some(now);
            self.names.retain(|_, name| name.is_kept(now));
        }
        if self.names.len() < config.capacity { Ok(()) } else { Err(Denied::no_new_names("known-keys-full")) }
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
        let (Some(owner), Some(policy)) = (identity.owner.clone(), identity.first_use) else { return };
        let name = Name { owner, since: policy.since, connected: true, until: now };
        self.book().names.insert(agent.clone(), name);
    }

    fn released(&self, agent: &AgentUri, now: Instant) {
        if let Some(name) = self.book().names.get_mut(agent) {
            name.connected = false;
            name.until = now + self.config.retention;
        }
    }

    fn known_names(&self, now: Instant) -> Vec<KnownName> {
        let retention = self.config.retention;
        let book = self.book();
        let kept = book.names.iter().filter(|(_, name)| name.is_kept(now));
        kept.map(|(agent, name)| KnownName {
            agent: agent.clone(),
            owner: name.owner.clone(),
            since: name.since,
            left: if name.connected { retention } else { name.until.saturating_duration_since(now) },
            retention,
        })
        .collect()
    }

    fn corrected(&self, name: &KnownName, now: Instant) {
        let mut book = self.book();
        // Of names that are new to this server there is no room for more: the cluster remembers them.
        if book.names.contains_key(&name.agent) || book.names.len() < self.config.capacity {
            let KnownName { agent, owner, since, left, .. } = name.clone();
            let until = now + left.min(CENTURY);
            book.names.insert(agent, Name { owner, since, connected: false, until });
        }
    }
}
