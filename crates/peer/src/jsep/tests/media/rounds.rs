//! Rounds of offer and answer with transceivers.

use super::*;

fn streams(change: &Change) -> Vec<(u32, bool)> {
    let receives = |change: &TrackChange| match change {
        TrackChange::Receives { transceiver, new: true, .. } => Some((transceiver.0, true)),
        TrackChange::ReceivesNothing { transceiver } => Some((transceiver.0, false)),
        _ => None,
    };
    change.tracks.iter().filter_map(receives).collect()
}

#[test]
fn audio_and_video_go_both_ways_after_one_round() {
    let (mut a, mut b) = (media('a'), media('b'));
    let audio = a.add(Audio, SendRecv);
    let video = a.add(Video, SendOnly);
    a.session.add_data_channel();
    b.track(Audio);
    let (offer, _) = a.set_offer();
    judge(&offer);
    assert_eq!(shape(&offer), ["audio 9 0 sendrecv", "video 9 1 sendonly", "application 9 2"]);
    assert!(offer.contains("a=group:BUNDLE 0 1 2\r\n"));
    let change = b.remote(SdpType::Offer, &offer);
    assert_eq!(streams(&change), [(0, true), (1, true)]);
    let (answer, change) = b.set_answer();
    judge(&answer);
    assert_eq!(shape(&answer), ["audio 9 0 sendrecv", "video 9 1 recvonly", "application 9 2"]);
    assert!(change.media && change.transport.as_ref().unwrap().data.is_some());
    assert_eq!(streams(&change), []);
    let change = a.remote(SdpType::Answer, &answer);
    assert_eq!(streams(&change), [(0, true)]);

    assert_eq!(a.directions(), [("0".to_owned(), Some(SendRecv)), ("1".to_owned(), Some(SendOnly))]);
    assert_eq!(b.directions(), [("0".to_owned(), Some(SendRecv)), ("1".to_owned(), Some(RecvOnly))]);
    assert!(!a.session.negotiation_needed() && !b.session.negotiation_needed());
    let (sends, receives) = (a.parameters(audio).send, a.parameters(audio).receive);
    assert!(sends.active && receives.active && !a.parameters(video).receive.active);
    // What one sends is what the other one knows.
    let at_b = b.parameters(TransceiverId(1)).receive;
    let encoding = &a.parameters(video).send.encodings[0];
    assert_eq!((at_b.ssrcs[0].ssrc, at_b.ssrcs[0].rtx), (encoding.ssrc, encoding.rtx_ssrc));
    assert!(encoding.rtx_ssrc.is_some() && a.parameters(audio).send.encodings[0].rtx_ssrc.is_none());
    assert_eq!(at_b.payloads, a.parameters(video).send.payloads);
}

#[test]
fn an_offer_that_is_set_again_finds_the_transceivers_that_it_has_made() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    let second = a.add(Video, SendRecv);
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let made: Vec<_> = b.session.transceivers().into_iter().map(|one| (one.id, one.receiver_track)).collect();
    let change = b.remote(SdpType::Offer, &offer);
    assert_eq!(change.tracks, [], "nothing has changed");
    let found: Vec<_> =
        b.session.transceivers().into_iter().map(|one| (one.id, one.receiver_track)).collect();
    assert_eq!(found, made);

    // What another offer does not have any more is gone, and what it has in addition comes.
    a.session.set_local(SdpType::Rollback, "").unwrap();
    a.session.stop_transceiver(second).unwrap();
    a.add(Audio, SendRecv);
    let (other, _) = a.set_offer();
    let change = b.remote(SdpType::Offer, &other);
    assert_eq!(change.tracks[0], TrackChange::Stopped { transceiver: made[1].0 });
    assert_eq!(streams(&change).len(), 1);
    assert_eq!(b.session.transceivers()[0].id, made[0].0);
    // Withdrawn as a whole, nothing is left of either.
    b.session.set_remote(SdpType::Rollback, "").unwrap();
    assert_eq!(b.session.transceivers(), []);
}

