//! Which codecs, payload types and header extensions two sides agree on.

use super::*;
use crate::sdp::tests::samples::media as samples;
use ossa_media::{Codec, Extension};

/// The formats of each section.
fn formats(sdp: &str) -> Vec<Vec<String>> {
    let sections = Description::parse(sdp).unwrap().media;
    sections.into_iter().filter(|section| section.is_rtp()).map(|section| section.formats).collect()
}

fn video(codecs: Vec<CodecCapability>) -> MediaCapabilities {
    MediaCapabilities { video: codecs, ..MediaCapabilities::default() }
}

#[test]
fn an_offer_has_all_codecs_in_our_order_with_their_retransmissions() {
    let mut a = media('a');
    a.add(Audio, SendRecv);
    a.add(Video, SendRecv);
    let offer = a.offer();
    assert_eq!(
        formats(&offer),
        [
            vec!["111", "0", "8", "110", "101"],
            vec!["96", "97", "98", "99", "108", "109", "125", "126", "45", "46"]
        ]
    );
    let sections = rtp(&offer);
    assert_eq!(sections[1].fmtp(109), "apt=108");
    assert_eq!(sections[1].feedback(96).count(), 5);
    // One extension has one id, wherever it stands.
    for extension in &sections[0].extensions {
        let there = sections[1].extensions.iter().find(|other| other.uri == extension.uri);
        assert!(there.is_none_or(|other| other.id == extension.id));
        assert!(
            sections[1].extensions.iter().all(|other| other.id != extension.id || other.uri == extension.uri)
        );
    }
}

#[test]
fn an_answer_has_the_offers_numbers_and_order() {
    let mut b = media('b');
    b.track(Video);
    b.remote(SdpType::Offer, samples::CHROMIUM);
    let (answer, _) = b.set_answer();
    let offered = formats(samples::CHROMIUM);
    for (answered, offered) in formats(&answer).iter().zip(&offered) {
        let places: Vec<_> = answered.iter().map(|f| offered.iter().position(|o| o == f).unwrap()).collect();
        assert!(places.is_sorted(), "{answered:?} {offered:?}");
    }
    let (ours, theirs) = (rtp(&answer), rtp(samples::CHROMIUM));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        for codec in &ours.codecs {
            assert_eq!(theirs.codec(codec.payload).unwrap().name, codec.name);
            assert!(ours.feedback(codec.payload).all(|f| theirs.feedback(codec.payload).any(|t| t == f)));
        }
        for extension in &ours.extensions {
            assert!(
                theirs
                    .extensions
                    .iter()
                    .any(|other| (other.id, &other.uri) == (extension.id, &extension.uri))
            );
        }
    }
    let extensions = b.parameters(TransceiverId(0)).send.extensions;
    for expected in [Extension::Mid, Extension::TransportCc, Extension::AbsSendTime, Extension::Rid] {
        assert!(extensions.iter().any(|(known, _)| *known == expected), "{expected:?} in {extensions:?}");
    }
}

#[test]
fn preferences_decide_about_the_order_and_what_is_left_out() {
    let (mut a, mut b) = (media('a'), media('b'));
    let all = MediaCapabilities::default();
    let at_a = a.add(Video, SendRecv);
    a.session.set_codec_preferences(at_a, vec![all.video[2].clone(), all.video[0].clone()]).unwrap();
    let offer = a.offer();
    assert_eq!(formats(&offer), [["108", "109", "96", "97"]]);
    a.session.set_codec_preferences(at_a, Vec::new()).unwrap();
    let at_b = b.track(Video);
    let without_rtx = CodecCapability { rtx: false, ..all.video[1].clone() };
    b.session.set_codec_preferences(at_b, vec![without_rtx, all.video[0].clone()]).unwrap();
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let (answer, _) = b.set_answer();
    assert_eq!(formats(&answer), [["98", "96", "97"]]);
    a.remote(SdpType::Answer, &answer);
    let sent = a.parameters(at_a).send.payloads;
    assert_eq!(numbers(&sent), [98, 96]);
    assert_eq!((sent[0].codec, sent[0].rtx, sent[1].rtx), (Codec::Vp9, None, Some(97)));
    assert!(sent[0].nack && sent[0].pli && sent[0].fir && sent[0].transport_cc && sent[0].remb);

    let unknown = CodecCapability::video("H265", 100, "");
    let error = b.session.set_codec_preferences(at_b, vec![unknown]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidModification);
}

