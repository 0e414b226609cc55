//! SRTP and SRTCP (RFC 3711, RFC 7714): packets are encrypted and authenticated, their indices estimated, repetitions refused.
//! Knows where the header of a packet ends, and nothing else of it.
//!
//! Ours, on the primitives of `aws-lc-rs`, because nothing may be kept for a packet before its tag has been verified:
//! `rtc-srtp` makes the state of a stream first, so that forged packets with ever other SSRCs fill the memory, and allocates
//! anew for each packet. It judges this room in `cross_tests.rs`.

mod cipher;
mod derive;
mod error;
mod inbound;
mod outbound;
mod replay;

#[cfg(test)]
mod cross_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use error::SrtpError;
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use replay::{ReplayWindow, estimate};