#[test]
fn a_connection_can_have_audio_and_no_data() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    let (at_a, at_b) = negotiate(&mut a, &mut b);
    for change in [&at_a, &at_b] {
        assert_eq!(change.transport.as_ref().unwrap().data, None);
        assert!(change.remote_ice.is_some() && !change.data_section_removed);
    }
    assert_eq!(b.directions(), [("0".to_owned(), Some(RecvOnly))]);
    // Data comes later, over the same transport.
    b.session.add_data_channel();
    let (at_b, at_a) = negotiate(&mut b, &mut a);
    for change in [&at_a, &at_b] {
        assert!(change.transport.as_ref().unwrap().data.is_some() && change.gather.is_none());
    }
    // And goes again, without the transport.
    let (offer, _) = a.set_offer();
    let offer = offer.replace("m=application 9", "m=application 0").replace("BUNDLE 0 1", "BUNDLE 0");
    b.remote(SdpType::Offer, &offer);
    let (answer, change) = b.set_answer();
    assert_eq!(shape(&answer), ["audio 9 0 recvonly", "application 0 1"]);
    assert!(change.data_section_removed && !change.transport_removed);
    assert_eq!(change.transport.unwrap().data, None);
    let change = a.remote(SdpType::Answer, &answer);
    assert!(change.data_section_removed && !change.transport_removed);
}

#[test]
fn media_joins_data_that_was_there_first() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.session.add_data_channel();
    negotiate(&mut a, &mut b);
    b.track(Video);
    assert!(b.session.negotiation_needed());
    let (offer, change) = b.set_offer();
    assert!(change.gather.is_none());
    assert_eq!(shape(&offer), ["application 9 0", "video 9 1 sendrecv"]);
    let (at_b, at_a) = finish(&mut b, &mut a, &offer);
    assert!(!at_b.data_section_removed && !at_a.data_section_removed && at_a.remote_ice.is_none());
    assert_eq!(a.directions(), [("1".to_owned(), Some(RecvOnly))]);
}

#[test]
fn a_direction_that_changes_asks_for_a_round_and_gets_it() {
    let (mut a, mut b) = (media('a'), media('b'));
    let at_a = a.add(Audio, SendRecv);
    b.track(Audio);
    negotiate(&mut a, &mut b);
    for (direction, at_b, tracks) in [
        (SendOnly, RecvOnly, vec![(0, false)]),
        (Inactive, Inactive, vec![]),
        (RecvOnly, SendOnly, vec![(0, true)]),
        (SendRecv, SendRecv, vec![]),
    ] {
        a.session.set_direction(at_a, direction).unwrap();
        // What is not to be sent any more is not, at once.
        let sent = direction.sends() && a.directions()[0].1.unwrap().sends();
        assert_eq!(a.parameters(at_a).send.active, sent, "{direction:?}");
        assert!(a.session.negotiation_needed(), "{direction:?}");
        let (change, _) = negotiate(&mut a, &mut b);
        assert_eq!(streams(&change), tracks, "{direction:?}");
        assert_eq!((a.directions()[0].1, b.directions()[0].1), (Some(direction), Some(at_b)));
        assert!(!a.session.negotiation_needed() && !b.session.negotiation_needed(), "{direction:?}");
    }
}

#[test]
fn the_answerer_holds_and_resumes() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    let at_b = b.track(Audio);
    negotiate(&mut a, &mut b);
    b.session.set_direction(at_b, Inactive).unwrap();
    let (_, change) = negotiate(&mut a, &mut b);
    assert_eq!(streams(&change), [(0, false)]);
    assert_eq!(a.directions()[0].1, Some(Inactive));
    b.session.set_direction(at_b, SendRecv).unwrap();
    // Both agree on it, and a still wants it.
    assert!(b.session.negotiation_needed());
    negotiate(&mut b, &mut a);
    assert_eq!((a.directions()[0].1, b.directions()[0].1), (Some(SendRecv), Some(SendRecv)));
}

