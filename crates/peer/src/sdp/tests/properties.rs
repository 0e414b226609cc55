//! Properties of reading and writing, and the judgement of another parser.

use super::super::*;
use super::samples;
use proptest::prelude::*;
use std::net::IpAddr;

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9+/]{4,20}"
}

fn address() -> impl Strategy<Value = CandidateAddress> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| CandidateAddress::Ip(IpAddr::from(ip))),
        any::<[u8; 16]>().prop_map(|ip| CandidateAddress::Ip(IpAddr::from(ip))),
        "[a-z][a-z0-9]{1,20}(-[a-z0-9]{1,8})?\\.local".prop_map(CandidateAddress::Fqdn),
    ]
}

prop_compose! {
    fn candidate()(
        foundation in "[a-zA-Z0-9+/]{1,32}",
        component in 1u16..=256,
        tcptype in prop::option::of(prop::sample::select(vec![TcpType::Active, TcpType::Passive, TcpType::SimultaneousOpen])),
        priority in any::<u32>(),
        address in address(),
        port in any::<u16>(),
        typ in prop::sample::select(vec![
            CandidateType::Host, CandidateType::ServerReflexive, CandidateType::PeerReflexive, CandidateType::Relay,
        ]),
        related in prop::option::of((address(), any::<u16>())),
        ufrag in prop::option::of(token()),
    ) -> Candidate {
        let (raddr, rport) = related.unzip();
        let protocol = if tcptype.is_some() { CandidateProtocol::Tcp } else { CandidateProtocol::Udp };
        Candidate { foundation, component, protocol, priority, address, port, typ, raddr, rport, tcptype, ufrag }
    }
}

prop_compose! {
    fn transport()(
        ufrag in token(),
        pwd in "[a-zA-Z0-9+/]{22,40}",
        hash in any::<[u8; 32]>(),
        candidates in prop::collection::vec(candidate(), 0..8),
        end_of_candidates in any::<bool>(),
    ) -> OutlineTransport {
        let fingerprints = vec![Fingerprint { algorithm: "sha-256".to_owned(), value: hash.to_vec() }];
        let candidates = candidates.iter().map(Candidate::to_string).collect();
        OutlineTransport { ufrag, pwd, fingerprints, candidates, end_of_candidates }
    }
}

prop_compose! {
    fn data()(
        sctp_port in 1u16..,
        max_message_size in any::<u64>(),
        sctp_init in prop::option::of("[a-zA-Z0-9+/]{40}"),
        legacy_streams in prop::option::of(any::<u16>()),
    ) -> DataAttributes {
        DataAttributes { sctp_port, max_message_size, sctp_init, legacy_streams }
    }
}

prop_compose! {
    fn outline()(
        session_id in 0u64..(1 << 63),
        version in any::<u64>(),
        trickle in any::<bool>(),
        audio in 0usize..3,
        kept in any::<bool>(),
        data in data(),
        transport in transport(),
        setup in prop::sample::select(vec!["actpass", "active", "passive"]),
    ) -> Outline {
        let mut sections: Vec<_> = (0..audio).map(|mid| OutlineSection {
            kind: "audio".to_owned(),
            proto: "UDP/TLS/RTP/SAVPF".to_owned(),
            formats: vec!["111".to_owned()],
            mid: Some(format!("m{mid}")),
            setup: kept.then_some(setup),
            content: kept.then(|| OutlineContent::Inactive(InactiveMedia {
                codec: vec!["rtpmap:111 opus/48000/2".to_owned(), "fmtp:111 minptime=10;useinbandfec=1".to_owned()],
            })),
        }).collect();
        let mut bundle: Vec<String> = (0..audio).filter(|_| kept).map(|mid| format!("m{mid}")).collect();
        bundle.push("0".to_owned());
        let legacy = data.legacy_streams.is_some();
        sections.push(OutlineSection {
            kind: "application".to_owned(),
            proto: if legacy { "DTLS/SCTP" } else { "UDP/DTLS/SCTP" }.to_owned(),
            formats: vec![if legacy { data.sctp_port.to_string() } else { "webrtc-datachannel".to_owned() }],
            mid: Some("0".to_owned()),
            setup: Some(setup),
            content: Some(OutlineContent::Data(data)),
        });
        Outline { session_id, version, trickle, ice_lite: !trickle, bundle, transport: Some(transport), sections }
    }
}

