//! A source that is fed with what somebody else has encoded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use ossa_codec::track::Notify;
use ossa_media::payload::{PacketizeError, Packetizer, inspect};
use ossa_media::rtp::{ExtensionMap, parse};
use ossa_media::{Codec, Kind, Payload, ReceivedFrame, RtpPacket};

use super::source::{EncodedSource, EncodedTrack, Layer, Limit, Origin};
use crate::threads::lock;

/// Bytes of a payload: fits with the headers, the extensions and the tag, unless a path is known to be narrower.
const MAX_PAYLOAD: usize = 1_060;

/// Bytes of a frame: more packets than a sender lets wait would be cut off, and a picture of that size is a mistake.
const MAX_FRAME: usize = 1 << 20;

/// Why something can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// [`EncodedFeed::end`] was called.
    #[error("the source has ended: nobody gets what is written")]
    Ended,
    /// No codec has such frames.
    #[error("the frame has {0} bytes, which is more than {MAX_FRAME}")]
    TooLarge(usize),
    /// It breaks the rules of its codec.
    #[error("the frame can't be sent: {0}")]
    Frame(#[from] PacketizeError),
    /// No RTP packet.
    #[error("these {0} bytes are no RTP packet (RFC 3550, section 5.1)")]
    Packet(usize),
    /// It is sent as packets only.
    #[error("frames of this codec can't be split into packets here: write packets")]
    Codec,
}

/// Takes frames or packets and gives them to the tracks that are made of it.
pub struct EncodedFeed {
    fed: Arc<Fed>,
    source: EncodedSource,
    state: Mutex<State>,
}

struct Fed {
    format: Payload,
    asked: AtomicBool,
    limits: Mutex<Limits>,
    notify: Notify,
}

/// What those who send it can send.
#[derive(Default)]
struct Limits {
    /// As many as there are senders that were told.
    each: HashMap<usize, Limit>,
    /// The lowest bitrate, as it was told last, and whether that was taken.
    told: Option<u64>,
    new: bool,
}

struct State {
    /// `None`: packets only.
    packetizer: Option<Packetizer>,
    sequence: u16,
}

impl EncodedFeed {
    /// Frames of a format. `seed`: any number, from which identifiers are made; `notify` is called when a key frame is due or the target has changed, with locks
    /// held.
    pub fn new(kind: Kind, format: Payload, seed: u16, notify: Notify) -> Self {
        let packetizer = Packetizer::new(format.codec, &format.fmtp, seed);
        let fed = Arc::new(Fed { format, asked: false.into(), limits: Mutex::default(), notify });
        let origin: std::sync::Weak<Fed> = Arc::downgrade(&fed);
        let source = EncodedSource::new(kind, origin);
        Self { fed, source, state: Mutex::new(State { packetizer, sequence: 0 }) }
    }

    /// A new track of it.
    pub fn track(&self) -> EncodedTrack {
        self.source.track()
    }

    /// Gives a frame to all who take it: one of video as its encoder made it (H.264 in Annex B), or one packet of audio. `timestamp` in ticks of
    /// the format's clock.
    ///
    /// # Errors
    /// It can't be sent; what is given later can.
    pub fn push(&self, data: &Bytes, timestamp: u32) -> Result<(), FeedError> {
        if self.source.has_ended() {
            return Err(FeedError::Ended);
        }
        if data.len() > MAX_FRAME {
            return Err(FeedError::TooLarge(data.len()));
        }
        let (mut payloads, codec) = (Vec::new(), self.fed.format.codec);
        let mut state = lock(&self.state);
        let packetizer = state.packetizer.as_mut().ok_or(FeedError::Codec)?;
        packetizer.packetize(data, self.fed.payload(), &mut payloads)?;
        if payloads.is_empty() {
            return Err(PacketizeError::Empty.into());
        }
        let key_frame =
            payloads.iter().any(|payload| inspect(codec, payload).is_ok_and(|info| info.key_frame));
        let (first, last) = (state.sequence, payloads.len() - 1);
        for (at, payload) in payloads.into_iter().enumerate() {
            let marker = self.source.kind() == Kind::Video && at == last;
            self.source.push_packet(self.packet(marker, state.sequence, timestamp, payload));
            state.sequence = state.sequence.wrapping_add(1);
        }
        self.source.push_frame(
            0,
            ReceivedFrame {
                payload: self.fed.format.number,
                timestamp,
                data: data.clone(),
                marker: self.source.kind() == Kind::Video,
                key_frame,
                lost_before: false,
                contiguous: true,
                arrival: Instant::now(),
                sequence: first..=state.sequence.wrapping_sub(1),
                audio_level: None,
                video_orientation: None,
                csrcs: Vec::new(),
            },
        );
        Ok(())
    }

