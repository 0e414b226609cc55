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

/// Requests whose answers are taken: as many seconds are more than any round trip.
const MAX_REQUESTS: usize = 8;

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
    lost: bool,
}

impl Refresh {
    pub(super) fn new(credentials: &Credentials, now: Instant) -> Self {
        let mut auth = LongTermClientAuth::new();
        auth.set_credentials(TurnCredentials::new(&credentials.username, &credentials.credential).into());
        Self { auth, end: None, due: now, requests: VecDeque::new(), stale: 0, lost: false }
    }

    /// Whether the server has said that there is no allocation any more, or its time is over.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
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
        self.due = now + REPEAT;
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
            Ok(ErrorCode::STALE_NONCE) if self.stale < MAX_STALE => {
                self.stale += 1;
                self.due = now;
            }
            // 437, or 401 from one that does not know us any more: the server was started anew.
            Ok(ErrorCode::ALLOCATION_MISMATCH | ErrorCode::UNAUTHORIZED) => self.lost = true,
            // Perhaps it has no resources at the moment. The allocation is there until its end.
            Ok(code) => tracing::debug!(code, "the TURN server refused to refresh an allocation"),
            Err(_) => {
                if let (Ok(LongTermClientValidation::Validated(_)), Ok(lifetime)) =
                    (valid, message.attribute::<Lifetime>())
                {
                    self.lives_on(lifetime.seconds(), now);
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use stun_proto::types::attribute::{Nonce, Realm, XorMappedAddress};
    use stun_proto::types::message::{
        IntegrityAlgorithm, LongTermKeyCredentials, MessageIntegrityCredentials, MessageType, Method,
    };
    use turn_client_proto::types::attribute::XorRelayedAddress;
    use turn_client_proto::types::message::ALLOCATE;

    use super::super::output::{Destination, Output};
    use super::super::protocol::Protocol;
    use super::super::stream::ByteStream;
    use super::*;

    fn credentials() -> Credentials {
        Credentials { username: "user".into(), credential: "secret".into() }
    }

    fn key() -> MessageIntegrityCredentials {
        LongTermKeyCredentials::new("user".into(), "secret".into(), "realm".into()).into()
    }

    fn answer(method: Method, class: MessageClass, id: TransactionId) -> MessageWriteVec {
        Message::builder(MessageType::from_class_method(class, method), id, MessageWriteVec::new())
    }

    fn challenge(method: Method, id: TransactionId, code: u16, nonce: &str) -> Vec<u8> {
        let mut message = answer(method, MessageClass::Error, id);
        message.add_attribute(&ErrorCode::builder(code).build().unwrap()).unwrap();
        message.add_attribute(&Realm::new("realm").unwrap()).unwrap();
        message.add_attribute(&Nonce::new(nonce).unwrap()).unwrap();
        message.finish()
    }

    fn granted(method: Method, id: TransactionId, seconds: u32) -> Vec<u8> {
        let mut message = answer(method, MessageClass::Success, id);
        message.add_attribute(&Lifetime::new(seconds)).unwrap();
        if method == ALLOCATE {
            let (relayed, mapped) =
                (SocketAddr::from(([192, 0, 2, 9], 50_000)), SocketAddr::from(([192, 0, 2, 2], 5000)));
            message.add_attribute(&XorRelayedAddress::new(relayed, id)).unwrap();
            message.add_attribute(&XorMappedAddress::new(mapped, id)).unwrap();
        }
        message.add_message_integrity(&key(), IntegrityAlgorithm::Sha1).unwrap();
        message.finish()
    }

    fn parse(data: &[u8]) -> Message<'_> {
        Message::from_bytes(data).unwrap()
    }

    /// With an allocation that was granted for this long.
    fn allocated(seconds: u32, now: Instant) -> Refresh {
        let mut refresh = Refresh::new(&credentials(), now);
        let id = TransactionId::generate();
        assert!(refresh.allocated(&parse(&challenge(ALLOCATE, id, 401, "first")), now).is_none());
        let shown = refresh.allocated(&parse(&granted(ALLOCATE, id, seconds)), now).unwrap();
        assert_eq!(parse(&shown).attribute::<Lifetime>().unwrap().seconds(), FOR_EVER);
        assert!(parse(&shown).validate_integrity(&key()).is_ok());
        refresh
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn an_allocation_lives_on_however_short_the_server_grants_it() {
        for lifetime in [2, 30, 119, 120, 600, 3_600] {
            let start = Instant::now();
            let (mut refresh, mut now) = (allocated(lifetime, start), start);
            while now < start + seconds(4 * 3_600) {
                now = refresh.deadline().unwrap();
                let request = refresh.poll(now).expect("a request is due");
                assert!(
                    refresh
                        .handle(&parse(&granted(REFRESH, parse(&request).transaction_id(), lifetime)), now)
                );
                assert!(!refresh.is_lost(), "after {:?} of lifetime {lifetime}", now - start);
            }
        }
    }

    #[test]
    fn a_lost_request_is_repeated_until_the_time_is_over() {
        let start = Instant::now();
        let (mut refresh, mut now, mut requests) = (allocated(120, start), start, 0);
        while !refresh.is_lost() {
            now = refresh.deadline().unwrap();
            requests += usize::from(refresh.poll(now).is_some());
        }
        assert_eq!((requests, now - start), (60, seconds(120)));
    }

    #[test]
    fn a_server_that_has_forgotten_the_allocation_is_believed_at_once() {
        for code in [437, 401] {
            let now = Instant::now();
            let mut refresh = allocated(600, now);
            let later = refresh.deadline().unwrap();
            let request = refresh.poll(later).unwrap();
            let id = parse(&request).transaction_id();
            assert!(
                !refresh.handle(&parse(&challenge(REFRESH, TransactionId::generate(), code, "x")), later),
                "not ours"
            );
            assert!(!refresh.is_lost());
            assert!(refresh.handle(&parse(&challenge(REFRESH, id, code, "x")), later));
            assert!(refresh.is_lost(), "{code}");
        }
    }

    #[test]
    fn a_stale_nonce_is_replaced_but_not_for_ever() {
        let now = Instant::now();
        let mut refresh = allocated(600, now);
        let later = refresh.deadline().unwrap();
        for round in 0..MAX_STALE {
            let request = refresh.poll(later).expect("the request is made again at once");
            let nonce = format!("nonce {round}");
            assert!(
                refresh.handle(
                    &parse(&challenge(REFRESH, parse(&request).transaction_id(), 438, &nonce)),
                    later
                )
            );
            let again = refresh.poll(later).unwrap();
            assert_eq!(parse(&again).attribute::<Nonce>().unwrap().nonce(), nonce);
            refresh.due = later;
        }
        let request = refresh.poll(later).unwrap();
        assert!(
            refresh.handle(&parse(&challenge(REFRESH, parse(&request).transaction_id(), 438, "last")), later)
        );
        assert_eq!(refresh.poll(later), None, "it waits for its time");
    }

    #[test]
    fn an_answer_that_is_not_signed_changes_nothing() {
        let now = Instant::now();
        let mut refresh = allocated(120, now);
        let later = refresh.deadline().unwrap();
        let request = refresh.poll(later).unwrap();
        let mut forged = answer(REFRESH, MessageClass::Success, parse(&request).transaction_id());
        forged.add_attribute(&Lifetime::new(0)).unwrap();
        refresh.handle(&parse(&forged.finish()), later);
        assert!(!refresh.is_lost());
    }

    /// All of it, with the client, against a server that grants two minutes each time.
    #[test]
    fn a_session_on_a_server_that_grants_two_minutes_lasts_an_hour() {
        let start = Instant::now();
        let server = SocketAddr::from(([192, 0, 2, 1], 3478));
        let mut protocol =
            Protocol::new(SocketAddr::from(([192, 0, 2, 2], 5000)), server, &credentials(), true);
        let stream: Box<dyn ByteStream> = Box::new(tokio::io::duplex(64).0);
        let mut output = Output::new(Destination::Stream(tokio::io::split(stream).1));
        let (mut now, mut read, mut refreshed) = (start, 0, 0);
        while now < start + seconds(3_600) {
            let until = protocol.advance(now, &mut output);
            let sent = output.waiting()[read..].to_vec();
            read += sent.len();
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let len = 20 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
                let (request, after) = rest.split_at(len);
                rest = after;
                let request = parse(request);
                let (method, id) = (request.method(), request.transaction_id());
                let reply = match request.validate_integrity(&key()) {
                    Ok(_) => granted(method, id, 120),
                    Err(_) => challenge(method, id, 401, "nonce"),
                };
                refreshed += u32::from(method == REFRESH);
                protocol.handle(&reply, now, &mut |_, _| {});
            }
            assert!(!protocol.is_closed() && protocol.take_failure().is_none(), "after {:?}", now - start);
            now = if sent.is_empty() { until.max(now + Duration::from_millis(1)) } else { now };
        }
        assert_eq!(protocol.allocation().0.len(), 1);
        assert!((59..=61).contains(&refreshed), "{refreshed} requests to refresh");
    }
}
