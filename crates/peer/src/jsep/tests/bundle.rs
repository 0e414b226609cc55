//! Sections for audio and video in one BUNDLE group with the data section (RFC 9143).

use super::*;
use crate::sdp::tests::samples::*;

/// The sections of a description: kind and port, mid, and whether it is inactive.
fn sections(sdp: &str) -> Vec<(String, String, bool)> {
    let section = |text: &str| {
        let mut line = text.lines();
        let first = line.next().unwrap().split(' ').take(2).collect::<Vec<_>>().join(" ");
        let mid = text.lines().find_map(|line| line.strip_prefix("a=mid:")).unwrap_or("-");
        (first, mid.to_owned(), text.contains("a=inactive"))
    };
    sdp.split("\r\nm=").skip(1).map(section).collect()
}

fn shape(sdp: &str) -> Vec<String> {
    sections(sdp)
        .into_iter()
        .map(|(first, mid, inactive)| format!("{first} {mid}{}", if inactive { " inactive" } else { "" }))
        .collect()
}

fn group(sdp: &str) -> &str {
    sdp.lines().find_map(|line| line.strip_prefix("a=group:BUNDLE ")).unwrap_or("")
}

/// The sections of `CHROME_MEDIA` in another order, or with some left out.
fn offer_of(mids: &[usize]) -> String {
    let parts: Vec<&str> = CHROME_MEDIA.split("m=").collect();
    let group = mids.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    let head = parts[0].replace("0 1 2", &group);
    mids.iter().fold(head, |text, mid| text + "m=" + parts[mid + 1])
}

fn answer_to(offer: &str) -> (Peer, String, Change) {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, offer);
    let (answer, change) = b.set_answer();
    webrtc_sdp::parse_sdp(&answer, false).unwrap_or_else(|e| panic!("{e}\n{answer}"));
    (b, answer, change)
}

#[test]
fn bundled_media_stays_inactive_in_the_group_whatever_the_order() {
    for (order, expected) in [
        (&[0, 1, 2][..], vec!["audio 9 0 inactive", "video 9 1 inactive", "application 9 2"]),
        (&[2, 0, 1], vec!["application 9 2", "audio 9 0 inactive", "video 9 1 inactive"]),
        (&[1, 2, 0], vec!["video 9 1 inactive", "application 9 2", "audio 9 0 inactive"]),
        (&[0, 2], vec!["audio 9 0 inactive", "application 9 2"]),
        (&[2], vec!["application 9 2"]),
    ] {
        let offer = offer_of(order);
        let (_, answer, change) = answer_to(&offer);
        assert_eq!(shape(&answer), expected);
        assert_eq!(group(&answer), group(&offer));
        assert_eq!(change.remote_ice.unwrap().ufrag, "l5AU");
        for section in answer.split("\r\nm=").skip(1) {
            assert!(
                section.contains("a=ice-ufrag:b001\r\n") && section.contains("a=setup:active\r\n"),
                "{section}"
            );
        }
    }
}

#[test]
fn media_outside_of_the_group_is_rejected() {
    for (change, expected) in [
        (("BUNDLE 0 1 2", "BUNDLE 2"), ["audio 0 0 inactive", "video 0 1 inactive", "application 9 2"]),
        (("BUNDLE 0 1 2", "BUNDLE 0 2"), ["audio 9 0 inactive", "video 0 1 inactive", "application 9 2"]),
        (("BUNDLE 0 1 2", "BUNDLE 0 1"), ["audio 0 0 inactive", "video 0 1 inactive", "application 9 2"]),
        (("a=group:BUNDLE 0 1 2\r\n", ""), ["audio 0 0 inactive", "video 0 1 inactive", "application 9 2"]),
        // Withdrawn by the page.
        (("m=video 9", "m=video 0"), ["audio 9 0 inactive", "video 0 1 inactive", "application 9 2"]),
        // Nothing that could be kept: no codec that we could name, no multiplexing.
        (("SAVPF 96 97", "SAVPF 97 98"), ["audio 9 0 inactive", "video 0 1 inactive", "application 9 2"]),
        (("a=rtcp-mux\r\n", ""), ["audio 0 0 inactive", "video 0 1 inactive", "application 9 2"]),
    ] {
        let (_, answer, _) = answer_to(&CHROME_MEDIA.replace(change.0, change.1));
        assert_eq!(shape(&answer), expected, "{change:?}");
        let kept: Vec<_> =
            sections(&answer).into_iter().filter(|(first, ..)| first.ends_with(" 9")).map(|s| s.1).collect();
        let expected = if group(&answer).is_empty() { "" } else { &kept.join(" ") };
        assert_eq!(group(&answer), expected, "{change:?}");
    }
}