    fn packet(&self, marker: bool, sequence: u16, timestamp: u32, data: Bytes) -> RtpPacket {
        let (payload, csrcs) = (self.fed.format.number, Vec::new());
        RtpPacket {
            payload,
            marker,
            sequence,
            timestamp,
            ssrc: 0,
            csrcs,
            extensions: Default::default(),
            data,
        }
    }

    /// Gives an RTP packet to all who take packets. Its payload type and its header extensions are replaced by those of each connection.
    ///
    /// # Errors
    /// It is none, or the source has ended.
    pub fn push_packet(&self, bytes: &Bytes) -> Result<(), FeedError> {
        if self.source.has_ended() {
            return Err(FeedError::Ended);
        }
        let packet = parse(bytes, &ExtensionMap::default()).filter(|packet| !packet.data.is_empty());
        let packet = packet.ok_or(FeedError::Packet(bytes.len()))?;
        self.source.push_packet(RtpPacket { payload: self.fed.format.number, ..packet });
        Ok(())
    }

    /// Whether a key frame was asked for since this was last called.
    pub fn take_request(&self) -> bool {
        self.fed.asked.swap(false, Ordering::AcqRel)
    }

    /// How many bits a second an encoder should make: what the narrowest of all connections takes. `None` if that is not new since this was last
    /// called.
    pub fn take_target(&self) -> Option<u64> {
        let mut limits = lock(&self.fed.limits);
        std::mem::take(&mut limits.new).then_some(limits.told).flatten()
    }

    /// Nothing more comes.
    pub fn end(&self) {
        self.source.end();
    }
}

impl Drop for EncodedFeed {
    fn drop(&mut self) {
        self.end();
    }
}

impl Fed {
    /// Bytes of a payload that everybody who sends it can send.
    fn payload(&self) -> usize {
        let limits = lock(&self.limits);
        limits.each.values().map(|limit| limit.payload).fold(MAX_PAYLOAD, usize::min)
    }
}

impl Origin for Fed {
    fn format(&self, _: u8) -> Option<Payload> {
        Some(self.format.clone())
    }

    fn formats(&self) -> Vec<Payload> {
        vec![self.format.clone()]
    }

    fn request_key_frame(&self, _: Option<&Layer>) {
        // Audio has no other frames.
        let audio = matches!(self.format.codec, Codec::Opus | Codec::Pcmu | Codec::Pcma);
        if !audio && !self.asked.swap(true, Ordering::AcqRel) {
            (self.notify)();
        }
    }

    fn want_packets(&self, _: bool) {}

    fn limit(&self, who: usize, limit: Option<Limit>) {
        let mut limits = lock(&self.limits);
        match limit {
            Some(limit) => limits.each.insert(who, limit),
            None => limits.each.remove(&who),
        };
        let lowest = limits.each.values().filter_map(|limit| limit.bps).min();
        if lowest.is_some() && lowest != limits.told {
            (limits.told, limits.new) = (lowest, true);
            drop(limits);
            (self.notify)();
        }
    }
}
