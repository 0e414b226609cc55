//! Rounds of offer and answer between two of us.

use super::*;

#[test]
fn an_offer_and_an_answer_connect_two_sessions_with_complementary_roles() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    assert!(a.session.negotiation_needed());
    let (offer, change) = a.set_offer();
    assert_eq!(a.state(), "have-local-offer");
    assert_eq!(change.gather.unwrap().ufrag, "a001");
    assert!(change.transport.is_none());

    let change = b.remote(SdpType::Offer, &offer);
    assert_eq!(b.state(), "have-remote-offer");
    assert_eq!(change, Change::default(), "what an offer says can still be withdrawn");

    let (answer, change) = b.set_answer();
    assert_eq!(b.state(), "stable");
    assert_eq!(change.gather.unwrap().ufrag, "b001");
    assert_eq!(change.remote_ice.unwrap().ufrag, "a001");
    assert!(!change.remote_ice_restarted);
    let at_b = change.transport.unwrap();
    assert_eq!((at_b.dtls_role, at_b.ice_controlling), (DtlsRole::Client, false));
    assert_eq!(at_b.remote_fingerprints[0].value, [b'a'; 32]);
    let data = at_b.data.as_ref().unwrap();
    assert_eq!((data.remote_sctp_port, data.remote_max_message_size, data.legacy), (5000, 262_144, false));

    let change = a.remote(SdpType::Answer, &answer);
    assert_eq!(a.state(), "stable");
    assert_eq!(change.remote_ice.unwrap().ufrag, "b001");
    let at_a = change.transport.unwrap();
    assert_eq!((at_a.dtls_role, at_a.ice_controlling), (DtlsRole::Server, true));
    assert!(!a.session.negotiation_needed() && !b.session.negotiation_needed());
    assert_eq!((a.session.data_mid(), b.session.data_mid()), (Some("0"), Some("0")));
}

#[test]
fn a_round_without_data_has_no_sections_and_starts_no_transport() {
    let (mut a, mut b) = (Peer::new('a'), Peer::new('b'));
    let (offer, change) = a.set_offer();
    assert!(!offer.contains("m="));
    assert_eq!(change, Change::default());
    let changes = finish(&mut a, &mut b, &offer);
    assert_eq!(changes, (Change::default(), Change::default()));
    assert_eq!((a.state(), b.state()), ("stable", "stable"));
}

#[test]
fn an_answerer_with_a_channel_gets_its_section_in_the_next_round() {
    let (mut a, mut b) = (Peer::new('a'), Peer::with_channel('b'));
    negotiate(&mut a, &mut b);
    assert!(b.session.negotiation_needed());
    let (at_b, at_a) = negotiate(&mut b, &mut a);
    assert!(at_b.transport.unwrap().ice_controlling);
    assert!(!at_a.transport.unwrap().ice_controlling);
    assert!(!b.session.negotiation_needed());
}

#[test]
fn later_rounds_in_either_direction_keep_credentials_and_roles() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    let (at_a, at_b) = negotiate(&mut a, &mut b);
    assert_eq!((&at_a.remote_ice, &at_b.remote_ice, &at_b.gather), (&None, &None, &None));
    assert_eq!(at_a.transport.unwrap().dtls_role, DtlsRole::Server);

    let (offer, change) = b.set_offer();
    assert_eq!(change.gather, None);
    assert!(offer.contains("a=ice-ufrag:b001"));
    let (at_b, at_a) = finish(&mut b, &mut a, &offer);
    let (at_a, at_b) = (at_a.transport.unwrap(), at_b.transport.unwrap());
    assert_eq!((at_a.dtls_role, at_a.ice_controlling), (DtlsRole::Server, true));
    assert_eq!((at_b.dtls_role, at_b.ice_controlling), (DtlsRole::Client, false));
}

#[test]
fn an_unchanged_offer_keeps_its_version_and_a_changed_one_counts_up() {
    let version = |sdp: &str| sdp.lines().nth(1).unwrap().split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    let mut a = Peer::new('a');
    let first = a.offer();
    assert_eq!(a.offer(), first);
    a.session.add_data_channel();
    let second = a.offer();
    assert_eq!(version(&second), version(&first) + 1);
    assert_eq!(a.offer(), second, "credentials that were never set are offered again");
}

#[test]
fn restart_ice_renews_credentials_on_both_sides_once() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    a.session.request_ice_restart();
    assert!(a.session.negotiation_needed(), "because of the channel");
    negotiate(&mut a, &mut b);
    assert!(!a.session.negotiation_needed());

    a.session.request_ice_restart();
    assert!(a.session.negotiation_needed());
    let (offer, change) = a.set_offer();
    let new = change.gather.unwrap();
    assert_ne!(new.ufrag, "a001");
    let (at_a, at_b) = finish(&mut a, &mut b, &offer);
    assert!(at_a.remote_ice_restarted && at_b.remote_ice_restarted);
    assert_ne!(at_b.gather.unwrap().ufrag, "b001");
    assert_eq!(at_b.remote_ice.unwrap(), new);
    assert_eq!(at_b.transport.unwrap().dtls_role, DtlsRole::Client);
    assert!(!a.session.negotiation_needed());
    assert!(a.offer().contains(&format!("a=ice-ufrag:{}", new.ufrag)));
}

#[test]
fn an_ice_restart_asked_for_during_a_round_waits_for_the_next() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    a.session.request_ice_restart();
    finish(&mut a, &mut b, &offer);
    assert!(a.session.negotiation_needed());
    let (at_a, _) = negotiate(&mut a, &mut b);
    assert!(at_a.remote_ice_restarted && !a.session.negotiation_needed());
}

