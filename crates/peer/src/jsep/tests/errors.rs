//! Calls in the wrong state, changed texts, and invalid descriptions.

use super::*;
use crate::sdp::tests::samples::*;

#[test]
fn each_state_allows_its_kinds_only() {
    use SdpType::{Answer, Offer, Pranswer, Rollback};
    // (state, allowed locally, allowed remotely)
    type Row = (&'static str, fn() -> Peer, &'static [SdpType], &'static [SdpType]);
    fn offered() -> Peer {
        let mut a = Peer::with_channel('a');
        a.set_offer();
        a
    }
    fn with_remote() -> Peer {
        let mut b = Peer::new('b');
        b.remote(Offer, SAFARI);
        b
    }
    let table: [Row; 5] = [
        ("stable", || Peer::with_channel('a'), &[Offer], &[Offer]),
        ("have-local-offer", offered, &[Offer, Rollback], &[Offer, Pranswer, Answer]),
        ("have-remote-offer", with_remote, &[Pranswer, Answer], &[Offer, Rollback]),
        (
            "have-local-pranswer",
            || {
                let mut b = with_remote();
                let answer = b.answer();
                b.session.set_local(Pranswer, &answer).unwrap();
                b
            },
            &[Pranswer, Answer],
            &[],
        ),
        (
            "have-remote-pranswer",
            || {
                let mut a = offered();
                a.remote(Pranswer, &SAFARI.replace("actpass", "active"));
                a
            },
            &[],
            &[Pranswer, Answer],
        ),
    ];
    for (state, peer, local, remote) in table {
        assert_eq!(peer().state(), state);
        for kind in [Offer, Pranswer, Answer, Rollback] {
            let wrong =
                |result: Result<Change, Error>| result.is_err_and(|e| e.kind == ErrorKind::InvalidState);
            assert_eq!(
                wrong(peer().session.set_local(kind, "x")),
                !local.contains(&kind),
                "{state}: local {kind:?}"
            );
            assert_eq!(
                wrong(peer().session.set_remote(kind, "x")),
                !remote.contains(&kind),
                "{state}: remote {kind:?}"
            );
        }
        let may_offer = matches!(state, "stable" | "have-local-offer");
        let may_answer = matches!(state, "have-remote-offer" | "have-local-pranswer");
        let mut peer = peer();
        let fresh = peer.fresh();
        assert_eq!(peer.session.create_offer(false, fresh.clone()).is_ok(), may_offer, "{state}");
        assert_eq!(peer.session.create_answer(fresh).is_ok(), may_answer, "{state}");
        assert_eq!(peer.session.implicit_kind(), if may_answer { Answer } else { Offer });
    }
}

#[test]
fn a_changed_description_is_refused() {
    let mut a = Peer::with_channel('a');
    assert_eq!(kind(a.session.set_local(SdpType::Offer, "")), ErrorKind::InvalidModification);
    let offer = a.offer();
    for changed in [
        format!("{offer}a=munging-is-not-good\r\n"),
        offer.replace("a=ice-ufrag:a001", "a=ice-ufrag:mine"),
        offer.replace("actpass", "active"),
        offer.replace("262144", "1"),
        "rubbish".to_owned(),
    ] {
        assert_eq!(kind(a.session.set_local(SdpType::Offer, &changed)), ErrorKind::InvalidModification);
    }
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, &offer);
    let answer = b.answer();
    for changed in [format!("{answer}a=munging-is-not-good\r\n"), offer] {
        assert_eq!(kind(b.session.set_local(SdpType::Answer, &changed)), ErrorKind::InvalidModification);
    }
    b.session.set_local(SdpType::Answer, &answer).unwrap();
}

#[test]
fn changes_that_mean_nothing_to_the_negotiation_are_let_pass() {
    for change in [
        |sdp: String| sdp.replace("\r\n", "\n"),
        |sdp: String| sdp.trim_end().to_owned(),
        |sdp: String| sdp + "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=end-of-candidates\r\n",
        // What simple-peer does with `trickle: false`.
        |sdp: String| sdp.replace("a=ice-options:trickle\r\n", ""),
        |sdp: String| sdp.replace("s=-\r\n", "s=a name\r\ni=of a session\r\n"),
        |sdp: String| sdp.replace("a=setup:actpass\r\n", "") + "a=setup:actpass\r\n",
        // What is done to raise the bandwidth of media.
        |sdp: String| sdp + "b=AS:1638400\r\n",
    ] {
        let mut a = Peer::with_channel('a');
        let offer = change(a.offer());
        a.session.set_local(SdpType::Offer, &offer).unwrap();
        let set = a.session.local_description().unwrap().sdp;
        assert_eq!(set.contains("trickle"), offer.contains("trickle"), "the wish not to trickle is granted");
        assert!(!set.contains("192.0.2.1"), "our candidates are ours");
    }
}

