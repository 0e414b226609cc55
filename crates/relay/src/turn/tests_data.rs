//! What passes between clients and peers, and what does not.

use std::time::Duration;

use proptest::prelude::*;
use turn_types::attribute::{Data, XorPeerAddress};
use turn_types::message::SEND;
use turn_types::stun::message::*;

use super::tests::{World, address, client};
use super::*;

const ALICE: &str = "1700003600:alice";
const BOB: &str = "1700003600:bob";
const PEER: &str = "198.51.100.1:9";

fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
}

fn send_indication(peer: &str, data: &[u8]) -> Vec<u8> {
    let mut message = Message::builder_indication(SEND, MessageWriteVec::new());
    let transaction = message.transaction_id();
    message.add_attribute(&XorPeerAddress::new(address(peer), transaction)).unwrap();
    message.add_attribute(&Data::new(data)).unwrap();
    message.finish()
}

#[derive(Debug, PartialEq, Eq)]
enum Passed {
    Nothing,
    ToPeer(SocketAddr, Vec<u8>),
    ToClient(Client, Option<u16>, Vec<u8>),
}

impl World {
    fn send(&mut self, client: Client, message: &[u8]) -> Passed {
        match self.turn.handle_client(client, message, Now { instant: self.now, unix: self.unix }) {
            Step::Done => Passed::Nothing,
            Step::ToPeer { peer, data, .. } => Passed::ToPeer(peer, data.to_vec()),
            Step::ToClient { client, via: Via::Channel(number), data } => {
                Passed::ToClient(client, Some(number), data.to_vec())
            }
            Step::ToClient { client, data, .. } => Passed::ToClient(client, None, data.to_vec()),
            other => panic!("{other:?}"),
        }
    }

    fn hear(&mut self, relayed: SocketAddr, peer: &str, data: &[u8]) -> Option<(Client, Via)> {
        self.turn.handle_peer(relayed, address(peer), data, self.now)
    }
}

#[test]
fn data_passes_both_ways_by_indications_and_by_channels() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    let relayed = world.allocated(alice, ALICE);
    assert_eq!(world.permit(alice, ALICE, &[PEER]), 0);
    let to_peer = |data: &[u8]| Passed::ToPeer(address(PEER), data.to_vec());
    assert_eq!(world.send(alice, &send_indication(PEER, b"hello")), to_peer(b"hello"));
    assert_eq!(world.send(alice, &send_indication(PEER, b"")), to_peer(b""));
    let (to, via) = world.hear(relayed, PEER, b"hi").unwrap();
    assert_eq!(to, alice);
    let mut wrapped = Vec::new();
    via.wrap(b"hi", false, &mut wrapped);
    let message = Message::from_bytes(&wrapped).unwrap();
    assert_eq!(message.attribute::<Data>().unwrap().data(), b"hi");
    assert_eq!(message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id()), address(PEER));

    assert_eq!(world.bind_channel(alice, ALICE, 0x4001, PEER), 0);
    assert_eq!(world.send(alice, &channel_data(0x4001, b"hello")), to_peer(b"hello"));
    let padded = [channel_data(0x4001, b"hello"), vec![0; 3]].concat();
    assert_eq!(world.send(alice, &padded), to_peer(b"hello"));
    assert_eq!(world.hear(relayed, PEER, b"hi"), Some((alice, Via::Channel(0x4001))));
    let mut wrapped = Vec::new();
    Via::Channel(0x4001).wrap(b"hi", true, &mut wrapped);
    assert_eq!(wrapped, [0x40, 1, 0, 2, b'h', b'i', 0, 0]);
    let other_port = world.hear(relayed, "198.51.100.1:10", b"hi").unwrap();
    assert!(matches!(other_port.1, Via::Indication(..)), "the permission is for the address");
}

