//! Offers and answers of other stacks.

use super::*;
use crate::sdp::tests::samples::*;

/// What the transport has to know after we have answered an offer.
struct Expected {
    ufrag: &'static str,
    hash: &'static str,
    fingerprints: usize,
    sctp_port: u16,
    max_message_size: u64,
    candidates: usize,
    ended: bool,
    trickle: bool,
    role: DtlsRole,
    controlling: bool,
    answer_has: &'static [&'static str],
}

const USUAL: Expected = Expected {
    ufrag: "",
    hash: "sha-256",
    fingerprints: 1,
    sctp_port: 5000,
    max_message_size: 262_144,
    candidates: 0,
    ended: false,
    trickle: true,
    role: DtlsRole::Client,
    controlling: false,
    answer_has: &[
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        "a=mid:0\r\n",
        "a=group:BUNDLE 0\r\n",
        "a=setup:active\r\n",
    ],
};

#[test]
fn offers_of_all_known_stacks_are_answered() {
    let table: [(&str, &str, Expected); 11] = [
        ("Chrome", CHROME, Expected { ufrag: "EsAw", candidates: 2, ..USUAL }),
        (
            "Chrome with media",
            CHROME_MEDIA,
            Expected {
                ufrag: "l5AU",
                candidates: 1,
                answer_has: &[
                    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n",
                    "a=inactive\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n",
                    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n",
                    "m=application 9 ",
                    "a=group:BUNDLE 0 1 2\r\n",
                ],
                ..USUAL
            },
        ),
        (
            "max-bundle",
            MAX_BUNDLE,
            Expected {
                ufrag: "ETEn",
                max_message_size: 65_536,
                candidates: 1,
                ended: true,
                answer_has: &["m=audio 9 ", "m=application 9 ", "a=group:BUNDLE a d\r\n"],
                ..USUAL
            },
        ),
        (
            "Firefox",
            FIREFOX,
            Expected {
                ufrag: "5ce0a1f4",
                max_message_size: 1_073_741_823,
                candidates: 5,
                ended: true,
                ..USUAL
            },
        ),
        (
            "old form",
            LEGACY,
            Expected {
                ufrag: "5ce0a1f4",
                hash: "sha-1",
                sctp_port: 5001,
                max_message_size: 65_536,
                trickle: false,
                answer_has: &[
                    "m=application 9 DTLS/SCTP 5000\r\n",
                    "a=sctpmap:5000 webrtc-datachannel 65535\r\n",
                ],
                ..USUAL
            },
        ),
        ("Safari", SAFARI, Expected { ufrag: "p9iM", ..USUAL }),
        (
            "node-datachannel",
            NODE_DATACHANNEL,
            Expected {
                ufrag: "wQ3i",
                candidates: 2,
                ended: true,
                answer_has: &["a=mid:data\r\n", "a=group:BUNDLE data\r\n"],
                ..USUAL
            },
        ),
        ("werift", WERIFT, Expected { ufrag: "9a3f", max_message_size: 65_536, ..USUAL }),
        (
            "Pion",
            PION,
            Expected {
                ufrag: "kmAzBXWFTQkWnZGF",
                max_message_size: 65_536,
                candidates: 1,
                ended: true,
                trickle: false,
                ..USUAL
            },
        ),
        (
            "aiortc",
            AIORTC,
            Expected {
                ufrag: "gAmR",
                fingerprints: 3,
                max_message_size: 65_536,
                candidates: 1,
                ended: true,
                trickle: false,
                answer_has: &[
                    "m=application 9 DTLS/SCTP 5000\r\n",
                    "a=sctpmap:5000 webrtc-datachannel 65535\r\n",
                ],
                ..USUAL
            },
        ),
        (
            "lite server",
            LITE,
            Expected {
                ufrag: "lite",
                hash: "sha-512",
                max_message_size: 65_536,
                candidates: 2,
                ended: true,
                trickle: false,
                controlling: true,
                answer_has: &[
                    "m=message 0 TCP/MSRP *\r\n",
                    "m=application 0 UDP/BFCP *\r\n",
                    "a=mid:chat\r\n",
                    "a=setup:active\r\n",
                ],
                ..USUAL
            },
        ),
    ];
    for (name, offer, expected) in table {
        let mut b = Peer::new('b');
        b.remote(SdpType::Offer, offer);
        assert_eq!(b.session.can_trickle_ice_candidates(), Some(expected.trickle), "{name}");
        assert_eq!(b.session.pending_remote_description().unwrap().sdp, offer, "{name}: kept byte for byte");
        let (answer, change) = b.set_answer();
        for part in expected.answer_has {
            assert!(answer.contains(part), "{name}: {part:?} is not in\n{answer}");
        }
        assert_eq!(answer.matches("m=").count(), offer.matches("m=").count(), "{name}");
        webrtc_sdp::parse_sdp(&answer, false).unwrap_or_else(|e| panic!("{name}: {e}\n{answer}"));
        assert_eq!(change.remote_ice.unwrap().ufrag, expected.ufrag, "{name}");
        assert_eq!(change.remote_candidates.len(), expected.candidates, "{name}");
        assert_eq!(change.remote_end_of_candidates, expected.ended, "{name}");
        let transport = change.transport.unwrap();
        assert_eq!(transport.remote_fingerprints[0].algorithm, expected.hash, "{name}");
        assert_eq!(transport.remote_fingerprints.len(), expected.fingerprints, "{name}");
        let data = transport.data.as_ref().unwrap();
        assert_eq!(data.remote_sctp_port, expected.sctp_port, "{name}");
        assert_eq!(data.remote_max_message_size, expected.max_message_size, "{name}");
        assert_eq!(
            (transport.dtls_role, transport.ice_controlling),
            (expected.role, expected.controlling),
            "{name}"
        );
        assert_eq!(data.legacy, answer.contains("a=sctpmap:"), "{name}");
    }
}

