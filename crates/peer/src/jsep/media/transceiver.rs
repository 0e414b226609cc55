//! A sender and a receiver that share a section (W3C WebRTC, section 5.4).

use ossa_media::Kind;

use super::capabilities::CodecCapability;
use super::negotiated::Negotiated;
use crate::sdp::Direction;

/// Names a transceiver for as long as its session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransceiverId(pub u32);

/// What a transceiver is made with (`RTCRtpTransceiverInit`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransceiverInit {
    /// Which way it wants to send.
    pub direction: Direction,
    /// Ids of the streams that the sent track belongs to: 1 to 64 printable ASCII characters without spaces.
    pub streams: Vec<String>,
    /// Id of the sent track; a random one if there is none.
    pub track: Option<String>,
    /// Encodings of what is sent; none stands for one without restrictions. Several need a `rid` each, and are for video only.
    pub encodings: Vec<EncodingInit>,
    /// It is made by `addTrack()`: the next offer of the peer may take it for one of its sections.
    pub by_track: bool,
}

impl Default for TransceiverInit {
    fn default() -> Self {
        Self {
            direction: Direction::SendRecv,
            streams: Vec::new(),
            track: None,
            encodings: Vec::new(),
            by_track: false,
        }
    }
}

/// One encoding of what is sent (`RTCRtpEncodingParameters`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodingInit {
    /// Its name, where there are several: 1 to 255 letters and digits, `-` and `_`.
    pub rid: Option<String>,
    /// Whether it is sent.
    pub active: bool,
    /// Upper limit in bit/s.
    pub max_bitrate: Option<u64>,
    /// The codec to send with, if it was negotiated: that of the first encoding which names one is that of all.
    pub codec: Option<CodecCapability>,
}

impl Default for EncodingInit {
    fn default() -> Self {
        Self { rid: None, active: true, max_bitrate: None, codec: None }
    }
}

/// A transceiver as applications see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transceiver {
    /// Its name here.
    pub id: TransceiverId,
    /// Audio or video.
    pub kind: Kind,
    /// `mid`, once it has a section.
    pub mid: Option<String>,
    /// `direction`; `None` is `stopped`.
    pub direction: Option<Direction>,
    /// `currentDirection`, once it was negotiated.
    pub current_direction: Option<Direction>,
    /// `stop()` was called, and the peer may not know it yet.
    pub stopping: bool,
    /// Id of the track that is sent.
    pub sender_track: String,
    /// Ids of the streams that it belongs to.
    pub sender_streams: Vec<String>,
    /// Names of the encodings that are sent, at least one; several have one each.
    pub encodings: Vec<Option<String>>,
    /// Id of the track that is received.
    pub receiver_track: String,
    /// Ids of the peer's streams that it belongs to.
    pub receiver_streams: Vec<String>,
    /// The peer sends, by the last description that said so.
    pub receives: bool,
    /// It is made by an offer of the peer.
    pub by_peer: bool,
}

/// What a description has done to what is received, for `track` and `removetrack` (W3C WebRTC, section 5.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackChange {
    /// The peer sends, or its track belongs to other streams than before.
    Receives {
        /// Where.
        transceiver: TransceiverId,
        /// Whether it did not send before: `track` is due.
        new: bool,
        /// Ids of its streams.
        streams: Vec<String>,
    },
    /// The peer has stopped sending: the track is mute and leaves its streams.
    ReceivesNothing {
        /// Where.
        transceiver: TransceiverId,
    },
    /// The transceiver is gone: its section was rejected, or the offer that made it was withdrawn.
    Stopped {
        /// Which.
        transceiver: TransceiverId,
    },
}

/// A stream that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SentEncoding {
    pub(super) init: EncodingInit,
    pub(super) ssrc: u32,
    pub(super) rtx_ssrc: u32,
}

/// A transceiver with all that the negotiation knows of it.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) id: TransceiverId,
    pub(super) kind: Kind,
    pub(super) direction: Direction,
    pub(super) stopping: bool,
    pub(super) by_track: bool,
    /// `addTrack()` has given it a track after it was made.
    pub(super) track_added: bool,
    pub(super) sender_track: String,
    pub(super) sender_streams: Vec<String>,
    /// What is sent; an answer may take some away.
    pub(super) encodings: Vec<SentEncoding>,
    /// What the peer's offer has put `encodings` in place of, until that is agreed on.
    pub(super) replaced: Option<Vec<SentEncoding>>,
    pub(super) receiver_track: String,
    /// In the order of preference, if the application has one.
    pub(super) preferences: Vec<CodecCapability>,
    pub(super) round: Round,
}

/// What a round of offer and answer changes, and a rollback restores.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Round {
    /// Index of its section.
    pub(super) index: Option<usize>,
    pub(super) mid: Option<String>,
    pub(super) by_peer: bool,
    pub(super) current: Option<Direction>,
    /// It was agreed once that it sends: its sources stay in descriptions while it is on hold.
    pub(super) has_sent: bool,
    /// The peer sends, as far as applications were told.
    pub(super) receives: bool,
    pub(super) receiver_streams: Vec<String>,
    pub(super) negotiated: Option<Negotiated>,
}

impl State {
    /// It is stopped, and no section was ever agreed on for it.
    pub(super) fn is_over(&self) -> bool {
        self.stopping && self.round.index.is_none()
    }

    pub(super) fn public(&self) -> Transceiver {
        Transceiver {
            id: self.id,
            kind: self.kind,
            mid: self.round.mid.clone(),
            direction: Some(self.direction).filter(|_| !self.stopping),
            current_direction: self.round.current,
            stopping: self.stopping,
            sender_track: self.sender_track.clone(),
            sender_streams: self.sender_streams.clone(),
            encodings: self.encodings.iter().map(|encoding| encoding.init.rid.clone()).collect(),
            receiver_track: self.receiver_track.clone(),
            receiver_streams: self.round.receiver_streams.clone(),
            receives: self.round.receives,
            by_peer: self.round.by_peer,
        }
    }
}