/// The descriptions of a round.
fn described(offerer: &mut Peer, answerer: &mut Peer) -> (String, String) {
    let (offer, _) = offerer.set_offer();
    answerer.remote(SdpType::Offer, &offer);
    let (answer, _) = answerer.set_answer();
    offerer.remote(SdpType::Answer, &answer);
    (offer, answer)
}

#[test]
fn what_was_sent_stays_described_while_it_is_on_hold() {
    let (mut a, mut b) = (media('a'), media('b'));
    let (at_a, at_b) = (a.add(Audio, SendRecv), b.track(Audio));
    let (offer, answer) = described(&mut a, &mut b);
    let sources = |sdp: &str| (rtp(sdp)[0].msids.clone(), rtp(sdp)[0].ssrcs.clone());
    let before = (sources(&offer), sources(&answer));
    assert!(!before.0.0.is_empty() && !before.1.1.is_empty());
    for direction in [Inactive, RecvOnly, SendRecv] {
        a.session.set_direction(at_a, direction).unwrap();
        let (offer, answer) = described(&mut a, &mut b);
        assert_eq!((sources(&offer), sources(&answer)), before, "{direction:?}");
        assert_eq!(a.parameters(at_a).send.active, direction == SendRecv);
        assert_eq!(b.session.transceivers()[0].receives, direction == SendRecv);
    }
    assert_eq!(b.session.transceivers()[0].id, at_b);
}

#[test]
fn what_was_never_sent_is_not_described() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, RecvOnly);
    for _ in 0..2 {
        let (offer, answer) = described(&mut a, &mut b);
        for sdp in [offer, answer] {
            assert_eq!((rtp(&sdp)[0].msids.len(), rtp(&sdp)[0].ssrcs.len()), (0, 0));
        }
    }
}

#[test]
fn other_streams_are_told() {
    let (mut a, mut b) = (media('a'), media('b'));
    let at_a = a.add(Audio, SendRecv);
    negotiate(&mut a, &mut b);
    assert_eq!(b.session.transceivers()[0].receiver_streams, ["s"]);
    a.session.set_sender(at_a, vec!["t".to_owned(), "u".to_owned()], false).unwrap();
    assert!(a.session.negotiation_needed());
    let (offer, _) = a.set_offer();
    let change = b.remote(SdpType::Offer, &offer);
    let told = TrackChange::Receives {
        transceiver: TransceiverId(0),
        new: false,
        streams: vec!["t".to_owned(), "u".to_owned()],
    };
    assert_eq!(change.tracks, [told]);
    assert_eq!(b.session.transceivers()[0].receiver_streams, ["t", "u"]);
}

#[test]
fn a_stopped_section_is_rejected_and_used_again() {
    let (mut a, mut b) = (media('a'), media('b'));
    let first = a.add(Audio, SendRecv);
    a.add(Video, SendRecv);
    negotiate(&mut a, &mut b);
    a.session.stop_transceiver(first).unwrap();
    let sections = a.session.media_parameters();
    assert!(sections.iter().all(|section| section.transceiver != first), "its streams end");
    assert!(a.session.negotiation_needed());
    assert!(a.session.set_direction(first, SendRecv).is_err());
    let (offer, _) = a.set_offer();
    assert_eq!(shape(&offer), ["audio 0 0 inactive", "video 9 1 sendrecv"]);
    assert!(offer.contains("BUNDLE 1\r\n"));
    let (at_a, at_b) = finish(&mut a, &mut b, &offer);
    for change in [&at_a, &at_b] {
        assert!(
            change.tracks.contains(&TrackChange::Stopped { transceiver: TransceiverId(0) }),
            "{change:?}"
        );
        assert!(change.transport.is_some() && !change.transport_removed);
    }
    assert_eq!((a.directions().len(), b.directions().len()), (1, 1));
    // Another kind takes the place, under a new mid.
    a.add(Video, SendOnly);
    let (offer, _) = a.set_offer();
    assert_eq!(shape(&offer), ["video 9 2 sendonly", "video 9 1 sendrecv"]);
    finish(&mut a, &mut b, &offer);
    assert_eq!(b.directions().len(), 2);
    assert!(!a.session.negotiation_needed() && !b.session.negotiation_needed());
}

