//! What one connection receives goes out on others: neither decoded nor encoded where both have the codec.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;
use common::{End, Heard, PATIENCE, connect, runtime, tone_track, wait_until};
use ossa_codec::pcm::{Channels, Format};
use ossa_media::{Codec, Kind, Payload, ReceivedFrame, RtpPacket};
use ossa_peer::{MediaCapabilities, TransceiverId};
use ossa_tracks::{EncodedAttachment, EncodedFeed, EncodedSink, EncodedTrack};

/// All frames that came out of a track.
#[derive(Default)]
struct Seen {
    frames: Mutex<(Vec<Arc<ReceivedFrame>>, bool)>,
    arrived: Condvar,
}

impl EncodedSink for Seen {
    fn takes_packets(&self) -> bool {
        false
    }

    fn packet(&self, _: &Arc<RtpPacket>) {
        panic!("frames were asked for");
    }

    fn frame(&self, _: u32, frame: &Arc<ReceivedFrame>) {
        self.frames.lock().unwrap().0.push(frame.clone());
        self.arrived.notify_all();
    }

    fn end(&self) {
        self.frames.lock().unwrap().1 = true;
        self.arrived.notify_all();
    }
}

impl Seen {
    fn of(track: &EncodedTrack) -> (Arc<Self>, EncodedAttachment) {
        let seen = Arc::new(Self::default());
        let attachment = track.attach(seen.clone());
        (seen, attachment)
    }

    fn wait(&self, count: usize) -> Vec<Arc<ReceivedFrame>> {
        let frames = self.frames.lock().unwrap();
        let (frames, waited) =
            self.arrived.wait_timeout_while(frames, PATIENCE, |frames| frames.0.len() < count).unwrap();
        assert!(!waited.timed_out(), "only {} frames came", frames.0.len());
        frames.0.clone()
    }
}

/// A camera: each frame has its number in it, and is a key frame when one is asked for.
struct Camera<'a> {
    end: &'a End,
    id: TransceiverId,
    number: u32,
    key_frames: u32,
}

impl<'a> Camera<'a> {
    fn new(end: &'a End, id: TransceiverId) -> Self {
        Self { end, id, number: 0, key_frames: 0 }
    }

    fn frame(&mut self) {
        let key_frame = self.end.take_key_frame_request();
        self.key_frames += u32::from(key_frame);
        let mut data = if key_frame {
            vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]
        } else {
            vec![0x11, 0x02, 0x00]
        };
        data.extend(self.number.to_be_bytes());
        // Several packets.
        data.resize(if key_frame { 9_000 } else { 2_500 }, 0xaa);
        self.end.show(self.id, 0, self.number, key_frame, data);
        self.number += 1;
    }

    /// Goes on until something has happened.
    fn until(&mut self, mut done: impl FnMut() -> bool) {
        wait_until("pictures have come", || {
            self.frame();
            std::thread::sleep(std::time::Duration::from_millis(10));
            done()
        });
    }
}

/// What the camera has put into a frame.
fn number(frame: &ReceivedFrame) -> u32 {
    let at = if frame.key_frame { 10 } else { 3 };
    u32::from_be_bytes(frame.data[at..at + 4].try_into().unwrap())
}