/// Turns the offer of a stack with a single section into its answer to our offer.
fn as_answer(offer: &str) -> String {
    offer
        .replace("a=setup:actpass", "a=setup:active")
        .replace("a=mid:data", "a=mid:0")
        .replace("BUNDLE data", "BUNDLE 0")
}

#[test]
fn answers_of_all_known_stacks_are_taken() {
    let single = [CHROME, FIREFOX, LEGACY, SAFARI, NODE_DATACHANNEL, WERIFT, PION, AIORTC];
    for answer in single.map(as_answer) {
        let mut a = Peer::with_channel('a');
        a.set_offer();
        let change = a.remote(SdpType::Answer, &answer);
        let transport = change.transport.unwrap();
        assert_eq!((transport.dtls_role, transport.ice_controlling), (DtlsRole::Server, true));
        assert!(change.remote_ice.is_some() && a.session.data_negotiated());
        // What was agreed stays through a round of our own.
        let (offer, change) = a.set_offer();
        assert_eq!((change.gather, offer.contains("a=setup:actpass")), (None, true));
        let change = a.remote(SdpType::Answer, &answer);
        assert!(
            change.remote_ice.is_none() && change.remote_candidates.is_empty() && change.transport.is_some()
        );
    }
}

#[test]
fn rejected_sections_stay_in_their_places_in_later_rounds_of_both_directions() {
    let apart = CHROME_MEDIA.replace("BUNDLE 0 1 2", "BUNDLE 2");
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, &apart);
    b.set_answer();
    let (offer, change) = b.set_offer();
    assert_eq!(change.gather, None);
    let lines: Vec<_> =
        offer.lines().filter(|line| line.starts_with("m=") || line.starts_with("a=mid")).collect();
    assert_eq!(
        lines,
        [
            "m=audio 0 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
            "a=mid:0",
            "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
            "a=mid:1",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "a=mid:2"
        ]
    );
    assert!(offer.contains("a=group:BUNDLE 2\r\n"));
    let answer = apart
        .replace("a=setup:actpass", "a=setup:passive")
        .replace("m=audio 9", "m=audio 0")
        .replace("m=video 9", "m=video 0");
    let transport = b.remote(SdpType::Answer, &answer).transport.unwrap();
    assert_eq!((transport.dtls_role, transport.ice_controlling), (DtlsRole::Client, false));
    // The peer offers its media once more: still rejected, still one data section.
    b.remote(SdpType::Offer, &apart);
    let (answer, change) = b.set_answer();
    assert!(answer.contains("m=audio 0 ") && change.transport.is_some() && !change.data_section_removed);
}

