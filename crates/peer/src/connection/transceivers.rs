//! Audio and video in the negotiation: what applications do to transceivers. See [`crate::jsep`] for what becomes of it.

use std::time::Instant;

use ossa_media::Kind;

use super::Connection;
use crate::error::Error;
use crate::jsep::{
    CodecCapability, EncodingInit, SectionParameters, Transceiver, TransceiverId, TransceiverInit,
};
use crate::sdp::Direction;

impl Connection {
    /// `addTransceiver()`; `addTrack()` with [`TransceiverInit::by_track`].
    ///
    /// # Errors
    /// As [`Session::add_transceiver`](crate::jsep::Session::add_transceiver).
    pub fn add_transceiver(&mut self, kind: Kind, init: TransceiverInit) -> Result<TransceiverId, Error> {
        self.intact()?;
        self.session.add_transceiver(kind, init)
    }

    /// `getTransceivers()`, without those that are stopped.
    pub fn transceivers(&self) -> Vec<Transceiver> {
        self.session.transceivers()
    }

    /// Id of the track that a transceiver receives; `None` for one that is stopped.
    pub fn receiver_track(&self, id: TransceiverId) -> Option<&str> {
        self.session.receiver_track(id)
    }

    /// Sets `RTCRtpTransceiver.direction`: takes full effect with the next negotiation; what is sent less, at once.
    ///
    /// # Errors
    /// `InvalidStateError` for a transceiver that is stopped.
    pub fn set_direction(
        &mut self,
        now: Instant,
        id: TransceiverId,
        direction: Direction,
    ) -> Result<(), Error> {
        self.intact()?;
        self.session.set_direction(id, direction)?;
        self.update_media(now);
        Ok(())
    }

    /// `RTCRtpSender.setStreams()`; with `by_track`, `addTrack()` on a transceiver that is there.
    ///
    /// # Errors
    /// `InvalidStateError` for a transceiver that is stopped; `TypeError` for an id that can't stand in a description.
    pub fn set_sender_streams(
        &mut self,
        id: TransceiverId,
        streams: Vec<String>,
        by_track: bool,
    ) -> Result<(), Error> {
        self.intact()?;
        self.session.set_sender(id, streams, by_track)
    }

    /// Which encodings are sent, and how large (`RTCRtpSender.setParameters()`).
    ///
    /// # Errors
    /// `InvalidModificationError` unless there are as many as before, under the same names.
    pub fn set_encodings(
        &mut self,
        now: Instant,
        id: TransceiverId,
        encodings: &[EncodingInit],
    ) -> Result<(), Error> {
        self.intact()?;
        self.session.set_encodings(id, encodings)?;
        self.update_media(now);
        Ok(())
    }

    /// `RTCRtpTransceiver.setCodecPreferences()`.
    ///
    /// # Errors
    /// `InvalidModificationError` for a codec that there is not, and for a list without one that media could be sent with.
    pub fn set_codec_preferences(
        &mut self,
        id: TransceiverId,
        preferences: Vec<CodecCapability>,
    ) -> Result<(), Error> {
        self.intact()?;
        self.session.set_codec_preferences(id, preferences)
    }

    /// `RTCRtpTransceiver.stop()`: nothing is sent and received any more, and the next offer rejects the section.
    ///
    /// # Errors
    /// `InvalidStateError` for a transceiver that is stopped.
    pub fn stop_transceiver(&mut self, now: Instant, id: TransceiverId) -> Result<(), Error> {
        self.intact()?;
        self.session.stop_transceiver(id)?;
        self.update_media(now);
        Ok(())
    }

    /// The canonical name in our descriptions (RFC 7022); empty without audio and video.
    pub fn cname(&self) -> &str {
        self.session.cname()
    }

    /// What was negotiated for each transceiver (`RTCRtpSender.getParameters()`, `RTCRtpReceiver.getParameters()`).
    pub fn media_parameters(&self) -> Vec<SectionParameters> {
        self.session.media_parameters()
    }
}
