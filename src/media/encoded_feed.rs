use napi_derive::napi;
use ossa_media::{Codec, Kind, Payload};
use ossa_tracks::{EncodedFeed as Feed, FeedError};

use super::encoded_track::EncodedTrack;
use super::hub::AudioHub;
use crate::base::error::{Result, failure};
use crate::base::system::random_seed;
use crate::base::values::{choice, handle};

/// Kind, codec, clock and channels of a format.
type Format = (Kind, Codec, u32, u8);

/// The formats that can be fed.
const FORMATS: [(&str, Format); 7] = [
    ("audio/opus", (Kind::Audio, Codec::Opus, 48_000, 2)),
    ("audio/PCMU", (Kind::Audio, Codec::Pcmu, 8_000, 1)),
    ("audio/PCMA", (Kind::Audio, Codec::Pcma, 8_000, 1)),
    ("video/VP8", (Kind::Video, Codec::Vp8, 90_000, 1)),
    ("video/VP9", (Kind::Video, Codec::Vp9, 90_000, 1)),
    ("video/H264", (Kind::Video, Codec::H264, 90_000, 1)),
    ("video/AV1", (Kind::Video, Codec::Av1, 90_000, 1)),
];

/// A source of frames that are encoded already.
#[napi]
pub struct EncodedFeed {
    feed: Feed,
}

#[napi]
impl EncodedFeed {
    /// `mime_type` as in `RTCRtpCodec`, `fmtp` its parameters. The hub is told when a key frame is due or the target has changed.
    #[napi(constructor)]
    pub fn new(hub: &AudioHub, id: u32, mime_type: String, fmtp: String) -> Result<Self> {
        let (kind, codec, clock_rate, channels) = choice("mimeType", &mime_type, &FORMATS)?;
        // The number is replaced by what each connection has negotiated.
        let format = Payload { channels, fmtp, ..Payload::plain(96, codec, clock_rate) };
        let [low, high, ..] = random_seed();
        Ok(Self { feed: Feed::new(kind, format, u16::from_le_bytes([low, high]), hub.notify(id)) })
    }

    /// A new track.
    #[napi]
    pub fn track(&self) -> EncodedTrack {
        EncodedTrack::new(self.feed.track())
    }

    /// Gives a frame to all who take it; `timestamp` in ticks of the clock, modulo 2^32.
    #[napi(catch_unwind)]
    pub fn push(&self, data: &[u8], timestamp: f64) -> Result<()> {
        let timestamp = handle("timestamp", timestamp)?;
        self.feed.push(&data.to_vec().into(), timestamp).map_err(refused)
    }

    /// Gives an RTP packet to all who take it.
    #[napi(catch_unwind)]
    pub fn push_packet(&self, packet: &[u8]) -> Result<()> {
        self.feed.push_packet(&packet.to_vec().into()).map_err(refused)
    }

    /// Whether a key frame was asked for since this was last called.
    #[napi]
    pub fn take_request(&self) -> bool {
        self.feed.take_request()
    }

    /// How many bits a second an encoder should make, if that is new since this was last called.
    #[napi]
    pub fn take_target(&self) -> Option<f64> {
        self.feed.take_target().map(|bps| bps as f64)
    }

    /// No more comes.
    #[napi]
    pub fn end(&self) {
        self.feed.end();
    }
}

fn refused(error: FeedError) -> napi::Error {
    let code = match error {
        FeedError::Ended => "InvalidStateError",
        FeedError::TooLarge(_) => "RangeError",
        FeedError::Frame(_) | FeedError::Packet(_) => "TypeError",
        FeedError::Codec => "NotSupportedError",
    };
    failure(code, &error.to_string())
}