#[test]
fn a_section_without_a_preferred_codec_is_inactive_and_one_without_a_common_codec_rejected() {
    let all = MediaCapabilities::default();
    let mut a = with_codecs('a', video(vec![all.video[0].clone()]));
    let mut b = media('b');
    a.add(Audio, SendRecv);
    a.add(Video, SendRecv);
    let at_b = b.track(Video);
    b.session.set_codec_preferences(at_b, vec![all.video[1].clone()]).unwrap();
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    assert_eq!(shape(&b.set_answer().0), ["audio 9 0 recvonly", "video 9 1 inactive"]);
    let mut c = with_codecs('c', video(vec![all.video[1].clone()]));
    c.remote(SdpType::Offer, &offer);
    assert_eq!(shape(&c.set_answer().0), ["audio 9 0 recvonly", "video 0 1 inactive"]);
    // The section that carries the transport can't go without the others.
    let deaf = MediaCapabilities { audio: vec![CodecCapability::audio("x", 8_000, 1, 100, "")], ..all };
    let mut d = with_codecs('d', deaf);
    d.remote(SdpType::Offer, &offer);
    let (answer, _) = d.set_answer();
    assert_eq!(shape(&answer), ["audio 9 0 inactive", "video 9 1 recvonly"]);
    judge(&answer);
}

#[test]
fn helpers_alone_are_no_codec() {
    let tones = CodecCapability::audio("telephone-event", 8_000, 1, 101, "0-15");
    let comfort = CodecCapability::audio("CN", 8_000, 1, 13, "");
    let only = |mut first: Vec<CodecCapability>| {
        first.extend([tones.clone(), comfort.clone()]);
        MediaCapabilities { audio: first, ..MediaCapabilities::default() }
    };
    let mut a = with_codecs('a', only(vec![CodecCapability::audio("PCMU", 8_000, 1, 0, "")]));
    let at_a = a.add(Audio, SendRecv);
    let (offer, _) = a.set_offer();
    assert_eq!(formats(&offer), [["0", "101", "13"]]);
    let mut b = with_codecs('b', only(vec![CodecCapability::audio("PCMA", 8_000, 1, 8, "")]));
    b.remote(SdpType::Offer, &offer);
    assert_eq!(shape(&b.set_answer().0), ["audio 0 0 inactive"]);
    let mut c = with_codecs('c', only(vec![CodecCapability::audio("pcmu", 8_000, 1, 0, "")]));
    finish(&mut a, &mut c, &offer);
    let sent = a.parameters(at_a).send.payloads;
    assert_eq!(
        sent.iter().map(|p| p.codec).collect::<Vec<_>>(),
        [Codec::Pcmu, Codec::TelephoneEvent, Codec::ComfortNoise]
    );
}

#[test]
fn numbers_stay_what_they_are_for_as_long_as_the_session_lasts() {
    let mut b = media('b');
    b.remote(SdpType::Offer, samples::FIREFOX);
    b.set_answer();
    // Opus is 109 there, and VP8 120.
    b.add(Audio, SendRecv);
    let (offer, _) = b.set_offer();
    let formats = formats(&offer);
    assert_eq!((&formats[0][0], &formats[2][0]), (&"109".to_owned(), &"109".to_owned()));
    assert!(formats[1].contains(&"120".to_owned()));
    let sections = rtp(&offer);
    // No number means two things.
    let mut meanings = std::collections::HashMap::new();
    for section in &sections {
        for codec in &section.codecs {
            let meaning = (codec.name.clone(), codec.clock_rate, section.fmtp(codec.payload).to_owned());
            let known = meanings.entry(codec.payload).or_insert_with(|| meaning.clone());
            assert_eq!(*known, meaning, "{offer}");
        }
    }
    let before: Vec<_> = rtp(samples::FIREFOX)[0].extensions.iter().map(|e| (e.id, e.uri.clone())).collect();
    for extension in &sections[2].extensions {
        let known = before.iter().find(|(_, uri)| *uri == extension.uri);
        assert!(known.is_none_or(|(id, _)| *id == extension.id));
    }
}

