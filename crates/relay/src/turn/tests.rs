//! The protocol in virtual time: sockets are texts, and nothing waits.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ossa_signaling::{Secret, turn_password};
use turn_types::attribute::*;
use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH};
use turn_types::stun::attribute::*;
use turn_types::stun::message::*;

use super::*;
use crate::turn::allocate::Family;

pub(super) const SECRET: &str = "north remembers";

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn client(text: &str) -> Client {
    Client { remote: address(text), local: "203.0.113.1".parse().unwrap(), stream: None }
}

/// A server at 203.0.113.1, which has ports from 50000 on, and clients of it.
pub(super) struct World {
    pub(super) turn: Turn<String>,
    pub(super) now: Instant,
    pub(super) unix: u64,
    next_port: u16,
    pub(super) last_port: u16,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let now = Instant::now();
        let mut settings = Settings {
            secret: Secret::from(SECRET.to_owned()),
            seed: [7; 32],
            limits: Limits::default(),
            allow_peers: Vec::new(),
            deny_peers: Vec::new(),
            never_fragments: true,
        };
        change(&mut settings);
        let mut turn = Turn::new(settings, now);
        turn.set_own_addresses(["203.0.113.1".parse().unwrap(), "127.0.0.1".parse().unwrap()].into());
        Self { turn, now, unix: 1_700_000_000, next_port: 50_000, last_port: u16::MAX }
    }

    fn bind(&mut self, family: Family) -> Result<Bound<String>, NoPort> {
        if self.next_port > self.last_port {
            return Err(NoPort::Exhausted);
        }
        let host: IpAddr = match family {
            Family::IPV4 => "203.0.113.1".parse().unwrap(),
            Family::IPV6 => "2001:db8::1".parse().unwrap(),
        };
        let address = SocketAddr::new(host, self.next_port);
        self.next_port += 1;
        Ok(Bound { socket: address.to_string(), address })
    }

    /// What the server answers to a message.
    pub(super) fn tell(&mut self, client: Client, message: &[u8]) -> Option<Vec<u8>> {
        let now = Now { instant: self.now, unix: self.unix };
        match self.turn.handle_client(client, message, now) {
            Step::Answer(answer) => Some(answer),
            Step::Done => None,
            Step::Allocate(wanted) => {
                let ports = wanted.families.iter().map(|&family| (family, self.bind(family))).collect();
                let next = (wanted.parity == Parity::EvenAndNext).then(|| self.bind(Family::IPV4).unwrap());
                Some(self.turn.allocated(*wanted, ports, next, self.now))
            }
            other => panic!("{other:?}"),
        }
    }

    /// A nonce for this client.
    pub(super) fn nonce(&mut self, client: Client) -> String {
        let answer = self.tell(client, &Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish());
        let answer = answer.expect("an answer to a stranger");
        let message = Message::from_bytes(&answer).unwrap();
        message.attribute::<Nonce>().unwrap().nonce().to_owned()
    }

    /// The answer to a request with credentials: 0 for success, or the code of the error; and the message.
    pub(super) fn ask(
        &mut self,
        client: Client,
        user: &str,
        method: Method,
        fill: impl FnOnce(&mut MessageWriteVec),
    ) -> (u16, Vec<u8>) {
        let nonce = self.nonce(client);
        let request = request(method, user, &nonce, fill);
        let answer = self.tell(client, &request).expect("an answer");
        (code(&answer), answer)
    }

    pub(super) fn allocate(&mut self, client: Client, user: &str) -> (u16, Vec<u8>) {
        self.ask(client, user, ALLOCATE, |request| {
            request.add_attribute(&RequestedTransport::new(RequestedTransport::UDP)).unwrap();
        })
    }

    /// The relayed address of a new allocation.
    pub(super) fn allocated(&mut self, client: Client, user: &str) -> SocketAddr {
        let (code, answer) = self.allocate(client, user);
        assert_eq!(code, 0);
        relayed(&answer)[0]
    }

    pub(super) fn permit(&mut self, client: Client, user: &str, peers: &[&str]) -> u16 {
        let ask = self.ask(client, user, CREATE_PERMISSION, |request| {
            let transaction = request.transaction_id();
            for peer in peers {
                // More than one of a kind is what this request is made of; the builder does not know that.
                let attribute = XorPeerAddress::new(address(peer), transaction);
                let mut bytes = vec![0; attribute.padded_len()];
                attribute.write_into(&mut bytes).unwrap();
                request.push_attribute_unchecked(&attribute);
            }
        });
        ask.0
    }

    pub(super) fn bind_channel(&mut self, client: Client, user: &str, number: u16, peer: &str) -> u16 {
        let ask = self.ask(client, user, CHANNEL_BIND, |request| {
            let transaction = request.transaction_id();
            request.add_attribute(&ChannelNumber::new(number)).unwrap();
            request.add_attribute(&XorPeerAddress::new(address(peer), transaction)).unwrap();
        });
        ask.0
    }

    fn refresh(&mut self, client: Client, user: &str, seconds: u32) -> u16 {
        let ask = self.ask(client, user, REFRESH, |request| {
            request.add_attribute(&Lifetime::new(seconds)).unwrap();
        });
        ask.0
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.unix += seconds;
        self.turn.handle_timeout(self.now);
    }
}