#[test]
fn nobody_hears_from_a_peer_that_he_has_not_allowed_and_permissions_end() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    let relayed = world.allocated(alice, ALICE);
    assert_eq!(world.hear(relayed, PEER, b"x"), None);
    assert_eq!(world.send(alice, &send_indication(PEER, b"x")), Passed::Nothing);
    assert_eq!(world.send(alice, &channel_data(0x4000, b"x")), Passed::Nothing);
    assert_eq!(world.bind_channel(alice, ALICE, 0x4000, PEER), 0);
    world.pass(299);
    assert!(world.hear(relayed, PEER, b"x").is_some());
    world.pass(1);
    assert_eq!(world.hear(relayed, PEER, b"x"), None);
    assert_eq!(world.send(alice, &channel_data(0x4000, b"x")), Passed::Nothing, "the channel is there still");
    assert_eq!(world.permit(alice, ALICE, &[PEER]), 0);
    assert_eq!(world.hear(relayed, PEER, b"x"), Some((alice, Via::Channel(0x4000))));
    assert_eq!(world.turn.stats().not_permitted, 5);
}

#[test]
fn a_channel_leads_to_one_peer_and_a_peer_has_one_channel() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    world.allocated(alice, ALICE);
    let mut bind = |number, peer| world.bind_channel(alice, ALICE, number, peer);
    assert_eq!(bind(0x4000, PEER), 0);
    assert_eq!(bind(0x4000, PEER), 0, "again");
    assert_eq!(bind(0x4000, "198.51.100.1:10"), 400);
    assert_eq!(bind(0x4001, PEER), 400);
    assert_eq!(bind(0x4001, "198.51.100.1:10"), 0);
    assert_eq!([0x3fff, 0x8000, 0xffff].map(|number| bind(number, "198.51.100.1:11")), [400; 3]);
    assert_eq!(bind(0x7fff, "198.51.100.1:11"), 0);
    world.pass(599);
    assert_eq!(world.ask_refresh(alice, ALICE), 0);
    world.pass(1);
    assert_eq!(world.bind_channel(alice, ALICE, 0x4000, "198.51.100.1:12"), 0, "it has ended");
}

impl World {
    fn ask_refresh(&mut self, client: Client, user: &str) -> u16 {
        self.ask(client, user, REFRESH, |_| {}).0
    }
}

#[test]
fn the_network_behind_the_relay_is_out_of_reach() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    world.allocated(alice, ALICE);
    for inside in ["10.0.0.1:9", "127.0.0.2:9", "169.254.169.254:80", "224.0.0.1:9", "0.0.0.0:9"] {
        assert_eq!(world.permit(alice, ALICE, &[inside]), 403, "{inside}");
        assert_eq!(world.bind_channel(alice, ALICE, 0x4000, inside), 403, "{inside}");
        assert_eq!(world.send(alice, &send_indication(inside, b"x")), Passed::Nothing);
    }
    assert_eq!(world.permit(alice, ALICE, &[PEER, "10.0.0.1:9"]), 403, "one of them");
    assert_eq!(world.send(alice, &send_indication(PEER, b"x")), Passed::Nothing, "all or none");
    assert_eq!(world.permit(alice, ALICE, &["[2001:db8::9]:9"]), 443, "there is no port of that family");
    assert_eq!(world.turn.stats().forbidden_peers, 11);
}

