//! Allocations on servers that grant little, forget and refuse.

use std::net::SocketAddr;

use stun_proto::types::attribute::{Nonce, Realm, XorMappedAddress};
use stun_proto::types::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, MessageIntegrityCredentials, MessageType, Method,
};
use turn_client_proto::types::attribute::XorRelayedAddress;
use turn_client_proto::types::message::ALLOCATE;

use super::super::output::{Destination, Output};
use super::super::protocol::{Carrier, Protocol};
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
                refresh.handle(&parse(&granted(REFRESH, parse(&request).transaction_id(), lifetime)), now)
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
    let now = Instant::now();
    let mut refresh = allocated(600, now);
    let later = refresh.deadline().unwrap();
    let request = refresh.poll(later).unwrap();
    let id = parse(&request).transaction_id();
    assert!(
        !refresh.handle(&parse(&challenge(REFRESH, TransactionId::generate(), 437, "x")), later),
        "not ours"
    );
    assert!(!refresh.is_lost());
    assert!(refresh.handle(&parse(&challenge(REFRESH, id, 437, "x")), later));
    assert!(refresh.is_lost());
}

#[test]
fn credentials_that_are_refused_leave_the_allocation_until_its_end() {
    let start = Instant::now();
    let mut refresh = allocated(600, start);
    let (mut now, mut refused, mut requests) = (start, None, 0);
    while !refresh.is_lost() {
        now = refresh.deadline().unwrap();
        if let Some(request) = refresh.poll(now) {
            requests += 1;
            let id = parse(&request).transaction_id();
            assert!(refresh.handle(&parse(&challenge(REFRESH, id, 401, "nonce")), now));
            refused = refused.or(refresh.is_refused().then_some(now));
        }
    }
    assert_eq!(now - start, seconds(600));
    assert_eq!(refused, Some(start + seconds(540)), "in time to replace it");
    assert!(requests < 10, "{requests} requests");
}

#[test]
fn a_peer_that_waits_learns_within_a_quarter_of_a_second_of_the_return_of_the_server_that_it_was_forgotten_by()
 {
    let start = Instant::now();
    let mut refresh = allocated(600, start);
    refresh.probe(start);
    let back = start + seconds(7);
    let mut now = start;
    while !refresh.is_lost() {
        if let Some(request) = refresh.poll(now)
            && now >= back
        {
            let id = parse(&request).transaction_id();
            refresh.handle(&parse(&challenge(REFRESH, id, 437, "x")), now);
        } else {
            refresh.probe(now);
            now = refresh.deadline().unwrap();
        }
    }
    assert!(now - back <= Duration::from_millis(250), "{:?}", now - back);
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
            refresh.handle(&parse(&challenge(REFRESH, parse(&request).transaction_id(), 438, &nonce)), later)
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
        Protocol::new(SocketAddr::from(([192, 0, 2, 2], 5000)), server, &credentials(), Carrier::Stream);
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
