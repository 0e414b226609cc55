//! Session descriptions as text (RFC 8866), as far as data channels, audio and video need them.
//!
//! [`Description`] is what we receive, [`Outline`] what we write; [`Candidate`] and [`Fingerprint`] are values
//! of attributes. Reading is tolerant: what we do not know is skipped and kept in the text, sections that we are
//! going to reject need not be flawless, LF ends a line as well as CRLF. What we depend on is checked, with the
//! number of the line in the error, because W3C's `RTCError` has it (`sdpLineNumber`).
//!
//! # Why the lines are split here and not by a crate
//!
//! * `webrtc-sdp` 0.3 (the parser of Firefox) refuses descriptions that RFC 8866 allows (`u=`, `e=`, `p=`, `r=` and
//!   `z=` lines), and refuses a whole description for one candidate with an unknown transport. It drops what it
//!   does not know: attributes, so that `remoteDescription.sdp` could not be rebuilt; fingerprints of other hashes;
//!   `m=` lines of other protocols, whose attributes then fall to the section before. It shifts all remaining lines
//!   for each line it takes (`Vec::remove(0)`), which is quadratic, and brings `url` and ICU along. It stays as the
//!   *judge* of what we write: a property test feeds our descriptions to it.
//! * `rtc-sdp` 0.21 keeps attributes as pairs of strings, as this module does, but its errors have no line number, it
//!   knows only six kinds of media, insists on the RFC's order of lines, and brings `rtc-shared` and `url` along.
//!
//! With either, the values of attributes would still be ours to interpret and the lines ours to keep; splitting
//! lines is what is left, and takes less code than the layer around a crate.

mod candidate;
mod description;
mod fingerprint;
mod lines;
mod rtp;
mod section;
#[cfg(test)]
pub(crate) mod tests;
mod write;

pub(crate) use candidate::is_ice_char;
pub use candidate::{Candidate, CandidateAddress, CandidateError, CandidateProtocol, CandidateType, TcpType};
pub use description::{Description, Group, MAX_BYTES, MAX_CANDIDATES, MAX_SECTIONS};
pub use fingerprint::Fingerprint;
pub(crate) use lines::excerpt;
pub use rtp::{
    Direction, ExtMap, Feedback, Fmtp, MAX_RTP_ATTRIBUTES, Msid, Rid, RidChoice, RidDirection, RtpAttributes,
    RtpMap, Simulcast, SsrcAttribute, SsrcGroup,
};
pub use section::{Located, MediaSection, TransportAttributes};
pub use write::{
    DataAttributes, InactiveMedia, MAX_PACKET, Outline, OutlineContent, OutlineSection, OutlineTransport,
};