#[test]
fn a_number_that_the_peer_uses_otherwise_is_given_up() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Video, SendRecv);
    let (offer, _) = a.set_offer();
    // VP8 and VP9 swapped.
    let swapped = offer
        .replace("rtpmap:96 VP8", "rtpmap:96 VP9")
        .replace("rtpmap:98 VP9", "rtpmap:98 VP8")
        .replace("fmtp:98 profile-id=0", "fmtp:96 profile-id=0");
    b.remote(SdpType::Offer, &swapped);
    b.set_answer();
    b.add(Video, SendRecv);
    let (offer, _) = b.set_offer();
    for section in rtp(&offer) {
        assert_eq!(
            (section.codec(96).unwrap().name, section.codec(98).unwrap().name),
            ("VP9".into(), "VP8".into())
        );
    }
}

#[test]
fn each_side_may_have_numbers_of_its_own() {
    let (mut a, mut b) = (media('a'), media('b'));
    let at_a = a.add(Audio, SendRecv);
    b.track(Audio);
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let (answer, _) = b.set_answer();
    let answer = answer
        .replace("SAVPF 111", "SAVPF 100")
        .replace("rtpmap:111", "rtpmap:100")
        .replace("fmtp:111", "fmtp:100")
        .replace("rtcp-fb:111", "rtcp-fb:100");
    a.remote(SdpType::Answer, &answer);
    let parameters = a.parameters(at_a);
    assert_eq!(numbers(&parameters.send.payloads), [100, 0, 8, 110, 101]);
    assert_eq!(numbers(&parameters.receive.payloads), [111, 0, 8, 110, 101]);
}

#[test]
fn numbers_that_look_like_rtcp_are_refused() {
    let mut a = media('a');
    a.add(Audio, SendRecv);
    let offer = a.offer();
    for number in [63, 64, 95, 96] {
        let offer =
            offer.replace("SAVPF 111", &format!("SAVPF {number}")).replace(":111 ", &format!(":{number} "));
        let mut b = media('b');
        if (64..96).contains(&number) {
            let error = b.remote_error(SdpType::Offer, &offer);
            assert_eq!((error.kind, error.sdp_line.is_some()), (ErrorKind::InvalidAccess, true), "{error}");
        } else {
            b.remote(SdpType::Offer, &offer);
        }
    }
}

#[test]
fn ids_of_extensions_stay_what_they_are() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    negotiate(&mut a, &mut b);
    let (offer, _) = a.set_offer();
    let id = |extension: Extension| {
        rtp(&offer)[0].extensions.iter().find(|known| known.uri == extension.uri()).unwrap().id
    };
    let line = |id: u16, extension: Extension| format!("extmap:{id} {}", extension.uri());
    let (mid, level) = (id(Extension::Mid), id(Extension::AudioLevel));
    let moved = offer.replace(&line(mid, Extension::Mid), &line(13, Extension::Mid));
    let swapped = offer.replace(&line(mid, Extension::Mid), &line(level, Extension::Mid)).replace(
        &format!("extmap:{level} {}", Extension::AudioLevel.uri()),
        &line(mid, Extension::AudioLevel),
    );
    for changed in [moved, swapped] {
        assert_ne!(changed, offer);
        assert_eq!(b.remote_error(SdpType::Offer, &changed).kind, ErrorKind::InvalidAccess);
    }
    // One that is left out, and what nobody here knows, may change.
    let gone = offer.replace(&line(level, Extension::AudioLevel), &format!("extmap:{level} urn:unknown"));
    b.remote(SdpType::Offer, &gone);
}

#[test]
fn a_number_that_stands_there_twice_counts_once() {
    let (mut a, mut b) = (media('a'), media('b'));
    let at_a = a.add(Audio, SendRecv);
    let (offer, _) = a.set_offer();
    let doubled = offer.replace("SAVPF 111", "SAVPF 111 111");
    b.remote(SdpType::Offer, &doubled);
    let (answer, _) = b.set_answer();
    assert_eq!(formats(&answer), [["111", "0", "8", "110", "101"]]);
    a.remote(SdpType::Answer, &answer.replace("SAVPF 111", "SAVPF 111 111"));
    let parameters = a.parameters(at_a);
    assert_eq!(numbers(&parameters.send.payloads), [111, 0, 8, 110, 101]);
    assert_eq!(numbers(&b.parameters(TransceiverId(0)).receive.payloads), [111, 0, 8, 110, 101]);
}

#[test]
fn extensions_go_the_way_that_both_sides_say() {
    let mut b = media('b');
    b.track(Video);
    b.remote(SdpType::Offer, samples::FIREFOX);
    let (answer, _) = b.set_answer();
    // Firefox takes the delay and does not send it.
    assert!(
        answer.contains("a=extmap:6/sendonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay")
    );
    let parameters = b.parameters(TransceiverId(0));
    let has = |list: &[(Extension, u8)]| list.contains(&(Extension::PlayoutDelay, 6));
    assert!(has(&parameters.send.extensions) && !has(&parameters.receive.extensions));
}

