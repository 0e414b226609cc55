//! What a connection sends of tracks, and what it gives as tracks.

use napi_derive::napi;
use ossa_peer::TransceiverId;

use super::track::AudioTrack;
use crate::base::error::Result;
use crate::base::values::handle;
use crate::connection::peer::Peer;

#[napi]
impl Peer {
    /// From now on the sender of a transceiver sends this track; `null`: nothing. Takes effect without negotiation.
    #[napi(catch_unwind)]
    pub fn send_audio(&self, transceiver: f64, track: Option<&AudioTrack>) -> Result<()> {
        self.tracks()?.send_audio(transceiver_id(transceiver)?, track.map(AudioTrack::track));
        Ok(())
    }

    /// A track of what the receiver of a transceiver gets. May be asked for before anything was negotiated.
    #[napi(catch_unwind)]
    pub fn receive_audio(&self, transceiver: f64) -> Result<AudioTrack> {
        Ok(AudioTrack::new(self.tracks()?.receive_audio(transceiver_id(transceiver)?)))
    }
}

fn transceiver_id(id: f64) -> Result<TransceiverId> {
    Ok(TransceiverId(handle("transceiver", id)?))
}
