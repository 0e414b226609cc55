//! Outages, restarts, and paths that never work.

use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

fn ice(net: &Net, node: usize) -> IceState {
    net.nodes[node].conn.snapshot().ice_connection_state
}

fn connected() -> Net {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    net
}

#[test]
fn a_short_outage_is_not_even_noticed() {
    let mut net = connected();
    net.run(Duration::from_secs(10));
    net.link.down = true;
    net.run(Duration::from_millis(1500));
    net.link.down = false;
    net.run(Duration::from_secs(20));
    for node in 0..2 {
        let lost = |e: &Event| matches!(e, Event::IceConnectionState(IceState::Disconnected));
        assert!(!net.nodes[node].events.iter().any(lost), "{}", net.describe());
    }
}

#[test]
fn an_outage_disconnects_and_its_end_connects_again() {
    let mut net = connected();
    net.link.down = true;
    net.run(Duration::from_secs(9));
    assert_eq!((ice(&net, 0), ice(&net, 1)), (IceState::Disconnected, IceState::Disconnected));
    assert_eq!(net.state(0), ConnectionState::Disconnected);
    net.link.down = false;
    net.until_within(Duration::from_secs(5), "connected", |n| {
        (0..2).all(|i| n.state(i) == ConnectionState::Connected)
    });
}

#[test]
fn consent_expires_after_half_a_minute_and_a_restart_revives_the_connection() {
    let mut net = connected();
    net.link.down = true;
    net.run(Duration::from_secs(29));
    assert_eq!(ice(&net, 0), IceState::Disconnected);
    net.run(Duration::from_secs(5));
    assert_eq!((net.state(0), net.state(1)), (ConnectionState::Failed, ConnectionState::Failed));
    let sent = net.nodes[0].datagrams;
    net.run(Duration::from_secs(60));
    assert_eq!(net.nodes[0].datagrams, sent, "nothing is sent without consent");
    net.link.down = false;
    net.nodes[0].conn.restart_ice();
    net.negotiate(0);
    net.until("connected", |n| (0..2).all(|i| n.state(i) == ConnectionState::Connected));
}

#[test]
fn a_connection_that_is_to_be_kept_survives_two_minutes_without_a_path() {
    let mut configs = [config(0), config(1)];
    for config in &mut configs {
        config.ice.failed_timeout = None;
    }
    let [a, b] = configs;
    let mut net = Net::with(a, b);
    net.channel(0, DataChannelInit::default());
    net.connect();
    net.link.down = true;
    net.run(Duration::from_secs(120));
    assert_eq!(net.state(0), ConnectionState::Disconnected);
    net.link.down = false;
    net.until_within(Duration::from_secs(6), "connected", |n| {
        (0..2).all(|i| n.state(i) == ConnectionState::Connected)
    });
}

#[test]
fn an_ice_restart_never_interrupts_a_working_connection() {
    let mut net = connected();
    net.run(Duration::from_secs(3));
    let seen = [net.nodes[0].events.len(), net.nodes[1].events.len()];
    let before = net.nodes[0].conn.snapshot().ice.unwrap().selected_pair.unwrap();
    net.nodes[0].conn.restart_ice();
    let offer = net.set_local(0, SdpType::Offer);
    net.settle();
    // The answer takes its time; the old generation goes on all the while.
    net.run(Duration::from_secs(40));
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    net.run(Duration::from_secs(40));
    net.set_remote(0, SdpType::Answer, &answer);
    net.run(Duration::from_secs(10));
    for node in 0..2 {
        let lost = |e: &Event| {
            matches!(e, Event::ConnectionState(_))
                || matches!(e, Event::IceConnectionState(s) if !matches!(s, IceState::Connected | IceState::Completed))
        };
        assert!(!net.nodes[node].events[seen[node]..].iter().any(lost), "{}", net.describe());
        let after = net.nodes[node].conn.snapshot().ice.unwrap().selected_pair.unwrap();
        assert_ne!(after.local.ufrag, before.local.ufrag, "the new generation is in use");
    }
}

#[test]
fn a_restart_that_is_withdrawn_changes_nothing() {
    let mut net = connected();
    let before = net.nodes[0].conn.snapshot().ice.unwrap().selected_pair;
    net.nodes[0].conn.restart_ice();
    net.set_local(0, SdpType::Offer);
    net.settle();
    net.run(Duration::from_secs(2));
    net.nodes[0].conn.set_local_description(net.now, SdpType::Rollback, "").unwrap();
    net.run(Duration::from_secs(60));
    assert_eq!(net.nodes[0].conn.snapshot().ice.unwrap().selected_pair, before);
    assert_eq!((net.state(0), net.state(1)), (ConnectionState::Connected, ConnectionState::Connected));
}

