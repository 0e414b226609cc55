//! Attributes of sections for audio and video.

use super::super::*;
use super::samples::media;
use crate::error::ErrorKind;
use proptest::prelude::*;

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

fn read(text: &str) -> Result<Vec<RtpAttributes>, crate::error::Error> {
    Ok(Description::parse(text)?.rtp_sections()?.into_iter().flatten().collect())
}

fn section(lines: &str) -> String {
    format!("{HEAD}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n{lines}")
}

#[test]
fn offers_of_all_known_stacks_are_understood_line_by_line() {
    for (name, text) in media::ALL {
        let sections = read(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(sections.len(), 2, "{name}");
        let count = |prefix: &str| text.lines().filter(|line| line.starts_with(prefix)).count();
        let sum = |of: fn(&RtpAttributes) -> usize| sections.iter().map(of).sum::<usize>();
        assert_eq!(sum(|s| s.codecs.len()), count("a=rtpmap:"), "{name}");
        assert_eq!(sum(|s| s.parameters.len()), count("a=fmtp:"), "{name}");
        assert_eq!(sum(|s| s.feedback.len()), count("a=rtcp-fb:"), "{name}");
        assert_eq!(sum(|s| s.extensions.len()), count("a=extmap:"), "{name}");
        assert_eq!(sum(|s| s.ssrcs.len()), count("a=ssrc:"), "{name}");
        assert_eq!(sum(|s| s.ssrc_groups.len()), count("a=ssrc-group:"), "{name}");
        assert_eq!(sum(|s| s.rids.len()), count("a=rid:"), "{name}");
        assert_eq!(sum(|s| s.msids.len()), count("a=msid:"), "{name}");
        assert!(sections.iter().all(|s| s.rtcp_mux), "{name}");
    }
}

#[test]
fn what_holds_for_all_sections_holds_for_each() {
    let text = format!(
        "{HEAD}a=sendonly\r\na=extmap:3 urn:x\r\na=extmap-allow-mixed\r\na=rtpmap:1 nothing/1\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nm=video 9 TCP/DTLS/RTP/SAVPF 96\r\na=inactive\r\na=extmap:4 urn:y\r\n"
    );
    let sections = read(&text).unwrap();
    assert_eq!(sections[0].direction, Direction::SendOnly);
    assert_eq!(sections[1].direction, Direction::Inactive);
    assert!(
        sections
            .iter()
            .all(|s| s.extmap_allow_mixed && s.extensions[0].uri == "urn:x" && s.codecs.is_empty())
    );
    assert_eq!(sections[1].extensions.len(), 2);
}

#[test]
fn sections_that_are_not_for_us_are_not_looked_at() {
    let text = format!(
        "{HEAD}m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:x\r\nm=audio 9 RTP/AVP 0\r\na=rtpmap:x\r\n\
         m=text 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:x\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ssrc:x\r\n"
    );
    assert_eq!(read(&text).unwrap(), []);
}

#[test]
fn a_malformed_attribute_is_an_error_with_its_line() {
    for bad in [
        "rtpmap:111",
        "rtpmap:128 opus/48000",
        "rtpmap:-1 opus/48000",
        "rtpmap:111 opus",
        "rtpmap:111 opus/0",
        "rtpmap:111 opus/48000/0",
        "rtpmap:111 opus/48000/300",
        "rtpmap:111 /48000",
        "rtpmap:111 öpus/48000",
        "fmtp:x minptime=10",
        "fmtp:200 a=b",
        "rtcp-fb:96",
        "rtcp-fb:x nack",
        "extmap:0 urn:x",
        "extmap:1",
        "extmap:1/both urn:x",
        "extmap:70000 urn:x",
        "msid:",
        "ssrc:1",
        "ssrc:4294967296 cname:x",
        "ssrc:x cname:y",
        "ssrc-group:FID",
        "ssrc-group:FID 1 x",
    ] {
        let error = read(&section(&format!("a=mid:0\r\na={bad}\r\n"))).unwrap_err();
        assert_eq!((error.kind, error.sdp_line), (ErrorKind::Syntax, Some(7)), "{bad}: {error}");
    }
}

#[test]
fn what_rtp_can_do_without_is_skipped_when_it_makes_no_sense() {
    let lines = "a=rid:ä send\r\na=rid:x both\r\na=rid:\r\na=simulcast:up 1\r\na=ptime:20ms\r\na=rtcp:x\r\na=unknown:ä\r\na=rid:ok recv pt=1\r\n";
    let found = read(&section(lines)).unwrap().remove(0);
    assert_eq!(
        found.rids,
        [Rid { id: "ok".into(), direction: RidDirection::Recv, restrictions: "pt=1".into() }]
    );
    assert_eq!((found.simulcast, found.ptime, found.rtcp), (None, None, None));
}

#[test]
fn a_section_without_end_costs_no_more_than_it_may() {
    let error = read(&section(&"a=ssrc:1 cname:x\r\n".repeat(MAX_RTP_ATTRIBUTES + 1))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Operation);
    // Many sections under many attributes that hold for all.
    let many = format!(
        "{HEAD}{}{}",
        "a=extmap:1 urn:x\r\n".repeat(MAX_RTP_ATTRIBUTES),
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n".repeat(MAX_SECTIONS)
    );
    assert_eq!(read(&many).unwrap_err().kind, ErrorKind::Operation);
}

#[test]
fn the_codecs_that_need_no_line_have_none_to_be_found() {
    let mut found = read(&section("a=rtpmap:9 other/16000\r\na=rtcp-fb:* nack\r\na=rtcp-fb:9 nack pli\r\n"))
        .unwrap()
        .remove(0);
    assert_eq!(found.codec(0).unwrap().name, "PCMU");
    assert_eq!(found.codec(9).unwrap().name, "other");
    assert_eq!(found.codec(96), None);
    assert_eq!(found.feedback(9).collect::<Vec<_>>(), ["nack", "nack pli"]);
    assert_eq!(found.feedback(0).collect::<Vec<_>>(), ["nack"]);
    found.parameters.push(Fmtp { payload: 9, parameters: "a=b".into() });
    assert_eq!((found.fmtp(9), found.fmtp(0)), ("a=b", ""));
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9{}.-]{1,20}"
}

