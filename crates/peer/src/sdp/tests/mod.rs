//! Tests of the text layer.

pub(crate) mod properties;
mod rtp;
pub(crate) mod samples;

use super::*;
use crate::error::ErrorKind;

const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n";

fn line_of_error(text: &str) -> u32 {
    let error = Description::parse(text).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Syntax, "{error}");
    error.sdp_line.unwrap()
}

#[test]
fn descriptions_of_all_known_stacks_are_understood_and_kept_byte_for_byte() {
    for (name, text) in samples::ALL {
        let description = Description::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(description.text(), text, "{name}");
        assert_eq!(description.media.iter().filter(|m| m.is_data() && m.is_active()).count(), 1, "{name}");
        let mids = description.groups.iter().flat_map(|group| &group.mids);
        assert!(mids.into_iter().all(|mid| description.index_of(mid).is_some()), "{name}");
    }
}

#[test]
fn a_syntax_error_names_its_line() {
    for (text, line) in [
        ("", 1),
        ("Invalid SDP", 1),
        ("v=1\r\n", 1),
        ("v=0\r\n", 2),
        ("v=0\r\ns=-\r\n", 2),
        ("v=0\no=- x 1 IN IP4 0.0.0.0\ns=-\n", 2),
        ("v=0\no=- 1 1 IN IP4\ns=-\n", 2),
        ("v=0\no=- 1 1 IN IP4 0.0.0.0\nt=0 0\n", 3),
    ] {
        assert_eq!(line_of_error(text), line, "{text:?}");
    }
    let bad = [
        "rubbish",
        "=x",
        "A=x",
        "é=x",
        "a=",
        "a=:x",
        "v=0",
        "m=",
        "m=audio",
        "m=audio 9",
        "m=x y z",
        "m=x 65536 y z",
    ];
    for bad in bad {
        assert_eq!(line_of_error(&format!("{HEAD}{bad}\r\n")), 5, "{bad:?}");
    }
    assert_eq!(
        line_of_error(&format!("{HEAD}\r\n\r\nm=x 1 y z\r\na=mid:with space\r\n")),
        8,
        "blank lines count"
    );
}

#[test]
fn line_endings_blank_lines_and_a_missing_last_one_do_not_matter() {
    let expected = Description::parse(samples::CHROME).unwrap();
    for text in [
        samples::CHROME.replace("\r\n", "\n"),
        samples::CHROME.trim_end().to_owned(),
        format!("\n\n{}\n \n", samples::CHROME),
        samples::CHROME.replace("\r\n", " \r\n"),
    ] {
        let found = Description::parse(&text).unwrap();
        assert_eq!(found.media[0].candidates, expected.media[0].candidates);
        assert_eq!(found.media[0].mid, expected.media[0].mid);
    }
}

#[test]
fn sizes_are_bounded() {
    let with = |line: &str, count: usize| Description::parse(&format!("{HEAD}{}", line.repeat(count)));
    assert!(with("m=audio 0 RTP/AVP 0\r\n", MAX_SECTIONS).is_ok());
    assert_eq!(with("m=audio 0 RTP/AVP 0\r\n", MAX_SECTIONS + 1).unwrap_err().kind, ErrorKind::Operation);
    assert_eq!(with("a=candidate:x\r\n", MAX_CANDIDATES + 1).unwrap_err().kind, ErrorKind::Operation);
    assert_eq!(with("a=x\r\n", MAX_BYTES / 5).unwrap_err().kind, ErrorKind::Operation);
    assert!(with("\n", MAX_BYTES - HEAD.len()).is_ok());
}

#[test]
fn two_sections_with_one_mid_are_refused() {
    let error = Description::parse(&format!("{HEAD}m=a 1 b c\na=mid:x\nm=a 1 b c\na=mid:x\n")).unwrap_err();
    assert_eq!((error.kind, error.sdp_line), (ErrorKind::InvalidAccess, Some(7)));
}

#[test]
fn appended_lines_stand_at_the_end_of_their_section_once() {
    for eol in ["\r\n", "\n"] {
        let text =
            format!("{HEAD}m=a 1 b c\na=mid:x\nm=a 1 b c\na=mid:y").replace("\r\n", "\n").replace('\n', eol);
        let mut description = Description::parse(&text).unwrap();
        description.append(0, "candidate:1");
        description.append(1, "end-of-candidates");
        description.append(0, "candidate:1");
        description.append(0, "candidate:2");
        description.append(9, "nowhere");
        let first = format!("a=mid:x{eol}a=candidate:1{eol}a=candidate:2");
        let expected = format!("{}{eol}a=end-of-candidates{eol}", text.replace("a=mid:x", &first));
        assert_eq!(description.text(), expected);
    }
}