/// 0 for success.
fn code(answer: &[u8]) -> u16 {
    let message = Message::from_bytes(answer).unwrap();
    match message.class() {
        MessageClass::Success => 0,
        _ => message.attribute::<ErrorCode>().unwrap().code(),
    }
}

fn relayed(answer: &[u8]) -> Vec<SocketAddr> {
    let message = Message::from_bytes(answer).unwrap();
    let attributes = message.iter_attributes().filter(|(_, raw)| raw.get_type() == XorRelayedAddress::TYPE);
    attributes
        .map(|(_, raw)| XorRelayedAddress::from_raw(raw).unwrap().addr(message.transaction_id()))
        .collect()
}

fn request(method: Method, user: &str, nonce: &str, fill: impl FnOnce(&mut MessageWriteVec)) -> Vec<u8> {
    let password = turn_password(&Secret::from(SECRET.to_owned()), user);
    signed(method, user, password.reveal(), nonce, fill)
}

fn signed(
    method: Method,
    user: &str,
    password: &str,
    nonce: &str,
    fill: impl FnOnce(&mut MessageWriteVec),
) -> Vec<u8> {
    let mut message = Message::builder_request(method, MessageWriteVec::new());
    fill(&mut message);
    message.add_attribute(&Username::new(user).unwrap()).unwrap();
    message.add_attribute(&Realm::new("ossa").unwrap()).unwrap();
    message.add_attribute(&Nonce::new(nonce).unwrap()).unwrap();
    let credentials = LongTermKeyCredentials::new(user.to_owned(), password.to_owned(), "ossa".to_owned());
    message.add_message_integrity(&credentials.into(), IntegrityAlgorithm::Sha1).unwrap();
    message.finish()
}

fn wants_udp(request: &mut MessageWriteVec) {
    request.add_attribute(&RequestedTransport::new(RequestedTransport::UDP)).unwrap();
}

const ALICE: &str = "1700003600:alice";
const BOB: &str = "1700003600:bob";

#[test]
fn a_client_with_credentials_gets_a_port_and_the_answer_is_signed() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    let (code, answer) = world.allocate(alice, ALICE);
    assert_eq!(code, 0);
    assert_eq!(relayed(&answer), [address("203.0.113.1:50000")]);
    let message = Message::from_bytes(&answer).unwrap();
    assert_eq!(message.attribute::<Lifetime>().unwrap().seconds(), 600);
    assert_eq!(message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id()), alice.remote);
    let password = turn_password(&Secret::from(SECRET.to_owned()), ALICE);
    let credentials =
        LongTermKeyCredentials::new(ALICE.into(), password.reveal().to_owned(), "ossa".to_owned());
    assert!(message.validate_integrity(&credentials.into()).is_ok());
    assert_eq!(world.turn.stats().allocations, 1);
}

