//! Strings put into the JSON around them.

use crate::chunk::escape;

/// Joins pieces of UTF-8, each of which ends at one of `ends`: JSON and the content of a string literal by turns, JSON
/// first. `None` unless there is a piece up to the end of `utf8`, the ends are in order, and each is one of a character.
pub fn join(utf8: &[u8], ends: &[u32]) -> Option<Vec<u8>> {
    if ends.last().map(|&end| end as usize) != Some(utf8.len()) {
        return None;
    }
    // Nothing to escape is the usual case; the growth of the rest is amortized.
    let mut out = Vec::with_capacity(utf8.len());
    let mut from = 0;
    for (index, &end) in ends.iter().enumerate() {
        let piece = utf8.get(from..end as usize)?;
        if index % 2 == 0 {
            out.extend_from_slice(piece);
        } else {
            escape(piece, &mut out);
        }
        from = end as usize;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn joined(pieces: &[&str]) -> Option<String> {
        let mut end = 0;
        let ends: Vec<u32> = pieces
            .iter()
            .map(|piece| {
                end += u32::try_from(piece.len()).unwrap();
                end
            })
            .collect();
        join(pieces.concat().as_bytes(), &ends).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_json_wants_escaped_is_escaped_in_strings_only() {
        let text = joined(&["{\"a\":\"", "say \"no\"\\\n\u{1f}\u{7f}\u{2028}", "\"}"]);
        assert_eq!(text.unwrap(), "{\"a\":\"say \\\"no\\\"\\\\\\n\\u001f\u{7f}\u{2028}\"}");
    }

    #[test]
    fn ends_that_make_no_sense_are_refused() {
        for ends in [&[][..], &[2], &[4], &[3, 1, 3], &[9, 3]] {
            assert_eq!(join(b"abc", ends), None, "{ends:?}");
        }
    }

    proptest! {
        #[test]
        fn any_string_is_what_json_says_it_is(text in "\\PC{0,20}|[\"\\\\\n\r\t\u{0}-\u{1f}\u{7f}😀a]{0,90}") {
            let json = joined(&["\"", &text, "\""]).unwrap();
            prop_assert_eq!(json, serde_json::to_string(&text).unwrap());
        }
    }
}