#[test]
fn the_transport_is_that_of_the_first_section_that_stays() {
    let separate = CHROME_MEDIA.replacen("a=ice-ufrag:l5AU", "a=ice-ufrag:audi", 1).replacen(
        "a=ice-ufrag:l5AU",
        "a=ice-ufrag:vide",
        1,
    );
    for (offer, ufrag, candidates) in [
        (separate.clone(), "audi", 1),
        (separate.replace("BUNDLE 0 1 2", "BUNDLE 1 0 2"), "vide", 0),
        (separate.replace("BUNDLE 0 1 2", "BUNDLE 2 1 0"), "l5AU", 0),
        (separate.replace("BUNDLE 0 1 2", "BUNDLE 2"), "l5AU", 0),
        (separate.replace("m=audio 9", "m=audio 0"), "vide", 0),
    ] {
        let (mut b, answer, change) = answer_to(&offer);
        assert_eq!(
            (change.remote_ice.unwrap().ufrag.as_str(), change.remote_candidates.len()),
            (ufrag, candidates)
        );
        // Our candidates stand where the peer looks for them.
        let tag = group(&answer).split(' ').next().unwrap().to_owned();
        let line = "candidate:1 1 udp 1 192.0.2.1 1 typ host";
        let place = b.session.add_local_candidate(line, "b001").unwrap();
        assert_eq!(place.mid, tag, "{offer}");
        let sdp = b.session.local_description().unwrap().sdp;
        let section = sdp.split("\r\nm=").nth(usize::from(place.m_line_index) + 1).unwrap();
        assert!(section.contains(line) && section.contains(&format!("a=mid:{tag}\r\n")), "{sdp}");
        assert_eq!(sdp.matches("a=candidate").count(), 1);
        assert_eq!(b.session.transport_mid(), Some(tag.as_str()));
    }
}

#[test]
fn a_camera_that_is_added_and_removed_leaves_the_transport_alone() {
    let (mut b, _, _) = answer_to(&offer_of(&[2]));
    let unchanged = |change: &Change| {
        change.gather.is_none()
            && change.remote_ice.is_none()
            && !change.data_section_removed
            && change.transport.is_some()
    };
    b.remote(SdpType::Offer, &offer_of(&[2, 0]));
    let (answer, change) = b.set_answer();
    assert_eq!(
        (shape(&answer), group(&answer)),
        (vec!["application 9 2".to_owned(), "audio 9 0 inactive".to_owned()], "2 0")
    );
    assert!(unchanged(&change));
    // Our own offer has it as well, and the peer may accept it or not.
    let (offer, change) = b.set_offer();
    assert_eq!(
        (shape(&offer), group(&offer)),
        (vec!["application 9 2".to_owned(), "audio 9 0 inactive".to_owned()], "2 0")
    );
    assert!(change.gather.is_none() && offer.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"), "{offer}");
    let accepted = offer_of(&[2, 0]).replace("actpass", "passive").replace("a=sendrecv", "a=inactive");
    assert!(unchanged(&b.remote(SdpType::Answer, &accepted)));
    assert_eq!(group(&b.offer()), "2 0");
    let refused = accepted.replace("m=audio 9", "m=audio 0").replace("BUNDLE 2 0", "BUNDLE 2");
    b.set_offer();
    assert!(unchanged(&b.remote(SdpType::Answer, &refused)));
    let offer = b.offer();
    assert_eq!(
        (shape(&offer), group(&offer)),
        (vec!["application 9 2".to_owned(), "audio 0 0 inactive".to_owned()], "2")
    );
    // Offered again, and withdrawn by the peer.
    b.remote(SdpType::Offer, &offer_of(&[2, 0]));
    assert!(unchanged(&b.set_answer().1));
    b.remote(
        SdpType::Offer,
        &offer_of(&[2, 0]).replace("m=audio 9", "m=audio 0").replace("BUNDLE 2 0", "BUNDLE 2"),
    );
    let (answer, change) = b.set_answer();
    assert_eq!(shape(&answer)[1], "audio 0 0 inactive");
    assert!(unchanged(&change));
}

#[test]
fn an_ice_restart_goes_through_the_section_that_carries_the_transport() {
    let (mut b, _, _) = answer_to(CHROME_MEDIA);
    let restart =
        CHROME_MEDIA.replace("l5AU", "m6BV").replace("ntEKPuV4mE6yv6PxSaEXBXq4", "otEKPuV4mE6yv6PxSaEXBXq4");
    b.remote(SdpType::Offer, &restart);
    let (answer, change) = b.set_answer();
    assert!(change.remote_ice_restarted && change.gather.is_some());
    assert_eq!(change.remote_ice.unwrap().ufrag, "m6BV");
    assert_eq!(answer.matches("a=ice-ufrag:b002").count(), 3);
    // Ours, too.
    let offer = b.restart_offer();
    assert_eq!((group(&offer), offer.matches("a=setup:actpass").count()), ("0 1 2", 3));
    assert_eq!(offer.matches("a=ice-ufrag:b003").count(), 3);
}

#[test]
fn media_goes_when_the_data_section_does() {
    let (mut b, _, _) = answer_to(CHROME_MEDIA);
    b.remote(SdpType::Offer, &CHROME_MEDIA.replace("m=application 9", "m=application 0"));
    let (answer, change) = b.set_answer();
    assert!(change.data_section_removed);
    assert_eq!(shape(&answer), ["audio 0 0 inactive", "video 0 1 inactive", "application 0 2"]);
    assert_eq!(group(&answer), "");
    let offer = b.offer();
    assert!(offer.contains("m=audio 0 ") && !offer.contains("BUNDLE"), "{offer}");
}

#[test]
fn an_answer_that_keeps_other_media_than_the_offer_has_is_refused() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, CHROME_MEDIA);
    let answer = b.answer();
    for other in [
        CHROME_MEDIA.replace("BUNDLE 0 1 2", "BUNDLE 0 2"),
        CHROME_MEDIA.replace("m=video 9", "m=video 0"),
        CHROME_MEDIA.replace("opus/48000/2", "PCMU/8000"),
        CHROME_MEDIA.replace("SAVPF 111 63", "SAVPF 9 63"),
    ] {
        b.remote(SdpType::Offer, &other);
        assert_eq!(
            kind(b.session.set_local(SdpType::Answer, &answer)),
            ErrorKind::InvalidModification,
            "{other}"
        );
    }
}
