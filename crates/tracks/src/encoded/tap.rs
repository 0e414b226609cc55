//! Reads what is encoded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ossa_codec::track::Notify;
use ossa_media::rtp::{ExtensionMap, write};
use ossa_media::{ExtensionValues, Kind, MediaError, Payload, ReceivedFrame, RtpPacket};

use super::SILENT;
use super::source::{EncodedAttachment, EncodedSink, EncodedSource, EncodedTrack, Layer};
use crate::threads::lock;

/// What comes out of a tap.
#[derive(Debug, Clone)]
pub enum Encoded {
    /// A frame of a stream.
    Frame(u32, Arc<ReceivedFrame>),
    /// A packet as it came.
    Packet(Arc<RtpPacket>),
}

/// Where a tap stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EncodedTapState {
    /// What was read.
    pub read: u64,
    /// What was dropped because it was not read in time.
    pub dropped: u64,
    /// How many times that began.
    pub overruns: u64,
    /// No more comes.
    pub ended: bool,
}

/// Keeps the frames or packets of a track until they are read. What is full drops: video all until the next key frame, so that what is
/// read can be decoded; audio and packets the oldest.
pub struct EncodedTap {
    shared: Arc<Shared>,
    attachment: Option<EncodedAttachment>,
}

struct Shared {
    source: EncodedSource,
    layer: Option<Arc<Layer>>,
    packets: bool,
    /// Video as frames, which depend on each other.
    dependent: bool,
    /// Frames or packets.
    capacity: usize,
    notify: Notify,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Encoded>,
    /// The stream that is read of several, which are layers of the same picture; and when its last frame came.
    stream: Option<(u32, Instant)>,
    /// Nothing is of use before the next key frame.
    broken: bool,
    /// Something was dropped since the last read.
    over: bool,
    state: EncodedTapState,
}

/// What becomes of a frame of one of several streams.
#[derive(PartialEq)]
enum Reads {
    Now,
    /// With its next key frame.
    Later,
    Never,
}

/// The bytes of a packet, without header extensions: those belong to the connection that it came by.
///
/// # Errors
/// Its payload type or its contributing sources are none that a packet can have.
pub fn write_packet(packet: &RtpPacket) -> Result<Vec<u8>, MediaError> {
    let mut out = Vec::with_capacity(12 + packet.data.len());
    let bare = RtpPacket { extensions: ExtensionValues::default(), ..packet.clone() };
    write(&bare, &[], 0, &ExtensionMap::default(), &mut out)?;
    Ok(out)
}

impl EncodedTap {
    /// Reads a track from now on: its frames, or its `packets`; at most `capacity` of them wait. `notify` is called with locks held.
    pub fn new(track: &EncodedTrack, packets: bool, capacity: usize, notify: Notify) -> Self {
        let source = track.source();
        let dependent = !packets && source.kind() == Kind::Video;
        // A decoder can't begin anywhere else.
        let queue = Queue { broken: dependent, ..Queue::default() };
        let (layer, queue) = (track.layer().cloned(), Mutex::new(queue));
        let shared = Arc::new(Shared { source, layer, packets, dependent, capacity, notify, queue });
        let attachment = Some(track.attach(shared.clone()));
        Self { shared, attachment }
    }

    /// All that waits.
    pub fn read(&self) -> Vec<Encoded> {
        let mut queue = lock(&self.shared.queue);
        let read: Vec<Encoded> = queue.waiting.drain(..).collect();
        queue.state.read += read.len() as u64;
        let ask = queue.over && queue.broken;
        queue.over = false;
        drop(queue);
        if ask && let Some(origin) = self.shared.source.origin() {
            origin.request_key_frame(self.shared.layer.as_deref());
        }
        read
    }

    /// What a payload type is.
    pub fn format(&self, payload: u8) -> Option<Payload> {
        self.shared.source.origin()?.format(payload)
    }

    /// Counters, and whether it is over.
    pub fn state(&self) -> EncodedTapState {
        lock(&self.shared.queue).state
    }

    /// Nothing comes in any more; what is there can be read.
    pub fn stop(&mut self) {
        self.attachment = None;
    }
}

impl Shared {
    fn take(&self, one: Encoded, begins: bool) {
        let mut queue = lock(&self.queue);
        let full = queue.waiting.len() >= self.capacity;
        if self.dependent && (full || queue.broken && !begins) {
            // Those before the first key frame are not missing.
            if full || queue.over || queue.state.read > 0 {
                let begins = !queue.broken;
                queue.drop_one(begins);
            }
            queue.broken = true;
            return;
        }
        queue.broken = false;
        if full {
            queue.waiting.pop_front();
            queue.drop_one(true);
        }
        queue.waiting.push_back(one);
        drop(queue);
        (self.notify)();
    }
}

impl Queue {
    /// Whether a frame of video is of the stream that is read. Another one takes over when that has become silent.
    fn reads(&mut self, ssrc: u32, frame: &ReceivedFrame) -> Reads {
        let reads = match self.stream {
            Some((stream, _)) if stream == ssrc => Reads::Now,
            Some((_, last)) if frame.arrival.saturating_duration_since(last) < SILENT => Reads::Never,
            Some(_) if !frame.key_frame => Reads::Later,
            // Frames before the first key frame are left out by the queue.
            _ => Reads::Now,
        };
        if reads == Reads::Now && (frame.key_frame || self.stream.is_some()) {
            self.stream = Some((ssrc, frame.arrival));
        }
        reads
    }