#[test]
fn a_repeated_request_is_answered_again_and_another_one_is_refused() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    let nonce = world.nonce(alice);
    let request = request(ALLOCATE, ALICE, &nonce, wants_udp);
    let first = world.tell(alice, &request).unwrap();
    assert_eq!(relayed(&world.tell(alice, &request).unwrap()), relayed(&first));
    assert_eq!(world.allocate(alice, ALICE).0, 437);
    assert_eq!(world.turn.stats().allocations, 1);
}

#[test]
fn whoever_cannot_show_who_he_is_gets_nothing() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    let nonce = world.nonce(alice);
    let password = turn_password(&Secret::from(SECRET.to_owned()), ALICE);
    let ask = |world: &mut World, user: &str, password: &str, nonce: &str| {
        code(&world.tell(alice, &signed(ALLOCATE, user, password, nonce, wants_udp)).unwrap())
    };
    assert_eq!(ask(&mut world, ALICE, "guess", &nonce), 401);
    assert_eq!(ask(&mut world, BOB, password.reveal(), &nonce), 401, "the password of somebody else");
    assert_eq!(ask(&mut world, "alice", password.reveal(), &nonce), 401, "no expiry");
    assert_eq!(
        ask(&mut world, ALICE, password.reveal(), "0123456789abcdef"),
        438,
        "a nonce that nobody gave"
    );
    let other = world.nonce(client("192.0.2.1:1001"));
    assert_eq!(ask(&mut world, ALICE, password.reveal(), &other), 438, "the nonce of another port");
    world.unix = 1_700_003_600;
    assert_eq!(ask(&mut world, ALICE, password.reveal(), &nonce), 401, "expired");
    world.pass(3601);
    assert_eq!(ask(&mut world, ALICE, password.reveal(), &nonce), 438, "an old nonce");
    assert_eq!(world.turn.stats().allocations, 0);
    assert_eq!(world.turn.stats().denied, 4);
}

#[test]
fn a_running_allocation_outlives_the_credentials_that_made_it() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    world.allocated(alice, ALICE);
    assert_eq!(world.refresh(alice, ALICE, 3600), 0);
    world.pass(3599);
    assert_eq!(world.refresh(alice, ALICE, 3600), 0);
    world.pass(3599);
    assert_eq!(world.refresh(alice, ALICE, 3600), 0, "with a user name that has expired");
    assert_eq!(world.refresh(alice, "1700009999:alice", 3600), 0, "and with a new one of the same agent");
    assert_eq!(world.permit(alice, ALICE, &["198.51.100.1:9"]), 0);
    assert_eq!(world.allocate(client("192.0.2.1:1001"), ALICE).0, 401);
}

#[test]
fn nobody_touches_the_allocation_of_somebody_else() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    world.allocated(alice, ALICE);
    // Bob forges the address of Alice, and has even seen her nonce.
    assert_eq!(world.refresh(alice, BOB, 0), 441);
    assert_eq!(world.permit(alice, BOB, &["198.51.100.1:9"]), 441);
    assert_eq!(world.bind_channel(alice, BOB, 0x4000, "198.51.100.1:9"), 441);
    let nonce = world.nonce(alice);
    let forged = signed(REFRESH, ALICE, "guess", &nonce, |request| {
        request.add_attribute(&Lifetime::new(0)).unwrap();
    });
    assert_eq!(code(&world.tell(alice, &forged).unwrap()), 401);
    // A request of Alice, sent again from elsewhere.
    let own = request(REFRESH, ALICE, &nonce, |request| {
        request.add_attribute(&Lifetime::new(0)).unwrap();
    });
    assert_eq!(code(&world.tell(client("192.0.2.66:1000"), &own).unwrap()), 438);
    assert_eq!(world.turn.stats().allocations, 1);
}

#[test]
fn an_allocation_ends_when_it_is_given_back_or_not_refreshed_and_its_port_with_it() {
    let mut world = World::new();
    let (alice, bob) = (client("192.0.2.1:1000"), client("192.0.2.2:1000"));
    let port = world.allocated(alice, ALICE);
    world.allocated(bob, BOB);
    assert_eq!(world.refresh(bob, BOB, 0), 0);
    assert_eq!(world.refresh(bob, BOB, 0), 437);
    assert!(world.turn.is_taken(&port));
    world.pass(599);
    assert!(world.turn.has_allocation(&alice));
    world.pass(1);
    assert!(!world.turn.has_allocation(&alice) && !world.turn.is_taken(&port));
    assert_eq!(world.turn.poll_timeout(), None);
    let released = std::iter::from_fn(|| world.turn.poll_event())
        .filter(|event| matches!(event, Event::Released { .. }));
    assert_eq!(released.count(), 2);
}

