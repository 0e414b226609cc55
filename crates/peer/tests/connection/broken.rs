//! A connection that was given up because something in it has panicked.

use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

/// Whatever is asked of it, it stays as it is, and the other side does not notice more than silence.
fn assert_dead(net: &mut Net, node: usize) {
    net.run(Duration::from_secs(120));
    let (now, addrs) = (net.now, [net.nodes[0].addrs[0], net.nodes[1].addrs[0]]);
    let conn = &mut net.nodes[node].conn;
    conn.handle_datagram(now, addrs[node], addrs[1 - node], &[22, 0xfe, 0xfd]);
    conn.handle_datagram(now, addrs[node], addrs[1 - node], &[0, 1, 0, 0]);
    conn.handle_timeout(now);
    conn.restart_ice();
    conn.remove_local_candidate(now, addrs[node]);
    conn.gathering_done(now, 1);
    conn.add_resolved_candidate(now, 1, &[]);
    assert_eq!(conn.poll_timeout(), None);
    assert_eq!(conn.poll_transmit(now, &mut Vec::new(), 10), None);
    assert!(conn.poll_event(now, true).is_none());
    assert!(!conn.negotiation_needed());
    let errors = [
        conn.create_offer(now, true).unwrap_err(),
        conn.create_answer(now).unwrap_err(),
        conn.set_local_description(now, SdpType::Offer, "").unwrap_err(),
        conn.set_remote_description(now, SdpType::Offer, "v=0").unwrap_err(),
        conn.add_ice_candidate(now, &CandidateInit::default()).unwrap_err(),
        conn.create_data_channel(now, DataChannelInit::default()).unwrap_err(),
        conn.set_ice_transport_policy(IceTransportPolicy::Relay).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(error.message.contains("division by zero"), "{}", error.message);
    }
    let snapshot = conn.snapshot();
    assert_eq!(snapshot.connection_state, ConnectionState::Failed);
    assert_eq!(snapshot.ice_connection_state, IceState::Failed);
    assert!(!conn.stats(now).entries.is_empty());
    conn.close(now);
    assert_eq!(conn.snapshot().connection_state, ConnectionState::Closed);
    assert_eq!(conn.poll_transmit(now, &mut Vec::new(), 10), None);
}

fn states(net: &Net, node: usize) -> Vec<ConnectionState> {
    let state = |e: &Event| match e {
        Event::ConnectionState(s) => Some(*s),
        _ => None,
    };
    net.nodes[node].events.iter().filter_map(state).collect()
}

#[test]
fn an_open_connection_fails_with_the_reason_and_its_channels_close_with_it() {
    for node in 0..2 {
        let mut net = Net::new();
        let (a, b) = net.open_channel(DataChannelInit::default());
        let channel = [a, b][node];
        net.send(node, channel, vec![7; 100_000]);
        net.nodes[node].conn.abandon("division by zero");
        net.nodes[node].conn.abandon("once more");
        net.settle();
        assert_eq!(states(&net, node).last(), Some(&ConnectionState::Failed));
        let error = net.closed(node, channel).expect("the channel is closed").expect("with an error");
        assert_eq!(error.detail, ErrorDetail::DataChannelFailure);
        assert!(error.message.contains("internal error") && error.message.contains("division by zero"));
        assert!(net.nodes[node].events.iter().any(|event| matches!(
            event,
            Event::DtlsState { state: DtlsState::Failed, error: Some(error), .. } if error.message.contains("division")
        )));
        assert_dead(&mut net, node);
        // The other side learns it as it learns of a lost network.
        assert_eq!(net.state(1 - node), ConnectionState::Failed);
    }
}

#[test]
fn a_connection_can_be_given_up_at_any_moment_of_its_life() {
    // New, with a channel, with an offer, with the other's offer, while it connects.
    for moment in 0..5 {
        let mut net = Net::new();
        let channel = (moment > 0).then(|| net.channel(0, DataChannelInit::default()));
        match moment {
            0 | 1 => {}
            2 => drop(net.set_local(0, SdpType::Offer)),
            3 => {
                net.channel(1, DataChannelInit::default());
                let offer = net.set_local(1, SdpType::Offer);
                net.set_remote(0, SdpType::Offer, &offer);
            }
            _ => {
                net.negotiate(0);
                net.run(Duration::from_millis(3));
            }
        }
        net.nodes[0].conn.abandon("division by zero");
        net.trickle = false;
        net.settle();
        assert_eq!(states(&net, 0).last(), Some(&ConnectionState::Failed), "{moment}");
        if let Some(channel) = channel {
            assert!(net.closed(0, channel).is_some_and(|error| error.is_some()), "{moment}");
        }
        assert_dead(&mut net, 0);
    }
}

#[test]
fn a_closed_connection_is_not_reopened_by_being_given_up() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    net.nodes[0].conn.close(net.now);
    let seen = net.nodes[0].events.len();
    net.nodes[0].conn.abandon("division by zero");
    net.settle();
    assert_eq!(net.nodes[0].conn.snapshot().connection_state, ConnectionState::Closed);
    assert_eq!(net.nodes[0].events.len(), seen);
}
