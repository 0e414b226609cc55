//! The jitter buffer of one stream: packets with their times of arrival in, frames in order out.
//!
//! Says which sequence numbers to ask for again and when, when a key frame is needed, and when to look again. Knows nothing of
//! RTCP or of SSRCs: retransmissions come in as the packets they repeat. Time is what the caller passes.
//!
//! [`JitterBuffer`] is the face. Below it: [`video`] joins packets to frames and hands out what can be decoded; [`audio`] hands
//! out each packet when it is due. Both stand on [`ring`] (the packets that wait), [`sequence`] (numbers that wrap, senders
//! that start anew), [`missing`] (what to ask for again), [`held`] (video that is to come late and steady) and [`delay`] (how long audio has to wait for the slow packets).

mod audio;
mod buffer;
mod common;
mod config;
mod delay;
mod dependencies;
mod held;
mod missing;
mod ring;
mod sequence;
mod video;

#[cfg(test)]
mod audio_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod video_tests;

pub use buffer::JitterBuffer;
pub use config::{JitterConfig, JitterStats};
