//! Checks of values from JavaScript. Node-API would wrap and truncate numbers silently.

use std::time::Duration;

use super::error::{Result, failure};

/// Timers and time-outs may be at most this long: an hour is far beyond any use, and sums can't overflow.
const MAX_MILLISECONDS: f64 = 3_600_000.0;

/// A whole number from `min` to `max`.
pub(crate) fn integer(name: &str, value: f64, min: u64, max: u64) -> Result<u64> {
    // Both bounds are at most 2^53, so the comparison is exact.
    if value.fract() == 0.0 && value >= min as f64 && value <= max as f64 {
        return Ok(value as u64);
    }
    Err(failure("RangeError", &format!("{name} is {value}: it has to be a whole number from {min} to {max}")))
}

/// A 32-bit handle.
pub(crate) fn handle(name: &str, value: f64) -> Result<u32> {
    integer(name, value, 0, u64::from(u32::MAX)).map(|value| value as u32)
}

/// A 16-bit number.
pub(crate) fn short(name: &str, value: f64, min: u16, max: u16) -> Result<u16> {
    integer(name, value, u64::from(min), u64::from(max)).map(|value| value as u16)
}

/// A number of bytes or a count that fits into memory.
pub(crate) fn size(name: &str, value: f64, min: u64, max: u64) -> Result<usize> {
    integer(name, value, min, max).map(|value| value as usize)
}

/// A time in milliseconds; fractions are fine.
pub(crate) fn milliseconds(name: &str, value: f64) -> Result<Duration> {
    if (0.0..=MAX_MILLISECONDS).contains(&value) {
        return Ok(Duration::from_secs_f64(value / 1000.0));
    }
    Err(failure(
        "RangeError",
        &format!("{name} is {value}: it has to be from 0 to {MAX_MILLISECONDS} milliseconds"),
    ))
}

/// One of a fixed set of words.
pub(crate) fn choice<T: Copy>(name: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == value) {
        return Ok(*choice);
    }
    let words: Vec<_> = choices.iter().map(|(word, _)| format!("'{word}'")).collect();
    let value: String = value.chars().take(64).collect();
    Err(failure("TypeError", &format!("{name} is '{value}': it has to be {}", words.join(" or "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_integers_or_out_of_range_are_refused() {
        for value in [-1.0, 0.5, 65_536.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert!(short("port", value, 0, u16::MAX).is_err(), "{value}");
        }
        assert_eq!(short("port", 65_535.0, 0, u16::MAX).ok(), Some(65_535));
        assert_eq!(handle("channel", 4_294_967_295.0).ok(), Some(u32::MAX));
    }

    #[test]
    fn times_are_bounded() {
        assert!(milliseconds("timeout", -1.0).is_err());
        assert!(milliseconds("timeout", f64::NAN).is_err());
        assert_eq!(milliseconds("timeout", 1.5).ok(), Some(Duration::from_micros(1500)));
    }
}
