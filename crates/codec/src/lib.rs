//! Audio as samples: what turns them into packets' payloads and back, and what carries them from a source to its sinks.
//!
//! - [`opus`]: Opus (RFC 6716) as WebRTC uses it (RFC 7587), on libopus.
//! - [`g711`]: PCMU and PCMA.
//! - [`pcm`]: blocks of samples, bytes to samples and back, rates and channels, loudness.
//! - [`track`]: sources, tracks and sinks in one process; streams that are played in real time.
//!
//! No clock, no thread, no socket: whoever calls says what time it is. Nothing in here knows RTP, a connection or JavaScript.
#![forbid(unsafe_code)]

pub mod g711;
pub mod opus;
pub mod pcm;
pub mod track;
