//! addIceCandidate, and our own candidates in our descriptions.

use super::*;
use crate::sdp::tests::samples::*;

const HOST: &str = "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host";
const OTHER: &str = "candidate:2 1 udp 2113929470 203.0.113.101 10101 typ host";

fn init(candidate: &str, mid: Option<&str>, index: Option<u16>, ufrag: Option<&str>) -> CandidateInit {
    CandidateInit {
        candidate: candidate.to_owned(),
        sdp_mid: mid.map(str::to_owned),
        sdp_m_line_index: index,
        username_fragment: ufrag.map(str::to_owned),
    }
}

/// One that has an offer with audio (mid `0`), video (`1`) and data (`2`), all with the username fragment `l5AU`.
fn with_offer() -> Peer {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, CHROME_MEDIA);
    b
}

fn remote_sections(peer: &Peer) -> Vec<String> {
    let sdp = peer.session.remote_description().unwrap().sdp;
    sdp.split("\r\nm=").skip(1).map(str::to_owned).collect()
}

#[test]
fn arguments_are_checked_in_the_order_of_the_specification() {
    let mut b = Peer::new('b');
    assert_eq!(kind(b.session.add_remote_candidate(&init(HOST, None, None, None))), ErrorKind::Type);
    assert_eq!(
        kind(b.session.add_remote_candidate(&init(HOST, Some("0"), None, None))),
        ErrorKind::InvalidState
    );
    assert_eq!(kind(b.session.add_remote_candidate(&CandidateInit::default())), ErrorKind::InvalidState);

    let mut b = with_offer();
    for (candidate, error) in [
        (init("(Invalid)", None, None, None), ErrorKind::Type),
        (init(HOST, Some("invalid"), Some(0), None), ErrorKind::Operation),
        (init(HOST, None, Some(3), None), ErrorKind::Operation),
        (init(HOST, Some("0"), None, Some("invalid")), ErrorKind::Operation),
        (init("", None, None, Some("invalid")), ErrorKind::Operation),
        (init("(Invalid) candidate \r\n string", Some("0"), None, None), ErrorKind::Operation),
        (
            init("candidate:1 1 udp 1 192.0.2.1 1 typ host\r\na=x", Some("2"), None, None),
            ErrorKind::Operation,
        ),
    ] {
        assert_eq!(kind(b.session.add_remote_candidate(&candidate)), error, "{candidate:?}");
    }
    assert_eq!(b.session.remote_description().unwrap().sdp, CHROME_MEDIA, "nothing of it was added");
    for good in [
        init(HOST, Some("2"), Some(77), Some("l5AU")),
        init(HOST, None, Some(2), None),
        init(&format!("a={OTHER}"), Some("2"), None, None),
    ] {
        b.session.add_remote_candidate(&good).unwrap();
    }
    let sections = remote_sections(&b);
    assert_eq!(sections[2].matches(HOST).count(), 1, "twice the same candidate is one");
    assert!(sections[2].ends_with(&format!("a={HOST}\r\na={OTHER}\r\n")));
    assert!(!sections[0].contains(HOST) && !sections[1].contains(HOST));
}

#[test]
fn the_end_of_candidates_goes_to_one_section_or_to_all() {
    let mut b = with_offer();
    b.session.add_remote_candidate(&init("", Some("0"), None, Some("l5AU"))).unwrap();
    let ended =
        |b: &Peer| remote_sections(b).iter().map(|s| s.contains("a=end-of-candidates")).collect::<Vec<_>>();
    assert_eq!(ended(&b), [true, false, false]);
    b.session.add_remote_candidate(&CandidateInit::default()).unwrap();
    assert_eq!(ended(&b), [true, true, true]);
    assert!(b.set_answer().1.remote_end_of_candidates);
    // In `stable`, sections that we have rejected included.
    let mut b = with_offer();
    b.set_answer();
    assert_eq!(
        b.session.add_remote_candidate(&CandidateInit::default()),
        Ok(RemoteCandidate::EndOfCandidates)
    );
    assert_eq!(ended(&b), [true, true, true]);
    assert!(matches!(
        b.session.add_remote_candidate(&CandidateInit::default()),
        Ok(RemoteCandidate::Ignored(_))
    ));
}

#[test]
fn candidates_for_a_pending_offer_are_kept_for_its_answer() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, SAFARI);
    assert_eq!(b.candidate("0", HOST), Ok(RemoteCandidate::Kept));
    let (_, change) = b.set_answer();
    assert_eq!(change.remote_candidates.len(), 1);
    let Ok(RemoteCandidate::Add(candidate)) = b.candidate("0", OTHER) else { panic!("not added") };
    assert_eq!(candidate.to_string(), OTHER);
    assert!(matches!(b.candidate("0", OTHER), Ok(RemoteCandidate::Ignored(_))), "given once");
    assert!(matches!(b.candidate("0", &OTHER.replace(" 1 udp", " 2 udp")), Ok(RemoteCandidate::Ignored(_))));
}