#[test]
fn ids_of_extensions_that_do_not_fit_are_not_taken() {
    let mut a = media('a');
    a.add(Audio, SendRecv);
    let (offer, _) = a.set_offer();
    let id = |uri: &str| rtp(&offer)[0].extensions.iter().find(|e| e.uri == uri).unwrap().id;
    let (mid, level) = (id(Extension::Mid.uri()), id(Extension::AudioLevel.uri()));
    let offer = offer
        .replace(&format!("extmap:{mid} "), "extmap:4096 ")
        .replace(&format!("extmap:{level} "), "extmap:200 ");
    let mut b = media('b');
    b.remote(SdpType::Offer, &offer);
    let (answer, _) = b.set_answer();
    assert!(!answer.contains("4096") && answer.contains("a=extmap:200 "));
}

#[test]
fn a_camera_in_three_sizes_is_received() {
    for offer in [samples::CHROMIUM_SIMULCAST, samples::FIREFOX_SIMULCAST] {
        let mut b = media('b');
        b.remote(SdpType::Offer, offer);
        let (answer, _) = b.set_answer();
        judge(&answer);
        assert!(
            answer.contains("a=simulcast:recv q;h;f\r\n") && answer.contains("a=rid:q recv\r\n"),
            "{answer}"
        );
        let receive = b.parameters(TransceiverId(1)).receive;
        assert_eq!(receive.rids, ["q", "h", "f"]);
        assert!(receive.extensions.iter().any(|(known, _)| *known == Extension::Rid));
    }
}

#[test]
fn encodings_are_sent_as_far_as_the_other_side_takes_them() {
    let encodings: Vec<_> =
        ["l", "h"].map(|rid| EncodingInit { rid: Some(rid.to_owned()), ..EncodingInit::default() }).to_vec();
    let init = TransceiverInit { encodings, ..TransceiverInit::default() };
    let (mut a, mut b) = (media('a'), media('b'));
    let at_a = a.session.add_transceiver(Video, init).unwrap();
    let (offer, _) = a.set_offer();
    assert!(offer.contains("a=simulcast:send l;h\r\n") && !offer.contains("a=ssrc:"), "{offer}");
    b.remote(SdpType::Offer, &offer);
    let (answer, _) = b.set_answer();
    a.remote(SdpType::Answer, &answer);
    let rids =
        |peer: &Peer| peer.parameters(at_a).send.encodings.iter().map(|e| e.rid.clone()).collect::<Vec<_>>();
    assert_eq!(rids(&a), [Some("l".to_owned()), Some("h".to_owned())]);
    assert_eq!(b.parameters(TransceiverId(0)).receive.rids, ["l", "h"]);
    let fewer = [EncodingInit { rid: Some("l".into()), active: false, ..EncodingInit::default() }];
    let error = a.session.set_encodings(at_a, &fewer).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidModification);
    // One that knows no simulcast gets one encoding, without a name.
    a.set_offer();
    let plain: String = answer
        .split_inclusive("\r\n")
        .filter(|line| !line.contains("rid:") && !line.contains("simulcast"))
        .collect();
    a.remote(SdpType::Answer, &plain);
    assert_eq!(rids(&a), [None]);
}

#[test]
fn the_codec_that_the_application_chooses_is_the_one_that_is_sent() {
    let (mut a, mut b) = (media('a'), media('b'));
    let audio = a.track(Audio);
    negotiate(&mut a, &mut b);
    let first = |a: &Peer| a.parameters(audio).send.payloads[0].codec;
    assert_eq!(first(&a), Codec::Opus);
    let chosen = MediaCapabilities::default().audio.into_iter().find(|codec| codec.name == "PCMA");
    assert!(chosen.is_some());
    let init = EncodingInit { codec: chosen, ..EncodingInit::default() };
    a.session.set_encodings(audio, &[init]).unwrap();
    assert_eq!(first(&a), Codec::Pcma);
    assert_eq!(
        a.parameters(audio).send.payloads.len(),
        b.session.media_parameters()[0].receive.payloads.len()
    );
    a.session.set_encodings(audio, &[EncodingInit::default()]).unwrap();
    assert_eq!(first(&a), Codec::Opus);
}