#[test]
fn two_clients_of_one_server_meet_at_their_ports_and_nothing_else_on_it_is_reached() {
    let mut world = World::new();
    let (alice, bob) = (client("192.0.2.1:1000"), client("192.0.2.2:1000"));
    let [a, b] = [(alice, ALICE), (bob, BOB)].map(|(client, user)| world.allocated(client, user));
    let [to_a, to_b] = [a, b].map(|port| port.to_string());
    assert_eq!(world.permit(alice, ALICE, &[&to_b]), 0, "the server's own address");
    assert_eq!(
        world.send(alice, &send_indication(&to_b, b"x")),
        Passed::Nothing,
        "Bob does not know of Alice"
    );
    assert_eq!(world.bind_channel(bob, BOB, 0x4002, &to_a), 0);
    assert_eq!(
        world.send(alice, &send_indication(&to_b, b"hello")),
        Passed::ToClient(bob, Some(0x4002), b"hello".to_vec())
    );
    assert_eq!(world.send(bob, &channel_data(0x4002, b"hi")), Passed::ToClient(alice, None, b"hi".to_vec()));
    // The port of the server itself, another service, and a port of the range that nobody has.
    for other in ["203.0.113.1:443", "203.0.113.1:22", "203.0.113.1:50099"] {
        assert_eq!(world.send(alice, &send_indication(other, b"x")), Passed::Nothing, "{other}");
    }
    // Something on the server that is no relay does not get through to Alice by her permission for Bob.
    assert_eq!(world.hear(a, "203.0.113.1:22", b"x"), None);
    assert_eq!(world.ask_refresh(bob, BOB), 0);
    world.turn.client_gone(&bob);
    assert_eq!(world.send(alice, &send_indication(&to_b, b"x")), Passed::Nothing, "Bob has gone");
}

#[test]
fn whoever_is_too_fast_loses_datagrams_and_the_others_do_not() {
    let mut world = World::with(|settings| settings.limits.bandwidth_per_agent = 10_000);
    let (alice, bob) = (client("192.0.2.1:1000"), client("192.0.2.2:1000"));
    for (client, user) in [(alice, ALICE), (bob, BOB)] {
        world.allocated(client, user);
        assert_eq!(world.bind_channel(client, user, 0x4000, PEER), 0);
    }
    let full = channel_data(0x4000, &[7; 1000]);
    let passed =
        |world: &mut World, client| (0..100).filter(|_| world.send(client, &full) != Passed::Nothing).count();
    assert_eq!(passed(&mut world, alice), 10);
    assert_eq!(passed(&mut world, bob), 10);
    world.now += Duration::from_millis(500);
    assert_eq!(passed(&mut world, alice), 5);
    assert_eq!(world.turn.stats().over_bandwidth, 275);
    assert_eq!(world.turn.stats().relayed_bytes, 25_000);
}

#[test]
fn a_client_has_so_many_peers_and_channels_and_no_more() {
    let mut world = World::new();
    let alice = client("192.0.2.1:1000");
    world.allocated(alice, ALICE);
    for i in 0..128 {
        assert_eq!(world.permit(alice, ALICE, &[&format!("198.51.100.{i}:9")]), 0);
    }
    assert_eq!(world.permit(alice, ALICE, &["198.51.101.1:9"]), 508);
    assert_eq!(world.permit(alice, ALICE, &["198.51.100.7:9"]), 0, "one that is known");
    for i in 0..128 {
        assert_eq!(world.bind_channel(alice, ALICE, 0x4000 + i, &format!("198.51.100.1:{}", i + 1)), 0);
    }
    assert_eq!(world.bind_channel(alice, ALICE, 0x4fff, "198.51.100.1:999"), 508);
}

proptest! {
    #[test]
    fn nothing_that_is_sent_breaks_the_server(
        messages in prop::collection::vec((0..4_u8, prop::collection::vec(any::<u8>(), 0..120)), 1..40)
    ) {
        let mut world = World::new();
        let alice = client("192.0.2.1:1000");
        let relayed = world.allocated(alice, ALICE);
        world.permit(alice, ALICE, &[PEER]);
        world.bind_channel(alice, ALICE, 0x4000, PEER);
        let headers: [&[u8]; 3] = [&[0x40, 0], &[0, 3, 0, 40, 0x21, 0x12, 0xa4, 0x42], &[0, 0x16]];
        for (kind, bytes) in messages {
            let header = headers.get(usize::from(kind)).copied().unwrap_or_default();
            let message = [header, &bytes].concat();
            let now = Now { instant: world.now, unix: world.unix };
            let _ = world.turn.handle_client(alice, &message, now);
            let _ = world.turn.handle_peer(relayed, address(PEER), &bytes, world.now);
        }
        prop_assert_eq!(world.ask_refresh(alice, ALICE), 0);
    }
}
