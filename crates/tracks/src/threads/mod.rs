//! The threads of media, and nothing but those: the clock, which ticks every 10 ms while something is played, and the workers, which
//! encode, decode and forward. None is there without work. What they do is decided elsewhere.

mod clock;
mod workers;

pub use clock::{is_ticking, play, wake_later};
pub(crate) use workers::{Effort, Strand, Work};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic elsewhere: the values guarded in this crate are valid at every moment.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
