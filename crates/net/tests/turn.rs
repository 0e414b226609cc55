//! STUN and TURN against a real coturn on loopback.

mod common;

use common::coturn::{CREDENTIAL, Coturn, USERNAME, free_port};
use common::{TestPeer, connect, gather, loopback_config, runtime, server, signaled, wait_until};
use ossa_net::PeerConfig;
use ossa_peer::IceTransportPolicy;

fn relay_only(coturn: &Coturn, url: &str) -> PeerConfig {
    let mut config = loopback_config();
    config.connection.ice_transport_policy = IceTransportPolicy::Relay;
    config.ice_servers = vec![server(url, Some(USERNAME), Some(CREDENTIAL))];
    config.tls_ca_pem = Some(coturn.ca_pem.clone());
    config
}

/// Both sides have relayed candidates only, and exchange messages of all sizes through the server.
fn data_flows_both_ways(scheme: &str, transport: &str) {
    let coturn = Coturn::start();
    let runtime = runtime();
    let url = coturn.url(scheme, transport);
    let peer = || TestPeer::new(&runtime, relay_only(&coturn, &url));
    let pair = connect(peer(), peer());
    let candidates: Vec<_> =
        pair.events.iter().filter_map(signaled).filter(|c| !c.candidate.is_empty()).collect();
    assert!(!candidates.is_empty());
    assert!(candidates.iter().all(|c| c.candidate.contains("typ relay")), "{candidates:?}");
    for size in [1, 1_000, 16_384, 200_000] {
        let data = vec![size as u8; size];
        pair.a.send(pair.at_a, data.clone());
        assert_eq!(pair.b.wait_message(), data);
        pair.b.send(pair.at_b, data.clone());
        assert_eq!(pair.a.wait_message(), data);
    }
}

#[test]
fn relayed_data_flows_both_ways_over_udp() {
    data_flows_both_ways("turn", "udp");
}

#[test]
fn relayed_data_flows_both_ways_over_tcp() {
    data_flows_both_ways("turn", "tcp");
}

#[test]
fn relayed_data_flows_both_ways_over_tls() {
    data_flows_both_ways("turns", "tcp");
}

#[test]
fn a_stun_server_that_sees_our_own_address_adds_no_candidate() {
    let coturn = Coturn::start();
    let mut config = loopback_config();
    config.ice_servers = vec![server(&coturn.url("stun", ""), None, None)];
    let (candidates, errors, _) = gather(config);
    assert_eq!(errors, []);
    assert_eq!(candidates.len(), 1, "{candidates:?}");
    assert!(candidates[0].contains("typ host"));
}

#[test]
fn wrong_credentials_are_reported_as_401() {
    let coturn = Coturn::start();
    for (scheme, transport) in [("turn", "udp"), ("turn", "tcp"), ("turns", "tcp")] {
        let url = coturn.url(scheme, transport);
        let mut config = relay_only(&coturn, &url);
        config.ice_servers = vec![server(&url, Some(USERNAME), Some("wrong"))];
        let (candidates, errors, _) = gather(config);
        assert_eq!(candidates, Vec::<String>::new());
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!((errors[0].code, errors[0].url.as_str()), (401, url.as_str()));
        assert!(errors[0].port.is_some());
    }
}

#[test]
fn a_server_that_is_not_there_is_reported_as_701() {
    let port = free_port();
    let urls = [
        "stun:127.0.0.1:PORT",
        "turn:127.0.0.1:PORT?transport=tcp",
        "turns:127.0.0.1:PORT",
        "turn:127.0.0.1:PORT",
    ];
    let mut config = loopback_config();
    for url in urls {
        config.ice_servers.push(server(&url.replace("PORT", &port.to_string()), Some("u"), Some("p")));
    }
    let (candidates, mut errors, _) = gather(config);
    assert_eq!(candidates.len(), 1, "the host candidate is there all the same");
    errors.sort_by(|a, b| a.url.cmp(&b.url));
    assert_eq!(errors.len(), 4, "{errors:#?}");
    assert!(errors.iter().all(|e| e.code == 701 && !e.text.is_empty()), "{errors:#?}");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let coturn = Coturn::start();
    let mut config = relay_only(&coturn, &coturn.url("turns", "tcp"));
    config.tls_ca_pem = None;
    let (candidates, errors, _) = gather(config);
    assert_eq!(candidates, Vec::<String>::new());
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].code, 701);
    assert!(errors[0].text.contains("certificate"), "{}", errors[0].text);
}

#[test]
fn relayed_and_direct_candidates_are_gathered_side_by_side() {
    let coturn = Coturn::start();
    let mut config = relay_only(&coturn, &coturn.url("turn", "udp"));
    config.connection.ice_transport_policy = IceTransportPolicy::All;
    let (candidates, errors, _) = gather(config);
    assert_eq!(errors, []);
    let kinds = |kind: &str| candidates.iter().filter(|c| c.contains(kind)).count();
    assert_eq!((kinds("typ host"), kinds("typ relay")), (1, 1), "{candidates:?}");
}

#[test]
fn closing_gives_the_allocation_back() {
    // With one allocation per user, a second one is refused (486) until the first is gone.
    let coturn = Coturn::start_with(&["--user-quota", "1"]);
    let config = || relay_only(&coturn, &coturn.url("turn", "udp"));
    let (candidates, errors, _) = gather(config());
    assert_eq!((candidates.len(), errors.len()), (1, 0), "{errors:?}");
    wait_until("the peer that gathered has left", || {
        let (candidates, errors, _) = gather(config());
        assert!(errors.iter().all(|e| e.code == 486), "{errors:?}");
        candidates.len() == 1
    });
}