#[test]
fn a_candidate_finds_its_generation() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, SAFARI);
    b.set_answer();
    let restart = SAFARI.replace("p9iM", "q9iM").replace("TzB8pX2", "UzB8pX2");
    b.remote(SdpType::Offer, &restart);
    // The old generation still runs.
    let old = b.session.add_remote_candidate(&init(HOST, Some("0"), None, Some("p9iM")));
    assert!(matches!(old, Ok(RemoteCandidate::Add(_))));
    assert!(b.session.current_remote_description().unwrap().sdp.contains(HOST));
    assert!(!b.session.pending_remote_description().unwrap().sdp.contains(HOST));
    // Without a word it is the newest one, which waits; the candidate may say it itself.
    assert_eq!(b.candidate("0", OTHER), Ok(RemoteCandidate::Kept));
    let says_so = format!("{} ufrag p9iM", OTHER.replace("10101", "10102"));
    assert!(matches!(b.candidate("0", &says_so), Ok(RemoteCandidate::Add(_))));
    assert!(matches!(b.candidate("0", &says_so.replace("p9iM", "gone")), Ok(RemoteCandidate::Ignored(_))));
    let (_, change) = b.set_answer();
    assert!(change.remote_ice_restarted);
    assert_eq!(change.remote_candidates.iter().map(ToString::to_string).collect::<Vec<_>>(), [OTHER]);
    // A new round in which the peer restarts, withdrawn: nothing has changed for the transport.
    b.remote(SdpType::Offer, SAFARI);
    b.session.set_remote(SdpType::Rollback, "").unwrap();
    assert!(matches!(b.candidate("0", HOST), Ok(RemoteCandidate::Add(_))));
}

#[test]
fn candidates_of_a_bundled_section_serve_the_data_section() {
    let mut b = with_offer();
    b.set_answer();
    assert!(matches!(b.candidate("0", HOST), Ok(RemoteCandidate::Add(_))), "same group, same credentials");
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, &CHROME_MEDIA.replace("a=group:BUNDLE 0 1 2\r\n", ""));
    let (_, change) = b.set_answer();
    assert_eq!(change.remote_candidates, []);
    assert!(matches!(b.candidate("0", HOST), Ok(RemoteCandidate::Ignored(_))));
    assert!(remote_sections(&b)[0].contains(HOST), "it belongs to the description all the same");
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, MAX_BUNDLE);
    b.set_answer();
    let from_tag = b.session.add_remote_candidate(&init(OTHER, Some("a"), None, Some("ETEn")));
    assert!(matches!(from_tag, Ok(RemoteCandidate::Add(_))));
    let from_data =
        b.session.add_remote_candidate(&init(&OTHER.replace(":2", ":3"), Some("d"), None, Some("ETEn")));
    assert!(matches!(from_data, Ok(RemoteCandidate::Add(_))));
}

#[test]
fn a_candidate_with_empty_strings_for_what_is_unknown_goes_by_its_index() {
    for (mid, index, ufrag) in [
        (Some(""), Some(2), None),
        (Some(""), Some(2), Some("")),
        (Some("2"), Some(2), Some("")),
        (None, Some(2), Some("")),
        (Some(""), Some(2), Some("l5AU")),
    ] {
        let mut b = with_offer();
        b.set_answer();
        let added = b.session.add_remote_candidate(&init(HOST, mid, index, ufrag));
        assert!(matches!(added, Ok(RemoteCandidate::Add(_))), "{mid:?} {index:?} {ufrag:?}: {added:?}");
        assert!(remote_sections(&b)[2].contains(HOST));
        let ended = b.session.add_remote_candidate(&init("", mid, index, ufrag));
        assert_eq!(ended, Ok(RemoteCandidate::EndOfCandidates), "{mid:?} {index:?} {ufrag:?}");
    }
    let mut b = with_offer();
    for wrong in [
        init(HOST, Some(""), None, None),
        init("", Some(""), None, None),
        init(HOST, Some(""), Some(3), None),
        init(HOST, Some(""), Some(2), Some("gone")),
    ] {
        assert_eq!(kind(b.session.add_remote_candidate(&wrong)), ErrorKind::Operation, "{wrong:?}");
    }
}

#[test]
fn a_candidate_that_is_merely_of_no_use_is_no_error() {
    let mut b = with_offer();
    b.set_answer();
    for useless in [
        "candidate:1 1 ssltcp 1 192.0.2.1 443 typ host",
        "candidate:1 1 sctp 1 192.0.2.1 1 typ host",
        "candidate:1 0 udp 1 192.0.2.1 1 typ host",
        "candidate:1 2 udp 1 192.0.2.1 1 typ host",
        "candidate:1 257 udp 1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 1 192.0.002.001 1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
        "candidate:1 1 udp 1 host$name 1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 1 typ other",
    ] {
        let result = b.candidate("2", useless);
        assert!(matches!(result, Ok(RemoteCandidate::Ignored(_))), "{useless}: {result:?}");
    }
    for used in [
        "candidate: 1 udp 1 192.0.2.1 1 typ host",
        "candidate:123456789012345678901234567890123 1 udp 1 192.0.2.2 1 typ host",
        "candidate:a-b 1 udp 1 192.0.2.3 1 typ host",
        "candidate:1 1 udp 1 [2001:db8::1] 1 typ host",
        "candidate:1 1 udp 1 2001:db8::2%eth0 1 typ host",
        "candidate:01 001 udp 0001 192.0.2.4 00001 typ host",
        "candidate:1 1 udp 1 192.0.2.5 1 typ srflx raddr ? rport 99999 generation x network-cost",
    ] {
        let result = b.candidate("2", used);
        assert!(matches!(result, Ok(RemoteCandidate::Add(_))), "{used}: {result:?}");
    }
}