#[test]
fn three_takers_get_the_same_pictures_each_from_a_key_frame_on_and_nobody_else_is_disturbed() {
    let runtime = runtime();
    let (camera, server) = (End::new(&runtime), End::new(&runtime));
    let id = camera.add(Kind::Video);
    connect(&camera, &server);
    let track = server.tracks.receive_encoded(server.transceiver(0), Kind::Video);
    let takers: Vec<_> = (0..3)
        .map(|_| {
            let (out, taker) = (End::new(&runtime), End::new(&runtime));
            let sender = out.add(Kind::Video);
            connect(&out, &taker);
            (out, sender, taker)
        })
        .collect();
    let mut camera = Camera::new(&camera, id);
    let mut all = Vec::new();
    for (out, sender, taker) in &takers {
        let picture = taker.tracks.receive_encoded(taker.transceiver(0), Kind::Video);
        let (seen, attachment) = Seen::of(&picture);
        all.push((seen, attachment, picture));
        out.tracks.send_encoded(*sender, Some(&track));
        // The next one comes later, in the middle of the stream.
        let enough = |(seen, _, _): &(Arc<Seen>, _, _)| seen.frames.lock().unwrap().0.len() >= 10;
        camera.until(|| all.iter().all(enough));
    }
    for (seen, _, _) in &all {
        let frames = seen.wait(10);
        assert!(frames[0].key_frame);
        let numbers: Vec<u32> = frames.iter().map(|frame| number(frame)).collect();
        let first = numbers[0];
        assert!(numbers.iter().zip(first..).all(|(number, expected)| *number == expected), "{numbers:?}");
        assert!(frames.iter().all(|frame| frame.data[frame.data.len() - 1] == 0xaa));
    }
    assert!((3..20).contains(&camera.key_frames), "{} key frames", camera.key_frames);
    // Who stops gets no more than is on its way, and the others go on.
    takers[0].0.tracks.send_encoded(takers[0].1, None);
    let stopped = camera.number;
    let last = |at: usize| {
        let (seen, _, _): &(Arc<Seen>, _, _) = &all[at];
        seen.frames.lock().unwrap().0.last().map_or(0, |frame| number(frame))
    };
    camera.until(|| last(1) > stopped + 20 && last(2) > stopped + 20);
    assert!(last(0) < stopped, "{} after {stopped}", last(0));
}

#[test]
fn a_key_frame_that_a_taker_asks_for_comes_from_the_camera() {
    let runtime = runtime();
    let (camera, server) = (End::new(&runtime), End::new(&runtime));
    let (out, taker) = (End::new(&runtime), End::new(&runtime));
    let id = camera.add(Kind::Video);
    connect(&camera, &server);
    let sender = out.add(Kind::Video);
    connect(&out, &taker);
    let track = server.tracks.receive_encoded(server.transceiver(0), Kind::Video);
    out.tracks.send_encoded(sender, Some(&track));
    let at_taker = taker.transceiver(0);
    let picture = taker.tracks.receive_encoded(at_taker, Kind::Video);
    let (seen, _attachment) = Seen::of(&picture);
    let mut camera = Camera::new(&camera, id);
    let keys = |seen: &Seen| seen.frames.lock().unwrap().0.iter().filter(|frame| frame.key_frame).count();
    camera.until(|| keys(&seen) > 0);
    camera.until(|| {
        taker.call(|connection, now| connection.request_key_frame(now, at_taker, None));
        keys(&seen) > 2
    });
}

#[test]
fn a_voice_goes_on_as_it_came_where_both_have_its_codec_and_is_encoded_anew_where_not() {
    let runtime = runtime();
    let (speaker, server) = (End::new(&runtime), End::new(&runtime));
    let at_speaker = speaker.add(Kind::Audio);
    connect(&speaker, &server);
    let tone = tone_track(440.0, Format::new(48_000, Channels::Mono).unwrap(), 30);
    speaker.tracks.send_audio(at_speaker, Some(&tone));
    let voice = server.tracks.receive_audio(server.transceiver(0));
    let telephone = MediaCapabilities {
        audio: MediaCapabilities::default().audio.into_iter().filter(|codec| codec.name == "PCMU").collect(),
        ..MediaCapabilities::default()
    };
    for (capabilities, decoded) in [(MediaCapabilities::default(), false), (telephone, true)] {
        let (out, listener) =
            (End::with(&runtime, capabilities.clone()), End::with(&runtime, capabilities.clone()));
        let sender = out.add(Kind::Audio);
        // Before anything was negotiated.
        out.tracks.send_audio(sender, Some(&voice));
        connect(&out, &listener);
        let received = listener.tracks.receive_audio(listener.transceiver(0));
        let (heard, _attachment) = Heard::of(&received);
        heard.wait_tone(440.0);
        assert_eq!(voice.source().is_taken(), decoded);
        // Silenced is not heard.
        voice.set_enabled(false);
        heard.wait_silence();
        voice.set_enabled(true);
        heard.wait_tone(440.0);
        out.tracks.send_audio(sender, None);
    }
}

