//! RTP packets (RFC 3550) and their header extensions (RFC 8285), read and written. Knows nothing of encryption, of streams
//! or of what a payload means.
//!
//! The fixed header is the crate `rtp-types`: it reads without copying, and neither panics nor allocates on any input.
//! What it leaves to its user is here: the elements of the extension block, and where the header of an encrypted packet ends.

mod extensions;
mod header;
mod packet;
#[cfg(test)]
mod property_tests;

pub use extensions::ExtensionMap;
pub use header::header_len;
pub use packet::{parse, write};