#[test]
fn what_is_told_of_candidates_names_its_generation_and_a_withdrawn_restart_lets_the_one_of_before_go_on() {
    let mut config = config(0);
    config.ice.failed_timeout = None;
    let now = instant();
    let mut conn = Connection::new(config, [7; 32], now).unwrap();
    conn.create_data_channel(now, DataChannelInit::default()).unwrap();
    let events =
        |conn: &mut Connection| -> Vec<Event> { std::iter::from_fn(|| conn.poll_event(now, true)).collect() };
    let gathers = |events: &[Event]| -> Vec<u32> {
        let gather =
            |e: &Event| if let Event::Gather { generation, .. } = e { Some(*generation) } else { None };
        events.iter().filter_map(gather).collect()
    };
    conn.set_local_description(now, SdpType::Offer, "").unwrap();
    assert_eq!(gathers(&events(&mut conn)), [1]);
    let mut other = Connection::new(crate::net::config(1), [8; 32], now).unwrap();
    let offer = conn.snapshot().pending_local_description.unwrap().sdp;
    other.set_remote_description(now, SdpType::Offer, &offer).unwrap();
    other.set_local_description(now, SdpType::Answer, "").unwrap();
    let answer = other.snapshot().current_local_description.unwrap().sdp;
    conn.set_remote_description(now, SdpType::Answer, &answer).unwrap();
    events(&mut conn);
    // Its servers have not answered yet when ICE is restarted.
    conn.restart_ice();
    conn.set_local_description(now, SdpType::Offer, "").unwrap();
    let told = events(&mut conn);
    assert_eq!(gathers(&told), [2]);
    let state = GatheringState::Gathering;
    assert!(
        told.iter().any(|e| matches!(e, Event::IceGatheringState { generation: 2, state: s } if *s == state))
    );
    assert_eq!(conn.snapshot().ice_generation, 2);
    conn.set_local_description(now, SdpType::Rollback, "").unwrap();
    assert_eq!(conn.snapshot().ice_generation, 1);
    assert_eq!(gathers(&events(&mut conn)), [1], "it was broken off by the restart");
    let (addr, kind) = ("10.0.0.1:5000".parse().unwrap(), LocalCandidateKind::Host);
    let candidate = LocalCandidate { kind, addr, base: addr, url: None, relay_protocol: None };
    conn.add_local_candidate(now, 2, candidate.clone());
    assert!(events(&mut conn).is_empty(), "nobody waits for it");
    conn.add_local_candidate(now, 1, candidate);
    conn.gathering_done(now, 1);
    let of = |e: &Event| match e {
        Event::IceCandidate { generation, descriptions, .. }
        | Event::EndOfCandidates { generation, descriptions, .. } => Some((*generation, *descriptions)),
        Event::IceGatheringState { generation, state: GatheringState::Complete } => Some((*generation, 4)),
        _ => None,
    };
    let told: Vec<_> = events(&mut conn).iter().filter_map(of).collect();
    assert_eq!(told, [(1, 4), (1, 4), (1, 4)]);
    assert_eq!(conn.snapshot().descriptions, 4);
}

#[test]
fn a_restart_moves_the_connection_to_another_address() {
    let mut net = connected();
    let moved = "10.0.1.1:6000".parse().unwrap();
    net.nodes[0].addrs = vec![moved];
    net.nodes[0].conn.remove_local_candidate(net.now, "10.0.0.1:5000".parse().unwrap());
    net.run(Duration::from_secs(1));
    net.nodes[0].conn.restart_ice();
    net.negotiate(0);
    net.until("moved", |n| {
        let at = |i: usize| n.nodes[i].conn.snapshot().ice.unwrap().selected_pair.unwrap();
        at(0).local.addr == moved && at(1).remote.addr == moved
    });
    net.run(Duration::from_secs(20));
    assert_eq!((net.state(0), net.state(1)), (ConnectionState::Connected, ConnectionState::Connected));
}

#[test]
fn candidates_that_do_not_work_fail_only_after_the_end_of_candidates_and_some_grace() {
    let mut net = Net::new();
    net.link.down = true;
    net.channel(0, DataChannelInit::default());
    net.negotiate(0);
    assert_eq!(ice(&net, 0), IceState::Checking);
    net.run(Duration::from_secs(14));
    assert_eq!(ice(&net, 0), IceState::Checking);
    net.run(Duration::from_secs(2));
    assert_eq!((net.state(0), net.state(1)), (ConnectionState::Failed, ConnectionState::Failed));
}

