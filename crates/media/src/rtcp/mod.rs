//! RTCP packets (RFC 3550 6, RFC 4585, RFC 5104, transport-wide feedback, REMB), read and written. Knows nothing of encryption,
//! of intervals or of what a report leads to.
//!
//! The formats are the crate `rtcp-types`, which reads without copying. What it leaves to its user is here: a damaged packet
//! costs itself and not those behind it, padding is taken off before anything is read, and REMB.

mod read;
mod remb;
mod write;

pub use read::{Feedback, read};
pub use write::{Compound, ReceptionReport, SenderInfo};
#[cfg(test)]
mod tests;
