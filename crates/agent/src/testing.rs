//! What the tests of several modules begin with.

use std::time::Instant;

use serde_json::value::RawValue;

use crate::session::SessionConfig;

/// The time of the wall clock at [`epoch`], in milliseconds.
pub(crate) const T0: u64 = 1_700_000_000_000;

/// The beginning of virtual time.
pub(crate) fn epoch() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "any instant will do as the origin of virtual time")]
    Instant::now()
}

pub(crate) fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

pub(crate) fn config(local: &str, remote: &str) -> SessionConfig {
    SessionConfig::new(local.parse().unwrap(), remote.parse().unwrap())
}
