//! What a session tells its owner.

use bytes::Bytes;

use crate::frame::{ReceivedFrame, RtpPacket};
use crate::types::{ReceiverId, SenderId};

/// What a session tells its owner, see `MediaSession::poll_event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// The first packet of a stream came in and is known to belong to a receiver.
    StreamStarted {
        /// Where it belongs.
        receiver: ReceiverId,
        /// The stream.
        ssrc: u32,
        /// Its simulcast layer.
        rid: Option<Bytes>,
    },
    /// A frame is complete, and it is its turn.
    Frame {
        /// Where it belongs.
        receiver: ReceiverId,
        /// The stream.
        ssrc: u32,
        /// What a decoder takes.
        frame: ReceivedFrame,
    },
    /// A packet as it came in, where [`ReceiverConfig::raw`](crate::ReceiverConfig::raw) asks for it: in order of
    /// arrival, retransmissions under the sequence number of what they repeat, no packet twice.
    Packet {
        /// Where it belongs.
        receiver: ReceiverId,
        /// The packet, its header extensions read.
        packet: RtpPacket,
    },
    /// The other side can't go on without a key frame (PLI or FIR).
    KeyFrameRequested {
        /// Whose it is.
        sender: SenderId,
        /// Index into [`SenderConfig::encodings`](crate::SenderConfig::encodings).
        encoding: usize,
    },
    /// What all senders together may send has changed.
    TargetBitrate {
        /// Bits per second, of RTP packets with their headers.
        bps: u64,
        /// What encoders of video should make together: what is left when headers, audio and what is sent again have their part.
        video: u64,
    },
    /// Packets of a receiver came in again after a silence, or for the first time.
    Unmute {
        /// Which.
        receiver: ReceiverId,
    },
    /// No packet of a receiver has come in for a while.
    Mute {
        /// Which.
        receiver: ReceiverId,
    },
    /// Packets of a layer of simulcast came in again after a silence, or for the first time.
    LayerUnmute {
        /// Of which receiver.
        receiver: ReceiverId,
        /// Its name (RFC 8852).
        rid: Bytes,
    },
    /// No packet of a layer has come in for a while, whatever comes of the others: who sends it can't afford it, for example.
    LayerMute {
        /// Of which receiver.
        receiver: ReceiverId,
        /// Its name (RFC 8852).
        rid: Bytes,
    },
    /// The other side has ended a stream (RFC 3550 6.6).
    Bye {
        /// Where it belonged.
        receiver: ReceiverId,
        /// The stream.
        ssrc: u32,
        /// Why, if it says so.
        reason: Option<String>,
    },
}