fn direction() -> impl Strategy<Value = Direction> {
    (any::<bool>(), any::<bool>()).prop_map(|(sends, receives)| Direction::new(sends, receives))
}

fn extension() -> impl Strategy<Value = ExtMap> {
    (1u16..5000, prop::option::of(direction()), "urn:[a-z:]{1,20}", "([a-z]{1,5}( [a-z]{1,5})?)?")
        .prop_map(|(id, direction, uri, attributes)| ExtMap { id, direction, uri, attributes })
}

prop_compose! {
    fn codec()(payload in 0u8..=127, name in token(), clock_rate in 1u32.., channels in 1u8.., fmtp in prop::option::of("[a-z]{1,5}=[0-9]{1,5}"),
        feedback in prop::sample::subsequence(vec!["nack", "nack pli", "ccm fir"], 0..=3),
    ) -> (RtpMap, Option<Fmtp>, Vec<Feedback>) {
        let feedback = feedback.into_iter().map(|value| Feedback { payload: Some(payload), value: value.to_owned() }).collect();
        (RtpMap { payload, name, clock_rate, channels }, fmtp.map(|parameters| Fmtp { payload, parameters }), feedback)
    }
}

fn streams() -> impl Strategy<Value = Vec<Vec<RidChoice>>> {
    let choice = ("[a-zA-Z0-9_-]{1,8}", any::<bool>()).prop_map(|(id, paused)| RidChoice { id, paused });
    prop::collection::vec(prop::collection::vec(choice, 1..3), 0..4)
}

fn simulcast() -> impl Strategy<Value = Option<Simulcast>> {
    (streams(), streams()).prop_map(|(send, recv)| {
        let some = !send.is_empty() || !recv.is_empty();
        some.then_some(Simulcast { send, recv })
    })
}

prop_compose! {
    fn attributes()(
        (direction, rtcp_mux, rtcp_mux_only, rtcp_rsize, extmap_allow_mixed) in (direction(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        msids in prop::collection::vec((token(), prop::option::of(token())), 0..3),
        (rtcp, ptime, maxptime) in (prop::option::of(any::<u16>()), prop::option::of(any::<u16>()), prop::option::of(any::<u16>())),
        extensions in prop::collection::vec(extension(), 0..5),
        codecs in prop::collection::vec(codec(), 0..6),
        simulcast in simulcast(),
        ssrc_groups in prop::collection::vec(("[A-Z]{1,5}", prop::collection::vec(any::<u32>(), 1..4)), 0..3),
        ssrcs in prop::collection::vec((any::<u32>(), "[a-z]{1,8}", "([a-zA-Z0-9/+{-]{1,10}( [a-z]{1,5})?)?"), 0..4),
    ) -> RtpAttributes {
        let mut seen = std::collections::HashSet::new();
        let codecs: Vec<_> = codecs.into_iter().filter(|(codec, ..)| seen.insert(codec.payload)).collect();
        let rids = simulcast.iter().flat_map(|s: &Simulcast| s.streams(RidDirection::Recv));
        let rids = rids.map(|rid| Rid { id: rid.id.clone(), direction: RidDirection::Recv, restrictions: String::new() }).collect();
        RtpAttributes {
            direction, rtcp_mux, rtcp_mux_only, rtcp_rsize, extmap_allow_mixed, rtcp, ptime, maxptime, extensions, rids, simulcast,
            msids: msids.into_iter().map(|(stream, track)| Msid { stream, track }).collect(),
            codecs: codecs.iter().map(|codec| codec.0.clone()).collect(),
            parameters: codecs.iter().filter_map(|codec| codec.1.clone()).collect(),
            feedback: codecs.iter().flat_map(|codec| codec.2.clone()).collect(),
            ssrc_groups: ssrc_groups.into_iter().map(|(semantics, ssrcs)| SsrcGroup { semantics, ssrcs }).collect(),
            ssrcs: ssrcs.into_iter().map(|(ssrc, name, value)| SsrcAttribute { ssrc, name, value }).collect(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(attributes in attributes()) {
        let text = section(&attributes.to_string());
        prop_assert_eq!(read(&text).unwrap(), vec![attributes], "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_panic(
        (sample, edits) in (0..media::ALL.len(), prop::collection::vec((any::<u8>(), any::<u16>(), any::<char>()), 1..12)),
    ) {
        let text = super::properties::mutate(media::ALL[sample].1, &edits);
        let _ = read(&text);
    }
}
