//! Allocations across ICE restarts, against a real coturn: each generation has its own, and those before are given back.

mod common;

use std::time::{Duration, Instant};

use common::coturn::{CREDENTIAL, Coturn, USERNAME};
use common::{
    Connected, TestPeer, connect, gather, loopback_config, restart_ice, runtime, server, signaled, wait_until,
};
use ossa_net::PeerConfig;
use ossa_peer::{Event, IceTransportPolicy};

fn relay_only(url: &str, username: &str) -> PeerConfig {
    let mut config = loopback_config();
    config.connection.ice_transport_policy = IceTransportPolicy::Relay;
    config.ice_servers = vec![server(url, Some(username), Some(CREDENTIAL))];
    config
}

fn relayed_pair(url: &str) -> Connected {
    let runtime = runtime();
    let peer = || TestPeer::new(&runtime, relay_only(url, USERNAME));
    connect(peer(), peer())
}

fn data_flows(pair: &Connected) {
    pair.a.send(pair.at_a, "to b");
    assert_eq!(pair.b.wait_message(), "to b");
    pair.b.send(pair.at_b, "to a");
    assert_eq!(pair.a.wait_message(), "to a");
}

fn relayed_address(candidate: &str) -> String {
    candidate.split(' ').skip(4).take(2).collect::<Vec<_>>().join(":")
}

/// Whether this user may have another allocation: the server has not kept all that it grants.
fn has_room(url: &str, username: &str) -> bool {
    let (candidates, errors, _) = gather(relay_only(url, username));
    assert!(errors.iter().all(|e| e.code == 486), "{errors:?}");
    candidates.len() == 1
}

#[test]
fn data_flows_on_through_a_server_that_was_started_anew_after_an_ice_restart() {
    for transport in ["udp", "tcp"] {
        let mut coturn = Coturn::start();
        let pair = relayed_pair(&coturn.url("turn", transport));
        data_flows(&pair);
        coturn.restart();
        let candidates = restart_ice(&pair.a, &pair.b);
        assert_eq!(candidates.len(), 1, "{transport}: {candidates:?}");
        data_flows(&pair);
    }
}

/// Both sides talk through the server that has forgotten them.
#[test]
fn where_both_sides_were_relayed_by_a_server_that_was_started_anew_they_are_told_that_only_signaling_helps() {
    for transport in ["udp", "tcp"] {
        let mut coturn = Coturn::start();
        let pair = relayed_pair(&coturn.url("turn", transport));
        data_flows(&pair);
        coturn.restart();
        pair.a.send(pair.at_a, "into the void");
        for peer in [&pair.a, &pair.b] {
            peer.wait("the loss is told", |event| matches!(event, Event::PathLost).then_some(()));
        }
        restart_ice(&pair.a, &pair.b);
        assert_eq!(pair.b.wait_message(), "into the void");
        data_flows(&pair);
    }
}

#[test]
fn an_ice_restart_gets_an_allocation_of_its_own_and_gives_the_old_one_back() {
    // Two peers with two allocations each during the restart, and none to spare.
    let coturn = Coturn::start_with(&["--user-quota", "4"]);
    let url = coturn.url("turn", "udp");
    let pair = relayed_pair(&url);
    let told = pair.events.iter().filter_map(signaled).filter(|c| !c.candidate.is_empty());
    let before: Vec<_> = told.map(|c| relayed_address(&c.candidate)).collect();
    let after = restart_ice(&pair.a, &pair.b);
    assert_eq!((before.len(), after.len()), (2, 1));
    assert!(!before.contains(&relayed_address(&after[0])), "{before:?} {after:?}");
    data_flows(&pair);
    wait_until("the first allocations are given back", || has_room(&url, USERNAME));
    data_flows(&pair);
}

#[test]
fn with_other_credentials_those_before_hold_no_allocation_any_more() {
    let bob = format!("bob:{CREDENTIAL}");
    let coturn = Coturn::start_with(&["--user-quota", "2", "--user", &bob]);
    let url = coturn.url("turn", "udp");
    let pair = relayed_pair(&url);
    assert!(!has_room(&url, USERNAME), "both have one");
    for peer in [&pair.a, &pair.b] {
        peer.peer.set_ice_servers(vec![server(&url, Some("bob"), Some(CREDENTIAL))]).unwrap();
    }
    restart_ice(&pair.a, &pair.b);
    data_flows(&pair);
    wait_until("the first user's allocations are given back", || has_room(&url, USERNAME));
    data_flows(&pair);
}

#[test]
fn where_the_quota_allows_no_second_allocation_the_first_is_kept() {
    let coturn = Coturn::start_with(&["--user-quota", "2"]);
    let pair = relayed_pair(&coturn.url("turn", "udp"));
    let first = restart_ice(&pair.a, &pair.b);
    let second = restart_ice(&pair.a, &pair.b);
    assert_eq!(relayed_address(&first[0]), relayed_address(&second[0]), "the only one that it may have");
    data_flows(&pair);
}

#[test]
fn a_relay_lives_on_where_allocations_are_granted_for_seconds() {
    let coturn = Coturn::start_with(&["--max-allocate-lifetime", "2"]);
    let pair = relayed_pair(&coturn.url("turn", "udp"));
    let start = Instant::now();
    wait_until("the third lifetime is over", || {
        data_flows(&pair);
        start.elapsed() > Duration::from_secs(6)
    });
}
