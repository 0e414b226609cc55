//! What the tests of all rooms share.

use std::time::Instant;

/// The begin of virtual time.
#[allow(clippy::disallowed_methods, reason = "any instant will do as the origin of virtual time")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}
