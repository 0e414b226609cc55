//! An encoder that makes exactly what it is told, over a link that becomes narrow and wide again.

use std::time::Duration;

use bytes::Bytes;

use super::link::*;
use crate::config::Payload;
use crate::event::MediaEvent;
use crate::frame::EncodedFrame;

const FRAMES: u32 = 25;
const QUEUE: Duration = Duration::from_millis(200);

/// Makes 25 frames a second of the size that it is told, and when it is asked for a key frame one of four times as much, for which it saves afterwards.
struct Encoder {
    link: Link,
    number: u32,
    target: u64,
    owed: i64,
    /// Sends 32 kbit/s of audio as well.
    audio: bool,
}

/// What became of the packets of a while.
struct Seen {
    /// The share of the link that was used.
    used: f64,
    dropped: usize,
    /// What 19 of 20 packets waited at most.
    wait: Duration,
    frames: usize,
}

impl Encoder {
    fn new() -> Self {
        Self::of(&Payload { transport_cc: true, ..vp8() })
    }

    fn of(format: &Payload) -> Self {
        let mut link = Link::one_way(format);
        link.delay = Duration::from_millis(25);
        link.queue = Some(QUEUE);
        Self { link, number: 0, target: 300_000, owed: 0, audio: false }
    }

    /// Goes on over a link of `rate`.
    fn run(&mut self, rate: u64, seconds: u32) -> Seen {
        self.link.rate = Some(rate);
        let (packets, bytes) = (self.link.waits.len(), self.link.bytes[0]);
        self.link.events[1].clear();
        for _ in 0..seconds * FRAMES {
            self.frame();
        }
        let seen = &self.link.waits[packets..];
        let mut waits: Vec<_> = seen.iter().flatten().copied().collect();
        waits.sort_unstable();
        Seen {
            used: (self.link.bytes[0] - bytes) as f64 * 8.0 / f64::from(seconds) / rate as f64,
            dropped: seen.len() - waits.len(),
            wait: waits[waits.len() * 19 / 20],
            frames: self.link.frames(1, VIDEO_IN).len(),
        }
    }

    fn frame(&mut self) {
        let mut key = self.number == 0;
        for event in std::mem::take(&mut self.link.events[0]) {
            match event {
                MediaEvent::TargetBitrate { video, .. } => self.target = video,
                MediaEvent::KeyFrameRequested { .. } => key = true,
                _ => {}
            }
        }
        let share = (self.target / 8 / u64::from(FRAMES)) as i64;
        self.owed += share;
        let size = self.owed.max(if key { 4 * share } else { share / 4 });
        self.owed -= size;
        let mut frame = video_frame(self.number, key);
        let mut data = frame.data.to_vec();
        data.resize(size as usize, 0);
        frame.data = Bytes::from(data);
        self.number += 1;
        let now = self.link.now;
        self.link.ends[0].send_frame(now, VIDEO, 0, frame).unwrap();
        for tick in [2 * self.number, 2 * self.number + 1] {
            if self.audio {
                let frame = EncodedFrame { data: vec![0; 80].into(), ..audio_frame(tick) };
                let now = self.link.now;
                self.link.ends[0].send_frame(now, AUDIO, 0, frame).unwrap();
            }
            self.link.run(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_link_that_becomes_narrow_is_not_kept_full_by_what_is_sent_again() {
    let mut encoder = Encoder::new();
    encoder.run(1_000_000, 12);
    // What was made for the wide link is lost, and sent again.
    encoder.run(300_000, 3);
    let narrow = encoder.run(300_000, 20);
    assert_eq!(narrow.dropped, 0);
    assert!(narrow.wait < QUEUE / 2, "{:?}", narrow.wait);
    assert!((0.7..1.0).contains(&narrow.used), "{}", narrow.used);
    assert!(narrow.frames >= 490, "{} of 500 frames", narrow.frames);
    encoder.run(1_000_000, 10);
    let wide = encoder.run(1_000_000, 10);
    assert!((0.75..1.05).contains(&wide.used), "{}", wide.used);
    assert_eq!(wide.dropped, 0);
}

#[test]
fn an_encoder_with_a_limit_of_its_own_reaches_it_on_a_wide_link() {
    let mut encoder = Encoder::new();
    let mut sender = video_sender("v", 20, &Payload { transport_cc: true, ..vp8() });
    sender.encodings[0].max_bitrate = Some(700_000);
    let now = encoder.link.now;
    encoder.link.ends[0].set_sender(now, VIDEO, sender).unwrap();
    encoder.run(5_000_000, 15);
    assert_eq!(encoder.target, 700_000);
}

#[test]
fn audio_and_headers_have_their_part_before_video() {
    let mut link = Link::one_way(&Payload { transport_cc: true, ..vp8() });
    link.rate = Some(1_000_000);
    let mut audio = audio_sender("a", 10);
    audio.payloads[0].transport_cc = true;
    let now = link.now;
    link.ends[0].set_sender(now, AUDIO, audio).unwrap();
    let (mut all, mut left) = (0, 0);
    for tick in 0..500 {
        for event in std::mem::take(&mut link.events[0]) {
            if let MediaEvent::TargetBitrate { bps, video } = event {
                (all, left) = (bps, video);
            }
        }
        let mut frame = audio_frame(tick);
        frame.data = vec![0; 250].into();
        let now = link.now;
        link.ends[0].send_frame(now, AUDIO, 0, frame).unwrap();
        if tick % 2 == 0 {
            link.ends[0].send_frame(now, VIDEO, 0, video_frame(tick / 2, tick == 0)).unwrap();
        }
        link.run(Duration::from_millis(20));
    }
    // 50 packets of 250 bytes a second, and the headers of these and of 75 of video.
    assert!((80_000..200_000).contains(&(all - left)), "{all}, of which {left} for video");
}

#[test]
fn of_several_narrow_links_none_is_kept_full() {
    for rate in [150_000, 200_000, 400_000, 600_000] {
        let mut encoder = Encoder::new();
        encoder.run(1_500_000, 12);
        encoder.run(rate, 5);
        let narrow = encoder.run(rate, 20);
        assert!(narrow.dropped <= 20, "{} at {rate}", narrow.dropped);
        assert!(narrow.wait < QUEUE * 3 / 4, "{:?} at {rate}", narrow.wait);
        assert!(narrow.used > 0.6, "{} at {rate}", narrow.used);
    }
}

#[test]
fn a_receiver_that_tells_what_may_be_sent_is_sent_no_more_with_audio_and_headers() {
    let mut encoder = Encoder::of(&vp8());
    encoder.audio = true;
    let remb = remb(290_000);
    encoder.link.ends[0].handle_datagram(encoder.link.now, &remb);
    encoder.run(300_000, 5);
    let narrow = encoder.run(300_000, 20);
    assert_eq!(narrow.dropped, 0);
    assert!((0.8..1.0).contains(&narrow.used), "{}", narrow.used);
    assert!(narrow.frames >= 490, "{} of 500 frames", narrow.frames);
}
