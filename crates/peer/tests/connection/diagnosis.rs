//! What a connection that does not come about knows of the reason.

use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

const LONG: Duration = Duration::from_secs(90);

/// Node 0 wants a channel, and the network carries only what `reach` lets pass.
fn attempt(reach: Reach) -> Net {
    let mut net = Net::new();
    net.reach = Some(reach);
    net.channel(0, DataChannelInit::default());
    net.negotiate(0);
    net.run(LONG);
    net
}

#[test]
fn checks_that_vanish_both_ways_are_sent_and_unanswered_on_both_sides() {
    let net = attempt(Box::new(|_, _| false));
    for node in 0..2 {
        let known = net.nodes[node].conn.diagnosis();
        assert_eq!(
            (known.ice, known.had_path, known.gathered, known.described),
            (IceState::Failed, false, true, true)
        );
        assert!(known.checks_sent >= 5, "{known:?}");
        assert_eq!((known.checks_received, known.answers_received), (0, 0));
        assert_eq!((known.local.host, known.remote.host, known.remote.all()), (1, 1, 1));
    }
}

#[test]
fn a_network_that_carries_one_way_only_is_told_from_one_that_carries_nothing() {
    let net = attempt(Box::new(|from, _| from.ip().to_string() == "10.0.0.1"));
    let [sender, receiver] = [0, 1].map(|node| net.nodes[node].conn.diagnosis());
    assert_eq!((sender.checks_received, sender.answers_received), (0, 0));
    assert!(receiver.checks_received >= 5, "{receiver:?}");
    assert_eq!(receiver.answers_received, 0);
}

#[test]
fn a_connection_that_works_has_nothing_in_its_way() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    net.run(Duration::from_secs(1));
    let known = net.nodes[0].conn.diagnosis();
    assert_eq!((known.had_path, known.dtls, known.sctp), (true, DtlsState::Connected, SctpState::Connected));
    assert!(known.dtls_error.is_none() && known.faults.is_empty() && known.answers_received > 0);
}

#[test]
fn without_an_address_of_its_own_a_connection_fails_as_soon_as_both_sides_are_described() {
    let mut net = Net::new();
    net.nodes[0].addrs.clear();
    net.channel(0, DataChannelInit::default());
    net.negotiate(0);
    net.run(Duration::from_millis(100));
    assert_eq!(net.state(0), ConnectionState::Failed);
    assert_eq!(net.nodes[0].conn.diagnosis().local.all(), 0);
}

#[test]
fn faults_are_remembered_once_each_and_not_beyond_their_generation() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    let fault = |n: u32| IceCandidateError {
        address: None,
        port: None,
        url: format!("turn:{n}.example"),
        code: 401,
        text: "Unauthorized".to_owned(),
        fault: Fault::Refused,
    };
    for n in 0..1000 {
        net.nodes[0].conn.gathering_error(fault(n % 40));
    }
    let known = net.nodes[0].conn.diagnosis().faults;
    assert_eq!(known, (0..16).map(fault).collect::<Vec<_>>());
    net.nodes[0].conn.restart_ice();
    net.negotiate(0);
    assert!(net.nodes[0].conn.diagnosis().faults.is_empty());
}
