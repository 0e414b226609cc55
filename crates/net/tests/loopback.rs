//! Two peers over loopback, through the whole stack.

mod common;

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{
    Collector, Connected, PATIENCE, TestPeer, connect, gather, loopback_config, loopback_pair, runtime,
    signaled, wait_until,
};
use ossa_net::{InterfaceFilter, Peer, PeerConfig};
use ossa_peer::{Event, GatheringState};

const MESSAGE: usize = 64 * 1024;

/// Collects `bytes` of messages, checking that message i is filled with i.
fn receive(peer: &TestPeer, count: usize) {
    for i in 0..count {
        let data = peer.wait_message();
        assert_eq!(data.len(), MESSAGE);
        assert!(data.iter().all(|&b| b == i as u8), "message {i}");
    }
}

#[test]
fn large_messages_flow_both_ways_at_once() {
    let runtime = runtime();
    let Connected { a, b, at_a, at_b, .. } = loopback_pair(&runtime);
    const COUNT: usize = 500;
    for i in 0..COUNT {
        for (peer, channel) in [(&a, at_a), (&b, at_b)] {
            peer.send(channel, vec![i as u8; MESSAGE]);
        }
        // Half of the default send buffer: sending faster than the path takes it is an error by design.
        for (peer, channel) in [(&a, at_a), (&b, at_b)] {
            let deadline = Instant::now() + PATIENCE;
            while peer
                .peer
                .with(|c, _| c.channel(channel))
                .unwrap()
                .is_some_and(|c| c.buffered_amount > 8 << 20)
            {
                assert!(Instant::now() < deadline, "nothing is sent any more");
                std::thread::yield_now();
            }
        }
    }
    receive(&a, COUNT);
    receive(&b, COUNT);
    assert!(a.sink.failed.lock().is_empty() && b.sink.failed.lock().is_empty());
}

#[test]
fn small_messages_arrive_in_order() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    const COUNT: u32 = 20_000;
    for i in 0..COUNT {
        a.send(at_a, i.to_be_bytes().to_vec());
    }
    for i in 0..COUNT {
        assert_eq!(b.wait_message()[..], i.to_be_bytes());
    }
}

#[test]
fn messages_sent_while_another_thread_holds_the_peer_are_not_left_lying() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    const COUNT: usize = 2_000;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..COUNT).for_each(|_| a.send(at_a, "x")));
        }
        scope.spawn(|| (0..COUNT).for_each(|_| a.peer.with(|c, _| drop(c.snapshot())).unwrap()));
        for _ in 0..3 * COUNT {
            b.wait_message();
        }
    });
}

#[test]
fn a_stalled_sink_stops_the_sender_and_resuming_loses_nothing() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    b.sink.stall(true);
    const COUNT: usize = 200;
    for i in 0..COUNT {
        a.send(at_a, vec![i as u8; MESSAGE]);
    }
    let buffered = || a.peer.with(|c, _| c.channel(at_a)).unwrap().map_or(0, |c| c.buffered_amount);
    wait_until("a megabyte has left", || buffered() < COUNT * MESSAGE - (1 << 20));
    while let Some(event) = b.sink.try_next() {
        assert!(!matches!(event, Event::Message { .. }), "a message came to a sink that is not ready");
    }
    b.sink.stall(false);
    b.peer.resume();
    receive(&b, COUNT);
}

#[test]
fn ipv6_works_as_ipv4_does() {
    let runtime = runtime();
    let peer = || {
        let config =
            PeerConfig { bind_address: Some(std::net::Ipv6Addr::LOCALHOST.into()), ..loopback_config() };
        TestPeer::new(&runtime, config)
    };
    let Connected { a, b, at_a, at_b, events } = connect(peer(), peer());
    let candidates: Vec<_> = events.iter().filter_map(signaled).filter(|c| !c.candidate.is_empty()).collect();
    assert!(candidates.iter().all(|c| c.candidate.contains(" ::1 ")), "{candidates:?}");
    a.send(at_a, vec![1; 300_000]);
    assert_eq!(b.wait_message(), vec![1; 300_000]);
    b.send(at_b, vec![2; 300_000]);
    assert_eq!(a.wait_message(), vec![2; 300_000]);
}

