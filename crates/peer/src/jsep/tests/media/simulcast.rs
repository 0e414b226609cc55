//! Which layers are sent, by what each side says of them.

use ossa_media::Extension;
use proptest::prelude::*;

use super::*;

fn named(rids: &[&str]) -> TransceiverInit {
    let encoding = |rid: &&str| EncodingInit { rid: Some((*rid).to_owned()), ..EncodingInit::default() };
    TransceiverInit { encodings: rids.iter().map(encoding).collect(), ..TransceiverInit::default() }
}

/// Names of the encodings that a transceiver has.
fn names(peer: &Peer, id: TransceiverId) -> Vec<String> {
    let all = peer.session.transceivers();
    let found = all.into_iter().find(|transceiver| transceiver.id == id).unwrap();
    found.encodings.into_iter().map(Option::unwrap_or_default).collect()
}

/// What goes out, and whether it does.
fn sent(peer: &Peer, id: TransceiverId) -> Vec<(String, bool)> {
    let sent = peer.parameters(id).send.encodings.into_iter();
    sent.map(|encoding| (encoding.rid.unwrap_or_default(), encoding.active)).collect()
}

fn active(rids: &[&str]) -> Vec<(String, bool)> {
    rids.iter().map(|rid| ((*rid).to_owned(), true)).collect()
}

/// The description takes these layers: `a;~b` of a section that said nothing of layers, or others.
fn taking(sdp: &str, streams: &str, restrictions: &str) -> String {
    let plain: String = sdp
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("a=rid:") && !line.starts_with("a=simulcast:"))
        .collect();
    if streams.is_empty() {
        return plain;
    }
    let rids = streams.split([';', ',']).map(|rid| rid.trim_start_matches('~'));
    let rids: String = rids.map(|rid| format!("a=rid:{rid} recv{restrictions}\r\n")).collect();
    format!("{plain}{rids}a=simulcast:recv {streams}\r\n")
}

/// A peer that watches, and its offer for a camera in these layers.
fn offer_of_watcher(streams: &str, restrictions: &str) -> (Peer, String) {
    let mut watcher = media('w');
    watcher.add(Video, RecvOnly);
    let (offer, _) = watcher.set_offer();
    let offer = taking(&offer, streams, restrictions);
    (watcher, offer)
}

#[test]
fn layers_that_the_peer_asks_for_are_sent_under_its_names() {
    let (mut watcher, offer) = offer_of_watcher("q;h;f", "");
    let mut camera = media('c');
    let id = camera.track(Video);
    camera.remote(SdpType::Offer, &offer);
    assert_eq!(names(&camera, id), ["q", "h", "f"]);
    let (answer, _) = camera.set_answer();
    judge(&answer);
    assert!(answer.contains("a=rid:h send\r\n") && answer.contains("a=simulcast:send q;h;f\r\n"), "{answer}");
    assert_eq!(sent(&camera, id), active(&["q", "h", "f"]));
    let mut sources: Vec<u32> = camera.parameters(id).send.encodings.iter().map(|e| e.ssrc).collect();
    sources.dedup();
    assert_eq!(sources.len(), 3);
    watcher.remote(SdpType::Answer, &answer);
    // What was agreed on stays so when this side offers.
    let (offer, _) = camera.set_offer();
    assert!(offer.contains("a=simulcast:send q;h;f\r\n"), "{offer}");
}

#[test]
fn a_transceiver_that_the_offer_makes_has_its_layers() {
    let (_, offer) = offer_of_watcher("q;f", "");
    let mut camera = media('c');
    camera.remote(SdpType::Offer, &offer);
    let id = TransceiverId(0);
    assert_eq!(names(&camera, id), ["q", "f"]);
    camera.session.set_direction(id, SendOnly).unwrap();
    let (answer, _) = camera.set_answer();
    assert!(answer.contains("a=simulcast:send q;f\r\n"), "{answer}");
}

#[test]
fn an_offer_for_layers_that_is_withdrawn_leaves_what_there_was() {
    let (_, offer) = offer_of_watcher("q;f", "");
    let mut camera = media('c');
    let id = camera.track(Video);
    let limited = EncodingInit { max_bitrate: Some(5), ..EncodingInit::default() };
    camera.session.set_encodings(id, &[limited]).unwrap();
    camera.remote(SdpType::Offer, &offer);
    // Another offer takes its place.
    camera.remote(SdpType::Offer, &offer.replace("q;f", "f"));
    assert_eq!(names(&camera, id), ["f"]);
    camera.remote(SdpType::Rollback, "");
    assert_eq!(names(&camera, id), [""]);
    let mut watcher = media('w');
    negotiate(&mut camera, &mut watcher);
    assert_eq!(camera.parameters(id).send.encodings[0].max_bitrate, Some(5));
}

