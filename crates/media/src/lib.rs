//! All RTP of one WebRTC transport, sans-IO: SRTP, RTP and RTCP, payload formats, jitter buffer, bandwidth estimation.
//!
//! Knows nothing of SDP, ICE or DTLS: its owner says which senders and receivers there are, hands in datagrams, encoded
//! frames, the keys that DTLS exported and the time, and takes datagrams, events and the time of the next call out.
//! Nothing in here blocks, reads a clock or starts a thread, so a call over a lossy link runs in virtual time.
#![forbid(unsafe_code)]

pub mod bandwidth;
mod config;
mod error;
mod event;
mod frame;
pub mod jitter;
pub mod payload;
pub mod rtcp;
pub mod rtp;
mod session;
pub mod srtp;
mod stats;
#[cfg(test)]
mod testing;
mod types;

pub use config::{Encoding, Limits, Payload, ReceiverConfig, SenderConfig, SessionConfig, SsrcHint};
pub use error::MediaError;
pub use event::MediaEvent;
pub use frame::{AudioLevel, EncodedFrame, ExtensionValues, ReceivedFrame, RtpPacket};
pub use session::{HeardSource, MediaSession, SendPosition};
pub use stats::{
    DropCounts, InboundStats, OutboundStats, RemoteInboundStats, RemoteOutboundStats, SessionStats,
};
pub use types::{Codec, Extension, Kind, ReceiverId, SenderId, SrtpKeys, SrtpProfile};
