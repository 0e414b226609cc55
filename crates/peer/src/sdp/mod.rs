//! Session descriptions as text (RFC 8866), as far as data channels need them.
//!
//! [`Description`] is what we receive, [`Outline`] what we write; [`Candidate`] and [`Fingerprint`] are values
//! of attributes. Reading is tolerant: what we do not know is skipped and kept in the text, sections that we are
//! going to reject need not be flawless, LF ends a line as well as CRLF. What we depend on is checked, with the
//! number of the line in the error, because W3C's `RTCError` has it (`sdpLineNumber`).
//!
//! # Why the lines are split here and not by a crate
//!
//! Tried against offers of Chrome, Firefox, Safari and older stacks (see `tests`):
//! * `webrtc-sdp` 0.3 (Firefox's parser) refuses whole descriptions that RFC 8866 allows (`u=`, `e=`, `p=`, `r=`,
//!   `z=` lines, `m=` lines of other kinds or protocols, one candidate with an unknown transport, an md5
//!   fingerprint is dropped, hash names in upper case too), forgets every attribute it does not know, so that
//!   `remoteDescription.sdp` could not be rebuilt, and needs quadratic time (`Vec::remove(0)` for each line).
//!   It also drags in `url` and ICU. It stays as the *judge* of what we write: a test feeds it all our descriptions.
//! * `rtc-sdp` 0.21 keeps attributes as pairs of strings, like this module, but reports errors without a line
//!   number, wants lines in RFC order, and needs `rtc-shared` (`nix`, `url`, a buffer layer).
//!
//! Both would leave us with the same work of interpreting strings, and with a layer around them for the rest.

mod candidate;
mod description;
mod fingerprint;
mod lines;
mod section;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use candidate::is_ice_char;
pub use candidate::{Candidate, CandidateAddress, CandidateProtocol, CandidateType, TcpType};
pub use description::{Description, Group, MAX_BYTES, MAX_CANDIDATES, MAX_SECTIONS};
pub use fingerprint::Fingerprint;
pub(crate) use lines::excerpt;
pub use section::{Located, MediaSection, TransportAttributes};
pub use write::{DataAttributes, Outline, OutlineSection};
