//! Machines with many addresses, most of which lead nowhere: container hosts, servers with VPNs.

use std::net::{IpAddr, SocketAddr};

use ossa_peer::*;

use crate::net::*;

fn at(ip: impl Into<IpAddr>, port: u16) -> SocketAddr {
    SocketAddr::new(ip.into(), port)
}

/// Two machines with this many bridges, of the same addresses on both, and an address of its own each, which is bound last.
fn hosts(bridges: u8) -> (Net, [SocketAddr; 2]) {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    let real = [at([203, 0, 113, 1], 4000), at([198, 51, 100, 2], 4001)];
    for (i, node) in net.nodes.iter_mut().enumerate() {
        node.addrs = (0..bridges).map(|b| at([172, 17 + b, 0, 1], 5000 + i as u16)).collect();
        node.addrs.push(real[i]);
    }
    (net, real)
}

/// Only these two addresses reach each other.
fn only(net: &mut Net, a: SocketAddr, b: SocketAddr) {
    net.reach = Some(Box::new(move |from, to| (from, to) == (a, b) || (from, to) == (b, a)));
}

fn notices(net: &Net, node: usize) -> Vec<&str> {
    let notice = |e: &'_ Event| matches!(e, Event::IceCandidateError(_));
    let events = net.nodes[node].events.iter().filter(|e| notice(e));
    events.map(|e| if let Event::IceCandidateError(e) = e { e.text.as_str() } else { "" }).collect()
}

#[test]
fn two_machines_with_many_bridges_find_the_pair_that_works() {
    for bridges in [9, 10, 15, 20] {
        let (mut net, [a, b]) = hosts(bridges);
        only(&mut net, a, b);
        net.connect();
    }
}

#[test]
fn a_relay_of_either_side_or_of_both_is_tried_whatever_else_there_is_to_try() {
    let relays = [at([192, 0, 2, 1], 6000), at([192, 0, 2, 2], 6001)];
    for (offerer, answerer) in [(true, false), (false, true), (true, true)] {
        let (mut net, real) = hosts(20);
        for (i, has) in [offerer, answerer].into_iter().enumerate() {
            net.nodes[i].relays.extend(has.then_some(relays[i]));
        }
        let end = |i: usize, has: bool| if has { relays[i] } else { real[i] };
        only(&mut net, end(0, offerer), end(1, answerer));
        net.connect();
    }
}

/// An answer whose candidates are told in the description, with `extra` ones before them that lead nowhere.
fn answered_with(net: &mut Net, extra: &[String]) {
    net.trickle = false;
    let offer = net.set_local(0, SdpType::Offer);
    net.settle();
    let offer = net.nodes[0].conn.snapshot().pending_local_description.map_or(offer, |d| d.sdp);
    net.set_remote(1, SdpType::Offer, &offer);
    net.set_local(1, SdpType::Answer);
    net.settle();
    let answer = net.nodes[1].conn.snapshot().current_local_description.unwrap().sdp;
    let at = answer.find("a=candidate:").unwrap();
    let (before, after) = answer.split_at(at);
    net.set_remote(0, SdpType::Answer, &format!("{before}{}{after}", extra.concat()));
}

fn dead_hosts(count: u16, network: &str) -> Vec<String> {
    let line = |i: u16| {
        let priority = 2_130_706_431 - u32::from(i) * 256;
        format!("a=candidate:{} 1 udp {priority} {network}.{} {} typ host\r\n", i + 10, i % 250 + 2, 1024 + i)
    };
    (0..count).map(line).collect()
}

fn connects(net: &mut Net) {
    net.until("connected", |net| (0..2).all(|i| net.state(i) == ConnectionState::Connected));
}

#[test]
fn what_the_peer_prefers_least_is_tried_when_nothing_else_works() {
    let (mut net, real) = hosts(10);
    net.nodes[1].addrs = vec![real[1]];
    only(&mut net, real[0], real[1]);
    answered_with(&mut net, &dead_hosts(10, "203.0.113"));
    connects(&mut net);
    assert!(notices(&net, 0).is_empty(), "there was room for all of them");
}

#[test]
fn hundreds_of_candidates_that_lead_nowhere_do_not_hide_a_relay() {
    for network in ["203.0.113", "10.1.2"] {
        let (mut net, real) = hosts(15);
        let relay = at([192, 0, 2, 2], 6001);
        net.nodes[1].addrs = vec![real[1]];
        net.nodes[1].relays = vec![relay];
        // The offerer's checks alone count: what the answerer sends is lost.
        net.reach = Some(Box::new(move |_, to| to == relay || to == real[0]));
        answered_with(&mut net, &dead_hosts(400, network));
        connects(&mut net);
        assert_eq!(notices(&net, 0).len(), 1, "{:?}", notices(&net, 0));
    }
}

#[test]
fn a_network_that_both_are_in_is_tried_before_what_the_peer_prefers() {
    let (mut net, _) = hosts(15);
    let (a, b) = (at([192, 168, 7, 20], 4000), at([192, 168, 7, 21], 4001));
    net.nodes[0].addrs.push(a);
    net.nodes[1].addrs = vec![b];
    only(&mut net, a, b);
    answered_with(&mut net, &dead_hosts(100, "10.1.2"));
    connects(&mut net);
}

#[test]
fn a_candidate_that_was_left_out_is_taken_up_when_the_peer_is_heard_from_there() {
    let (mut net, real) = hosts(15);
    net.nodes[1].addrs = vec![real[1]];
    only(&mut net, real[0], real[1]);
    answered_with(&mut net, &dead_hosts(100, "10.1.2"));
    connects(&mut net);
    assert!(notices(&net, 0)[0].contains("with 16 addresses on this side only 32 of them are tried"));
}

#[test]
fn addresses_that_machines_give_themselves_connect_a_network_without_any_other() {
    let (mut net, _) = hosts(0);
    let own = [at([169, 254, 10, 1], 4000), at([169, 254, 10, 2], 4001)];
    for (node, addr) in net.nodes.iter_mut().zip(own) {
        node.addrs = vec![addr, at([169, 254, 200, 7], 4000 + addr.port())];
    }
    only(&mut net, own[0], own[1]);
    net.connect();
}

#[test]
fn an_address_that_a_machine_gave_itself_is_preferred_least() {
    let (mut net, _) = hosts(0);
    for (i, node) in net.nodes.iter_mut().enumerate() {
        let last = i as u8 + 1;
        node.addrs = vec![at([169, 254, 10, last], 4000), at([192, 168, 1, last], 4000)];
    }
    net.connect();
    net.run(std::time::Duration::from_secs(1));
    let chosen = net.nodes[0].conn.snapshot().ice.unwrap().selected_pair.unwrap();
    assert_eq!(chosen.local.addr.ip(), IpAddr::from([192, 168, 1, 1]));
    assert_eq!(chosen.remote.addr.ip(), IpAddr::from([192, 168, 1, 2]));
}
