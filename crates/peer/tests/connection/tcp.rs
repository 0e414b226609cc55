//! ICE over TCP (RFC 6544), and a lite implementation (RFC 8445 section 2.5), in virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use ossa_peer::stats::Stats;
use ossa_peer::*;

use super::net::{Net, config};

const ACTIVE: &str = "10.0.0.1:9";
const PASSIVE: &str = "10.0.0.2:7000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The first node opens the connection, the second one accepts it.
fn net(udp: bool) -> Net {
    let mut net = Net::new();
    net.nodes[0].tcp = vec![(LocalCandidateKind::TcpActive, address(ACTIVE))];
    net.nodes[1].tcp = vec![(LocalCandidateKind::TcpPassive, address(PASSIVE))];
    if !udp {
        net.reach = Some(Box::new(|_, _| false));
    }
    net
}

fn protocol(net: &Net, node: usize) -> CandidateProtocol {
    let ice = net.nodes[node].conn.snapshot().ice.unwrap();
    ice.selected_pair.unwrap().local.protocol
}

#[test]
fn where_udp_does_not_pass_data_goes_over_tcp_whoever_offers() {
    for offerer in [0, 1] {
        let mut net = net(false);
        let id = net.channel(offerer, DataChannelInit::default());
        net.negotiate(offerer);
        net.until("open", |net| net.is_open(offerer, id));
        net.send(offerer, id, vec![1; 100_000]);
        net.until("received", |net| net.nodes[1 - offerer].messages.values().any(|list| list.len() == 1));
        assert_eq!([protocol(&net, 0), protocol(&net, 1)], [CandidateProtocol::Tcp; 2]);
    }
}

#[test]
fn udp_is_used_where_it_passes_and_when_it_comes_to_pass() {
    let mut net = net(true);
    net.open_channel(DataChannelInit::default());
    net.until("on UDP", |net| [0, 1].map(|node| protocol(net, node)) == [CandidateProtocol::Udp; 2]);
    let mut late = self::net(false);
    let (a, b) = late.open_channel(DataChannelInit::default());
    assert_eq!(protocol(&late, 0), CandidateProtocol::Tcp);
    late.reach = None;
    late.until("on UDP", |net| [0, 1].map(|node| protocol(net, node)) == [CandidateProtocol::Udp; 2]);
    late.send(0, a, "after");
    late.until("received", |net| net.received(1, b) == 1);
}

#[test]
fn a_connection_that_breaks_is_opened_again_at_once() {
    let mut net = net(false);
    let (a, b) = net.open_channel(DataChannelInit::default());
    // Each of them is another address to the other side, and more than either side keeps.
    for round in 1..=400 {
        net.break_tcp(address(ACTIVE), address(PASSIVE));
        net.send(0, a, "on");
        net.until_within(Duration::from_secs(1), "received", |net| net.received(1, b) == round);
        // Nobody opens connections more often.
        net.run(Duration::from_millis(500));
        assert_eq!([net.state(0), net.state(1)], [ConnectionState::Connected; 2]);
    }
    let pairs = |e: &Stats| matches!(e, Stats::CandidatePair(_));
    let left = net.nodes[1].conn.stats(net.now).entries.iter().filter(|e| pairs(e)).count();
    assert!(left < 8, "{left} connections that have ended are kept");
}

#[test]
fn a_connection_that_breaks_all_the_time_does_not_disturb_udp() {
    let mut net = net(true);
    let (a, b) = net.open_channel(DataChannelInit::default());
    net.until("on UDP", |net| [0, 1].map(|node| protocol(net, node)) == [CandidateProtocol::Udp; 2]);
    for round in 1..=200 {
        net.break_tcp(address(ACTIVE), address(PASSIVE));
        net.send(0, a, "on");
        net.until_within(Duration::from_secs(1), "received", |net| net.received(1, b) == round);
        net.run(Duration::from_millis(500));
    }
    assert_eq!([0, 1].map(|node| protocol(&net, node)), [CandidateProtocol::Udp; 2]);
}

#[test]
fn the_statistics_tell_the_protocol_and_who_connects() {
    let mut net = net(false);
    net.open_channel(DataChannelInit::default());
    for (node, own, other) in [(0, "active", "passive"), (1, "passive", "active")] {
        let report = net.nodes[node].conn.stats(net.now);
        let pair = report.entries.iter().find_map(|entry| match entry {
            Stats::CandidatePair(pair) if pair.nominated => Some(pair.clone()),
            _ => None,
        });
        let pair = pair.unwrap();
        let find = |id: &str| {
            report.entries.iter().find_map(|entry| match entry {
                Stats::LocalCandidate(c) | Stats::RemoteCandidate(c) if c.id == id => Some(c.clone()),
                _ => None,
            })
        };
        let (local, remote) =
            (find(&pair.local_candidate_id).unwrap(), find(&pair.remote_candidate_id).unwrap());
        assert_eq!([local.protocol, remote.protocol], ["tcp", "tcp"]);
        assert_eq!((local.tcp_type, remote.tcp_type), (Some(own), Some(other)));
    }
}

#[test]
fn the_same_address_of_udp_and_tcp_is_two() {
    let mut net = net(true);
    let port = net.nodes[1].addrs[0];
    net.nodes[1].tcp = vec![(LocalCandidateKind::TcpPassive, port)];
    // Nothing passes but TCP, though it is at the port whose UDP does not answer.
    net.reach = Some(Box::new(|_, _| false));
    let (a, b) = net.open_channel(DataChannelInit::default());
    net.send(0, a, "over TCP");
    net.until("received", |net| net.received(1, b) == 1);
    let remotes = net.nodes[0].conn.stats(net.now).entries;
    let of_port = remotes.iter().filter(|e| matches!(e, Stats::RemoteCandidate(c) if c.port == port.port()));
    assert_eq!(of_port.count(), 2);
}

fn lite(node: usize) -> Config {
    let mut config = config(node);
    config.ice.lite = true;
    config
}

#[test]
fn a_lite_side_is_controlled_and_stays_connected_for_as_long_as_it_is_asked() {
    for (offerer, lite_side) in [(0, 1), (1, 1), (0, 0)] {
        let configs = |node| if node == lite_side { lite(node) } else { config(node) };
        let mut net = Net::with(configs(0), configs(1));
        let id = net.channel(offerer, DataChannelInit::default());
        let offer = net.set_local(offerer, SdpType::Offer);
        assert_eq!(offer.contains("a=ice-lite"), offerer == lite_side);
        net.set_remote(1 - offerer, SdpType::Offer, &offer);
        let answer = net.set_local(1 - offerer, SdpType::Answer);
        net.settle();
        net.set_remote(offerer, SdpType::Answer, &answer);
        net.until("open", |net| net.is_open(offerer, id));
        assert_eq!(net.nodes[lite_side].conn.snapshot().ice.unwrap().role, IceRole::Controlled);
        net.run(Duration::from_secs(120));
        assert_eq!([net.state(0), net.state(1)], [ConnectionState::Connected; 2]);
        net.send(offerer, id, "still there");
        net.until("received", |net| net.nodes[1 - offerer].messages.values().any(|list| list.len() == 1));
        net.link.down = true;
        net.until("noticed", |net| [0, 1].iter().all(|node| net.state(*node) == ConnectionState::Failed));
    }
}

#[test]
fn two_lite_sides_connect_all_the_same() {
    let mut net = Net::with(lite(0), lite(1));
    let (a, b) = net.open_channel(DataChannelInit::default());
    net.run(Duration::from_secs(60));
    net.send(0, a, "still there");
    net.until("received", |net| net.received(1, b) == 1);
}
