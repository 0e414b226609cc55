//! Counters with the meaning of webrtc-stats; the names are those of that document in Rust's spelling.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::config::Encoding;
use crate::types::{Kind, ReceiverId, SenderId};

/// All that a session knows of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionStats {
    /// One per received SSRC, without those of retransmissions.
    pub inbound: Vec<InboundStats>,
    /// One per encoding of each sender.
    pub outbound: Vec<OutboundStats>,
    /// What came in and was dropped, by cause.
    pub dropped: DropCounts,
    /// `availableOutgoingBitrate` of `RTCIceCandidatePairStats`: bit/s, `None` as long as nothing is known.
    pub available_outgoing_bitrate: Option<u64>,
    /// The last round trip that reports have shown.
    pub round_trip_time: Option<Duration>,
}

/// Datagrams that came in and were dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DropCounts {
    /// Neither RTP nor RTCP.
    pub malformed: u64,
    /// The tag is not that of its content: forged, damaged, or of other keys.
    pub unauthentic: u64,
    /// Seen before, or too old to know (RFC 3711 3.3.2).
    pub replayed: u64,
    /// No receiver takes it: no `mid`, SSRC or payload type of any.
    pub unknown_stream: u64,
    /// Its receiver is not active.
    pub inactive: u64,
    /// As many streams as [`Limits::streams`](crate::Limits::streams) are kept already.
    pub too_many_streams: u64,
    /// Packets in reports beyond what is looked at of one datagram.
    pub too_many_reports: u64,
    /// Events that nobody polled, beyond [`Limits::events`](crate::Limits::events).
    pub events: u64,
}

/// `RTCInboundRtpStreamStats`, with what the sender's reports say of the same stream.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundStats {
    /// Where it belongs.
    pub receiver: ReceiverId,
    /// The stream.
    pub ssrc: u32,
    /// The stream of its retransmissions, once one has come.
    pub rtx_ssrc: Option<u32>,
    /// Its simulcast layer.
    pub rid: Option<Bytes>,
    /// Audio or video.
    pub kind: Kind,
    /// The payload type of the last packet.
    pub payload: u8,
    /// Packets, with retransmissions, without duplicates.
    pub packets_received: u64,
    /// Bytes of payload, with retransmissions.
    pub bytes_received: u64,
    /// Bytes of RTP headers and padding.
    pub header_bytes_received: u64,
    /// Expected minus received (RFC 3550 6.4.1); below zero where duplicates came.
    pub packets_lost: i64,
    /// RFC 3550 6.4.1.
    pub jitter: Duration,
    /// Came too late or too early to be played.
    pub packets_discarded: u64,
    /// Retransmissions of [`packets_received`](Self::packets_received).
    pub retransmitted_packets_received: u64,
    /// Their bytes.
    pub retransmitted_bytes_received: u64,
    /// When the last packet came.
    pub last_packet_received: Option<Instant>,
    /// Sent NACK packets.
    pub nack_count: u64,
    /// Sent picture loss indications.
    pub pli_count: u64,
    /// Sent full intra requests.
    pub fir_count: u64,
    /// Complete frames.
    pub frames_received: u64,
    /// Of them those that need no other.
    pub key_frames_received: u64,
    /// Frames that were given up.
    pub frames_dropped: u64,
    /// How long all that was handed out has waited, summed up.
    pub jitter_buffer_delay: Duration,
    /// The delay aimed at, summed up in the same way.
    pub jitter_buffer_target_delay: Duration,
    /// Frames that were handed out: of audio, packets.
    pub jitter_buffer_emitted_count: u64,
    /// The last audio level that the sender told, as −dBov.
    pub audio_level: Option<u8>,
    /// What the sender says of it.
    pub remote: Option<RemoteOutboundStats>,
}

/// `RTCRemoteOutboundRtpStreamStats`: what sender reports say of a received stream.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteOutboundStats {
    /// Packets that the sender has sent.
    pub packets_sent: u64,
    /// Bytes of their payloads.
    pub bytes_sent: u64,
    /// Reports that came in.
    pub reports_sent: u64,
    /// The sender's clock in the last report, as time since the Unix epoch.
    pub remote_timestamp: Duration,
    /// The RTP timestamp that goes with it.
    pub rtp_timestamp: u32,
    /// When that report came in.
    pub arrival: Instant,
}

/// `RTCOutboundRtpStreamStats`, with what the receiver's reports say of the same stream.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboundStats {
    /// Whose it is.
    pub sender: SenderId,
    /// Index into [`SenderConfig::encodings`](crate::SenderConfig::encodings).
    pub encoding: usize,
    /// The stream.
    pub ssrc: u32,
    /// The stream of its retransmissions.
    pub rtx_ssrc: Option<u32>,
    /// Its simulcast layer.
    pub rid: Option<String>,
    /// Audio or video.
    pub kind: Kind,
    /// The payload type of the last packet.
    pub payload: Option<u8>,
    /// Whether the section and the encoding allow sending.
    pub active: bool,
    /// Packets, with retransmissions.
    pub packets_sent: u64,
    /// Bytes of payload, with retransmissions.
    pub bytes_sent: u64,
    /// Bytes of RTP headers and padding.
    pub header_bytes_sent: u64,
    /// Retransmissions of [`packets_sent`](Self::packets_sent).
    pub retransmitted_packets_sent: u64,
    /// Their bytes.
    pub retransmitted_bytes_sent: u64,
    /// Frames handed in.
    pub frames_sent: u64,
    /// Of them those that need no other.
    pub key_frames_sent: u64,
    /// Received NACK packets.
    pub nack_count: u64,
    /// Received picture loss indications.
    pub pli_count: u64,
    /// Received full intra requests.
    pub fir_count: u64,
    /// How long packets have waited to be sent, summed up.
    pub total_packet_send_delay: Duration,
    /// What the receiver says of it.
    pub remote: Option<RemoteInboundStats>,
}

impl OutboundStats {
    /// Of a stream of which nothing was sent yet: that of an encoding, which is the one of its sender with this index.
    pub fn unsent(sender: SenderId, kind: Kind, index: usize, encoding: &Encoding, active: bool) -> Self {
        Self {
            sender,
            encoding: index,
            ssrc: encoding.ssrc,
            rtx_ssrc: encoding.rtx_ssrc,
            rid: encoding.rid.clone(),
            kind,
            payload: None,
            active: active && encoding.active,
            packets_sent: 0,
            bytes_sent: 0,
            header_bytes_sent: 0,
            retransmitted_packets_sent: 0,
            retransmitted_bytes_sent: 0,
            frames_sent: 0,
            key_frames_sent: 0,
            nack_count: 0,
            pli_count: 0,
            fir_count: 0,
            total_packet_send_delay: Duration::ZERO,
            remote: None,
        }
    }
}

/// `RTCRemoteInboundRtpStreamStats`: what receiver reports say of a sent stream.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteInboundStats {
    /// Expected minus received, as the receiver counts.
    pub packets_lost: i64,
    /// Share of what was lost since the report before, 0 to 1.
    pub fraction_lost: f64,
    /// As the receiver measures it.
    pub jitter: Duration,
    /// The last round trip.
    pub round_trip_time: Option<Duration>,
    /// All round trips, summed up.
    pub total_round_trip_time: Duration,
    /// How many there were.
    pub round_trip_time_measurements: u64,
    /// When the last report came in.
    pub arrival: Instant,
}