#[test]
fn a_lifetime_is_at_least_ten_minutes_and_at_most_what_is_allowed() {
    let mut world = World::with(|settings| settings.limits.lifetime = Duration::from_secs(1000));
    for (asked, granted) in [(1, 600), (700, 700), (1001, 1000), (u32::MAX, 1000)] {
        let alice = client(&format!("192.0.2.1:{}", asked % 60_000));
        let (code, answer) = world.ask(alice, ALICE, ALLOCATE, |request| {
            wants_udp(request);
            request.add_attribute(&Lifetime::new(asked)).unwrap();
        });
        assert_eq!(code, 0);
        let message = Message::from_bytes(&answer).unwrap();
        assert_eq!(message.attribute::<Lifetime>().unwrap().seconds(), granted, "{asked}");
    }
}

#[test]
fn each_limit_is_kept_and_costs_nobody_else_anything() {
    let mut world = World::with(|settings| {
        settings.limits.allocations_per_agent = 2;
        settings.limits.allocations_per_address = 3;
        settings.limits.allocations = 5;
    });
    let mut ask =
        |host: &str, port: u16, user: &str| world.allocate(client(&format!("{host}:{port}")), user).0;
    assert_eq!([1, 2, 3].map(|port| ask("192.0.2.1", port, ALICE)), [0, 0, 486], "two of an agent");
    assert_eq!(ask("192.0.2.1", 9, "1700009999:alice"), 486, "also with other credentials of hers");
    assert_eq!([4, 5].map(|port| ask("192.0.2.1", port, BOB)), [0, 486], "three of an address");
    assert_eq!(ask("[2001:db8::1]", 1, BOB), 0);
    assert_eq!(ask("[2001:db8::2]", 1, "1700003600:carol"), 0);
    assert_eq!(ask("192.0.2.9", 1, "1700003600:dan"), 508, "five in total");
    assert_eq!(world.turn.stats().refused, 4);
}

#[test]
fn without_a_port_left_the_client_is_told_so_and_those_who_have_one_keep_it() {
    let mut world = World::new();
    world.last_port = 50_001;
    let [a, b, c] = ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"].map(client);
    assert_eq!([a, b, c].map(|client| world.allocate(client, ALICE).0), [0, 0, 508]);
    assert_eq!(world.refresh(a, ALICE, 600), 0);
    assert_eq!(world.turn.stats().allocations, 2);
}

#[test]
fn while_it_drains_nobody_new_comes_and_those_who_are_there_go_on() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    world.allocated(alice, ALICE);
    world.turn.drain();
    assert_eq!(world.allocate(client("192.0.2.1:1001"), ALICE).0, 508);
    assert_eq!(world.refresh(alice, ALICE, 600), 0);
    assert_eq!(world.permit(alice, ALICE, &["198.51.100.1:9"]), 0);
}

#[test]
fn requests_that_contradict_themselves_are_refused_as_the_rfc_says() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    let mut ask = |fill: &dyn Fn(&mut MessageWriteVec)| world.ask(alice, ALICE, ALLOCATE, |r| fill(r)).0;
    assert_eq!(ask(&|_| {}), 400, "no transport");
    assert_eq!(ask(&|r| r.add_attribute(&RequestedTransport::new(6)).unwrap()), 442, "TCP");
    let families = |r: &mut MessageWriteVec| {
        wants_udp(r);
        r.add_attribute(&RequestedAddressFamily::new(Family::IPV6)).unwrap();
        r.add_attribute(&AdditionalAddressFamily::new(Family::IPV6)).unwrap();
    };
    assert_eq!(ask(&families), 400);
    let token = |r: &mut MessageWriteVec| {
        wants_udp(r);
        r.add_attribute(&ReservationToken::new(1)).unwrap();
    };
    assert_eq!(ask(&token), 508, "a token that nobody gave");
    assert_eq!(
        ask(&|r| {
            token(r);
            r.add_attribute(&EvenPort::new(false)).unwrap();
        }),
        400
    );
    assert_eq!(
        ask(&|r| {
            wants_udp(r);
            r.add_attribute(&RawAttribute::new(AttributeType::new(0x7fff), &[1, 2, 3, 4])).unwrap();
        }),
        420
    );
    assert_eq!(world.turn.stats().allocations, 0);
}