/// Changes a text at random places: bytes replaced, lines dropped, doubled, cut or swapped.
pub(crate) fn mutate(text: &str, edits: &[(u8, u16, char)]) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for (kind, at, letter) in edits {
        if lines.is_empty() {
            break;
        }
        let index = usize::from(*at) % lines.len();
        let other = usize::from(*at / 7) % lines.len();
        match kind % 5 {
            0 => drop(lines.remove(index)),
            1 => lines.insert(other, lines[index].clone()),
            2 => lines.swap(index, other),
            3 => lines[index] = lines[index].chars().take(other).collect(),
            _ => {
                let mut chars: Vec<char> = lines[index].chars().collect();
                let place = other % chars.len().max(1);
                chars.splice(place..chars.len().min(place + 1), [*letter]);
                lines[index] = chars.into_iter().collect();
            }
        }
    }
    lines.concat()
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*", raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Description::parse(&text);
        let _ = Description::parse(&String::from_utf8_lossy(&raw));
        let _ = Candidate::parse(&format!("candidate:{text}"));
        let _ = Fingerprint::parse(&text);
    }

    #[test]
    fn mutated_descriptions_never_panic_and_keep_their_text(
        sample in 0..samples::ALL.len(),
        edits in prop::collection::vec((any::<u8>(), any::<u16>(), any::<char>()), 1..12),
    ) {
        let text = mutate(samples::ALL[sample].1, &edits);
        if let Ok(mut description) = Description::parse(&text) {
            prop_assert_eq!(description.text(), text);
            for section in 0..=description.media.len() {
                description.append(section, "end-of-candidates");
            }
            let again = Description::parse(description.text()).expect("appending keeps a description valid");
            prop_assert_eq!(again.media.len(), description.media.len());
            prop_assert!(again.media.iter().all(|section| section.end_of_candidates));
        }
    }

    #[test]
    fn candidates_survive_writing_and_reading(candidate in candidate()) {
        prop_assert_eq!(Candidate::parse(&candidate.to_string()), Ok(candidate));
    }

    #[test]
    fn what_we_write_is_read_alike(outline in outline()) {
        let text = outline.text();
        let found = Description::parse(&text).unwrap();
        prop_assert_eq!(found.trickle(), outline.trickle);
        prop_assert_eq!(&found.groups[0].mids, &outline.bundle);
        prop_assert_eq!(found.media.len(), outline.sections.len());
        let transport = outline.transport.as_ref().unwrap();
        let carrier = &found.media[outline.carrier().unwrap()];
        let candidates: Vec<_> = carrier.candidates.iter().map(Candidate::to_string).collect();
        prop_assert_eq!(&candidates, &transport.candidates);
        prop_assert_eq!(carrier.end_of_candidates, transport.end_of_candidates);
        for (found, written) in found.media.iter().zip(&outline.sections) {
            prop_assert_eq!((&found.kind, &found.proto, &found.formats), (&written.kind, &written.proto, &written.formats));
            prop_assert_eq!((&found.mid, found.is_active()), (&written.mid, written.content.is_some()));
            let codec = written.inactive().map_or(&[][..], |media| &media.codec);
            prop_assert_eq!(&found.codecs, codec);
            prop_assert_eq!(found.rtcp_mux, written.inactive().is_some());
            if found.is_active() {
                prop_assert_eq!(&found.transport.ufrag.as_ref().unwrap().value, &transport.ufrag);
                prop_assert_eq!(&found.transport.pwd.as_ref().unwrap().value, &transport.pwd);
                prop_assert_eq!(&found.transport.fingerprints[0].value, &transport.fingerprints[0].to_string());
            }
            prop_assert_eq!(found.transport.setup.as_ref().map(|s| s.value.as_str()), written.setup);
            let Some(data) = written.data() else { continue };
            prop_assert!(found.is_data());
            prop_assert_eq!(found.is_legacy_data(), data.legacy_streams.is_some());
            prop_assert_eq!(&found.sctp_init, &data.sctp_init);
            prop_assert_eq!(&found.max_message_size.as_ref().unwrap().value, &data.max_message_size.to_string());
        }
    }

    #[test]
    fn the_parser_of_firefox_accepts_what_we_write(outline in outline()) {
        // As Firefox calls it: what it does not know is a warning, and what is younger than it is all it may warn about.
        let found = webrtc_sdp::parse_sdp(&outline.text(), false);
        prop_assert!(found.is_ok(), "{}\n{:?}", outline, found.err());
        let found = found.unwrap();
        let strange = |w: &webrtc_sdp::error::SdpParserError| !["ossa-max-packet", "sctp-init"].iter().any(|ours| w.to_string().contains(ours));
        prop_assert!(!found.warnings.iter().any(strange), "{:?}", found.warnings);
        prop_assert_eq!(found.media.len(), outline.sections.len());
    }
}
