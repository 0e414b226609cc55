//! A sans-IO SCTP association for WebRTC data channels.
//!
//! The caller owns time, sockets and encryption: it hands in decrypted DTLS records and the current
//! instant, and takes packets, events and messages out. Nothing in here blocks, reads a clock or starts a
//! thread, so a whole network can be simulated in virtual time.
//!
//! Implemented: RFC 9260 (SCTP), RFC 3758 (partial reliability), RFC 6525 (stream reset), RFC 8260 (message
//! interleaving), RFC 9653 (zero checksum over DTLS), RFC 7053 (immediate SACK), RFC 4820 and RFC 8899 (path
//! MTU discovery), RFC 8985 (RACK-TLP), draft-ietf-ccwg-bbr (BBR version 3), RFC 9438 (CUBIC) and RFC 9406 (HyStart++);
//! draft-hancke-tsvwg-snap (the INIT chunks stand in the descriptions).
#![forbid(unsafe_code)]

// The simulator is shared with the integration tests, which know this crate by its name.
#[cfg(test)]
extern crate self as ossa_sctp;

mod association;
mod chunk;
mod config;
mod congestion;
mod cookie;
mod error;
mod event;
mod init_chunk;
mod metrics;
mod options;
mod packet;
mod pmtud;
mod random;
mod ranges;
mod recv;
mod reset;
mod send;
mod serial;
mod state;
mod table;
mod time;

pub use association::Association;
pub use config::{Config, CongestionControl};
pub use error::{ResetError, SendError};
pub use event::{CloseReason, Event, Message, Received};
pub use init_chunk::InitChunk;
pub use metrics::Metrics;
pub use options::{Reliability, SendOptions};
pub use state::State;
