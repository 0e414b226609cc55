//! Getting connected: timing, roles, certificates, glare.

use std::time::Duration;

use ossa_peer::*;

use crate::net::*;

fn states(net: &Net, node: usize) -> Vec<ConnectionState> {
    let state = |e: &Event| match e {
        Event::ConnectionState(s) => Some(*s),
        _ => None,
    };
    net.nodes[node].events.iter().filter_map(state).collect()
}

#[test]
fn two_connections_reach_each_other_within_a_few_round_trips() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    let elapsed = net.now - net.start;
    assert!(elapsed < Duration::from_millis(30), "took {elapsed:?}");
    for node in 0..2 {
        assert_eq!(states(&net, node), [ConnectionState::Connecting, ConnectionState::Connected]);
    }
    let roles = [0, 1].map(|i| net.nodes[i].conn.snapshot().dtls.unwrap().role.unwrap());
    assert_eq!(roles, [DtlsRole::Server, DtlsRole::Client]);
    let roles = [0, 1].map(|i| net.nodes[i].conn.snapshot().ice.unwrap().role);
    assert_eq!(roles, [IceRole::Controlling, IceRole::Controlled]);
}

#[test]
fn a_late_answer_costs_no_more_than_its_own_delay() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    let offer = net.set_local(0, SdpType::Offer);
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    net.run(Duration::from_millis(777));
    let applied = net.now;
    net.set_remote(0, SdpType::Answer, &answer);
    net.until("connected", |n| (0..2).all(|i| n.state(i) == ConnectionState::Connected));
    let elapsed = net.now - applied;
    assert!(elapsed < Duration::from_millis(30), "took {elapsed:?}");
}

#[test]
fn candidates_that_are_never_signaled_are_discovered() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    let offer = net.set_local(0, SdpType::Offer);
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    // Only the answerer learns of the offerer's candidates.
    net.nodes[1].candidates.clear();
    net.nodes[0].conn.set_remote_description(net.now, SdpType::Answer, &answer).unwrap();
    net.until("connected", |n| (0..2).all(|i| n.state(i) == ConnectionState::Connected));
    let pair = net.nodes[0].conn.snapshot().ice.unwrap().selected_pair.unwrap();
    assert_eq!(pair.remote.kind, CandidateKind::PeerReflexive);
    assert_eq!(pair.remote.addr, net.nodes[1].addrs[0]);
}

#[test]
fn both_dtls_versions_can_be_required() {
    for (versions, expected) in [(DtlsVersions::V1_2, "FEFD"), (DtlsVersions::V1_3, "FEFC")] {
        for restricted in 0..2 {
            let mut configs = [config(0), config(1)];
            configs[restricted].dtls.versions = versions;
            let [a, b] = configs;
            let mut net = Net::with(a, b);
            net.channel(0, DataChannelInit::default());
            net.connect();
            for node in 0..2 {
                let stats = net.transport_stats(node);
                assert_eq!(stats.tls_version.as_deref(), Some(expected));
                assert!(stats.dtls_cipher.is_some_and(|c| c.starts_with("TLS_")));
            }
        }
    }
}

#[test]
fn a_certificate_that_was_not_signaled_is_refused_before_anything_else() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    let offer = net.set_local(0, SdpType::Offer);
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    let genuine = certificate(1).fingerprints()[0].to_string();
    let other = certificate(0).fingerprints()[0].to_string();
    assert!(answer.contains(&genuine));
    net.set_remote(0, SdpType::Answer, &answer.replace(&genuine, &other));
    net.until("failed", |n| n.state(0) == ConnectionState::Failed);
    let error = net.nodes[0].events.iter().find_map(|e| match e {
        Event::DtlsState { state: DtlsState::Failed, error, .. } => error.clone(),
        _ => None,
    });
    assert_eq!(error.unwrap().detail, ErrorDetail::FingerprintFailure);
    net.run(Duration::from_secs(5));
    assert!(!states(&net, 0).contains(&ConnectionState::Connected));
    assert!(net.announced(0).is_empty() && net.announced(1).is_empty());
}

#[test]
fn glare_is_resolved_by_the_polite_side() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.channel(1, DataChannelInit::default());
    let offer = net.set_local(0, SdpType::Offer);
    net.set_local(1, SdpType::Offer);
    net.settle();
    // Side 1 is polite: the offer takes the place of its own.
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    net.set_remote(0, SdpType::Answer, &answer);
    net.until("connected", |n| (0..2).all(|i| n.state(i) == ConnectionState::Connected));
    let roles = [0, 1].map(|i| net.nodes[i].conn.snapshot().ice.unwrap().role);
    assert_eq!(roles, [IceRole::Controlling, IceRole::Controlled]);
}

#[test]
fn a_withdrawn_first_offer_leaves_a_connection_that_can_start_again() {
    let mut net = Net::new();
    let id = net.channel(0, DataChannelInit::default());
    net.set_local(0, SdpType::Offer);
    net.settle();
    net.nodes[0].conn.set_local_description(net.now, SdpType::Rollback, "").unwrap();
    net.settle();
    assert_eq!(net.nodes[0].conn.snapshot().ice_gathering_state, GatheringState::New);
    assert!(net.nodes[0].conn.channel(id).is_some(), "the channel waits for the next offer");
    net.nodes[0].candidates.clear();
    net.connect();
}

