//! The clock and the chance of the operating system, which the crates below are given as values.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time since the Unix epoch. Before 1970 it counts as 1970: such a clock is wrong anyway.
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Milliseconds since the Unix epoch.
pub(crate) fn unix_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

/// The same with fractions, as JavaScript has it.
pub(crate) fn unix_milliseconds() -> f64 {
    since_epoch().as_secs_f64() * 1000.0
}

/// Milliseconds from now; 0 if the moment has passed.
pub(crate) fn milliseconds_until(deadline: Instant) -> f64 {
    deadline.saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0
}

/// Unpredictable bytes.
pub(crate) fn random_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    for half in seed.chunks_exact_mut(16) {
        half.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    }
    seed
}
