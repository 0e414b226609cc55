//! The calls of a session that are about audio and video.

use ossa_media::Kind;

use super::super::session::Session;
use super::super::types::SignalingState;
use super::capabilities::CodecCapability;
use super::parameters::SectionParameters;
use super::state::Media;
use super::transceiver::{EncodingInit, Transceiver, TransceiverId, TransceiverInit};
use crate::error::{Error, ErrorKind};
use crate::sdp::Direction;

impl Session {
    /// `addTransceiver()`. `addTrack()` is the same with [`TransceiverInit::by_track`], or [`Self::set_sender`] on one that is
    /// there.
    ///
    /// # Errors
    /// `InvalidStateError` when closed; `NotSupportedError` if the session has no audio and video; `OperationError` beyond
    /// [`MAX_SECTIONS`](crate::sdp::MAX_SECTIONS) or without a codec for the kind; `TypeError` for ids of streams and tracks
    /// and for encodings that can't stand in a description.
    pub fn add_transceiver(&mut self, kind: Kind, init: TransceiverInit) -> Result<TransceiverId, Error> {
        self.media_mut("addTransceiver")?.add(kind, init)
    }

    /// All transceivers that are not stopped, in the order in which they were made.
    pub fn transceivers(&self) -> Vec<Transceiver> {
        self.media.iter().flat_map(|media| media.transceivers()).collect()
    }

    /// Id of the track that a transceiver receives; `None` for one that is stopped.
    pub fn receiver_track(&self, id: TransceiverId) -> Option<&str> {
        self.media.as_ref()?.receiver_track(id)
    }

    /// Sets `RTCRtpTransceiver.direction`: takes full effect with the next negotiation; what is sent less, at once.
    ///
    /// # Errors
    /// `InvalidStateError` for a transceiver that is stopped.
    pub fn set_direction(&mut self, id: TransceiverId, direction: Direction) -> Result<(), Error> {
        self.media_mut("direction")?.set_direction(id, direction)
    }

    /// Sets the streams that the sent track belongs to (`RTCRtpSender.setStreams()`); with `by_track`, `addTrack()`
    /// does, which keeps a transceiver of the peer's when its offer is withdrawn.
    ///
    /// # Errors
    /// `InvalidStateError` for a transceiver that is stopped; `TypeError` for an id that can't stand in a description.
    pub fn set_sender(
        &mut self,
        id: TransceiverId,
        streams: Vec<String>,
        by_track: bool,
    ) -> Result<(), Error> {
        self.media_mut("setStreams")?.set_sender(id, streams, by_track)
    }

    /// Which encodings are sent, and how large (`RTCRtpSender.setParameters()`).
    ///
    /// # Errors
    /// `InvalidModificationError` unless there are as many as before, under the same names.
    pub fn set_encodings(&mut self, id: TransceiverId, encodings: &[EncodingInit]) -> Result<(), Error> {
        self.media_mut("setParameters")?.set_encodings(id, encodings)
    }

    /// `RTCRtpTransceiver.setCodecPreferences()`; an empty list is that of the capabilities. Of a codec only its identity counts
    /// and whether it is to have retransmissions.
    ///
    /// # Errors
    /// `InvalidModificationError` for a codec that there is not, and for a list without one that media could be sent with.
    pub fn set_codec_preferences(
        &mut self,
        id: TransceiverId,
        preferences: Vec<CodecCapability>,
    ) -> Result<(), Error> {
        self.media_mut("setCodecPreferences")?.set_preferences(id, preferences)
    }

    /// `RTCRtpTransceiver.stop()`: nothing is sent and received any more, and the next offer rejects the section.
    ///
    /// # Errors
    /// `InvalidStateError` for a transceiver that is stopped.
    pub fn stop_transceiver(&mut self, id: TransceiverId) -> Result<(), Error> {
        let offered = self.last_offer.as_ref().map(|offer| offer.places.clone()).unwrap_or_default();
        self.media_mut("stop")?.stop(id, &offered)
    }

    /// What each section that was negotiated sends and receives now.
    pub fn media_parameters(&self) -> Vec<SectionParameters> {
        self.media.as_ref().map(|media| media.parameters()).unwrap_or_default()
    }

    /// The canonical name in our descriptions (RFC 7022); empty without audio and video.
    pub fn cname(&self) -> &str {
        self.media.as_ref().map_or("", |media| media.cname())
    }

    fn media_mut(&mut self, call: &str) -> Result<&mut Media, Error> {
        if self.state == SignalingState::Closed {
            return Err(self.wrong_state(call));
        }
        self.media.as_deref_mut().ok_or_else(|| {
            let message = format!("{call}: this connection was made without audio and video");
            Error::new(ErrorKind::NotSupported, message)
        })
    }
}