#[test]
fn a_stream_that_flows_becomes_layers_by_the_next_offer() {
    let (mut camera, mut watcher) = (media('c'), media('w'));
    let id = camera.track(Video);
    negotiate(&mut camera, &mut watcher);
    let before = camera.parameters(id).send.encodings[0].ssrc;
    let (offer, _) = watcher.set_offer();
    camera.remote(SdpType::Offer, &taking(&offer, "q;f", ""));
    assert_eq!((sent(&camera, id), camera.parameters(id).send.encodings[0].ssrc), (active(&[""]), before));
    camera.set_answer();
    assert_eq!(sent(&camera, id), active(&["q", "f"]));
}

#[test]
fn of_what_is_asked_for_only_what_can_be_sent_is() {
    let asked = |streams: &str, restrictions: &str| {
        let (_, offer) = offer_of_watcher(streams, restrictions);
        let mut camera = media('c');
        let id = camera.track(Video);
        camera.remote(SdpType::Offer, &offer);
        camera.set_answer();
        names(&camera, id)
    };
    assert_eq!(asked("a;b;a", ""), ["a", "b"]);
    assert_eq!(asked("a,b;1,2", ""), ["a", "1"]);
    assert_eq!(asked("~a;b", ""), ["a", "b"]);
    assert_eq!(asked("a", ""), ["a"]);
    let many: Vec<String> = (0..40).map(|number| format!("r{number}")).collect();
    assert_eq!(asked(&many.join(";"), ""), many[..16]);
    for refused in [" max-width=320", " pt=0", " pt=x", " pt=", " nonsense"] {
        assert_eq!(asked("a;b", refused), [""], "{refused}");
    }
    assert_eq!(asked("a;;b", ""), [""]);
    // Names that nothing describes, and layers without the extension that tells them apart.
    let (_, offer) = offer_of_watcher("a;b", "");
    let undescribed = offer.replace("a=rid:a recv\r\n", "");
    let anonymous = offer.replace(Extension::Rid.uri(), "urn:x");
    for (offer, expected) in [(undescribed, "b"), (anonymous, "")] {
        let mut camera = media('c');
        let id = camera.track(Video);
        camera.remote(SdpType::Offer, &offer);
        assert_eq!(names(&camera, id), [expected]);
    }
}

#[test]
fn restrictions_to_all_codecs_of_the_section_are_none() {
    let (_, offer) = offer_of_watcher("a;b", "");
    let payloads: Vec<String> = rtp(&offer)[0].codecs.iter().map(|codec| codec.payload.to_string()).collect();
    let restricted = offer.replace(" recv\r\n", &format!(" recv pt={}\r\n", payloads.join(",")));
    let mut camera = media('c');
    let id = camera.track(Video);
    camera.remote(SdpType::Offer, &restricted);
    assert_eq!(names(&camera, id), ["a", "b"]);
}

/// A camera that offers three layers, after an answer that takes these.
fn answered(streams: &str, restrictions: &str) -> (Peer, Peer, TransceiverId) {
    let (mut camera, mut watcher) = (media('c'), media('w'));
    let id = camera.session.add_transceiver(Video, named(&["q", "h", "f"])).unwrap();
    let (offer, _) = camera.set_offer();
    watcher.remote(SdpType::Offer, &offer);
    let (answer, _) = watcher.set_answer();
    camera.remote(SdpType::Answer, &taking(&answer, streams, restrictions));
    (camera, watcher, id)
}

#[test]
fn an_answer_leaves_the_layers_that_it_takes() {
    for (streams, left) in
        [("q;h;f", &["q", "h", "f"][..]), ("f;q", &["q", "f"]), ("h", &["h"]), ("h;x;h", &["h"])]
    {
        let (mut camera, _, id) = answered(streams, "");
        assert_eq!(names(&camera, id), left);
        assert_eq!(sent(&camera, id), active(left));
        let (offer, _) = camera.set_offer();
        assert!(offer.contains(&format!("a=simulcast:send {}\r\n", left.join(";"))), "{offer}");
        let init = named(left).encodings;
        camera.session.set_encodings(id, &init).unwrap();
        let error = camera.session.set_encodings(id, &named(&["q", "h", "f", "x"]).encodings).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidModification);
    }
}

#[test]
fn an_answer_without_layers_leaves_the_first_as_a_plain_stream() {
    for (streams, restrictions) in [("", ""), ("x;y", ""), ("q;h;f", " max-width=320")] {
        let (mut camera, _, id) = answered(streams, restrictions);
        assert_eq!(names(&camera, id), ["q"]);
        assert_eq!(sent(&camera, id), active(&[""]));
        let (offer, _) = camera.set_offer();
        assert!(!offer.contains("a=simulcast") && offer.contains("a=ssrc:"), "{offer}");
    }
}