    /// Drops one, which `begins` a gap or goes on with one.
    fn drop_one(&mut self, begins: bool) {
        self.state.dropped += 1;
        if !std::mem::replace(&mut self.over, true) && begins {
            self.state.overruns += 1;
        }
    }
}

impl EncodedSink for Shared {
    fn takes_packets(&self) -> bool {
        self.packets
    }

    fn packet(&self, packet: &Arc<RtpPacket>) {
        self.take(Encoded::Packet(packet.clone()), true);
    }

    fn frame(&self, ssrc: u32, frame: &Arc<ReceivedFrame>) {
        if self.dependent {
            let reads = lock(&self.queue).reads(ssrc, frame);
            if reads == Reads::Later
                && let Some(origin) = self.source.origin()
            {
                origin.request_key_frame(self.layer.as_deref());
            }
            if reads != Reads::Now {
                return;
            }
        }
        self.take(Encoded::Frame(ssrc, frame.clone()), frame.key_frame);
    }

    fn end(&self) {
        lock(&self.queue).state.ended = true;
        (self.notify)();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use ossa_media::Codec;

    use super::super::feed::{EncodedFeed, FeedError};
    use super::*;

    fn format(codec: Codec, clock_rate: u32) -> Payload {
        Payload::plain(96, codec, clock_rate)
    }

    /// A frame of VP8 (RFC 6386 9.1): the lowest bit says that it depends on others.
    fn vp8(key: bool, len: usize) -> Bytes {
        let mut frame = vec![0x10 | u8::from(!key), 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0];
        frame.resize(len.max(10), 7);
        frame.into()
    }

    fn feed(kind: Kind, codec: Codec) -> (EncodedFeed, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let notify: Notify = Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        (EncodedFeed::new(kind, format(codec, 90_000), 1, notify), asked)
    }

    fn silent() -> Notify {
        Box::new(|| {})
    }

    fn timestamps(tap: &EncodedTap) -> Vec<u32> {
        let of = |one: &Encoded| match one {
            Encoded::Frame(_, frame) => frame.timestamp,
            Encoded::Packet(packet) => packet.timestamp,
        };
        tap.read().iter().map(of).collect()
    }

    #[test]
    fn who_begins_to_read_gets_a_key_frame_first_and_it_is_asked_for() {
        let (feed, asked) = feed(Kind::Video, Codec::Vp8);
        let track = feed.track();
        let tap = EncodedTap::new(&track, false, 10, silent());
        assert!(feed.take_request() && asked.load(Ordering::Relaxed) == 1);
        feed.push(&vp8(false, 100), 1).unwrap();
        feed.push(&vp8(true, 5_000), 2).unwrap();
        feed.push(&vp8(false, 100), 3).unwrap();
        assert_eq!(timestamps(&tap), [2, 3]);
        assert_eq!(tap.state(), EncodedTapState { read: 2, ..EncodedTapState::default() });
    }

    #[test]
    fn a_reader_that_is_too_slow_can_decode_what_it_gets_and_is_told() {
        let (feed, _) = feed(Kind::Video, Codec::Vp8);
        let track = feed.track();
        let tap = EncodedTap::new(&track, false, 2, silent());
        feed.push(&vp8(true, 100), 0).unwrap();
        (1..5).for_each(|at| feed.push(&vp8(false, 100), at).unwrap());
        assert!(feed.take_request());
        assert_eq!(timestamps(&tap), [0, 1]);
        assert!(feed.take_request());
        feed.push(&vp8(false, 100), 5).unwrap();
        feed.push(&vp8(true, 100), 6).unwrap();
        assert_eq!(timestamps(&tap), [6]);
        assert_eq!((tap.state().dropped, tap.state().read), (4, 3));
    }

    #[test]
    fn audio_loses_the_oldest() {
        let (feed, asked) = feed(Kind::Audio, Codec::Opus);
        let track = feed.track();
        let tap = EncodedTap::new(&track, false, 2, silent());
        (0..4).for_each(|at| feed.push(&Bytes::from_static(&[0xfc, 1]), at).unwrap());
        assert_eq!(timestamps(&tap), [2, 3]);
        assert_eq!((tap.state().dropped, tap.state().overruns), (2, 1));
        assert_eq!(asked.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_frame_becomes_packets_in_order_of_which_the_last_is_marked() {
        let (feed, _) = feed(Kind::Video, Codec::Vp8);
        let track = feed.track();
        let tap = EncodedTap::new(&track, true, 100, silent());
        feed.push(&vp8(true, 5_000), 9).unwrap();
        let packets = tap.read();
        let marked = packets.iter().map(|one| matches!(one, Encoded::Packet(packet) if packet.marker));
        assert_eq!(marked.collect::<Vec<_>>(), [false, false, false, false, true]);
    }

    #[test]
    fn what_is_no_frame_and_no_packet_is_refused_and_what_follows_is_taken() {
        let (feed, _) = feed(Kind::Video, Codec::Vp8);
        assert!(matches!(feed.push(&Bytes::new(), 0), Err(FeedError::Frame(_))));
        assert!(matches!(feed.push(&Bytes::from(vec![0; 2 << 20]), 0), Err(FeedError::TooLarge(_))));
        assert!(matches!(feed.push_packet(&Bytes::from_static(b"GET /")), Err(FeedError::Packet(5))));
        feed.push(&vp8(true, 100), 0).unwrap();
        let track = feed.track();
        let tap = EncodedTap::new(&track, false, 2, silent());
        feed.end();
        assert!(tap.state().ended && matches!(feed.push(&vp8(true, 100), 0), Err(FeedError::Ended)));
    }
}