#[test]
fn what_the_answerer_has_stopped_is_on_hold_until_its_own_offer_rejects_it() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    a.add(Video, SendRecv);
    negotiate(&mut a, &mut b);
    b.session.stop_transceiver(TransceiverId(0)).unwrap();
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let (answer, _) = b.set_answer();
    assert_eq!(shape(&answer), ["audio 9 0 inactive", "video 9 1 recvonly"]);
    a.remote(SdpType::Answer, &answer);
    assert_eq!(a.directions(), [("0".to_owned(), Some(Inactive)), ("1".to_owned(), Some(SendOnly))]);
    assert!(b.session.negotiation_needed());
    let (change, _) = negotiate(&mut b, &mut a);
    assert!(change.tracks.contains(&TrackChange::Stopped { transceiver: TransceiverId(0) }));
    assert_eq!(a.directions(), [("1".to_owned(), Some(SendOnly))]);
    assert!(!b.session.negotiation_needed());
}

#[test]
fn what_is_stopped_after_its_offer_was_created_is_negotiated_and_then_rejected() {
    let (mut a, mut b) = (media('a'), media('b'));
    let first = a.add(Audio, SendRecv);
    let never_offered = a.add(Video, SendRecv);
    a.session.stop_transceiver(never_offered).unwrap();
    let offer = a.offer();
    a.session.stop_transceiver(first).unwrap();
    a.session.set_local(SdpType::Offer, &offer).unwrap();
    finish(&mut a, &mut b, &offer);
    assert_eq!(a.directions(), [("0".to_owned(), Some(SendOnly))]);
    assert!(a.session.media_parameters().is_empty(), "nothing is sent");
    assert!(a.session.negotiation_needed());
    negotiate(&mut a, &mut b);
    assert_eq!((a.directions().len(), b.directions().len()), (0, 0));
    assert!(!a.session.negotiation_needed());
    // An offer that was never set is no reason to keep one either.
    let offered = a.add(Audio, SendRecv);
    a.offer();
    a.session.stop_transceiver(offered).unwrap();
    assert!(!a.session.negotiation_needed());
}

#[test]
fn a_track_that_is_sent_again_is_not_taken_for_the_one_on_hold() {
    let (mut a, mut b) = (media('a'), media('b'));
    let init = |track: &str| TransceiverInit {
        by_track: true,
        streams: vec!["s".to_owned()],
        track: Some(track.to_owned()),
        ..TransceiverInit::default()
    };
    let first = a.session.add_transceiver(Audio, init("voice")).unwrap();
    negotiate(&mut a, &mut b);
    a.session.set_direction(first, RecvOnly).unwrap();
    a.session.add_transceiver(Audio, init("voice")).unwrap();
    negotiate(&mut a, &mut b);
    assert_eq!(b.directions().len(), 2);
    // Other stacks may name both alike: only what is sent counts.
    let offer = a.offer();
    let names: Vec<String> = rtp(&offer).iter().filter_map(|rtp| rtp.msids[0].track.clone()).collect();
    b.remote(SdpType::Offer, &offer.replace(&names[1], &names[0]));
}

#[test]
fn an_answer_sends_only_what_was_asked_for_and_takes_only_what_is_sent() {
    for (offered, allowed) in [(SendOnly, RecvOnly), (RecvOnly, SendOnly), (Inactive, Inactive)] {
        let (mut a, mut b) = (media('a'), media('b'));
        a.add(Audio, offered);
        b.track(Audio);
        let (offer, _) = a.set_offer();
        b.remote(SdpType::Offer, &offer);
        let answer = b.answer();
        let (head, audio) = answer.split_once("m=audio").unwrap();
        let said = |direction: Direction| {
            let old = Direction::as_str(rtp(&answer)[0].direction);
            format!(
                "{head}m=audio{}",
                audio.replace(&format!("a={old}"), &format!("a={}", direction.as_str()))
            )
        };
        for direction in [SendRecv, SendOnly, RecvOnly].into_iter().filter(|other| *other != allowed) {
            let error = a.remote_error(SdpType::Answer, &said(direction));
            assert_eq!(error.kind, ErrorKind::InvalidAccess, "{error}");
        }
        a.remote(SdpType::Answer, &said(allowed));
    }
}

