//! Paths that die under a transfer while another one works, and nobody to signal.

use std::net::SocketAddr;
use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

const MESSAGES: usize = 240;
/// What a transfer may take that is disturbed: a second of its own, and the stall.
const SOON: Duration = Duration::from_secs(3);

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A transfer from one node that is under way.
fn transfer(net: &mut Net, from: usize) -> ChannelId {
    net.link.delay = Duration::from_millis(20);
    let (a, b) = net.open_channel(DataChannelInit::default());
    let (sending, receiving) = if from == 0 { (a, b) } else { (b, a) };
    for _ in 0..MESSAGES {
        net.send(from, sending, vec![7; 65_536]);
    }
    net.run(Duration::from_millis(250));
    assert!(net.received(1 - from, receiving) < MESSAGES / 2, "it is under way");
    receiving
}

fn arrives(net: &mut Net, to: usize, channel: ChannelId) {
    net.until_within(SOON, "complete", |net| net.received(to, channel) == MESSAGES);
    for node in 0..2 {
        let lost =
            |e: &Event| matches!(e, Event::IceConnectionState(IceState::Disconnected | IceState::Failed));
        assert!(!net.nodes[node].events.iter().any(lost), "{}", net.describe());
    }
}

#[test]
fn a_nat_that_gives_another_port_costs_a_moment_whoever_sends() {
    for from in 0..2 {
        let mut net = Net::new();
        let inner = net.nodes[0].addrs[0];
        net.mapping = Some((inner, addr("198.51.100.1:40000")));
        let channel = transfer(&mut net, from);
        net.mapping = Some((inner, addr("198.51.100.1:50000")));
        arrives(&mut net, 1 - from, channel);
    }
}

#[test]
fn a_nat_that_gives_another_port_again_and_again_is_followed_for_as_long_as_it_does() {
    let mut net = Net::new();
    net.link.delay = Duration::from_millis(20);
    let inner = net.nodes[0].addrs[0];
    net.mapping = Some((inner, addr("198.51.100.1:40000")));
    let (a, b) = net.open_channel(DataChannelInit::default());
    let mut sent = 0;
    let mut talk = |net: &mut Net| {
        for _ in 0..64 {
            net.send(0, a, vec![7; 1000]);
        }
        sent += 64;
        // So little is no transfer whose silence is noticed: the next check finds the way, one of every few seconds.
        net.until_within(Duration::from_secs(10), "received", |net| net.received(1, b) == sent);
    };
    for port in 0..200 {
        talk(&mut net);
        net.mapping = Some((inner, SocketAddr::from(([198, 51, 100, 1], 40_001 + port))));
        talk(&mut net);
        net.run(Duration::from_secs(5));
    }
}

#[test]
fn a_machine_that_moves_to_another_network_takes_its_transfers_along_whoever_sends_and_whoever_called() {
    for (from, moves) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let mut net = Net::new();
        let channel = transfer(&mut net, from);
        let (old, new) = (net.nodes[moves].addrs[0], addr("10.9.9.9:7000"));
        net.nodes[moves].addrs = vec![new];
        net.nodes[moves].conn.remove_local_candidate(net.now, old);
        let kind = LocalCandidateKind::Host;
        let candidate = LocalCandidate { kind, addr: new, base: new, url: None, relay_protocol: None };
        net.nodes[moves].conn.add_late_candidate(net.now, candidate);
        arrives(&mut net, 1 - from, channel);
        let told =
            |e: &Event| matches!(e, Event::IceCandidate { candidate, .. } if candidate.contains("10.9.9.9"));
        assert!(!net.nodes[moves].events.iter().any(told), "what has been gathered is gathered");
    }
}

#[test]
fn a_machine_that_moves_while_nobody_answers_its_ice_restart_moves_all_the_same() {
    for found_by_the_restart in [false, true] {
        for from in 0..2 {
            let mut net = Net::new();
            let channel = transfer(&mut net, from);
            let (old, new) = (net.nodes[0].addrs[0], addr("10.9.9.9:7000"));
            // The restart looks at the machine before it has its new address, or afterwards.
            net.nodes[0].addrs = if found_by_the_restart { vec![new] } else { Vec::new() };
            net.nodes[0].conn.restart_ice();
            net.set_local(0, SdpType::Offer);
            net.settle();
            net.nodes[0].conn.remove_local_candidate(net.now, old);
            if !found_by_the_restart {
                net.nodes[0].addrs = vec![new];
                let kind = LocalCandidateKind::Host;
                let candidate =
                    LocalCandidate { kind, addr: new, base: new, url: None, relay_protocol: None };
                net.nodes[0].conn.add_late_candidate(net.now, candidate);
            }
            arrives(&mut net, 1 - from, channel);
        }
    }
}

#[test]
fn a_dead_path_beside_one_that_works_is_left_whoever_sends() {
    for from in 0..2 {
        let mut net = Net::new();
        net.nodes[0].addrs.push(addr("10.0.2.1:5000"));
        let channel = transfer(&mut net, from);
        let pair = net.nodes[0].conn.snapshot().ice.unwrap().selected_pair.unwrap();
        let dead = pair.local.addr;
        net.reach = Some(Box::new(move |from, to| from != dead && to != dead));
        arrives(&mut net, 1 - from, channel);
    }
}

#[test]
fn lost_datagrams_alone_move_nothing() {
    let mut net = Net::new();
    net.nodes[0].addrs.push(addr("10.0.2.1:5000"));
    net.link.loss = 30;
    let (a, _) = net.open_channel(DataChannelInit::default());
    let pair = |net: &Net| net.nodes[0].conn.snapshot().ice.unwrap().selected_pair.unwrap();
    net.run(Duration::from_secs(2));
    let before = pair(&net);
    for _ in 0..60 {
        for _ in 0..20 {
            net.send(0, a, vec![7; 4096]);
        }
        net.run(Duration::from_secs(1));
    }
    assert_eq!(pair(&net).local.addr, before.local.addr);
}

#[test]
fn a_path_that_comes_to_swallow_all_but_the_smallest_datagrams_costs_a_few_seconds_and_is_used_in_full_again_later()
 {
    for mtu in [1252, 1000, 548] {
        let mut net = Net::new();
        let channel = transfer(&mut net, 0);
        net.link.mtu = mtu;
        net.until_within(Duration::from_secs(60), "complete", |net| net.received(1, channel) == MESSAGES);
        let sctp_mtu = |net: &Net| net.transport_stats(0).sctp_mtu.unwrap();
        assert!(sctp_mtu(&net) <= mtu as u64);
        net.link.mtu = 65_536;
        net.run(Duration::from_secs(700));
        assert!(sctp_mtu(&net) >= 1191, "{mtu}: {}", sctp_mtu(&net));
    }
}