#[test]
fn many_peers_connect_at_once() {
    let runtime = runtime();
    let peer = || TestPeer::new(&runtime, loopback_config());
    let pairs: Vec<(TestPeer, TestPeer)> = (0..100).map(|_| (peer(), peer())).collect();
    for (a, b) in &pairs {
        a.channel("test");
        let answer = b.answer(&a.offer(false));
        a.accept(&answer);
    }
    let deadline = Instant::now() + PATIENCE;
    let mut open = 0;
    while open < 2 * pairs.len() {
        assert!(Instant::now() < deadline, "only {open} channels are open");
        for (from, to) in pairs.iter().flat_map(|(a, b)| [(a, b), (b, a)]) {
            while let Some(event) = from.sink.try_next() {
                open += usize::from(matches!(event, Event::ChannelOpen { .. }));
                if let Some(init) = signaled(&event) {
                    to.add_candidate(&init);
                }
            }
        }
        std::thread::yield_now();
    }
}

#[test]
fn garbage_at_the_open_ports_changes_nothing() {
    let runtime = runtime();
    let Connected { a, b, at_a, events, .. } = loopback_pair(&runtime);
    let ports: Vec<u16> = events
        .iter()
        .filter_map(signaled)
        .filter_map(|c| c.candidate.split(' ').nth(5).and_then(|p| p.parse().ok()))
        .collect();
    assert!(ports.len() >= 2);
    let attacker = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for i in 0..10_000_usize {
        let mut packet = vec![0; i % 1_500];
        for byte in &mut packet {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            *byte = random as u8;
        }
        // A third each looks like STUN, DTLS and nothing.
        if let Some(first) = packet.first_mut() {
            *first = [i as u8 % 4, 20 + i as u8 % 44, *first][i % 3];
        }
        let _ = attacker.send_to(&packet, ("127.0.0.1", ports[i % ports.len()]));
    }
    a.send(at_a, "still here");
    assert_eq!(b.wait_message(), "still here");
}

#[test]
fn closing_tells_the_other_side_and_frees_the_sockets() {
    let runtime = runtime();
    let Connected { a, b, at_b, .. } = loopback_pair(&runtime);
    a.peer.close();
    a.peer.close();
    b.wait("the end of the channel", |event| match event {
        Event::ChannelClosed { id, .. } if id == at_b => Some(()),
        _ => None,
    });
    wait_until("the closed peer has ended", || a.peer.is_finished());
    drop(b);
    wait_until("the dropped peer has ended", || runtime.peers() == 0);
}

fn gathered(config: PeerConfig) -> (Vec<String>, Vec<String>) {
    let runtime = runtime();
    let peer = TestPeer::new(&runtime, config);
    peer.channel("test");
    peer.offer(false);
    let (mut candidates, mut errors) = (Vec::new(), Vec::new());
    peer.wait("the end of gathering", |event| match event {
        Event::IceCandidate { candidate, .. } => {
            candidates.push(candidate);
            None
        }
        Event::IceCandidateError(error) => {
            errors.push(error.text);
            None
        }
        Event::IceGatheringState { state: GatheringState::Complete, .. } => Some(()),
        _ => None,
    });
    (candidates, errors)
}

#[test]
fn a_port_range_is_kept_to_and_its_end_is_reported() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = || PeerConfig { port_range: Some((port, port)), ..loopback_config() };
    let (candidates, errors) = gathered(config());
    assert!(candidates.is_empty());
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains(&format!("from {port} to {port} are taken")), "{errors:?}");
    drop(taken);
    let (candidates, errors) = gathered(config());
    assert!(errors.is_empty(), "{errors:?}");
    assert!(candidates[0].contains(&format!(" 127.0.0.1 {port} typ host")), "{candidates:?}");
}

