//! One WebRTC connection, sans-IO: offers and answers, ICE, DTLS, SCTP, data channels, audio and video, statistics.
//!
//! A [`Connection`] owns no socket, no thread and no clock. Its owner hands in datagrams, gathered candidates and the
//! time, and takes out datagrams, events and the time of the next call. After any call that takes `now`, poll until
//! nothing is left: [`Connection::poll_event`], [`Connection::poll_transmit`], then [`Connection::poll_timeout`].
#![forbid(unsafe_code)]

mod certificate;
mod channels;
mod config;
mod connection;
pub mod dcep;
mod diagnosis;
mod dtls;
pub mod error;
mod event;
mod ice;
pub mod jsep;
mod random;
mod rtc_error;
pub mod sdp;
mod snapshot;
mod states;
pub mod stats;

pub use certificate::Certificate;
pub use channels::{ChannelError, ChannelId, ChannelInfo, DataChannelInit, MessageKind, Priority};
pub use config::{Config, DtlsConfig, DtlsVersions, IceConfig, IceTransportPolicy, MediaSettings};
pub use connection::{Connection, Transmit};
pub use diagnosis::{Diagnosis, KindCounts};
pub use error::{Error, ErrorKind};
pub use event::Event;
pub use ice::{
    CandidateInfo, CandidateKind, Fault, IceCandidateError, LocalCandidate, LocalCandidateKind,
    RelayProtocol, ResolveCandidate, SelectedPair,
};
pub use jsep::{
    CandidateInit, CodecCapability, DtlsRole, EncodingInit, IceParameters, MediaCapabilities, SdpType,
    SectionParameters, SessionDescription, SignalingState, TrackChange, Transceiver, TransceiverId,
    TransceiverInit,
};
pub use rtc_error::{ErrorDetail, RtcError};
pub use sdp::{CandidateProtocol, Direction, Fingerprint, TcpType};
pub use snapshot::{DtlsSnapshot, IceSnapshot, SctpSnapshot, Snapshot};
pub use states::{ChannelState, ConnectionState, DtlsState, GatheringState, IceRole, IceState, SctpState};
