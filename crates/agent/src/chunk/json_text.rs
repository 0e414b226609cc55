//! JSON string literals as bytes, without losing half a surrogate pair.
//!
//! The specification cuts JSON by UTF-16 code units, so one chunk may end with `\ud83d` and the next begin with
//! `\ude00`. Neither half is a character that Rust's strings could hold. Here they are kept as three bytes each
//! (WTF-8), and become a character again when the halves meet.

use memchr::memchr;

/// Bytes that `byte` of UTF-8 takes inside a JSON string literal.
pub(super) fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// Bytes that are looked at together: compilers make few instructions of it.
const BLOCK: usize = 32;

/// Appends UTF-8 as the inside of a JSON string literal, in the form of `JSON.stringify`.
pub(crate) fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = next_to_escape(text, at) {
        out.extend_from_slice(&text[from..found]);
        (from, at) = (found + 1, found + 1);
        let byte = text[found];
        let short = match byte {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..0x20 => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
                continue;
            }
            _ => byte,
        };
        out.extend([b'\\', short]);
    }
    out.extend_from_slice(&text[from..]);
}

fn next_to_escape(text: &[u8], mut at: usize) -> Option<usize> {
    let special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    while at < text.len() {
        let block = &text[at..text.len().min(at + BLOCK)];
        if block.iter().fold(false, |any, &byte| any | special(byte)) {
            return block.iter().position(|&byte| special(byte)).map(|place| at + place);
        }
        at += block.len();
    }
    None
}

/// The text that a JSON string literal stands for, in WTF-8; `None` if it is not a string literal.
pub(crate) fn unescape(literal: &str) -> Option<Vec<u8>> {
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escape = *rest.get(at + 1)?;
        rest = &rest[at + 2..];
        match escape {
            b'"' | b'\\' | b'/' => out.push(escape),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                push_unit(&mut out, hex(rest.get(..4)?)?);
                rest = &rest[4..];
            }
            _ => return None,
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

fn hex(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0u16, |value, digit| {
        Some(value << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?)
    })
}

/// One UTF-16 code unit, surrogate or not, in the three-byte scheme of UTF-8.
fn push_unit(out: &mut Vec<u8>, unit: u16) {
    match char::from_u32(u32::from(unit)) {
        Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[0xed, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]),
    }
}

/// UTF-8 of what was joined from slices in WTF-8: halves that have met become one character, and one that has not
/// becomes the escape `\ud83d`, which stands for it wherever JSON allows it at all.
pub(super) fn join(bytes: Vec<u8>) -> Result<String, ()> {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error.into_bytes(),
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some(at) = rest.windows(3).position(|three| surrogate(three).is_some()) {
        out.extend_from_slice(&rest[..at]);
        let unit = surrogate(&rest[at..]).unwrap_or_default();
        let low = surrogate(&rest[at + 3..]).filter(|low| unit < 0xdc00 && *low >= 0xdc00);
        if let Some(low) = low {
            let point = 0x10000 + ((u32::from(unit) - 0xd800) << 10) + (u32::from(low) - 0xdc00);
            let character = char::from_u32(point).ok_or(())?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[at + 6..];
        } else {
            out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            rest = &rest[at + 3..];
        }
    }
    out.extend_from_slice(rest);
    String::from_utf8(out).map_err(|_| ())
}

/// The surrogate at the start of WTF-8, if there is one.
pub(crate) fn surrogate(bytes: &[u8]) -> Option<u16> {
    match *bytes {
        [0xed, second @ 0xa0..=0xbf, third, ..] => {
            Some(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_of_a_character_that_were_cut_apart_meet_again() {
        let mut joined = unescape(r#""a\ud83d""#).unwrap();
        joined.extend(unescape(r#""\ude00b""#).unwrap());
        assert_eq!(join(joined).unwrap(), "a😀b");
    }

    #[test]
    fn a_half_without_the_other_stays_what_it_is() {
        for (literal, text) in [
            (r#""\ud83d""#, r"\ud83d"),
            (r#""x\ude00\ud83dy""#, r"x\ude00\ud83dy"),
            (r#""\ud83d\ud83d\ude00""#, r"\ud83d😀"),
        ] {
            assert_eq!(join(unescape(literal).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for text in ["7", "\"", "", "\"\\\"", r#""\x""#, r#""\u12""#, r#""\u12g4""#, "[]"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_a_literal(text in any::<String>()) {
            let mut literal = vec![b'"'];
            escape(text.as_bytes(), &mut literal);
            literal.push(b'"');
            let literal = String::from_utf8(literal).unwrap();
            prop_assert_eq!(literal.len() - 2, text.bytes().map(escaped_len).sum::<usize>());
            prop_assert_eq!(serde_json::from_str::<String>(&literal).unwrap(), text.clone());
            prop_assert_eq!(join(unescape(&literal).unwrap()).unwrap(), text);
        }

        #[test]
        fn any_sequence_of_utf16_units_survives_being_cut_anywhere(
            units in proptest::collection::vec(prop_oneof![any::<u16>(), 0xd7f0u16..0xe010], 0..20),
            cut in any::<proptest::sample::Index>(),
        ) {
            let cut = cut.index(units.len() + 1);
            let literal = |units: &[u16]| {
                let inside: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
                format!("\"{inside}\"")
            };
            let mut joined = unescape(&literal(&units[..cut])).unwrap();
            joined.extend(unescape(&literal(&units[cut..])).unwrap());
            let expected: String = char::decode_utf16(units.iter().copied())
                .map(|unit| unit.map_or_else(|lone| format!("\\u{:04x}", lone.unpaired_surrogate()), String::from))
                .collect();
            prop_assert_eq!(join(joined).unwrap(), expected);
        }
    }
}
