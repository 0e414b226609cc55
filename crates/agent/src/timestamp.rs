//! ISO 8601 timestamps, without a clock: milliseconds since 1970 in, text out, and back.

use std::num::NonZero;

use time::format_description::well_known::iso8601::{Config, EncodedConfig, TimePrecision};
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{OffsetDateTime, UtcDateTime};

/// As `Date.prototype.toISOString` has it.
const TO_MILLISECONDS: EncodedConfig =
    Config::DEFAULT.set_time_precision(TimePrecision::Second { decimal_digits: NonZero::new(3) }).encode();

/// `2024-02-29T12:00:00.000Z`. Years beyond 9999 do not occur: they are clamped.
pub(crate) fn format(unix_ms: u64) -> String {
    const YEAR_10000: u64 = 253_402_300_800_000;
    let nanoseconds = i128::from(unix_ms.min(YEAR_10000 - 1)) * 1_000_000;
    let moment = UtcDateTime::from_unix_timestamp_nanos(nanoseconds).expect("years to 9999 are in range");
    moment.format(&Iso8601::<TO_MILLISECONDS>).expect("years from 1970 to 9999 have four digits")
}

/// Milliseconds since 1970 of `YYYY-MM-DDThh:mm:ss[.fff](Z|+hh:mm|-hh:mm)` (RFC 3339); `None` if it is not one.
pub(crate) fn parse(text: &str) -> Option<i64> {
    // 29 characters with microseconds and an offset; nobody needs more than nanoseconds.
    if text.len() > 35 || !matches!(text.as_bytes().get(10), Some(b'T' | b't')) {
        return None;
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_moments_are_written_and_read() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_001, "2024-03-01T00:00:00.001Z"),
            (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(format(ms), text);
            assert_eq!(parse(text), Some(ms as i64));
        }
        assert_eq!(format(u64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn fractions_and_offsets_are_understood() {
        assert_eq!(parse("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse("1969-12-31T23:30:00.5-00:30"), Some(500));
        assert_eq!(parse("1970-01-01T00:00:00.123456Z"), Some(123));
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for text in [
            "",
            "now",
            "1970-01-01",
            "1970-01-01 00:00:00Z",
            "1970-13-01T00:00:00Z",
            "1970-02-29T00:00:00Z",
            "1970-00-01T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00+1:00",
            "+970-01-01T00:00:00Z",
            "1970-01-01T00:00:00ä",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_millisecond_survives(ms in 0u64..253_402_300_800_000) {
            prop_assert_eq!(parse(&format(ms)), Some(ms as i64));
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn anything_shaped_like_a_timestamp_is_read_or_refused_without_panic(
            text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?(Z|[+-][0-9]{2}:[0-9]{2})"
        ) {
            let _ = parse(&text);
        }
    }
}
