use std::time::Duration;

use super::link::*;
use crate::event::MediaEvent;

fn requested(link: &Link) -> usize {
    let is_request =
        |event: &&MediaEvent| matches!(event, MediaEvent::KeyFrameRequested { sender: VIDEO, encoding: 0 });
    link.events[0].iter().filter(is_request).count()
}

#[test]
fn a_key_frame_is_asked_for_by_pli_or_by_fir_and_the_sender_is_told() {
    for (pli, fir) in [(true, true), (false, true)] {
        let format = crate::Payload { pli, fir, ..vp8() };
        let mut link = Link::one_way(&format);
        link.call(0, 1, true);
        link.events[0].clear();
        for _ in 0..3 {
            let now = link.now;
            link.ends[1].request_key_frame(now, VIDEO_IN, None).unwrap();
            link.run(Duration::from_millis(500));
        }
        assert_eq!(requested(&link), 3);
        let stats = link.ends[0].stats();
        let asked = (stats.outbound[1].pli_count, stats.outbound[1].fir_count);
        assert_eq!(asked, if pli { (3, 0) } else { (0, 3) });
    }
}

#[test]
fn a_key_frame_is_asked_for_at_most_each_200_milliseconds_however_often_one_is_wanted() {
    let mut link = Link::one_way(&vp8());
    link.call(0, 1, true);
    link.events[0].clear();
    for _ in 0..1000 {
        let now = link.now;
        link.ends[1].request_key_frame(now, VIDEO_IN, None).unwrap();
        link.run(Duration::from_millis(1));
    }
    link.run(Duration::from_secs(1));
    assert!((5..=7).contains(&requested(&link)), "{}", requested(&link));
}

#[test]
fn where_no_way_to_ask_was_negotiated_nothing_is_asked() {
    let format = crate::Payload { pli: false, fir: false, ..vp8() };
    let mut link = Link::one_way(&format);
    link.call(0, 1, true);
    let now = link.now;
    link.ends[1].request_key_frame(now, VIDEO_IN, None).unwrap();
    link.run(Duration::from_secs(1));
    assert_eq!(requested(&link), 0);
}

#[test]
fn a_receiver_that_missed_a_key_frame_asks_for_another_by_itself() {
    let mut link = Link::one_way(&crate::Payload { nack: false, ..vp8() });
    // Nothing of the first 100 ms arrives.
    link.loss = Box::new(|from, number| from == 0 && number < 20);
    link.call(0, 3, true);
    link.run(Duration::from_secs(1));
    let frames = link.frames(1, VIDEO_IN);
    assert!(frames.len() > 50, "{} frames", frames.len());
    assert!(frames[0].key_frame && frames[0].timestamp > 0);
}

#[test]
fn the_same_request_for_a_key_frame_again_is_the_same_request() {
    let mut link = Link::one_way(&vp8());
    let keys = keys(1, crate::SrtpProfile::AeadAes128Gcm);
    let mut sealer = crate::srtp::Outbound::new(keys.profile, &keys.local_key, &keys.local_salt).unwrap();
    for number in [7, 7, 7, 8] {
        let mut compound = crate::rtcp::Compound::new(1200);
        assert!(compound.fir(1, 20, number));
        let mut packet = compound.finish();
        assert!(sealer.seal_rtcp(&mut packet));
        let now = link.now;
        link.ends[0].handle_datagram(now, &packet);
        link.run(Duration::from_secs(1));
    }
    assert_eq!(requested(&link), 2);
}