#[test]
fn candidates_of_every_kind_are_read_and_written_alike() {
    for line in [
        "candidate:1 1 udp 2113929471 203.0.113.100 10100 typ host",
        "candidate:a+/Z9 256 tcp 0 2001:db8::1 9 typ host tcptype active",
        "candidate:1 1 tcp 1 192.0.2.1 0 typ prflx raddr 192.0.2.2 rport 65535 tcptype so ufrag abcd",
        "candidate:1 1 udp 4294967295 8b3c4c6e-4aa7.local 1 typ srflx raddr 0.0.0.0 rport 0",
        "candidate:1 2 udp 1 turn.example.org 1 typ relay raddr :: rport 9",
    ] {
        assert_eq!(Candidate::parse(line).unwrap().to_string(), line);
    }
    let loose =
        "a=Candidate:1  1 UDP 1 192.0.2.1 1 TYP Host generation 0 network-id 3 network-cost 10 ufrag u tail";
    assert_eq!(
        Candidate::parse(loose).unwrap().to_string(),
        "candidate:1 1 udp 1 192.0.2.1 1 typ host ufrag u"
    );
    assert!(Candidate::parse("candidate:1 1 udp 1 x.LOCAL 1 typ host").unwrap().address.is_mdns());
}

#[test]
fn lines_that_are_no_candidates_and_those_that_nobody_could_use_are_told_apart() {
    for bad in [
        "",
        "candidate:",
        "(Invalid) candidate \r\n string",
        "candidate:1 1 udp 1 192.0.2.1 1 typ",
        "candidate:1 1 udp 1 192.0.2.1 1 host typ",
        "candidate:1 udp 1 192.0.2.1 1 typ host",
    ] {
        assert!(matches!(Candidate::parse(bad), Err(CandidateError::Malformed(_))), "{bad}");
    }
    for useless in [
        "candidate:1 65536 udp 1 192.0.2.1 1 typ host",
        "candidate:1 +1 udp 1 192.0.2.1 1 typ host",
        "candidate:1 1 sctp 1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
        "candidate:1 1 udp -1 192.0.2.1 1 typ host",
        "candidate:1 1 udp 1 192.0.2.256 1 typ host",
        "candidate:1 1 udp 1 2001:db8:::1 1 typ host",
        "candidate:1 1 udp 1 host$name 1 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 udp 1 192.0.2.1 1 typ other",
        "candidate:1 1 udp 1 [192.0.2.1] 1 typ host",
        "candidate:1 1 ssltcp 1 192.0.2.1 443 typ host",
    ] {
        assert!(matches!(Candidate::parse(useless), Err(CandidateError::Unusable(_))), "{useless}");
    }
    for (odd, read) in [
        ("candidate:1 0 udp 1 192.0.2.1 1 typ host", "candidate:1 0 udp 1 192.0.2.1 1 typ host"),
        ("candidate: 1 udp 1 192.0.2.1 1 typ host", "candidate: 1 udp 1 192.0.2.1 1 typ host"),
        ("candidate:1 1 udp 1 [::1] 1 typ host", "candidate:1 1 udp 1 ::1 1 typ host"),
        ("candidate:1 1 udp 1 fe80::1%eth0 1 typ host", "candidate:1 1 udp 1 fe80::1 1 typ host"),
        ("candidate:1 1 udp 1 [fe80::1%3] 1 typ host", "candidate:1 1 udp 1 fe80::1 1 typ host"),
        ("candidate:1 1 tcp 1 192.0.2.1 1 typ host tcptype none", "candidate:1 1 tcp 1 192.0.2.1 1 typ host"),
        (
            "candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr ? rport 1",
            "candidate:1 1 udp 1 192.0.2.1 1 typ srflx rport 1",
        ),
    ] {
        assert_eq!(Candidate::parse(odd).unwrap().to_string(), read, "{odd}");
    }
    assert!(Candidate::parse(&format!("candidate:1 1 udp 1 {} 1 typ host", "a".repeat(3000))).is_err());
}

#[test]
fn legal_descriptions_that_the_parser_of_firefox_refuses_are_why_we_have_our_own() {
    for line in
        ["u=https://example.org/", "e=a@example.org", "p=+1 617 555-6011", "r=604800 3600 0 90000", "z=0 -1h"]
    {
        let text = samples::SAFARI.replace("t=0 0", &format!("{line}\r\nt=0 0"));
        assert!(webrtc_sdp::parse_sdp(&text, false).is_err(), "{line}");
        assert!(Description::parse(&text).is_ok(), "{line}");
    }
    // An unknown transport spoils all candidates there, here only itself.
    assert!(
        webrtc_sdp::parse_sdp(
            &samples::SAFARI.replace("a=mid:0", "a=candidate:1 1 x 1 192.0.2.1 1 typ host\r\na=mid:0"),
            false
        )
        .is_err()
    );
}