#[test]
fn an_empty_text_stands_for_the_last_created_one_while_it_fits() {
    let mut a = Peer::new('a');
    let empty = a.offer();
    let fresh = a.fresh();
    a.session.ensure_created(SdpType::Offer, fresh).unwrap();
    a.session.set_local(SdpType::Offer, "").unwrap();
    assert_eq!(a.session.local_description().unwrap().sdp, empty);
    a.session.add_data_channel();
    let fresh = a.fresh();
    a.session.ensure_created(SdpType::Offer, fresh).unwrap();
    a.session.set_local(SdpType::Offer, "").unwrap();
    assert!(a.session.local_description().unwrap().sdp.contains("m=application"));

    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, SAFARI);
    let answer = b.answer();
    let fresh = b.fresh();
    b.session.ensure_created(SdpType::Answer, fresh).unwrap();
    b.session.set_local(SdpType::Answer, "").unwrap();
    assert_eq!(b.session.local_description().unwrap().sdp, answer);
    let fresh = b.fresh();
    assert_eq!(kind(b.session.ensure_created(SdpType::Answer, fresh)), ErrorKind::InvalidState);
}

#[test]
fn a_created_restart_offer_is_the_one_that_an_empty_text_sets() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    let offer = a.restart_offer();
    let fresh = a.fresh();
    a.session.ensure_created(SdpType::Offer, fresh).unwrap();
    a.session.set_local(SdpType::Offer, "").unwrap();
    assert_eq!(a.session.local_description().unwrap().sdp, offer);
}

#[test]
fn created_descriptions_outlive_rollbacks_but_no_completed_round() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    // An offer that was created before an offer of the peer came and went.
    let offer = a.offer();
    a.remote(SdpType::Offer, SAFARI);
    a.answer();
    a.session.set_remote(SdpType::Rollback, "!<Invalid SDP Content>;").unwrap();
    a.session.set_local(SdpType::Offer, &offer).unwrap();
    // An answer that was created before its offer went and came back.
    b.remote(SdpType::Offer, &offer);
    let answer = b.answer();
    b.session.set_remote(SdpType::Rollback, "").unwrap();
    b.offer();
    b.remote(SdpType::Offer, &offer);
    b.session.set_local(SdpType::Answer, &answer).unwrap();
    a.remote(SdpType::Answer, &answer);
    assert_eq!(kind(a.session.set_local(SdpType::Offer, &offer)), ErrorKind::InvalidModification);
}

#[test]
fn an_answer_for_another_offer_is_refused() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, SAFARI);
    let answer = b.answer();
    for other in [CHROME_MEDIA, NODE_DATACHANNEL, &SAFARI.replace("actpass", "active")] {
        b.remote(SdpType::Offer, other);
        assert_eq!(kind(b.session.set_local(SdpType::Answer, &answer)), ErrorKind::InvalidModification);
    }
}

#[test]
fn invalid_content_is_refused_with_its_line() {
    let without =
        |prefix: &str| SAFARI.lines().filter(|line| !line.starts_with(prefix)).collect::<Vec<_>>().join("\n");
    for (offer, kind, line) in [
        (without("a=ice-ufrag"), ErrorKind::InvalidAccess, Some(8)),
        (without("a=ice-pwd"), ErrorKind::InvalidAccess, Some(8)),
        (without("a=fingerprint"), ErrorKind::InvalidAccess, Some(8)),
        (SAFARI.replace("p9iM", "p9$M"), ErrorKind::InvalidAccess, Some(11)),
        (SAFARI.replace("p9iM", "p9i"), ErrorKind::InvalidAccess, Some(11)),
        (SAFARI.replace("TzB8pX2", "X"), ErrorKind::InvalidAccess, Some(12)),
        (SAFARI.replace("p9iM", &"p".repeat(257)), ErrorKind::InvalidAccess, Some(11)),
        (SAFARI.replace("actpass", "holdconn"), ErrorKind::InvalidAccess, Some(15)),
        (SAFARI.replace("actpass", "whatever"), ErrorKind::Syntax, Some(15)),
        (SAFARI.replace("6B:8B", "6B"), ErrorKind::Syntax, Some(14)),
        (SAFARI.replace("sctp-port:5000", "sctp-port:0"), ErrorKind::InvalidAccess, Some(17)),
        (SAFARI.replace("sctp-port:5000", "sctp-port:65536"), ErrorKind::Syntax, Some(17)),
        (SAFARI.replace("size:262144", "size:-1"), ErrorKind::Syntax, Some(18)),
        (MEDIA.replacen("a=rtcp-mux\n", "", 1), ErrorKind::InvalidAccess, Some(9)),
        (CHROME_MEDIA.replace("a=mid:1", "a=mid:0"), ErrorKind::InvalidAccess, Some(26)),
    ] {
        let error = Peer::new('b').remote_error(SdpType::Offer, &offer);
        assert_eq!((error.kind, error.sdp_line), (kind, line), "{error}\n{offer}");
    }
    let huge = SAFARI.replace("size:262144", "size:99999999999999999999");
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, &huge);
    assert_eq!(b.set_answer().1.transport.unwrap().data.unwrap().remote_max_message_size, u64::MAX);
}

