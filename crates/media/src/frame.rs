//! Packets and frames as they go in and out of a session.

use std::ops::RangeInclusive;
use std::time::Instant;

use bytes::Bytes;

/// How loud a packet of audio is (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the encoder takes it for speech.
    pub voice: bool,
    /// −dBov: 0 is the loudest there is, 127 is silence.
    pub level: u8,
}

/// Values of the header extensions of one packet (RFC 8285).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionValues {
    /// The section that the packet belongs to.
    pub mid: Option<Bytes>,
    /// The simulcast layer that the packet belongs to.
    pub rid: Option<Bytes>,
    /// The simulcast layer that the packet repairs.
    pub repaired_rid: Option<Bytes>,
    /// When it was sent: 24 bits, seconds in 6.18 fixed point.
    pub abs_send_time: Option<u32>,
    /// Its number among all packets of the transport.
    pub transport_cc: Option<u16>,
    /// How loud it is.
    pub audio_level: Option<AudioLevel>,
    /// How to turn the picture: the byte of 3GPP TS 26.114 7.4.5.
    pub video_orientation: Option<u8>,
    /// Least and greatest delay until it is shown, in units of 10 ms, each 0 to 4,095.
    pub playout_delay: Option<(u16, u16)>,
}

/// One RTP packet (RFC 3550 5.1), decrypted and without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    /// The payload type, 0 to 127.
    pub payload: u8,
    /// The marker: the end of a frame of video, the begin of a talk spurt of audio.
    pub marker: bool,
    /// The sequence number.
    pub sequence: u16,
    /// The sampling instant, in ticks of the payload's clock rate.
    pub timestamp: u32,
    /// The stream.
    pub ssrc: u32,
    /// Who contributed to what a mixer made; at most 15.
    pub csrcs: Vec<u32>,
    /// Header extensions.
    pub extensions: ExtensionValues,
    /// What it carries, as the payload format says.
    pub data: Bytes,
}

/// A frame to be sent: one frame of video, or one packet of audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedFrame {
    /// The payload type, one of the sender's.
    pub payload: u8,
    /// The sampling instant, in ticks of the payload's clock rate.
    pub timestamp: u32,
    /// What the encoder made, as it made it: H.264 in Annex B, AV1 as a temporal unit.
    pub data: Bytes,
    /// Audio only: the first packet after silence (RFC 3551 4.1). Of video the last packet of a frame is always marked.
    pub marker: bool,
    /// Whether it can be decoded without those before.
    pub key_frame: bool,
    /// How loud it is, sent along if that header extension was negotiated.
    pub audio_level: Option<AudioLevel>,
    /// How to turn the picture, sent along if that header extension was negotiated.
    pub video_orientation: Option<u8>,
    /// Who contributed to it; at most 15.
    pub csrcs: Vec<u32>,
}

/// A frame that came in: one frame of video, or one packet of audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// The payload type.
    pub payload: u8,
    /// The sampling instant, in ticks of the payload's clock rate.
    pub timestamp: u32,
    /// What a decoder takes, in the form that [`EncodedFrame::data`] has.
    pub data: Bytes,
    /// The marker of its last packet.
    pub marker: bool,
    /// Whether it can be decoded without those before.
    pub key_frame: bool,
    /// Packets before it did not come in time: audio conceals them.
    pub lost_before: bool,
    /// All that it depends on was handed out: a decoder that has seen everything since the last key frame can go on.
    pub contiguous: bool,
    /// When its last packet came in.
    pub arrival: Instant,
    /// Its first and its last sequence number; they wrap.
    pub sequence: RangeInclusive<u16>,
    /// How loud it is, if it says so.
    pub audio_level: Option<AudioLevel>,
    /// How to turn the picture, if it says so.
    pub video_orientation: Option<u8>,
    /// Who contributed to it; at most 15.
    pub csrcs: Vec<u32>,
}
