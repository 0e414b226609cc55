use std::time::Duration;

use super::link::*;
use crate::types::SrtpProfile;

#[test]
fn both_ends_know_the_round_trip_and_what_the_other_one_got() {
    let mut link = Link::one_way(&vp8());
    link.lose(10);
    link.call(0, 20, false);
    let stats = link.ends[0].stats();
    let round_trip = stats.round_trip_time.expect("reports show it");
    assert!(round_trip.as_millis().abs_diff(100) <= 1, "{round_trip:?}");
    let remote = stats.outbound[0].remote.as_ref().expect("the receiver reports");
    assert!((40..160).contains(&remote.packets_lost), "{remote:?}");
    assert!(remote.round_trip_time_measurements >= 5);
    let stats = link.ends[1].stats();
    let received = &stats.inbound[0];
    let remote = received.remote.as_ref().expect("the sender reports");
    assert!(remote.packets_sent.abs_diff(received.packets_received + received.packets_lost as u64) < 150);
    // The sender's wall clock, as it was told at the start of the session, and its timestamp of that instant.
    let wall = remote.remote_timestamp - Duration::from_secs(1_700_000_000);
    let expected = wall.as_millis() as u64 * 48;
    assert!(u64::from(remote.rtp_timestamp).abs_diff(expected) <= 960, "{remote:?}");
}

#[test]
fn reports_take_a_small_part_of_what_is_sent() {
    let mut link = Link::one_way(&vp8());
    link.call(0, 30, false);
    // Audio at 50 packets of some 80 bytes a second: 30 receiver reports of some 70 bytes come back.
    assert!(link.bytes[1] < link.bytes[0] / 20, "{:?}", link.bytes);
    assert!(link.bytes[1] > 1000, "{:?}", link.bytes);
}

#[test]
fn a_session_without_senders_and_receivers_has_nothing_to_do() {
    let mut link = Link::new();
    assert_eq!(link.ends[0].poll_timeout(), None);
    let now = link.now;
    link.ends[0].set_sender(now, AUDIO, audio_sender("a", 10)).unwrap();
    assert!(link.ends[0].poll_timeout().is_some());
    link.ends[0].remove_sender(AUDIO).unwrap();
    link.run(Duration::from_secs(3));
    assert_eq!(link.ends[0].poll_timeout(), None);
}

#[test]
fn hundreds_of_streams_are_reported_in_datagrams_that_fit() {
    let mut configs = [config(0), config(1)];
    for (end, config) in configs.iter_mut().enumerate() {
        // A name of 255 bytes leaves the least room.
        config.cname = "n".repeat(255);
        config.keys = keys(end, SrtpProfile::Aes128CmSha1_80);
    }
    let mut link = Link::with(configs);
    let now = link.now;
    link.ends[1].set_receiver(now, AUDIO_IN, audio_receiver("a")).unwrap();
    let encodings = (0..300).map(|at| encoding(1000 + at, None, None)).collect();
    let sender = crate::SenderConfig { encodings, ..audio_sender("a", 1) };
    link.ends[0].set_sender(now, AUDIO, sender).unwrap();
    for tick in 0..100 {
        let now = link.now;
        for at in 0..300 {
            link.ends[0].send_frame(now, AUDIO, at, audio_frame(tick)).unwrap();
        }
        link.run(Duration::from_millis(20));
    }
    link.run(Duration::from_secs(6));
    let stats = link.ends[0].stats();
    let reported = stats.outbound.iter().filter(|stream| stream.remote.is_some()).count();
    assert_eq!(reported, 300);
}