#[test]
fn who_offers_without_a_role_in_the_handshake_gets_one_and_who_answers_has_to_say_it() {
    let without =
        |sdp: &str| sdp.lines().filter(|line| !line.starts_with("a=setup")).collect::<Vec<_>>().join("\r\n");
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, &without(SAFARI));
    assert!(b.set_answer().0.contains("a=setup:active"));
    let (mut a, mut b) = (Peer::new('a'), Peer::new('b'));
    a.session.add_data_channel();
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let error = a.remote_error(SdpType::Answer, &without(&b.set_answer().0));
    assert_eq!(error.kind, ErrorKind::InvalidAccess, "{error}");
}

#[test]
fn user_names_with_the_characters_that_browsers_take_are_taken() {
    for name in ["a=b_c-d#", "====", "x_-y", "+/+/"] {
        let data = SAFARI.replace("p9iM", name);
        let rejected = CHROME_MEDIA.replace("BUNDLE 0 1 2", "BUNDLE 2").replacen("l5AU", name, 1);
        let bundled = CHROME_MEDIA.replace("l5AU", name);
        for (offer, expected) in [(&data, name), (&rejected, "l5AU"), (&bundled, name)] {
            let mut b = Peer::new('b');
            b.remote(SdpType::Offer, offer);
            assert_eq!(b.set_answer().1.remote_ice.unwrap().ufrag, expected);
        }
    }
    for name in ["with.dots", "a:bcd", "a bcd", "äbcd", "a$bc"] {
        Peer::new('b').remote_error(SdpType::Offer, &SAFARI.replace("p9iM", name));
    }
}

#[test]
fn flaws_in_sections_that_we_reject_do_not_matter() {
    let flawed = CHROME_MEDIA
        .replacen("a=setup:actpass\r\n", "", 1)
        .replacen("a=rtcp-mux\r\n", "", 2)
        .replacen("a=fingerprint:sha-256 19", "a=fingerprint:sha-256 1", 1)
        .replacen("a=candidate:1 1 udp", "a=candidate:x", 1);
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, &flawed);
    assert!(b.set_answer().1.transport.is_some());
}

#[test]
fn an_answer_has_to_fit_our_offer() {
    let answer = SAFARI.replace("actpass", "active");
    let mut a = Peer::with_channel('a');
    a.set_offer();
    for bad in [
        SAFARI.to_owned(),
        answer.replace("mid:0", "mid:1"),
        answer.replace("m=application 9 UDP/DTLS/SCTP", "m=audio 9 UDP/TLS/RTP/SAVPF"),
        format!("{answer}m=audio 0 RTP/AVP 0\r\n"),
        answer.split("m=").next().unwrap().to_owned(),
    ] {
        assert_eq!(a.remote_error(SdpType::Answer, &bad).kind, ErrorKind::InvalidAccess, "{bad}");
    }
    a.remote(SdpType::Answer, &answer);
    // Later offers keep the sections.
    for bad in [
        SAFARI.split("m=").next().unwrap().to_owned(),
        SAFARI.replace("mid:0", "mid:1"),
        SAFARI.replace(
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtcp-mux",
        ),
    ] {
        assert_eq!(a.remote_error(SdpType::Offer, &bad).kind, ErrorKind::InvalidAccess, "{bad}");
    }
}