#[test]
fn an_interface_filter_decides_what_is_gathered() {
    let config = |allow: &str| PeerConfig {
        interfaces: InterfaceFilter { allow: vec![allow.into()], deny: vec![] },
        include_loopback: true,
        bind_address: None,
        ..loopback_config()
    };
    let (candidates, _) = gathered(config("lo*"));
    assert!(!candidates.is_empty());
    assert!(candidates.iter().all(|c| c.contains(" 127.0.0.1 ") || c.contains(" ::1 ")), "{candidates:?}");
    let (candidates, _) = gathered(config("no-such-interface"));
    assert!(candidates.is_empty(), "{candidates:?}");
}

#[test]
fn sockets_are_kept_across_an_ice_restart_and_data_flows_on() {
    let runtime = runtime();
    let Connected { a, b, at_a, at_b, events } = loopback_pair(&runtime);
    let before: Vec<String> = events.iter().filter_map(signaled).map(|c| port_of(&c.candidate)).collect();
    let offer = a.offer(true);
    let answer = b.answer(&offer);
    a.accept(&answer);
    let deadline = Instant::now() + PATIENCE;
    let mut ended = 0;
    while ended < 2 {
        for (from, to) in [(&a, &b), (&b, &a)] {
            let Some(event) = from.sink.next(Instant::now() + Duration::from_millis(5)) else {
                assert!(Instant::now() < deadline);
                continue;
            };
            let Some(init) = signaled(&event) else { continue };
            match init.candidate.as_str() {
                "" => ended += 1,
                candidate => {
                    assert!(before.contains(&port_of(candidate)), "{candidate} was not there before");
                }
            }
            to.add_candidate(&init);
        }
    }
    a.send(at_a, "to b");
    assert_eq!(b.wait_message(), "to b");
    b.send(at_b, "to a");
    assert_eq!(a.wait_message(), "to a");
}

fn port_of(candidate: &str) -> String {
    candidate.split(' ').nth(5).unwrap_or_default().to_owned()
}

#[test]
fn peers_of_a_runtime_that_is_shut_down_go_silent_without_harm() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    runtime.shutdown();
    wait_until("the threads have ended", || runtime.running_shards() == 0);
    a.send(at_a, "nobody hears this");
    a.peer.resume();
    a.peer.close();
    b.peer.close();
}

fn bound_to(address: &str) -> PeerConfig {
    let mut config = loopback_config();
    config.bind_address = Some(address.parse().unwrap());
    config
}

#[test]
fn an_unspecified_address_binds_all_of_its_family() {
    for (address, of_family) in [("0.0.0.0", '.'), ("::", ':')] {
        let (candidates, errors, _) = gather(bound_to(address));
        let addresses: Vec<_> = candidates.iter().filter_map(|c| c.split(' ').nth(4)).collect();
        // A machine may have no address of the family; then it is told.
        assert_eq!(addresses.is_empty(), !errors.is_empty(), "{address}: {addresses:?} {errors:?}");
        assert!(addresses.iter().all(|a| a.contains(of_family)), "{address}: {addresses:?}");
    }
}

#[test]
fn an_ipv4_address_in_the_form_of_ipv6_is_what_it_is() {
    let (candidates, errors, _) = gather(bound_to("::ffff:127.0.0.1"));
    assert_eq!(errors, []);
    assert!(candidates[0].contains(" 127.0.0.1 "), "{candidates:?}");
}

#[test]
fn the_address_of_many_is_refused_with_its_reason() {
    let runtime = runtime();
    for address in ["224.0.0.1", "255.255.255.255", "ff02::fb", "::ffff:224.0.0.1"] {
        let sink = Arc::new(Collector::default());
        let error = Peer::new(&runtime, bound_to(address), sink).unwrap_err().to_string();
        assert!(error.contains("is the address of many"), "{address}: {error}");
    }
}

#[test]
fn a_choice_that_leaves_no_address_is_told() {
    let mut config = loopback_config();
    config.bind_address = None;
    config.interfaces.allow = vec!["no-such-interface".into()];
    let (candidates, errors, _) = gather(config);
    assert_eq!((candidates.len(), errors.len()), (0, 1), "{errors:?}");
    assert!(errors[0].text.contains("includeInterfaces"), "{}", errors[0].text);
}
