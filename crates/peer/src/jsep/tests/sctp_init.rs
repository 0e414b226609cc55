//! SCTP's INIT in the descriptions: who puts it there, and when it is believed.

use super::*;

fn line(sdp: &str) -> Option<&str> {
    sdp.lines().find(|line| line.starts_with("a=sctp-init:"))
}

fn without(sdp: &str) -> String {
    let lines = sdp.lines().filter(|line| !line.starts_with("a=sctp-init:"));
    lines.map(|line| format!("{line}\r\n")).collect()
}

fn with_line(sdp: &str, value: &str) -> String {
    format!("{}a=sctp-init:{value}\r\n", without(sdp))
}

/// Switched off.
fn plain(name: char) -> Peer {
    let mut peer = Peer::with_channel(name);
    peer.session.set_sctp_init(None);
    peer
}

fn agreed(change: &Change) -> Option<InitChunk> {
    change.transport.as_ref().and_then(|transport| transport.data.as_ref()?.remote_sctp_init)
}

#[test]
fn two_that_know_it_have_each_others() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (at_a, at_b) = negotiate(&mut a, &mut b);
    assert_eq!((agreed(&at_a), agreed(&at_b)), (Some(init('b')), Some(init('a'))));
}

#[test]
fn one_that_has_it_switched_off_neither_writes_nor_takes_it() {
    let (mut a, mut b) = (plain('a'), Peer::new('b'));
    let (at_a, at_b) = negotiate(&mut a, &mut b);
    assert_eq!((agreed(&at_a), agreed(&at_b)), (None, None));
    for peer in [&a, &b] {
        assert_eq!(line(&peer.session.local_description().unwrap().sdp), None);
    }
    let (mut a, mut b) = (Peer::with_channel('a'), plain('b'));
    let (at_a, at_b) = negotiate(&mut a, &mut b);
    assert_eq!((agreed(&at_a), agreed(&at_b)), (None, None));
    assert_eq!(line(&b.session.local_description().unwrap().sdp), None, "an answer echoes nothing");
}

#[test]
fn one_that_comes_back_to_its_sender_is_not_believed() {
    let (mut a, mut b) = (Peer::with_channel('a'), plain('b'));
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let (answer, _) = b.set_answer();
    let echo = format!("{answer}{}\r\n", line(&offer).unwrap());
    assert_eq!(agreed(&a.remote(SdpType::Answer, &echo)), None);
    // And the other way round: an offer with the INIT of its receiver.
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    let ours = b.session.config.sctp_init.unwrap();
    let echo = with_line(&offer, &STANDARD.encode(ours.to_bytes()));
    b.remote(SdpType::Offer, &echo);
    let (answer, at_b) = b.set_answer();
    assert_eq!((line(&answer), agreed(&at_b)), (None, None));
}

#[test]
fn what_makes_no_sense_counts_as_absent() {
    for value in ["", "!", "AQAAHols", "AgAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA", &"A".repeat(4000)] {
        let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
        let (offer, _) = a.set_offer();
        b.remote(SdpType::Offer, &with_line(&offer, value));
        let (answer, at_b) = b.set_answer();
        assert_eq!((line(&answer), agreed(&at_b)), (None, None), "{value:?}");
        assert_eq!(agreed(&a.remote(SdpType::Answer, &with_line(&answer, value))), None, "{value:?}");
    }
}

#[test]
fn an_answer_does_not_bring_what_was_not_offered() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &without(&offer));
    let (answer, at_b) = b.set_answer();
    assert_eq!((line(&answer), agreed(&at_b)), (None, None));
    assert_eq!(agreed(&a.remote(SdpType::Answer, &answer)), None);
}

#[test]
fn later_rounds_say_the_same_by_whomever_they_are() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    let first = a.session.local_description().unwrap().sdp;
    let (at_b, at_a) = negotiate(&mut b, &mut a);
    assert_eq!((agreed(&at_a), agreed(&at_b)), (Some(init('b')), Some(init('a'))));
    assert_eq!(line(&a.session.local_description().unwrap().sdp), line(&first));
    let restart = a.restart_offer();
    assert_eq!(line(&restart), line(&first), "an ICE restart keeps the association");
}

#[test]
fn a_handshake_that_was_agreed_stays_agreed() {
    let (mut a, mut b) = (Peer::with_channel('a'), plain('b'));
    negotiate(&mut a, &mut b);
    // As if the peer had learnt it in the meantime: the association is there.
    b.session.set_sctp_init(Some(init('b')));
    assert_eq!(line(&a.offer()), None);
    let (mut a, mut b) = (plain('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    a.session.set_sctp_init(Some(init('a')));
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &with_line(&offer, &STANDARD.encode(init('a').to_bytes())));
    assert_eq!(line(&b.answer()), None);
}

#[test]
fn a_withdrawn_offer_keeps_its_init_for_the_next() {
    let mut a = Peer::with_channel('a');
    let (offer, _) = a.set_offer();
    a.session.set_local(SdpType::Rollback, "").unwrap();
    let (again, _) = a.set_offer();
    assert!(line(&offer).is_some());
    assert_eq!(line(&again), line(&offer));
}

#[test]
fn a_provisional_answer_brings_it_as_well() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let sdp = b.answer();
    let at_b = b.session.set_local(SdpType::Pranswer, &sdp).unwrap();
    let at_a = a.remote(SdpType::Pranswer, &sdp);
    assert_eq!((agreed(&at_a), agreed(&at_b)), (Some(init('b')), Some(init('a'))));
    let (answer, at_b) = b.set_answer();
    assert_eq!(
        (agreed(&a.remote(SdpType::Answer, &answer)), agreed(&at_b)),
        (Some(init('b')), Some(init('a')))
    );
}

#[test]
fn an_answer_made_for_an_offer_with_it_does_not_fit_one_without() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let answer = b.answer();
    b.remote(SdpType::Offer, &without(&offer));
    let error = b.session.set_local(SdpType::Answer, &answer).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidModification);
}

#[test]
fn the_old_form_of_the_section_has_none() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    let old = offer
        .replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000")
        .replace("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 1024");
    b.remote(SdpType::Offer, &old);
    let (answer, at_b) = b.set_answer();
    assert_eq!((line(&answer), agreed(&at_b)), (None, None));
}
