//! Media between tracks and connections.
//!
//! A [`Tracks`] belongs to a connection and ties its senders and receivers to tracks: what a track of samples gives is encoded and sent,
//! what a receiver gets is decoded and played out into a track. All of that happens on threads of its own: not on the clock's, not
//! with a connection locked, not on JavaScript's. Without media there is no thread and nothing registered.
//!
//! - [`audio`](crate) between samples and frames is decided without a clock or a thread, as is how packets are renumbered.
//! - `connection` ties that to peers, `threads` is where it runs.
#![forbid(unsafe_code)]

mod audio;
mod connection;
mod encoded;
mod threads;

pub use audio::playout::PlayoutStats;
pub use connection::{AudioReceived, OnFault, ToneError, Tracks};
pub use encoded::{
    Encoded, EncodedAttachment, EncodedFeed, EncodedSink, EncodedSource, EncodedTap, EncodedTapState,
    EncodedTrack, FeedError, Layer, Limit, Origin, write_packet,
};
pub use threads::{is_ticking, play, wake_later};
