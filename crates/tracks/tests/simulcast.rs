//! Of several layers that one connection receives each taker gets the one that it was given.

mod common;

use std::sync::{Arc, Mutex};

use common::{End, connect, runtime, wait_until};
use ossa_media::payload::picture_numbers;
use ossa_media::{Codec, Kind, ReceivedFrame, RtpPacket};
use ossa_peer::{EncodingInit, TransceiverId, TransceiverInit};
use ossa_tracks::{EncodedAttachment, EncodedSink, EncodedTap, EncodedTrack};

const LAYERS: [&str; 3] = ["q", "h", "f"];

/// All packets that came out of a track.
#[derive(Default)]
struct Seen(Mutex<Vec<Arc<RtpPacket>>>);

impl EncodedSink for Seen {
    fn takes_packets(&self) -> bool {
        true
    }

    fn packet(&self, packet: &Arc<RtpPacket>) {
        self.0.lock().unwrap().push(packet.clone());
    }

    fn frame(&self, _: u32, _: &Arc<ReceivedFrame>) {}

    fn end(&self) {}
}

impl Seen {
    fn of(track: &EncodedTrack) -> (Arc<Self>, EncodedAttachment) {
        let seen = Arc::new(Self::default());
        let attachment = track.attach(seen.clone());
        (seen, attachment)
    }

    /// The layer of each picture, and whether it is a key frame.
    fn pictures(&self) -> Vec<(u8, bool)> {
        let packets = self.0.lock().unwrap();
        packets
            .iter()
            .filter(|packet| packet.marker)
            .map(|packet| (packet.data[7], packet.data[4] & 1 == 0))
            .collect()
    }
}

/// A camera whose pictures are encoded three times. Each fits into a packet, and says of which layer it is.
struct Camera<'a> {
    end: &'a End,
    id: TransceiverId,
    number: u32,
    asked: [u32; 3],
}

impl<'a> Camera<'a> {
    fn connect(end: &'a End, server: &End) -> Self {
        let encoding = |rid: &str| EncodingInit { rid: Some(rid.to_owned()), ..EncodingInit::default() };
        let init = TransceiverInit { encodings: LAYERS.map(encoding).into(), ..TransceiverInit::default() };
        let id = end.call(|connection, _| connection.add_transceiver(Kind::Video, init));
        connect(end, server);
        Self { end, id, number: 0, asked: [0; 3] }
    }

    fn picture(&mut self) {
        let asked = self.end.take_key_frame_requests();
        asked.iter().for_each(|&layer| self.asked[layer] += 1);
        for layer in 0..LAYERS.len() {
            let key_frame = self.number == 0 || asked.contains(&layer);
            let data = [0x10 | u8::from(!key_frame), 2, 0, layer as u8, 0x2a, 0x40, 0x01, 0xf0, 0x00];
            self.end.show(self.id, layer, self.number, key_frame, data.to_vec());
        }
        self.number += 1;
    }

    fn until(&mut self, mut done: impl FnMut() -> bool) {
        wait_until("pictures have come", || {
            self.picture();
            std::thread::sleep(std::time::Duration::from_millis(5));
            done()
        });
    }
}

#[test]
fn a_taker_gets_the_layer_that_it_was_given_and_another_one_from_a_key_frame_on_without_a_seam() {
    let runtime = runtime();
    let (camera, server) = (End::new(&runtime), End::new(&runtime));
    let mut camera = Camera::connect(&camera, &server);
    let layers = LAYERS.map(|rid| server.tracks.receive_layer(server.transceiver(0), rid));
    let [q, h, f] = &layers;
    let (out, taker) = (End::new(&runtime), End::new(&runtime));
    let sender = out.add(Kind::Video);
    connect(&out, &taker);
    let received = taker.tracks.receive_encoded(taker.transceiver(0), Kind::Video);
    let (seen, _attachment) = Seen::of(&received);

    let any = server.tracks.receive_encoded(server.transceiver(0), Kind::Video);
    for (rid, given) in [("h", h), ("q", q), ("f", f), ("f", &any), ("h", h)] {
        let number = LAYERS.iter().position(|other| *other == rid).unwrap() as u8;
        let before = seen.pictures().len();
        out.tracks.send_encoded(sender, Some(given));
        let arrived = || seen.pictures()[before..].iter().filter(|(layer, _)| *layer == number).count() > 10;
        camera.until(arrived);
    }

    let pictures = seen.pictures();
    let mut changes = vec![pictures[0].0];
    assert!(pictures[0].1, "it begins with a key frame");
    for pair in pictures.windows(2) {
        if pair[0].0 != pair[1].0 {
            changes.push(pair[1].0);
            assert!(pair[1].1, "layer {} takes over without a key frame", pair[1].0);
        }
    }
    assert_eq!(changes, [1, 0, 2, 1]);
    let packets = seen.0.lock().unwrap();
    for pair in packets.windows(2) {
        let [before, after] = [0, 1].map(|at| picture_numbers(Codec::Vp8, &pair[at].data).picture.unwrap());
        assert_eq!(after, before.wrapping_add(1) & 0x7fff, "pictures are numbered without a gap");
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "packets as well");
        assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 1 << 31, "time goes on");
    }
}

#[test]
fn a_key_frame_is_asked_for_of_the_layer_that_is_taken_and_of_no_other() {
    let runtime = runtime();
    let (camera, server) = (End::new(&runtime), End::new(&runtime));
    let mut camera = Camera::connect(&camera, &server);
    let any = server.tracks.receive_encoded(server.transceiver(0), Kind::Video);
    let (all, _all_attached) = Seen::of(&any);
    camera.until(|| all.pictures().len() > 10);
    camera.asked = [0; 3];
    let (out, taker) = (End::new(&runtime), End::new(&runtime));
    let sender = out.add(Kind::Video);
    connect(&out, &taker);
    let received = taker.tracks.receive_encoded(taker.transceiver(0), Kind::Video);
    let (seen, _attachment) = Seen::of(&received);
    let layer = server.tracks.receive_layer(server.transceiver(0), "h");
    out.tracks.send_encoded(sender, Some(&layer));
    camera.until(|| seen.pictures().len() > 10);
    let at_taker = taker.transceiver(0);
    // Asked for again and again, as what comes too soon after another request is dropped.
    camera.until(|| {
        taker.call(|connection, now| connection.request_key_frame(now, at_taker, None));
        seen.pictures().iter().filter(|(_, key)| *key).count() > 2
    });
    assert!(camera.asked[1] >= 2, "{:?}", camera.asked);
    assert_eq!((camera.asked[0], camera.asked[2]), (0, 0));
}

#[test]
fn who_reads_frames_of_all_layers_gets_one_of_them() {
    let runtime = runtime();
    let (camera, server) = (End::new(&runtime), End::new(&runtime));
    let mut camera = Camera::connect(&camera, &server);
    let track = server.tracks.receive_encoded(server.transceiver(0), Kind::Video);
    let tap = EncodedTap::new(&track, false, 1_000, Box::new(|| {}));
    let mut layers = Vec::new();
    camera.until(|| {
        layers.extend(tap.read().into_iter().map(|one| match one {
            ossa_tracks::Encoded::Frame(ssrc, _) => ssrc,
            ossa_tracks::Encoded::Packet(_) => panic!("frames were asked for"),
        }));
        layers.len() > 20
    });
    assert!(layers.iter().all(|layer| *layer == layers[0]));
}