/// How large the packets of a track are at most.
#[derive(Default)]
struct Largest(AtomicUsize);

impl EncodedSink for Largest {
    fn takes_packets(&self) -> bool {
        true
    }

    fn packet(&self, packet: &Arc<RtpPacket>) {
        self.0.fetch_max(packet.data.len(), Ordering::SeqCst);
    }

    fn frame(&self, _: u32, _: &Arc<ReceivedFrame>) {}

    fn end(&self) {}
}

#[test]
fn frames_are_cut_for_the_narrowest_path_that_they_go_over() {
    let runtime = runtime();
    let (sender, wide) = (End::narrow(&runtime, 600), End::new(&runtime));
    let id = sender.add(Kind::Video);
    connect(&sender, &wide);
    let codec = MediaCapabilities::default().video[0].clone();
    let plain = Payload::plain(96, Codec::Vp8, codec.clock_rate);
    let format = Payload { fmtp: codec.parameters, ..plain };
    let feed = EncodedFeed::new(Kind::Video, format, 1, Box::new(|| ()));
    let track = feed.track();
    sender.tracks.send_encoded(id, Some(&track));
    let picture = wide.tracks.receive_encoded(wide.transceiver(0), Kind::Video);
    let (seen, _frames) = Seen::of(&picture);
    let largest = Arc::new(Largest::default());
    let _packets = picture.attach(largest.clone());
    // A key frame of VP8 (RFC 6386 9.1).
    let mut frame = vec![7; 20_000];
    frame[..10].copy_from_slice(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0]);
    let (frame, mut timestamp) = (Bytes::from(frame), 0);
    wait_until("a picture came", || {
        timestamp += 3_000;
        feed.push(&frame, timestamp).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10));
        seen.frames.lock().unwrap().0.iter().any(|seen| seen.data == frame)
    });
    let largest = largest.0.load(Ordering::SeqCst);
    assert!((400..600).contains(&largest), "{largest} bytes");
}

#[test]
fn packets_that_a_narrow_path_does_not_carry_are_counted_and_told_of_once() {
    let runtime = runtime();
    let (camera, server) = (End::new(&runtime), End::new(&runtime));
    let id = camera.add(Kind::Video);
    connect(&camera, &server);
    let (narrow, wide) = (End::narrow(&runtime, 600), End::new(&runtime));
    let (to_narrow, to_wide) = (narrow.add(Kind::Video), wide.add(Kind::Video));
    let (taker, other) = (End::new(&runtime), End::new(&runtime));
    connect(&narrow, &taker);
    connect(&wide, &other);
    let track = server.tracks.receive_encoded(server.transceiver(0), Kind::Video);
    narrow.tracks.send_encoded(to_narrow, Some(&track));
    wide.tracks.send_encoded(to_wide, Some(&track));
    let picture = other.tracks.receive_encoded(other.transceiver(0), Kind::Video);
    let (seen, _frames) = Seen::of(&picture);
    let mut camera = Camera::new(&camera, id);
    let seen = || seen.frames.lock().unwrap().0.len();
    camera.until(|| narrow.tracks.discarded(to_narrow).is_some_and(|left_out| left_out >= 50) && seen() > 10);
    let faults = narrow.faults.lock().unwrap().clone();
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert!(fault.starts_with("video that is sent on is left out: a packet of "), "{fault}");
    assert!(wide.faults.lock().unwrap().is_empty());
}