#[test]
fn the_end_of_all_sections_is_the_end_of_the_transport() {
    let (mut a, mut b) = (media('a'), media('b'));
    let only = a.add(Audio, SendRecv);
    negotiate(&mut a, &mut b);
    a.session.stop_transceiver(only).unwrap();
    let (at_a, at_b) = negotiate(&mut a, &mut b);
    assert!(at_a.transport_removed && at_b.transport_removed);
    assert!(!a.session.negotiation_needed());
    // And the beginning of another.
    b.track(Audio);
    let (at_b, at_a) = negotiate(&mut b, &mut a);
    assert!(at_a.transport.is_some() && at_b.transport.is_some());
}

#[test]
fn a_rollback_takes_back_what_the_offer_has_made() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    negotiate(&mut a, &mut b);
    a.add(Video, SendRecv);
    let (offer, _) = a.set_offer();
    assert_eq!(a.directions().iter().map(|(mid, _)| mid.as_str()).collect::<Vec<_>>(), ["0", "1"]);
    b.remote(SdpType::Offer, &offer);
    assert_eq!(b.directions().len(), 2);
    let change = b.remote(SdpType::Rollback, "");
    assert_eq!(change.tracks, [TrackChange::Stopped { transceiver: TransceiverId(1) }]);
    assert_eq!(b.directions(), [("0".to_owned(), Some(RecvOnly))]);
    a.session.set_local(SdpType::Rollback, "").unwrap();
    assert_eq!(a.directions(), [("0".to_owned(), Some(SendOnly)), (String::new(), None)]);
    // It goes on from there, from either side.
    b.track(Audio);
    let (offer, _) = b.set_offer();
    finish(&mut b, &mut a, &offer);
    assert_eq!(shape(&a.offer()), ["audio 9 0 sendrecv", "audio 9 1 recvonly", "video 9 2 sendrecv"]);
}

#[test]
fn glare_ends_with_both_sides_sections() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    b.add(Video, SendRecv);
    let (offer, _) = a.set_offer();
    b.set_offer();
    // b is polite.
    let change = b.remote(SdpType::Offer, &offer);
    assert!(change.rolled_back);
    let (answer, _) = b.set_answer();
    a.remote(SdpType::Answer, &answer);
    assert!(b.session.negotiation_needed());
    negotiate(&mut b, &mut a);
    assert_eq!(a.directions(), [("0".to_owned(), Some(SendOnly)), ("1".to_owned(), Some(RecvOnly))]);
    assert_eq!(b.directions(), [("1".to_owned(), Some(SendOnly)), ("0".to_owned(), Some(RecvOnly))]);
}

#[test]
fn an_offer_takes_a_transceiver_of_a_track_and_leaves_others_alone() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendOnly);
    a.add(Audio, RecvOnly);
    b.add(Audio, SendRecv);
    let tracked = b.track(Audio);
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let mids: Vec<_> = b.session.transceivers().into_iter().map(|t| (t.id, t.mid, t.by_peer)).collect();
    // The first section only sends, which is no place for a track; what addTransceiver has made waits for its own.
    assert_eq!(mids[0].1, None);
    assert_eq!(mids[1], (tracked, Some("1".to_owned()), false));
    assert_eq!((&mids[2].1, mids[2].2), (&Some("0".to_owned()), true));
    // A track added to what the offer has made lets it survive a rollback, without a section.
    b.session.set_sender(mids[2].0, Vec::new(), true).unwrap();
    let change = b.remote(SdpType::Rollback, "");
    assert_eq!(change.tracks, [TrackChange::ReceivesNothing { transceiver: mids[2].0 }]);
    assert!(b.session.transceivers().iter().all(|t| t.mid.is_none()));
    assert_eq!(b.session.transceivers().len(), 3);
    // From then on it is one for tracks; a track given to one that addTransceiver has made leaves that what it is.
    b.session.set_sender(mids[0].0, Vec::new(), true).unwrap();
    b.session.stop_transceiver(tracked).unwrap();
    b.remote(SdpType::Offer, &offer);
    let mids: Vec<_> = b.session.transceivers().into_iter().map(|t| t.mid).collect();
    assert_eq!(mids, [None, Some("1".to_owned()), Some("0".to_owned())]);
}