#[test]
fn a_layer_that_the_peer_pauses_is_not_sent_until_it_says_otherwise() {
    let (mut camera, mut watcher, id) = answered("q;~h;f", "");
    assert_eq!(names(&camera, id), ["q", "h", "f"]);
    let pause =
        |active: bool| [("q", true), ("h", active), ("f", true)].map(|(rid, on)| (rid.to_owned(), on));
    assert_eq!(sent(&camera, id), pause(false));
    let (offer, _) = camera.set_offer();
    watcher.remote(SdpType::Offer, &offer);
    let (answer, _) = watcher.set_answer();
    camera.remote(SdpType::Answer, &taking(&answer, "q;h;f", ""));
    assert_eq!(sent(&camera, id), pause(true));
}

#[test]
fn an_offer_of_the_peer_takes_layers_away_once_it_is_answered() {
    for (streams, left, on_the_wire) in [("f", "f", "f"), ("", "q", "")] {
        let (mut camera, mut watcher, id) = answered("q;h;f", "");
        let (offer, _) = watcher.set_offer();
        let offer = taking(&offer, streams, "");
        camera.remote(SdpType::Offer, &offer);
        assert_eq!(names(&camera, id), ["q", "h", "f"]);
        camera.remote(SdpType::Rollback, "");
        assert_eq!(sent(&camera, id), active(&["q", "h", "f"]));
        camera.remote(SdpType::Offer, &offer);
        camera.set_answer();
        assert_eq!((names(&camera, id), sent(&camera, id)), (vec![left.to_owned()], active(&[on_the_wire])));
    }
}

#[test]
fn layers_come_back_after_a_hold() {
    let (mut camera, mut watcher, id) = answered("q;h;f", "");
    let sources = |camera: &Peer| {
        camera.parameters(id).send.encodings.iter().map(|encoding| encoding.ssrc).collect::<Vec<_>>()
    };
    let before = sources(&camera);
    for direction in [Inactive, SendRecv] {
        camera.session.set_direction(id, direction).unwrap();
        negotiate(&mut camera, &mut watcher);
        assert_eq!((names(&camera, id).len(), sources(&camera)), (3, before.clone()));
        assert_eq!(camera.parameters(id).send.active, direction == SendRecv);
    }
}

#[test]
fn audio_has_no_layers() {
    let mut watcher = media('w');
    watcher.add(Audio, RecvOnly);
    let (offer, _) = watcher.set_offer();
    let mut phone = media('p');
    let id = phone.track(Audio);
    phone.remote(SdpType::Offer, &taking(&offer, "a;b", ""));
    assert_eq!(names(&phone, id), [""]);
    let (answer, _) = phone.set_answer();
    assert!(!answer.contains("a=simulcast"), "{answer}");
}

/// Lines about layers as nobody should write them.
fn lines() -> impl Strategy<Value = String> {
    let rid = "a=rid:[a-c~,-]{1,2} (recv|send)( (pt|max-width|x)=[0-9,]{0,5})?\r\n";
    let simulcast =
        "a=simulcast:(recv|send) ~?[a-c](,~?[a-c]){0,2}(;~?[a-c](,[a-c])?){0,3}( send [a-c];[a-c])?\r\n";
    (prop::collection::vec(rid, 0..8), prop::collection::vec(simulcast, 0..3))
        .prop_map(|(rids, simulcast)| rids.concat() + &simulcast.concat())
}

proptest! {
    #[test]
    fn whatever_is_said_of_layers_a_sender_has_some_and_a_rollback_brings_back_the_others(
        first in lines(), second in lines(), answer in lines(),
    ) {
        let (mut camera, mut watcher) = (media('c'), media('w'));
        let id = camera.track(Video);
        watcher.add(Video, RecvOnly);
        let (offer, _) = watcher.set_offer();
        for lines in [&first, &second] {
            camera.remote(SdpType::Offer, &(offer.clone() + lines));
        }
        camera.remote(SdpType::Rollback, "");
        prop_assert_eq!(names(&camera, id), [""]);
        camera.remote(SdpType::Offer, &(offer + &second));
        let (answered, _) = camera.set_answer();
        judge(&answered);
        watcher.remote(SdpType::Answer, &taking(&answered, "", ""));
        let before = names(&camera, id);
        let (offer, _) = camera.set_offer();
        watcher.remote(SdpType::Offer, &taking(&offer, "", ""));
        let (plain, _) = watcher.set_answer();
        camera.remote(SdpType::Answer, &(plain + &answer));
        let left = names(&camera, id);
        prop_assert!(!left.is_empty() && left.iter().all(|name| before.contains(name)));
        let sent = sent(&camera, id);
        prop_assert!(!sent.is_empty() && sent.iter().all(|(name, _)| name.is_empty() || left.contains(name)));
    }
}
