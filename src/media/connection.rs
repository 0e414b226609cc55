//! What a connection sends of tracks, and what it gives as tracks.

use std::time::Duration;

use napi_derive::napi;
use ossa_media::Kind;
use ossa_peer::TransceiverId;

use super::encoded_track::EncodedTrack;
use super::track::AudioTrack;
use crate::base::error::{Result, failure};
use crate::base::values::{choice, handle, integer};
use crate::connection::peer::Peer;

#[napi]
impl Peer {
    /// From now on the sender of a transceiver sends this track; `null`: nothing. Takes effect without negotiation. What another connection
    /// receives is sent on as it came, if both have its codec.
    #[napi(catch_unwind)]
    pub fn send_audio(&self, transceiver: f64, track: Option<&AudioTrack>) -> Result<()> {
        self.tracks()?.send_audio(transceiver_id(transceiver)?, track.map(AudioTrack::track));
        Ok(())
    }

    /// From now on the sender of a transceiver sends this track as it is; `null`: nothing. What the other side does not take is left out.
    #[napi(catch_unwind)]
    pub fn send_encoded(&self, transceiver: f64, track: Option<&EncodedTrack>) -> Result<()> {
        self.tracks()?.send_encoded(transceiver_id(transceiver)?, track.map(EncodedTrack::track));
        Ok(())
    }

    /// The sender of a transceiver sends a tone of a telephone's keys in place of its track, 40 to 6,000 ms long (RFC 4733): 0 to 9 are digits, 10 is
    /// `*`, 11 is `#`, 12 to 15 are A to D. Where nothing is sent, or the peer takes no tones, nothing happens.
    #[napi(catch_unwind)]
    pub fn insert_dtmf(&self, transceiver: f64, event: f64, duration: f64) -> Result<()> {
        let event = integer("event", event, 0, 15)? as u8;
        let duration = Duration::from_millis(integer("duration", duration, 40, 6_000)?);
        let played = self.tracks()?.play_tone(transceiver_id(transceiver)?, event, duration);
        played.map_err(|error| failure("OperationError", &error.to_string()))
    }

    /// A track of what the receiver of a transceiver gets, as it came. May be asked for before anything was negotiated.
    #[napi(catch_unwind)]
    pub fn receive_encoded(
        &self,
        transceiver: f64,
        #[napi(ts_arg_type = "'audio' | 'video'")] kind: String,
    ) -> Result<EncodedTrack> {
        let kind = choice("kind", &kind, &[("audio", Kind::Audio), ("video", Kind::Video)])?;
        Ok(EncodedTrack::new(self.tracks()?.receive_encoded(transceiver_id(transceiver)?, kind)))
    }

    /// A track of one layer of the simulcast that the receiver of a transceiver gets, as it came.
    #[napi(catch_unwind)]
    pub fn receive_layer(&self, transceiver: f64, rid: String) -> Result<EncodedTrack> {
        Ok(EncodedTrack::new(self.tracks()?.receive_layer(transceiver_id(transceiver)?, &rid)))
    }

    /// A track of what the receiver of a transceiver gets, decoded. May be asked for before anything was negotiated.
    #[napi(catch_unwind)]
    pub fn receive_audio(&self, transceiver: f64) -> Result<AudioTrack> {
        Ok(AudioTrack::new(self.tracks()?.receive_audio(transceiver_id(transceiver)?)))
    }
}

fn transceiver_id(id: f64) -> Result<TransceiverId> {
    Ok(TransceiverId(handle("transceiver", id)?))
}
