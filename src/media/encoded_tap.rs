use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use ossa_media::{Kind, Payload};
use ossa_tracks::{Encoded, EncodedTap as Tap};

use super::encoded_track::EncodedTrack;
use super::hub::AudioHub;
use crate::base::error::{Result, failure};
use crate::base::values::size;

/// Reads a track whose media is encoded.
#[napi]
pub struct EncodedTap {
    tap: Tap,
    kind: Kind,
}

/// A frame as it came.
#[napi(object, object_from_js = false)]
pub struct EncodedTapFrame {
    /// What its decoder takes.
    pub data: Uint8Array,
    /// It can be decoded without those before.
    pub key_frame: bool,
    /// In ticks of the clock.
    pub rtp_timestamp: u32,
    /// The stream.
    pub synchronization_source: u32,
    /// Who contributed to it.
    pub contributing_sources: Vec<u32>,
    /// On the connection that it came by.
    pub payload_type: u32,
    /// Of its first packet.
    pub sequence_number: u32,
    /// `video/VP8`; none once the connection has forgotten it.
    pub mime_type: Option<String>,
    /// Ticks a second.
    pub clock_rate: Option<u32>,
    /// Audio: −dBov, 0 to 127 (RFC 6464).
    pub audio_level: Option<u32>,
}

/// Where a tap stands.
#[napi(object, object_from_js = false)]
pub struct EncodedTapState {
    /// What was read.
    pub read: f64,
    /// What was dropped because it was not read in time.
    pub dropped: f64,
    /// How many times that began.
    pub overruns: f64,
    /// No more comes.
    pub ended: bool,
}

#[napi]
impl EncodedTap {
    /// Frames, or `packets`; at most `capacity` of them wait.
    #[napi(constructor)]
    pub fn new(hub: &AudioHub, id: u32, track: &EncodedTrack, packets: bool, capacity: f64) -> Result<Self> {
        let capacity = size("highWaterMark", capacity, 1, 1 << 16)?;
        let kind = track.track().source().kind();
        Ok(Self { tap: Tap::new(track.track(), packets, capacity, hub.notify(id)), kind })
    }

    /// All frames that wait.
    #[napi(catch_unwind)]
    pub fn read_frames(&self) -> Vec<EncodedTapFrame> {
        let mut formats: Vec<Payload> = Vec::new();
        let frames = self.tap.read().into_iter().filter_map(|one| match one {
            Encoded::Frame(ssrc, frame) => Some((ssrc, frame)),
            Encoded::Packet(_) => None,
        });
        let mut read = Vec::new();
        for (ssrc, frame) in frames {
            if !formats.iter().any(|format| format.number == frame.payload) {
                formats.extend(self.tap.format(frame.payload));
            }
            let format = formats.iter().find(|format| format.number == frame.payload);
            read.push(EncodedTapFrame {
                data: frame.data.to_vec().into(),
                key_frame: frame.key_frame,
                rtp_timestamp: frame.timestamp,
                synchronization_source: ssrc,
                contributing_sources: frame.csrcs.clone(),
                payload_type: frame.payload.into(),
                sequence_number: (*frame.sequence.start()).into(),
                mime_type: format.map(|format| self.mime_type(format)),
                clock_rate: format.map(|format| format.clock_rate),
                audio_level: frame.audio_level.map(|level| level.level.into()),
            });
        }
        read
    }

    /// All packets that wait, without header extensions.
    #[napi(catch_unwind)]
    pub fn read_packets(&self) -> Result<Vec<Uint8Array>> {
        let packets = self.tap.read().into_iter().filter_map(|one| match one {
            Encoded::Packet(packet) => Some(packet),
            Encoded::Frame(..) => None,
        });
        packets
            .map(|packet| {
                let written = ossa_tracks::write_packet(&packet);
                written.map(Uint8Array::from).map_err(|error| failure("OperationError", &error.to_string()))
            })
            .collect()
    }

    /// Counters, and whether it is over.
    #[napi]
    pub fn state(&self) -> EncodedTapState {
        let state = self.tap.state();
        EncodedTapState {
            read: state.read as f64,
            dropped: state.dropped as f64,
            overruns: state.overruns as f64,
            ended: state.ended,
        }
    }

    /// Nothing comes in any more; what is there can be read.
    #[napi]
    pub fn stop(&mut self) {
        self.tap.stop();
    }
}

impl EncodedTap {
    fn mime_type(&self, format: &Payload) -> String {
        let kind = if self.kind == Kind::Audio { "audio" } else { "video" };
        format!("{kind}/{}", format.codec.name())
    }
}