#[test]
fn a_peer_without_mids_is_answered() {
    let offer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0 101\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=rtcp-mux\r\n\
        a=rtpmap:101 opus/48000/2\r\na=sendrecv\r\n";
    let offer = format!("{offer}a=fingerprint:{SHA256}\r\n");
    let mut b = media('b');
    let track = b.track(Audio);
    b.remote(SdpType::Offer, &offer);
    let (answer, change) = b.set_answer();
    judge(&answer);
    assert_eq!(shape(&answer), ["audio 9 - sendrecv"]);
    assert!(change.transport.is_some() && !answer.contains("a=group"));
    assert!(b.session.transceivers()[0].mid.is_some());
    assert_eq!(b.parameters(track).mid, None);
    assert_eq!(numbers(&b.parameters(track).send.payloads), [0, 101]);
}

#[test]
fn an_ice_restart_leaves_media_alone() {
    let (mut a, mut b) = (media('a'), media('b'));
    let audio = a.add(Audio, SendRecv);
    negotiate(&mut a, &mut b);
    let before = a.parameters(audio);
    a.session.request_ice_restart();
    assert!(a.session.negotiation_needed());
    let (at_a, _) = negotiate(&mut a, &mut b);
    assert!(at_a.remote_ice_restarted && at_a.tracks.is_empty() && !a.session.negotiation_needed());
    assert_eq!(a.parameters(audio), before);
}

#[test]
fn a_provisional_answer_lets_media_flow() {
    let (mut a, mut b) = (media('a'), media('b'));
    let audio = a.add(Audio, SendRecv);
    b.track(Audio);
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let answer = b.answer();
    let change = b.session.set_local(SdpType::Pranswer, &answer).unwrap();
    assert!(change.media && change.transport.is_some());
    assert!(a.remote(SdpType::Pranswer, &answer).media);
    assert!(a.parameters(audio).send.active && a.directions()[0].1.is_none());
    a.remote(SdpType::Answer, &answer);
    assert_eq!(a.directions()[0].1, Some(SendRecv));
}

#[test]
fn an_answer_that_can_not_be_followed_is_refused_and_changes_nothing() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    a.add(Video, SendRecv);
    let (offer, _) = a.set_offer();
    b.remote(SdpType::Offer, &offer);
    let (answer, _) = b.set_answer();
    for (from, to, words) in [
        ("BUNDLE 0 1", "BUNDLE 0", "BUNDLE"),
        ("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 9 UDP/TLS/RTP/SAVPF 77 ", "codec"),
    ] {
        let mut changed = answer.replace(from, to);
        if words == "codec" {
            let (head, video) = answer.split_once("m=video").unwrap();
            let codecs = video.lines().filter(|line| !line.starts_with("a=rtpmap")).collect::<Vec<_>>();
            changed = format!("{head}m=video{}\r\n", codecs.join("\r\n"));
        }
        let error = a.remote_error(SdpType::Answer, &changed);
        assert_eq!(error.kind, ErrorKind::InvalidAccess, "{error}");
        assert!(error.message.contains(words) && error.sdp_line.is_some(), "{error}");
    }
    a.remote(SdpType::Answer, &answer);
}

