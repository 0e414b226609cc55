//! Handshakes of DTLS whose datagrams get lost on the way, some of them or all.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

const TIMEOUT: Duration = Duration::from_secs(7);

fn is_dtls(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| (20..64).contains(first))
}

fn with_versions(versions: [DtlsVersions; 2]) -> Net {
    let [mut a, mut b] = [config(0), config(1)];
    for (config, versions) in [(&mut a, versions[0]), (&mut b, versions[1])] {
        config.dtls.versions = versions;
        config.dtls.handshake_timeout = TIMEOUT;
        // Here it matters what happens to datagrams of DTLS by themselves.
        config.dtls.in_checks = false;
    }
    let mut net = Net::with(a, b);
    net.channel(0, DataChannelInit::default());
    net
}

fn failure(net: &Net, node: usize) -> Option<RtcError> {
    net.nodes[node].events.iter().find_map(|event| match event {
        Event::DtlsState { state: DtlsState::Failed, error, .. } => error.clone(),
        _ => None,
    })
}

/// Node 0, which offers, is the server.
#[test]
fn a_handshake_of_which_nothing_arrives_fails_at_both_ends_in_the_time_that_was_set() {
    for versions in [DtlsVersions::Auto, DtlsVersions::V1_2, DtlsVersions::V1_3] {
        // What the client says, what the server says, everything.
        for lost in [[false, true], [true, false], [true, true]] {
            let mut net = with_versions([versions; 2]);
            net.tap = Some(Box::new(move |from, datagram| !(lost[from] && is_dtls(datagram))));
            net.negotiate(0);
            net.until("a path", |net| {
                net.nodes
                    .iter()
                    .all(|node| node.conn.snapshot().connection_state == ConnectionState::Connecting)
            });
            net.run(TIMEOUT - Duration::from_secs(1));
            for node in 0..2 {
                assert_eq!(net.state(node), ConnectionState::Connecting, "{versions:?} {lost:?} {node}");
            }
            net.run(Duration::from_secs(2));
            for node in 0..2 {
                assert_eq!(net.state(node), ConnectionState::Failed, "{versions:?} {lost:?} {node}");
                let error = failure(&net, node).unwrap();
                assert_eq!(error.detail, ErrorDetail::DtlsFailure);
                assert!(
                    error.message.contains("timed out") && error.message.contains("7000 ms"),
                    "{}",
                    error.message
                );
                // A server that hears nothing says nothing.
                let nothing = lost[1] || (node == 1 && lost[0]);
                assert_eq!(error.message.contains("nothing"), nothing, "{}", error.message);
            }
        }
    }
}

#[test]
fn a_first_flight_that_comes_in_time_is_not_too_late() {
    let mut net = with_versions([DtlsVersions::Auto; 2]);
    net.tap = Some(Box::new(|from, datagram| !(from == 1 && is_dtls(datagram))));
    net.negotiate(0);
    // The fifth flight leaves after 2.8 to 4.7 seconds.
    let late = Duration::from_millis(2_500);
    net.run(late);
    net.tap = None;
    net.until_within(TIMEOUT - late, "connected", |n| {
        (0..2).all(|i| n.state(i) == ConnectionState::Connected)
    });
}

#[test]
fn a_path_that_carries_only_small_datagrams_is_found_out() {
    use DtlsVersions::{Auto, V1_2, V1_3};
    for versions in [[Auto, Auto], [V1_2, Auto], [Auto, V1_2], [V1_3, Auto], [Auto, V1_3]] {
        for mtu in [508, 548, 700, 1000, 1199] {
            let mut net = with_versions(versions);
            net.link.mtu = mtu;
            let start = net.now;
            net.connect();
            let elapsed = net.now - start;
            assert!(elapsed < Duration::from_secs(5), "{versions:?} {mtu}: {elapsed:?}");
            net.open_channel(DataChannelInit { label: "small".to_owned(), ..DataChannelInit::default() });
        }
    }
}

#[test]
fn a_path_that_is_narrow_in_one_direction_only_is_found_out() {
    for narrow in 0..2 {
        let mut net = with_versions([DtlsVersions::Auto; 2]);
        net.tap = Some(Box::new(move |from, datagram| from != narrow || datagram.len() <= 548));
        net.connect();
    }
}

#[test]
fn a_narrow_path_with_losses_only_takes_longer() {
    for seed in 1..=6 {
        for versions in [DtlsVersions::V1_2, DtlsVersions::V1_3] {
            let [mut a, mut b] = [config(0), config(1)];
            a.dtls.versions = versions;
            b.dtls.versions = versions;
            let mut net = Net::with(a, b);
            net.channel(0, DataChannelInit::default());
            net.rng = seed * 0x1234_5677;
            net.link.mtu = 548;
            net.link.loss = 100;
            net.link.delay = Duration::from_millis(20);
            net.link.jitter = Duration::from_millis(10);
            net.connect();
        }
    }
}

#[test]
fn a_path_that_is_merely_slow_sees_no_small_pieces() {
    for versions in [DtlsVersions::Auto, DtlsVersions::V1_2, DtlsVersions::V1_3] {
        let mut net = with_versions([versions; 2]);
        net.link.delay = Duration::from_millis(150);
        let flights = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&flights);
        net.tap = Some(Box::new(move |from, datagram| {
            if from == 0 && is_dtls(datagram) && datagram[0] == 22 {
                seen.borrow_mut().push(datagram.len());
            }
            true
        }));
        net.connect();
        let largest = flights.borrow().iter().copied().max();
        assert!(largest > Some(508), "the server's flight in one piece: {flights:?}");
    }
}