#[test]
fn an_offer_of_media_only_is_rejected_as_a_whole_and_data_can_follow() {
    let (media, _) = CHROME_MEDIA.split_once("m=application").unwrap();
    let mut b = Peer::with_channel('b');
    b.remote(SdpType::Offer, media);
    let (answer, change) = b.set_answer();
    assert_eq!(change, Change::default());
    assert!(!answer.contains("BUNDLE") && answer.contains("a=setup:active") && !answer.contains("ice-ufrag"));
    assert!(b.session.negotiation_needed());
    let (offer, change) = b.set_offer();
    assert!(change.gather.is_some());
    let last = &offer[offer.rfind("m=").unwrap()..];
    assert!(
        last.starts_with("m=application 9 ") && last.contains("a=mid:2\r\n"),
        "a mid that was never used: {offer}"
    );
}

#[test]
fn the_setup_of_the_offer_decides_our_role() {
    for (offered, answered, role) in [
        ("actpass", "active", DtlsRole::Client),
        ("active", "passive", DtlsRole::Server),
        ("passive", "active", DtlsRole::Client),
    ] {
        let mut b = Peer::new('b');
        b.remote(SdpType::Offer, &CHROME.replace("setup:actpass", &format!("setup:{offered}")));
        let (answer, change) = b.set_answer();
        assert!(answer.contains(&format!("a=setup:{answered}\r\n")));
        assert_eq!(change.transport.unwrap().dtls_role, role);
        // A later actpass changes nothing; another certificate is a new association.
        b.remote(SdpType::Offer, CHROME);
        assert_eq!(b.set_answer().1.transport.unwrap().dtls_role, role);
        b.remote(SdpType::Offer, &CHROME.replace("sha-256 19", "sha-256 20"));
        assert_eq!(b.set_answer().1.transport.unwrap().dtls_role, DtlsRole::Client);
    }
}

#[test]
fn a_peer_that_rejects_our_section_takes_the_channels_with_it() {
    let mut a = Peer::with_channel('a');
    a.set_offer();
    let rejection = as_answer(SAFARI).replace("m=application 9", "m=application 0");
    let change = a.remote(SdpType::Answer, &rejection);
    assert_eq!(change, Change { data_section_removed: true, transport_removed: true, ..Change::default() });
    assert!(!a.session.negotiation_needed(), "or it would ask for ever");
    // A new channel recycles the section under a new mid.
    a.session.add_data_channel();
    assert!(a.session.negotiation_needed());
    let (offer, change) = a.set_offer();
    assert_eq!(offer.matches("m=").count(), 1);
    assert!(offer.contains("a=mid:1\r\n") && change.gather.is_some());
    let change = a.remote(SdpType::Answer, &as_answer(SAFARI).replace("mid:0", "mid:1"));
    assert!(change.transport.is_some());
}

#[test]
fn a_peer_can_withdraw_the_data_section_and_offer_it_again() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, SAFARI);
    b.set_answer();
    b.remote(SdpType::Offer, &SAFARI.replace("m=application 9", "m=application 0"));
    let (answer, change) = b.set_answer();
    assert!(change.data_section_removed && answer.contains("m=application 0 "));
    assert_eq!(b.session.data_mid(), None);
    b.remote(SdpType::Offer, &SAFARI.replace("mid:0", "mid:1"));
    let (_, change) = b.set_answer();
    assert!(change.transport.is_some() && !change.remote_ice_restarted);
    assert_ne!(change.gather.unwrap().ufrag, "b001");
}

#[test]
fn a_remote_restart_is_answered_with_new_credentials_and_only_new_candidates() {
    let mut b = Peer::new('b');
    b.remote(SdpType::Offer, CHROME);
    b.set_answer();
    let restart = CHROME
        .replace("EsAw", "EsAx")
        .replace("P2uYro0UCOQ4zxjKXaWCBui1", "Q2uYro0UCOQ4zxjKXaWCBui1")
        .replace("203.0.113.7", "203.0.113.8");
    b.remote(SdpType::Offer, &restart);
    let (answer, change) = b.set_answer();
    assert!(change.remote_ice_restarted && change.gather.is_some());
    assert_eq!(change.remote_candidates.len(), 2);
    assert!(!answer.contains("b001"));
    // The same offer with one more candidate is no restart.
    let more = restart.replace("a=mid", "a=candidate:5 1 udp 1 203.0.113.9 1 typ host\r\na=mid");
    b.remote(SdpType::Offer, &more);
    let (_, change) = b.set_answer();
    assert_eq!((change.remote_candidates.len(), change.remote_ice, change.gather), (1, None, None));
}

#[test]
fn always_negotiating_offers_data_without_a_channel() {
    let mut a = Peer::new('a');
    a.session.config.always_negotiate = true;
    assert!(!a.session.negotiation_needed());
    assert!(a.set_offer().1.gather.is_some());
}
