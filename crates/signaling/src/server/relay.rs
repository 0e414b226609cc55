//! The way of nearly every message: from one connection of this server to another, without waiting and without a copy but the
//! one into what is to be written.

use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::Shared;
use super::client::Client;
use super::limits::Verdict;
use super::registry::{Letter, TooSlow};
use super::stats::count;
use crate::envelope::{Envelope, Kind};

impl Client {
    /// Relays `text` if it is a message in order from an agent of this client to one that is connected here. `None`: it is
    /// something else, nothing has happened, and [`frame`](Self::frame) knows what to do.
    pub(super) fn relay_now(&mut self, text: &str) -> Option<Result<(), TooSlow>> {
        let envelope = Envelope::read(text)?;
        let Envelope { from, to, .. } = &envelope;
        if from == to {
            return None;
        }
        let recipient = self.shared.registry.route_by_text(from, &self.handle, to)?;
        let now = Instant::now();
        let verdict = self.limits.frame(self.shared.config.message_rate, now);
        if verdict != Verdict::Serve {
            return Some(self.too_much(verdict, text, "frames on this connection"));
        }
        if let Some(what) = self.shared.over_its_limit(&envelope, now) {
            let verdict = self.limits.refused(now);
            return Some(self.too_much(verdict, text, what));
        }
        if recipient.push_text(text).is_err() {
            // It is being disconnected for not reading: nobody there.
            return Some(self.shared.unreachable(Letter {
                sender: self.handle.clone(),
                from: from.parse().ok()?,
                to: to.parse().ok()?,
                session_id: envelope.session_id.as_deref().map(str::to_owned),
                is_error: envelope.kind == Kind::Error,
            }));
        }
        count(&self.shared.counters.relayed);
        self.shared.counters.relayed_bytes.fetch_add(text.len() as u64, Ordering::Relaxed);
        Some(Ok(()))
    }
}

impl Shared {
    /// What the sender sends too much of with this message, if it does.
    pub(super) fn over_its_limit(&self, envelope: &Envelope<'_>, now: Instant) -> Option<&'static str> {
        let Self { config, pairs, meetings, .. } = self;
        let (from, to, session) = (&*envelope.from, &*envelope.to, envelope.session_id.as_deref());
        match envelope.kind {
            Kind::Offer => {
                pairs.described(from, to, session);
                (!pairs.offer(from, to, config.offers_per_pair, now)).then_some("offers to this agent")
            }
            Kind::Answer => {
                pairs.described(from, to, session);
                // Whoever answers what nobody has asked meets nobody.
                if pairs.has_offered(to, from, now) {
                    meetings.met(to, from, now);
                }
                None
            }
            Kind::Candidate => {
                let allowed = pairs.candidate(from, to, session, config.candidates_per_session, now);
                (!allowed).then_some("candidates in this session")
            }
            Kind::Error => None,
        }
    }
}
