//! Relayed IPv6 addresses, and TURN servers that are reached over IPv6, with a real coturn on loopback.

mod common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;

use common::coturn::{CREDENTIAL, Coturn, USERNAME};
use common::{Connected, TestPeer, connect_by, runtime, server, signaled};
use ossa_net::PeerConfig;
use ossa_peer::{Config, IceTransportPolicy};
use stun_proto::types::attribute::{AttributeType, RawAttribute};
use stun_proto::types::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageWriteVec,
};
use stun_proto::types::prelude::{Attribute, MessageWrite, MessageWriteExt};
use turn_client_proto::types::message::ALLOCATE;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn relay_only(coturn: &Coturn, scheme: &str, transport: &str) -> TestPeer {
    relay_only_at(coturn, &coturn.url(scheme, transport))
}

fn relay_only_at(coturn: &Coturn, url: &str) -> TestPeer {
    let mut config = PeerConfig::new(Config::new(common::certificate()));
    config.connection.ice_transport_policy = IceTransportPolicy::Relay;
    config.ice_servers = vec![server(url, Some(USERNAME), Some(CREDENTIAL))];
    config.tls_ca_pem = Some(coturn.ca_pem.clone());
    TestPeer::new(&runtime(), config)
}

/// The address in a candidate.
fn address(candidate: &str) -> Option<IpAddr> {
    candidate.split(' ').nth(4)?.parse().ok()
}

/// The families of the candidates of both peers.
fn families(pair: &Connected) -> Vec<bool> {
    pair.events
        .iter()
        .filter_map(signaled)
        .filter_map(|c| address(&c.candidate))
        .map(|ip| ip.is_ipv6())
        .collect()
}

fn data_flows_both_ways(pair: &Connected) {
    for size in [1, 1_000, 16_384, 200_000] {
        let data = vec![size as u8; size];
        pair.a.send(pair.at_a, data.clone());
        assert_eq!(pair.b.wait_message(), data);
        pair.b.send(pair.at_b, data.clone());
        assert_eq!(pair.a.wait_message(), data);
    }
}

#[test]
fn a_server_with_ipv6_only_relays_over_every_transport() {
    let coturn = Coturn::start_at(V6, &[V6], &[]);
    for (scheme, transport) in [("turn", "udp"), ("turn", "tcp"), ("turns", "tcp")] {
        let peer = || relay_only(&coturn, scheme, transport);
        let pair = connect_by(peer(), peer(), |_| true);
        assert!(families(&pair).iter().all(|is_ipv6| *is_ipv6));
        data_flows_both_ways(&pair);
    }
}

/// coturn 4.6 knows ADDITIONAL-ADDRESS-FAMILY by the number of a draft (0x8032) only. This stands in front of it, and puts that number
/// in the place of RFC 8656's. For one client. Returns the URL.
fn modern_front(coturn: &Coturn) -> String {
    let there = SocketAddr::new(coturn.ip, coturn.port);
    let front = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("turn:{}", front.local_addr().unwrap());
    thread::spawn(move || {
        let (mut buffer, mut client) = (vec![0; 65_536], there);
        loop {
            let Ok((len, from)) = front.recv_from(&mut buffer) else { return };
            if from == there {
                front.send_to(&buffer[..len], client).unwrap();
            } else {
                client = from;
                front.send_to(&translated(&buffer[..len]), there).unwrap();
            }
        }
    });
    url
}

fn translated(data: &[u8]) -> Vec<u8> {
    let request = match Message::from_bytes(data) {
        Ok(message) if message.has_method(ALLOCATE) && message.has_class(MessageClass::Request) => message,
        _ => return data.to_vec(),
    };
    let mut copy = Message::builder(request.get_type(), request.transaction_id(), MessageWriteVec::new());
    let mut is_signed = false;
    for (_, attribute) in request.iter_attributes() {
        let kind = match attribute.get_type().value() {
            0x8000 => 0x8032,
            kind => kind,
        };
        match kind {
            // MESSAGE-INTEGRITY
            0x0008 => is_signed = true,
            // FINGERPRINT
            0x8028 => {}
            _ => copy.add_attribute(&RawAttribute::new(AttributeType::new(kind), &attribute.value)).unwrap(),
        }
    }
    if is_signed {
        let key = LongTermKeyCredentials::new(USERNAME.into(), CREDENTIAL.into(), "ossa.test".into());
        copy.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1).unwrap();
    }
    copy.finish()
}

#[test]
fn one_allocation_gives_an_address_of_each_family_and_both_carry_data() {
    // Two peers with an allocation each: a third one would be refused.
    let coturn = Coturn::start_at(V4, &[V4, V6], &["--user-quota", "2"]);
    let peer = || relay_only_at(&coturn, &modern_front(&coturn));
    let pair = connect_by(peer(), peer(), |candidate| address(candidate).is_none_or(|ip| ip.is_ipv6()));
    let families = families(&pair);
    assert_eq!(families.iter().filter(|is_ipv6| **is_ipv6).count(), 2, "{families:?}");
    assert_eq!(families.len(), 4, "{families:?}");
    data_flows_both_ways(&pair);
}

#[test]
fn addresses_of_both_families_carry_data_side_by_side() {
    let coturn = Coturn::start_at(V4, &[V4, V6], &[]);
    let peer = || relay_only_at(&coturn, &modern_front(&coturn));
    let pair = connect_by(peer(), peer(), |_| true);
    data_flows_both_ways(&pair);
}