#[test]
fn a_lossy_path_only_takes_longer() {
    for seed in 1..=10 {
        let mut net = Net::new();
        net.rng = seed * 0x1234_5677;
        net.link.loss = 200;
        net.link.delay = Duration::from_millis(20);
        net.link.jitter = Duration::from_millis(10);
        net.channel(0, DataChannelInit::default());
        net.connect();
    }
}

#[test]
fn only_relayed_candidates_are_used_when_the_policy_says_so() {
    let mut settings = config(0);
    settings.ice_transport_policy = IceTransportPolicy::Relay;
    let mut net = Net::with(settings, config(1));
    let relayed = "192.0.2.7:7777".parse().unwrap();
    net.channel(0, DataChannelInit::default());
    let offer = net.set_local(0, SdpType::Offer);
    net.settle();
    assert!(net.nodes[0].candidates.iter().all(|c| c.candidate.is_empty()), "host candidates are kept back");
    let generation = net.nodes[0].events.iter().find_map(|e| match e {
        Event::Gather { generation, .. } => Some(*generation),
        _ => None,
    });
    let candidate = LocalCandidate {
        kind: LocalCandidateKind::Relay,
        addr: relayed,
        base: net.nodes[0].addrs[0],
        url: Some("turn:turn.example".to_owned()),
        relay_protocol: Some(RelayProtocol::Udp),
    };
    net.nodes[0].addrs = vec![relayed];
    net.nodes[0].conn.add_local_candidate(net.now, generation.unwrap(), candidate);
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    net.set_remote(0, SdpType::Answer, &answer);
    net.until("connected", |n| (0..2).all(|i| n.state(i) == ConnectionState::Connected));
    let pair = net.nodes[0].conn.snapshot().ice.unwrap().selected_pair.unwrap();
    assert_eq!((pair.local.kind, pair.local.addr), (CandidateKind::Relay, relayed));
    assert!(pair.local.candidate.contains("typ relay raddr 10.0.0.1 rport 5000"), "{}", pair.local.candidate);
}

#[test]
fn a_name_that_was_looked_up_becomes_a_candidate() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    let offer = net.set_local(0, SdpType::Offer);
    net.settle();
    let mut candidate = net.nodes[0].candidates.pop_front().unwrap();
    net.nodes[0].candidates.clear();
    candidate.candidate =
        candidate.candidate.replace("10.0.0.1", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d.local");
    net.set_remote(1, SdpType::Offer, &offer);
    let answer = net.set_local(1, SdpType::Answer);
    net.settle();
    net.nodes[1].candidates.clear();
    net.nodes[0].conn.set_remote_description(net.now, SdpType::Answer, &answer).unwrap();
    net.nodes[1].conn.add_ice_candidate(net.now, &candidate).unwrap();
    net.settle();
    let lookup = net.nodes[1].events.iter().find_map(|e| match e {
        Event::ResolveCandidate(r) => Some(r.clone()),
        _ => None,
    });
    let lookup = lookup.unwrap();
    assert!(lookup.name.ends_with(".local"));
    let ip = net.nodes[0].addrs[0].ip();
    net.nodes[1].conn.add_resolved_candidate(net.now, lookup.token, &[ip]);
    net.nodes[1].conn.add_resolved_candidate(net.now, lookup.token + 1, &[ip]);
    net.until("connected", |n| (0..2).all(|i| n.state(i) == ConnectionState::Connected));
}

#[test]
fn closing_tells_the_other_side_at_once() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    let seen = net.nodes[0].events.len();
    net.nodes[0].conn.close(net.now);
    net.nodes[0].conn.close(net.now);
    let snapshot = net.nodes[0].conn.snapshot();
    assert_eq!(snapshot.connection_state, ConnectionState::Closed);
    assert_eq!(snapshot.signaling_state, SignalingState::Closed);
    assert_eq!(snapshot.ice_connection_state, IceState::Closed);
    assert_eq!(snapshot.dtls.unwrap().state, DtlsState::Closed);
    assert_eq!(snapshot.sctp.unwrap().state, SctpState::Closed);
    net.until_within(Duration::from_millis(20), "closed", |n| {
        n.nodes[1].conn.snapshot().dtls.unwrap().state == DtlsState::Closed
    });
    assert_eq!(net.nodes[0].events.len(), seen, "close() itself makes no events");
    assert!(net.nodes[0].conn.poll_timeout().is_none());
    let error = net.nodes[0].conn.create_data_channel(net.now, DataChannelInit::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidState);
}

#[test]
fn statistics_name_the_pair_in_use_and_both_certificates() {
    let mut net = Net::new();
    net.channel(0, DataChannelInit::default());
    net.connect();
    let report = net.nodes[0].conn.stats(net.now);
    let transport = net.transport_stats(0);
    let has = |id: &Option<String>| report.entries.iter().any(|s| Some(s.id()) == id.as_deref());
    assert!(has(&transport.selected_candidate_pair_id));
    assert!(has(&transport.local_certificate_id) && has(&transport.remote_certificate_id));
    let pair = report.entries.iter().find_map(|s| match s {
        stats::Stats::CandidatePair(p) => Some(p),
        _ => None,
    });
    let pair = pair.unwrap();
    assert_eq!(pair.state, stats::CandidatePairState::Succeeded);
    assert!(pair.nominated && pair.requests_sent >= 1 && pair.responses_received >= 1);
    assert_eq!(pair.current_round_trip_time, Some(Duration::from_millis(2)));
    assert!(has(&Some(pair.local_candidate_id.clone())) && has(&Some(pair.remote_candidate_id.clone())));
    let mut ids: Vec<&str> = report.entries.iter().map(stats::Stats::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), report.entries.len());
}
