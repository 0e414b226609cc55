//! What is under way between a connection and its registrations.

use std::time::Duration;

use tokio::time::Instant;

use super::auth::Visitor;
use super::limits::Bucket;
use crate::rate::Rate;
use crate::uri::AgentUri;

/// A challenge has to be answered in this time. Signing takes milliseconds; asking a hardware token may take a while.
const CHALLENGE_LIFETIME: Duration = Duration::from_secs(30);

/// Attempts of one connection in the long run, for each second: what is verified costs a signature, and may cost the application a
/// question to somebody else, whether it is right or wrong.
const ATTEMPTS_PER_SECOND: f64 = 2.0;

/// Attempts of one connection at once, for each agent that it may have: an honest client needs one.
const ATTEMPTS_PER_AGENT: f64 = 4.0;

/// What is under way on one connection.
#[derive(Debug)]
pub(super) struct Registrations {
    pub(super) visitor: Visitor,
    /// At most one per agent, and no more than agents are allowed.
    pub(super) challenges: Vec<Challenge>,
    pub(super) failures: u32,
    pub(super) rate: Rate,
    pub(super) attempts: Bucket,
}

#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) agent: AgentUri,
    pub(super) nonce: String,
    pub(super) resume: Option<String>,
    pub(super) at: Instant,
}

impl Registrations {
    pub(super) fn new(visitor: Visitor, max_registrations: usize) -> Self {
        let burst = ATTEMPTS_PER_AGENT * max_registrations as f64;
        let rate = Rate { burst, per_second: ATTEMPTS_PER_SECOND };
        let attempts = Bucket::full(rate, Instant::now());
        Self { visitor, challenges: Vec::new(), failures: 0, rate, attempts }
    }

    pub(super) fn take_challenge(&mut self, agent: &AgentUri) -> Option<Challenge> {
        let index = self.challenges.iter().position(|challenge| challenge.agent == *agent)?;
        Some(self.challenges.swap_remove(index))
            .filter(|challenge| challenge.at.elapsed() < CHALLENGE_LIFETIME)
    }
}