#[test]
fn a_candidate_that_comes_very_late_still_connects() {
    let mut net = Net::new();
    net.trickle = false;
    net.channel(0, DataChannelInit::default());
    net.negotiate(0);
    net.run(Duration::from_secs(300));
    assert_eq!(ice(&net, 0), IceState::New);
    net.trickle = true;
    net.flush_candidates();
    net.until_within(Duration::from_secs(1), "connected", |n| {
        (0..2).all(|i| n.state(i) == ConnectionState::Connected)
    });
}

#[test]
fn single_lost_checks_never_look_like_an_outage() {
    let mut net = connected();
    let dropped = std::rc::Rc::new(std::cell::Cell::new([0u64; 2]));
    let count = std::rc::Rc::clone(&dropped);
    // Every second STUN message of either side is lost, whatever it is.
    net.tap = Some(Box::new(move |from, data| {
        let mut n = count.get();
        n[from] += u64::from(data[0] < 4);
        count.set(n);
        data[0] >= 4 || n[from] % 2 == 0
    }));
    net.run(Duration::from_secs(300));
    assert!(dropped.get()[0] > 100);
    for node in &net.nodes {
        let lost = |e: &Event| matches!(e, Event::IceConnectionState(IceState::Disconnected));
        assert!(!node.events.iter().any(lost), "{}", net.describe());
    }
}

#[test]
fn damaged_datagrams_are_as_good_as_lost_ones() {
    let mut net = Net::new();
    let (a, b) = net.open_channel(DataChannelInit::default());
    let mut seed = 1u64;
    net.tap = Some(Box::new(move |_, data| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if seed >> 60 == 0 {
            let at = (seed >> 20) as usize % data.len();
            data[at] ^= (seed >> 8) as u8 | 1;
        }
        true
    }));
    for i in 0..200usize {
        net.send(0, a, vec![i as u8; 5000]);
        net.send(1, b, vec![i as u8; 500]);
    }
    net.until("received", |n| n.received(1, b) == 200 && n.received(0, a) == 200);
    for (i, (_, data)) in net.nodes[1].messages[&b].iter().enumerate() {
        assert!(data.iter().all(|byte| *byte == i as u8) && data.len() == 5000);
    }
    net.run(Duration::from_secs(20));
    assert_eq!((net.state(0), net.state(1)), (ConnectionState::Connected, ConnectionState::Connected));
}

/// From now on nothing of one node arrives, and everything of the other.
fn one_way(net: &mut Net, mute: usize) {
    net.tap = Some(Box::new(move |from, _| from != mute));
}

#[test]
fn a_peer_that_asks_but_does_not_hear_us_is_not_taken_for_connected() {
    for mute in [0, 1] {
        let mut net = connected();
        one_way(&mut net, mute);
        net.run(Duration::from_secs(9));
        assert_eq!(ice(&net, 1 - mute), IceState::Disconnected, "it hears nothing");
        assert_eq!(ice(&net, mute), IceState::Completed, "it may be that the other side is busy");
        net.run(Duration::from_secs(9));
        assert_eq!(ice(&net, mute), IceState::Disconnected);
        net.run(Duration::from_secs(16));
        assert_eq!([0, 1].map(|i| ice(&net, i)), [IceState::Failed; 2], "consent has expired on both sides");
    }
}

#[test]
fn a_path_that_works_one_way_only_for_a_while_is_used_on() {
    for seconds in [5, 9, 20] {
        let mut net = connected();
        one_way(&mut net, 0);
        net.run(Duration::from_secs(seconds));
        net.tap = None;
        net.run(Duration::from_secs(4));
        assert_eq!([0, 1].map(|i| ice(&net, i)), [IceState::Completed; 2], "after {seconds} s");
    }
}

#[test]
fn the_state_of_a_path_that_works_one_way_only_does_not_flicker() {
    let mut net = connected();
    net.nodes[0].events.clear();
    one_way(&mut net, 0);
    net.run(Duration::from_secs(40));
    let states: Vec<_> = net.nodes[0]
        .events
        .iter()
        .filter_map(|e| if let Event::IceTransportState(s) = e { Some(*s) } else { None })
        .collect();
    assert_eq!(states, [IceState::Disconnected, IceState::Failed]);
}