#[test]
fn candidates_for_media_go_to_their_sections_by_mid_index_and_username_fragment() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, MEDIA);
    for (place, ok) in [
        (init(HOST, Some("v1"), Some(0), Some("ETEn")), false),
        (init("", None, None, Some("gone")), false),
        (init(HOST, Some("a1"), Some(2), Some("ETEn")), true),
        (init(OTHER, None, Some(1), Some("BGKk")), true),
        (init("", None, Some(1), Some("BGKk")), true),
    ] {
        let result = b.session.add_remote_candidate(&place);
        assert_eq!(result.is_ok(), ok, "{place:?}: {result:?}");
    }
    let sdp = b.session.remote_description().unwrap().sdp;
    let (audio, video) = sdp.split_once("m=video").unwrap();
    assert!(audio.ends_with(&format!("a=rtcp-mux\na={HOST}\n")), "with the line endings of the text");
    assert!(video.ends_with(&format!("a=setup:actpass\na={OTHER}\na=end-of-candidates\n")));
    b.set_answer();
    assert!(matches!(
        b.session.add_remote_candidate(&init("", None, None, Some("ETEn"))),
        Ok(RemoteCandidate::Ignored(_))
    ));
    assert_eq!(b.session.remote_description().unwrap().sdp.matches("a=end-of-candidates").count(), 2);
}

#[test]
fn the_number_of_remote_candidates_is_bounded() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, SAFARI);
    for port in 1..=1_000 {
        b.candidate("0", &format!("candidate:1 1 udp 1 192.0.2.1 {port} typ host")).unwrap();
    }
    assert_eq!(kind(b.candidate("0", HOST)), ErrorKind::Operation);
}

#[test]
fn our_candidates_appear_in_our_descriptions_with_the_best_default() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    let (offer, _) = a.set_offer();
    let description = |a: &Peer| a.session.local_description().unwrap().sdp;
    assert_eq!(description(&a), offer);
    assert_eq!(a.session.add_local_candidate(HOST, "gone"), None);
    let place = CandidatePlace { mid: "0".to_owned(), m_line_index: 0 };
    for (line, default) in [
        (
            "candidate:1 1 udp 2113929471 fe-dc.local 10100 typ host",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0",
        ),
        (
            "candidate:1 1 udp 2113929471 2001:db8::1 10100 typ host",
            "m=application 10100 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP6 2001:db8::1",
        ),
        (
            "candidate:1 1 udp 2113929471 192.0.2.1 10101 typ host",
            "m=application 10101 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 192.0.2.1",
        ),
        (
            "candidate:1 1 udp 1677729535 203.0.113.1 10102 typ srflx raddr 0.0.0.0 rport 0",
            "m=application 10102 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 203.0.113.1",
        ),
        ("candidate:1 1 tcp 1677729535 203.0.113.2 9 typ host tcptype active", "m=application 10102 "),
        ("candidate:1 1 udp 1 203.0.113.3 10103 typ relay raddr 0.0.0.0 rport 0", "m=application 10103 "),
    ] {
        assert_eq!(a.session.add_local_candidate(line, "a001"), Some(place.clone()));
        let sdp = description(&a);
        assert!(sdp.contains(default) && sdp.contains(&format!("a={line}\r\n")), "{sdp}");
    }
    assert_eq!(a.session.end_of_local_candidates("a001"), Some(place));
    assert!(description(&a).ends_with("a=end-of-candidates\r\n"));
    // A peer that does not trickle gets them all at once, and a later offer has them too.
    let offer = description(&a);
    let (_, at_b) = finish(&mut a, &mut b, &offer);
    assert_eq!((at_b.remote_candidates.len(), at_b.remote_end_of_candidates), (6, true));
    assert!(a.offer().contains("a=end-of-candidates"));
    assert!(!a.restart_offer().contains("candidate"));
}

#[test]
fn candidates_that_arrive_between_creating_and_setting_an_offer_do_not_spoil_it() {
    let (mut a, mut b) = (Peer::with_channel('a'), Peer::new('b'));
    negotiate(&mut a, &mut b);
    let offer = a.offer();
    a.session.add_local_candidate(HOST, "a001");
    a.session.set_local(SdpType::Offer, &offer).unwrap();
    assert!(a.session.local_description().unwrap().sdp.contains(HOST));
}
