//! Audio on its way from where it arises to whoever takes it, in one process.
//!
//! A [`Source`] has any number of [`Track`]s (W3C: a track and its clones), a track any number of [`Sink`]s. Blocks go from the source
//! to all sinks of all its tracks in the call of [`Source::push`], on the thread that has the audio; a track that is not enabled gives silence.
//!
//! - [`Feed`] is a source of PCM that is written in pieces of any size and played in real time, 10 ms at a time.
//! - [`Tap`] is a sink that is read, as it comes or at a rate of the reader's choice.
//! - What encodes for RTP is a [`Sink`] that is [attached](Track::attach): it copies the block into a queue of its own (a block is cheap to
//!   clone) and encodes on a thread of its own, such as that of its connection.
//! - What has been received and decoded is [pushed](Source::push) into a [`Source`] by whoever plays it out, on a clock's tick or as packets come.
//!
//! Who drives them has a clock and calls [`Paced::tick`]; nothing in here has one.

mod feed;
mod source;
mod tap;
mod ticks;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use feed::{Feed, FeedState, FeedStats};
pub use source::{Attachment, Sink, Source, Track, Watch};
pub use tap::{Tap, TapState, TapStats};
pub use ticks::Ticks;

/// What is played at a time: as in every implementation of WebRTC, so that nobody has to wait for more.
pub const BLOCK: Duration = Duration::from_millis(10);

/// So long before each tick it is said that it comes: time for a thread to make up what is missing for it.
pub const AHEAD: Duration = Duration::from_millis(3);

/// Something that does its work on the ticks of a clock, about every [`BLOCK`].
pub trait Paced: Send + Sync {
    /// The next tick comes in [`AHEAD`]. Must not work for long.
    fn prepare(&self) {}

    /// It is `now`. False: never again.
    fn tick(&self, now: Instant) -> bool;
}

/// Tells whoever waits that there is something new. Must not block, and not call back.
pub type Notify = Box<dyn Fn() + Send + Sync>;

/// Locks, also after a panic elsewhere: the values guarded here are valid at every moment.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
