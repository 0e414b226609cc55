//! Offers of other stacks, and what we offer them.

use super::*;
use crate::sdp::tests::samples::media as samples;

#[test]
fn offers_of_all_known_stacks_are_answered_with_media_and_data() {
    for (name, offer) in samples::ALL {
        let mut b = media('b');
        b.track(Audio);
        b.track(Video);
        b.remote(SdpType::Offer, offer);
        let (answer, change) = b.set_answer();
        judge(&answer);
        let offered = shape(&offer.replace('\n', "\r\n"));
        let answered = shape(&answer);
        let mut expected = Vec::new();
        for line in offered {
            let reversed = [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly")];
            let (head, direction) = line.rsplit_once(' ').unwrap();
            let port = head.replace(" 7 ", " 9 ");
            match reversed.iter().find(|(theirs, _)| *theirs == direction) {
                Some((_, ours)) if !head.starts_with("application") => {
                    expected.push(format!("{port} {ours}"));
                }
                Some(_) => expected.push(port),
                None => expected.push(line.replace(" 7 ", " 9 ")),
            }
        }
        assert_eq!(answered, expected, "{name}");
        assert!(change.transport.unwrap().data.is_some(), "{name}");
        for parameters in b.session.media_parameters() {
            assert!(!parameters.send.payloads.is_empty(), "{name}");
            let helper = |payload: &ossa_media::Payload| payload.codec == ossa_media::Codec::Other;
            assert!(!parameters.receive.payloads.iter().any(helper), "{name}");
        }
        // Our next offer goes on from there, with a section more for each track that found none.
        let waiting = b.session.transceivers().iter().filter(|t| t.mid.is_none()).count();
        assert_eq!(b.session.negotiation_needed(), waiting > 0, "{name}");
        let (offer, _) = b.set_offer();
        judge(&offer);
        assert_eq!(shape(&offer).len(), answered.len() + waiting, "{name}");
    }
}

/// What a service for voice agents answers to `addTrack(microphone)` and `createDataChannel('oai-events')`: one codec, its own
/// order of lines, ICE lite, candidates in the text.
#[test]
fn the_answer_of_a_voice_service_is_followed() {
    let mut a = media('a');
    let microphone = a.track(Audio);
    a.session.add_data_channel();
    let (offer, _) = a.set_offer();
    assert_eq!(shape(&offer), ["audio 9 0 sendrecv", "application 9 1"]);
    let answer = format!(
        "v=0\r\no=- 8616478034590271513 1700000000 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=msid-semantic:WMS*\r\n\
         a=fingerprint:{SHA256}\r\na=ice-lite\r\na=extmap-allow-mixed\r\na=group:BUNDLE 0 1\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\nc=IN IP4 0.0.0.0\r\na=setup:passive\r\na=mid:0\r\n\
         a=ice-ufrag:IKxRMkZcgHbGvrLx\r\na=ice-pwd:psIRFZQEXYkjGcKUxNPBvWyoEzAHdTmf\r\na=rtcp-mux\r\na=rtcp-rsize\r\n\
         a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtcp-fb:111 transport-cc\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=ssrc:2472058302 cname:realtimeapi\r\n\
         a=ssrc:2472058302 msid:realtimeapi audio\r\na=msid:realtimeapi audio\r\na=sendrecv\r\n\
         a=candidate:3461111247 1 udp 2130706431 192.0.2.9 3478 typ host ufrag IKxRMkZcgHbGvrLx\r\na=end-of-candidates\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=setup:passive\r\na=mid:1\r\n\
         a=sendrecv\r\na=sctp-port:5000\r\na=max-message-size:1073741823\r\na=ice-ufrag:IKxRMkZcgHbGvrLx\r\n\
         a=ice-pwd:psIRFZQEXYkjGcKUxNPBvWyoEzAHdTmf\r\n"
    );
    let change = a.remote(SdpType::Answer, &answer);
    assert_eq!(change.transport.as_ref().unwrap().dtls_role, DtlsRole::Client);
    assert_eq!(change.remote_candidates.len(), 1);
    let told =
        TrackChange::Receives { transceiver: microphone, new: true, streams: vec!["realtimeapi".to_owned()] };
    assert_eq!(change.tracks, [told]);
    let parameters = a.parameters(microphone);
    assert_eq!(numbers(&parameters.send.payloads), [111, 0, 8]);
    assert_eq!(parameters.receive.ssrcs[0].ssrc, 2_472_058_302);
    assert!(parameters.send.active && parameters.receive.active && !a.session.negotiation_needed());
}

#[test]
fn an_old_stack_that_says_streams_of_sources_only_is_heard() {
    let mut b = media('b');
    let offer: String =
        samples::CHROMIUM.split_inclusive('\n').filter(|line| !line.starts_with("a=msid:")).collect();
    b.remote(SdpType::Offer, &offer);
    let streams = &b.session.transceivers()[0].receiver_streams;
    assert!(streams.len() == 1 && samples::CHROMIUM.contains(&format!("a=msid:{} ", streams[0])));
}

#[test]
fn a_malformed_line_for_media_names_its_line_and_hurts_only_those_who_have_codecs() {
    let offer = samples::CHROMIUM.replacen("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus", 1);
    let line = offer.lines().position(|line| line == "a=rtpmap:111 opus").unwrap() as u32 + 1;
    let error = media('b').remote_error(SdpType::Offer, &offer);
    assert_eq!((error.kind, error.sdp_line), (ErrorKind::Syntax, Some(line)));
    Peer::new('p').remote(SdpType::Offer, &offer);
}
