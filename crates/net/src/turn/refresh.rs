//! How long an allocation lives, and what keeps it alive (RFC 8656, section 8).
//!
//! `turn-client-proto` does this too, but takes no answer for an answer that grants less than ten minutes, as servers do that are told to
//! (coturn's `max-allocate-lifetime`), and learns that a server has forgotten an allocation from the clock alone. So the client is
//! told that the allocation lives for years, and is kept to what it is good at: permissions and channels.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use stun_proto::auth::{LongTermClientAuth, LongTermClientValidation};
use stun_proto::types::attribute::{
    AttributeStaticType, ErrorCode, Fingerprint, MessageIntegrity, MessageIntegritySha256,
};
use stun_proto::types::message::{Message, MessageClass, MessageWriteVec, TransactionId};
use stun_proto::types::prelude::{Attribute, MessageWrite, MessageWriteExt};
use turn_client_proto::types::TurnCredentials;
use turn_client_proto::types::attribute::Lifetime;
use turn_client_proto::types::message::REFRESH;

use crate::config::Credentials;

/// What we ask for; the server decides.
const WANTED: u32 = 1_800;

/// Longer than any peer lives.
const FOR_EVER: u32 = 10 * 365 * 86_400;

/// An allocation is refreshed this long before its end, or in the middle of its life if that is later.
const MARGIN: Duration = Duration::from_secs(60);

/// Time from one transmission of a request to the next, which is a new request then.
const REPEAT: Duration = Duration::from_secs(1);

/// The same for as long as [`HASTE`] while a peer is waiting for the answer.
const HASTY: Duration = Duration::from_millis(250);
const HASTE: Duration = Duration::from_secs(20);

/// Who has refused our credentials is asked again after so long.
const RECONSIDER: Duration = Duration::from_secs(15);

/// Requests whose answers are taken: seconds of them, which is more than any round trip.
const MAX_REQUESTS: usize = 16;

/// An attempt whose answer is refused or stale is made again at once, but no more often than this: a server could go on for ever.
const MAX_STALE: u32 = 3;

pub(super) struct Refresh {
    auth: LongTermClientAuth,
    /// When the server forgets the allocation; `None` before there is one.
    end: Option<Instant>,
    /// When the next request is due.
    due: Instant,
    /// The requests that are under way.
    requests: VecDeque<TransactionId>,
    stale: u32,
    /// Until when the answer is waited for by a peer that has lost its path.
    hasty: Option<Instant>,
    /// The server does not accept our credentials any more.
    refused: bool,
    /// It has just said that the allocation is there.
    confirmed: bool,
    lost: bool,
}

impl Refresh {
    pub(super) fn new(credentials: &Credentials, now: Instant) -> Self {
        let mut auth = LongTermClientAuth::new();
        auth.set_credentials(TurnCredentials::new(&credentials.username, &credentials.credential).into());
        Self {
            auth,
            end: None,
            due: now,
            requests: VecDeque::new(),
            stale: 0,
            hasty: None,
            refused: false,
            confirmed: false,
            lost: false,
        }
    }

    /// Whether the server has said that there is no allocation any more, or its time is over.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whether the server has refused our credentials: the allocation is there until its end, and has to be replaced by then.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether the server has said since the last time that the allocation is there.
    pub(super) fn take_confirmation(&mut self) -> bool {
        std::mem::take(&mut self.confirmed)
    }

    /// Asks at once, and often until there is an answer: the peer does not answer any more, perhaps because the server has forgotten us or
    /// our NAT has.
    pub(super) fn probe(&mut self, now: Instant) {
        if self.end.is_some() && self.hasty.is_none() {
            self.hasty = Some(now + HASTE);
            self.due = now;
        }
    }

    /// Takes an answer to our request for the allocation. If it grants one, gives what the client is to see of it.
    pub(super) fn allocated(&mut self, message: &Message<'_>, now: Instant) -> Option<Vec<u8>> {
        let valid = matches!(
            self.auth.validate_incoming_message(message),
            Ok(LongTermClientValidation::Validated(_))
        );
        let lifetime = message.attribute::<Lifetime>().ok()?;
        if !valid || !message.has_class(MessageClass::Success) {
            return None;
        }
        let mut shown =
            Message::builder(message.get_type(), message.transaction_id(), MessageWriteVec::new());
        for (_, attribute) in message.iter_attributes() {
            let kind = attribute.get_type();
            if kind == Lifetime::TYPE {
                shown.add_attribute(&Lifetime::new(FOR_EVER)).ok()?;
            } else if ![MessageIntegrity::TYPE, MessageIntegritySha256::TYPE, Fingerprint::TYPE]
                .contains(&kind)
            {
                shown.add_attribute(&attribute).ok()?;
            }
        }
        let shown = self.auth.sign_outgoing_message(shown).ok()?.finish();
        self.lives_on(lifetime.seconds(), now);
        Some(shown)
    }

    fn lives_on(&mut self, seconds: u32, now: Instant) {
        let lifetime = Duration::from_secs(seconds.into());
        self.end = Some(now + lifetime);
        self.due = now + (lifetime / 2).max(lifetime.saturating_sub(MARGIN));
        self.requests.clear();
        self.stale = 0;
        (self.hasty, self.refused) = (None, false);
        self.lost = seconds == 0;
    }

    /// The request that is due now, if one is.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Vec<u8>> {
        let end = self.end?;
        if now >= end {
            self.lost = true;
        }
        if self.lost || now < self.due {
            return None;
        }
        let mut request = Message::builder_request(REFRESH, MessageWriteVec::new());
        if self.requests.len() == MAX_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(request.transaction_id());
        self.due = now + if self.hasty.is_some_and(|until| now < until) { HASTY } else { REPEAT };
        request.add_attribute(&Lifetime::new(WANTED)).ok()?;
        Some(self.auth.sign_outgoing_message(request).ok()?.finish())
    }

    /// When [`Self::poll`] wants to be called, if there is an allocation.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.end.map(|end| end.min(self.due))
    }

    /// Takes a message from the server. True if it was an answer to our request.
    pub(super) fn handle(&mut self, message: &Message<'_>, now: Instant) -> bool {
        if !message.is_response()
            || message.method() != REFRESH
            || !self.requests.contains(&message.transaction_id())
        {
            return false;
        }
        let valid = self.auth.validate_incoming_message(message);
        match message.attribute::<ErrorCode>().map(|error| error.code()) {
            // A server that was started anew may say so of a nonce that it does not know with a 401.
            Ok(ErrorCode::STALE_NONCE | ErrorCode::UNAUTHORIZED) if self.stale < MAX_STALE => {
                self.stale += 1;
                self.due = now;
            }
            // It has forgotten us: it was started anew, or our NAT shows it another address.
            Ok(ErrorCode::ALLOCATION_MISMATCH) => self.lost = true,
            // Our credentials are good no longer. What was allocated with them is, for a while.
            Ok(ErrorCode::UNAUTHORIZED | ErrorCode::FORBIDDEN | ErrorCode::WRONG_CREDENTIALS) => {
                (self.hasty, self.refused) = (None, true);
                self.due = now + RECONSIDER;
            }
            // Perhaps it has no resources at the moment. The allocation is there until its end.
            Ok(code) => tracing::debug!(code, "the TURN server refused to refresh an allocation"),
            Err(_) => {
                if let (Ok(LongTermClientValidation::Validated(_)), Ok(lifetime)) =
                    (valid, message.attribute::<Lifetime>())
                {
                    self.lives_on(lifetime.seconds(), now);
                    self.confirmed = true;
                }
            }
        }
        true
    }
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
