//! Audio and video in a negotiation (RFC 9429, sections 4.2, 5.2, 5.3 and 5.10): transceivers, codecs, header extensions.
//!
//! What is decided here: which section a transceiver has, which way it sends, which payload types and extensions both sides
//! have. What is not: transports, which all sections share, and what becomes of packets (crate `ossa-media`).

mod answer;
mod apply;
mod calls;
mod capabilities;
mod codec;
mod needed;
mod negotiated;
mod numbers;
mod offer;
mod parameters;
mod simulcast;
mod state;
mod transceiver;
mod wanted;

pub use capabilities::{CodecCapability, MediaCapabilities, MediaConfig};
pub use negotiated::ReceiveParameters;
pub(super) use numbers::{Numbers, usable_id};
pub use parameters::{SectionParameters, SendParameters};
pub(super) use state::Media;
pub use transceiver::{EncodingInit, TrackChange, Transceiver, TransceiverId, TransceiverInit};