#[test]
fn both_families_an_even_port_and_the_one_beside_it_can_be_had() {
    let mut world = World::new();
    let (code, answer) = world.ask(client("192.0.2.1:1"), ALICE, ALLOCATE, |r| {
        wants_udp(r);
        r.add_attribute(&AdditionalAddressFamily::new(Family::IPV6)).unwrap();
    });
    assert_eq!((code, relayed(&answer).len()), (0, 2));
    let (code, answer) = world.ask(client("192.0.2.1:2"), ALICE, ALLOCATE, |r| {
        wants_udp(r);
        r.add_attribute(&EvenPort::new(true)).unwrap();
        r.add_attribute(&DontFragment::new()).unwrap();
    });
    assert_eq!(code, 0);
    let token = Message::from_bytes(&answer).unwrap().attribute::<ReservationToken>().unwrap().token();
    let beside = address(&format!("203.0.113.1:{}", relayed(&answer)[0].port() + 1));
    assert!(world.turn.is_taken(&beside));
    let (code, answer) = world.ask(client("192.0.2.1:3"), ALICE, ALLOCATE, |r| {
        wants_udp(r);
        r.add_attribute(&ReservationToken::new(token)).unwrap();
    });
    assert_eq!((code, relayed(&answer)), (0, vec![beside]));
}

#[test]
fn a_port_that_is_reserved_and_not_asked_for_is_free_again() {
    let mut world = World::new();
    let (_, answer) = world.ask(client("192.0.2.1:2"), ALICE, ALLOCATE, |r| {
        wants_udp(r);
        r.add_attribute(&EvenPort::new(true)).unwrap();
    });
    let beside = address(&format!("203.0.113.1:{}", relayed(&answer)[0].port() + 1));
    world.pass(29);
    assert!(world.turn.is_taken(&beside));
    world.pass(1);
    assert!(!world.turn.is_taken(&beside));
}

#[test]
fn strangers_get_little_and_only_so_much_of_it() {
    let mut world = World::new();
    let stranger = client("192.0.2.1:1000");
    let plain = |method| Message::builder_request(method, MessageWriteVec::new()).finish();
    for method in [ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND, BINDING, Method::new(0x00b)] {
        let answer = world.tell(stranger, &plain(method)).unwrap();
        assert!(answer.len() <= 72, "{method} is answered by {} bytes", answer.len());
    }
    let answered = (0..10_000).filter(|_| world.tell(stranger, &plain(ALLOCATE)).is_some()).count();
    assert_eq!(answered, 1000 - 6);
    assert_eq!(world.turn.stats().rate_limited, 10_000 - 994);
    assert!(world.tell(client("192.0.2.1:1001"), &plain(BINDING)).is_none(), "another port of his");
    assert!(world.tell(client("192.0.2.2:1000"), &plain(BINDING)).is_some(), "somebody else");
    world.pass(1);
    let answered = (0..1000).filter(|_| world.tell(stranger, &plain(BINDING)).is_some()).count();
    assert_eq!(answered, 100);
}

#[test]
fn a_flood_of_strangers_keeps_nobody_from_relaying() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    world.allocated(alice, ALICE);
    let nonce = world.nonce(alice);
    let plain = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
    for i in 0..50_000_u32 {
        let forged = SocketAddr::new(IpAddr::V4((0x0a00_0000 + i).into()), 9);
        world.tell(Client { remote: forged, ..alice }, &plain);
    }
    for _ in 0..5000 {
        world.tell(alice, &plain);
    }
    let refresh = request(REFRESH, ALICE, &nonce, |r| r.add_attribute(&Lifetime::new(600)).unwrap());
    assert_eq!(code(&world.tell(alice, &refresh).unwrap()), 0);
}