#[test]
fn an_offer_that_moves_a_section_is_refused() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.add(Audio, SendRecv);
    negotiate(&mut a, &mut b);
    let (offer, _) = a.set_offer();
    for changed in
        [offer.replace("m=audio", "m=video"), offer.replace("mid:0", "mid:7").replace("E 0", "E 7")]
    {
        assert_eq!(b.remote_error(SdpType::Offer, &changed).kind, ErrorKind::InvalidAccess);
    }
}

#[test]
fn without_codecs_all_is_as_it_was() {
    let mut plain = Peer::new('p');
    let error = plain.session.add_transceiver(Audio, TransceiverInit::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSupported);
    let mut a = media('a');
    a.add(Audio, SendRecv);
    a.session.add_data_channel();
    let (offer, _) = a.set_offer();
    let change = plain.remote(SdpType::Offer, &offer);
    assert!(change.tracks.is_empty());
    let (answer, change) = plain.set_answer();
    assert_eq!(shape(&answer), ["audio 9 0 inactive", "application 9 1"]);
    assert!(!change.media && plain.session.transceivers().is_empty());
    // The other side takes what is kept for what it is.
    a.remote(SdpType::Answer, &answer);
    assert_eq!(a.directions(), [("0".to_owned(), Some(Inactive))]);
}

#[test]
fn what_can_not_stand_in_a_description_is_refused() {
    let mut a = media('a');
    let encoding = |rid: &str| EncodingInit { rid: Some(rid.to_owned()), ..EncodingInit::default() };
    let bad = [
        TransceiverInit { streams: vec!["a b".to_owned()], ..TransceiverInit::default() },
        TransceiverInit { streams: vec![String::new()], ..TransceiverInit::default() },
        TransceiverInit { track: Some("x\r\na=y".to_owned()), ..TransceiverInit::default() },
        TransceiverInit { encodings: vec![encoding("a"), encoding("a")], ..TransceiverInit::default() },
        TransceiverInit { encodings: vec![encoding("a;b")], ..TransceiverInit::default() },
        TransceiverInit {
            encodings: vec![encoding("a"), EncodingInit::default()],
            ..TransceiverInit::default()
        },
        TransceiverInit { encodings: vec![encoding("a"); 17], ..TransceiverInit::default() },
    ];
    for init in bad {
        let text = format!("{init:?}");
        assert_eq!(a.session.add_transceiver(Video, init).unwrap_err().kind, ErrorKind::Type, "{text}");
    }
    let nothing = MediaCapabilities { video: Vec::new(), ..MediaCapabilities::default() };
    let mut deaf = with_codecs('d', nothing);
    let error = deaf.session.add_transceiver(Video, TransceiverInit::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Operation);
    let mut many = media('m');
    let added = (0..600).filter(|_| many.session.add_transceiver(Audio, TransceiverInit::default()).is_ok());
    assert_eq!(added.count(), crate::sdp::MAX_SECTIONS);
}

#[test]
fn an_offer_that_has_one_track_in_two_sections_is_refused() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.track(Audio);
    a.track(Audio);
    let (offer, _) = a.set_offer();
    let names: Vec<String> = rtp(&offer).iter().filter_map(|rtp| rtp.msids[0].track.clone()).collect();
    let error = b.remote_error(SdpType::Offer, &offer.replace(&names[1], &names[0]));
    assert_eq!(error.kind, ErrorKind::Operation, "{error}");
    assert!(b.session.transceivers().is_empty());
    b.remote(SdpType::Offer, &offer);
}

#[test]
fn tracks_of_a_peer_that_knows_no_streams_are_in_a_default_one() {
    let (mut a, mut b) = (media('a'), media('b'));
    a.track(Audio);
    a.track(Video);
    let (offer, _) = a.set_offer();
    let lines = offer.lines().filter(|line| !line.contains("msid"));
    b.remote(SdpType::Offer, &(lines.collect::<Vec<_>>().join("\r\n") + "\r\n"));
    let streams: Vec<_> = b.session.transceivers().into_iter().map(|one| one.receiver_streams).collect();
    assert_eq!((streams.len(), streams[0].len()), (2, 1));
    assert_eq!(streams[0], streams[1]);
}
