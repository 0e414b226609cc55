//! What the owner of a session decides: keys, limits, senders and receivers.

use std::time::Duration;

use crate::types::{Codec, Extension, Kind, SrtpKeys};

/// What a session is made with.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Keys of both directions.
    pub keys: SrtpKeys,
    /// The canonical name of this endpoint (RFC 3550 6.5.1, RFC 7022): at most 255 bytes, the same for all its streams.
    pub cname: String,
    /// Randomness from which sequence numbers, the SSRC of reports and their intervals are made.
    pub seed: [u8; 32],
    /// Bytes of the largest datagram, without the headers of UDP and IP.
    pub max_packet: usize,
    /// The wall clock when the session is made, as time since the Unix epoch: sender reports tell it (RFC 3550 6.4.1).
    pub wall_clock: Duration,
    /// Bounds of what the other side can make this one keep.
    pub limits: Limits,
}

/// Bounds of what the other side can make this one keep. What goes over one is dropped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Received SSRCs. A server of a large meeting sends some hundred, each with its retransmissions.
    pub streams: usize,
    /// Bytes that wait to be sent, of all senders together: at most this is lost when a link becomes slow.
    pub queued_bytes: usize,
    /// Sent packets of each encoding that are kept to be sent again: a second of video at 8 Mbit/s is about 1,000.
    pub sent_packets: usize,
    /// Events that wait to be polled. An owner that polls after each call never gets near.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { streams: 1024, queued_bytes: 4 << 20, sent_packets: 1024, events: 4096 }
    }
}

/// One payload type of a section, with what was negotiated for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The payload type, 0 to 127.
    pub number: u8,
    /// What it carries.
    pub codec: Codec,
    /// Ticks of the RTP timestamp per second.
    pub clock_rate: u32,
    /// Audio channels; 1 for video.
    pub channels: u8,
    /// Format parameters as in `a=fmtp`, such as `profile-level-id=42e01f;packetization-mode=1`; empty if there are none.
    pub fmtp: String,
    /// The payload type of its retransmissions (RFC 4588), if they were negotiated.
    pub rtx: Option<u8>,
    /// Generic NACK was negotiated (RFC 4585 6.2.1).
    pub nack: bool,
    /// Picture loss indication was negotiated (RFC 4585 6.3.1).
    pub pli: bool,
    /// Full intra request was negotiated (RFC 5104 4.3.1).
    pub fir: bool,
    /// Transport-wide feedback was negotiated (draft-holmer-rmcat-transport-wide-cc-extensions-01).
    pub transport_cc: bool,
    /// Receiver estimated maximum bitrate was negotiated (draft-alvestrand-rmcat-remb-03).
    pub remb: bool,
}

impl Payload {
    /// One channel, no format parameters, and neither retransmissions nor feedback: what a format is that nobody has negotiated yet.
    pub fn plain(number: u8, codec: Codec, clock_rate: u32) -> Self {
        Self {
            number,
            codec,
            clock_rate,
            channels: 1,
            fmtp: String::new(),
            rtx: None,
            nack: false,
            pli: false,
            fir: false,
            transport_cc: false,
            remb: false,
        }
    }
}

/// An SSRC that a description announces (RFC 5576), and the one of its retransmissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SsrcHint {
    /// The stream.
    pub ssrc: u32,
    /// Its retransmissions: `a=ssrc-group:FID`.
    pub rtx: Option<u32>,
}

/// What one section receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// Audio or video.
    pub kind: Kind,
    /// The section's `a=mid`, by which packets are told apart (RFC 9143 9.2); `None` if the other side has none.
    pub mid: Option<String>,
    /// The restriction identifiers of simulcast that the other side sends (RFC 8853); empty without simulcast.
    pub rids: Vec<String>,
    /// What `a=ssrc` announces.
    pub ssrcs: Vec<SsrcHint>,
    /// Payload types that may come in.
    pub payloads: Vec<Payload>,
    /// Header extensions with their identifiers, 1 to 255.
    pub extensions: Vec<(Extension, u8)>,
    /// Whether the direction of the section allows receiving. If not, what comes in is dropped and counted.
    pub active: bool,
    /// Also hand out each packet as it came, see [`MediaEvent::Packet`](crate::MediaEvent::Packet).
    pub raw: bool,
}

/// One encoding of a sender (W3C `RTCRtpEncodingParameters`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// The restriction identifier, with simulcast.
    pub rid: Option<String>,
    /// The stream.
    pub ssrc: u32,
    /// Its retransmissions, if they were negotiated (RFC 4588).
    pub rtx_ssrc: Option<u32>,
    /// Upper limit in bit/s, told to whoever encodes.
    pub max_bitrate: Option<u64>,
    /// Whether anything is to be sent of it.
    pub active: bool,
}

/// What one section sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderConfig {
    /// Audio or video.
    pub kind: Kind,
    /// The section's `a=mid`, sent along in the header extension if that was negotiated.
    pub mid: Option<String>,
    /// At least one.
    pub encodings: Vec<Encoding>,
    /// Payload types that the other side takes, the preferred one first.
    pub payloads: Vec<Payload>,
    /// Header extensions with their identifiers, 1 to 255.
    pub extensions: Vec<(Extension, u8)>,
    /// Whether the direction of the section allows sending.
    pub active: bool,
}