#[test]
fn a_remote_restart_satisfies_our_own_wish_for_one() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    a.session.request_ice_restart();
    negotiate(&mut b, &mut a);
    assert!(a.session.negotiation_needed(), "an answer without a restart does not renew credentials");
    b.session.request_ice_restart();
    negotiate(&mut b, &mut a);
    assert!(!a.session.negotiation_needed() && !b.session.negotiation_needed());
}

#[test]
fn the_option_ice_restart_renews_credentials_for_one_offer() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    let offer = a.restart_offer();
    assert!(!offer.contains("a=ice-ufrag:a001"));
    assert!(a.offer().contains("a=ice-ufrag:a001"), "an offer that was never set leaves no trace");
}

#[test]
fn rolling_back_a_restart_restores_the_credentials() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    a.session.request_ice_restart();
    a.set_offer();
    let change = a.session.set_local(SdpType::Rollback, "ignored").unwrap();
    assert!(change.rolled_back && !change.data_section_removed);
    assert_eq!(change.restored_ice.unwrap().ufrag, "a001");
    assert!(a.session.negotiation_needed(), "the wish survives");
    assert_eq!(a.session.pending_local_description(), None);

    let offer = b.restart_offer();
    b.session.set_local(SdpType::Offer, &offer).unwrap();
    b.session.set_local(SdpType::Rollback, "").unwrap();
    assert_eq!(b.set_offer().1.gather, None, "the old candidates are still there");
}

#[test]
fn rolling_back_the_first_offer_drops_the_transport_and_the_offer_can_be_set_again() {
    let mut a = Peer::with_channel('a');
    let (offer, _) = a.set_offer();
    let change = a.session.set_local(SdpType::Rollback, "").unwrap();
    assert!(change.rolled_back && change.data_section_removed);
    assert_eq!((a.state(), a.session.local_description()), ("stable", None));
    assert!(a.session.negotiation_needed());
    let change = a.session.set_local(SdpType::Offer, &offer).unwrap();
    assert_eq!(change.gather.unwrap().ufrag, "a001");
}

#[test]
fn a_remote_offer_takes_the_place_of_ours() {
    let (mut polite, mut impolite) = (Peer::with_channel('p'), Peer::with_channel('i'));
    polite.set_offer();
    let (offer, _) = impolite.set_offer();
    let change = polite.remote(SdpType::Offer, &offer);
    assert!(change.rolled_back && change.data_section_removed);
    assert_eq!(polite.state(), "have-remote-offer");
    let (answer, at_polite) = polite.set_answer();
    let at_impolite = impolite.remote(SdpType::Answer, &answer);
    assert!(at_impolite.transport.unwrap().ice_controlling);
    assert!(!at_polite.transport.unwrap().ice_controlling);
    assert!(!polite.session.negotiation_needed());
}

#[test]
fn an_invalid_offer_does_not_withdraw_ours() {
    let mut a = Peer::with_channel('a');
    a.set_offer();
    assert_eq!(a.remote_error(SdpType::Offer, "Invalid SDP").sdp_line, Some(1));
    assert_eq!(a.state(), "have-local-offer");
}

#[test]
fn provisional_answers_start_the_transport_and_the_final_one_goes_on() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let answer = b.answer();
    for round in 0..2 {
        let at_b = b.session.set_local(SdpType::Pranswer, &answer).unwrap();
        assert_eq!((at_b.gather.is_some(), b.state()), (round == 0, "have-local-pranswer"));
        let at_a = a.remote(SdpType::Pranswer, &answer);
        assert_eq!((at_a.remote_ice.is_some(), a.state()), (round == 0, "have-remote-pranswer"));
        assert!(at_a.transport.is_some() && at_b.transport.is_some());
    }
    assert_eq!(a.session.pending_remote_description().unwrap().kind, SdpType::Pranswer);
    let (last, at_b) = b.set_answer();
    assert_eq!(at_b.gather, None);
    let at_a = a.remote(SdpType::Answer, &last);
    assert!(at_a.remote_ice.is_none() && at_a.transport.is_some());
    assert_eq!((a.state(), b.state()), ("stable", "stable"));
}

#[test]
fn an_offer_can_be_handed_over_to_another_peer() {
    let (mut a, mut first, mut second) = (Peer::with_channel('a'), Peer::new('f'), Peer::new('s'));
    negotiate(&mut a, &mut first);
    let (at_a, at_second) = negotiate(&mut a, &mut second);
    assert!(at_a.remote_ice_restarted);
    assert_eq!(at_a.transport.unwrap().remote_fingerprints[0].value, [b's'; 32]);
    assert!(!at_second.remote_ice_restarted);
}

#[test]
fn a_closed_session_refuses_everything_and_keeps_its_descriptions() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    a.session.close();
    let fresh = a.fresh();
    assert_eq!(kind(a.session.create_offer(false, fresh.clone())), ErrorKind::InvalidState);
    assert_eq!(kind(a.session.create_answer(fresh)), ErrorKind::InvalidState);
    assert_eq!(kind(a.session.set_local(SdpType::Offer, "")), ErrorKind::InvalidState);
    assert_eq!(kind(a.session.set_remote(SdpType::Offer, "")), ErrorKind::InvalidState);
    assert_eq!(kind(a.candidate("0", "")), ErrorKind::InvalidState);
    a.session.request_ice_restart();
    assert!(!a.session.negotiation_needed());
    assert!(a.session.local_description().is_some());
}
