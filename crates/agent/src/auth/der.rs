//! As much of DER (X.690) and PEM (RFC 7468) as the three kinds of keys need. Nothing recurses: keys come out of
//! messages of strangers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const SEQUENCE: u8 = 0x30;

/// Splits the first element off: its content and what follows. None unless it has this tag and a length in the
/// shortest form.
pub(super) fn take(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[actual, first], rest) = input.split_first_chunk::<2>()?;
    if actual != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&[length], rest) = rest.split_first_chunk::<1>()?;
            (Some(usize::from(length)).filter(|length| *length > 0x7f)?, rest)
        }
        0x82 => {
            let (bytes, rest) = rest.split_first_chunk::<2>()?;
            (Some(usize::from(u16::from_be_bytes(*bytes))).filter(|length| *length > 0xff)?, rest)
        }
        // Longer than any key that is accepted.
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// An element of less than 64 KiB.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=0x7f => out.push(length as u8),
        length @ 0x80..=0xff => out.extend([0x81, length as u8]),
        length => {
            out.push(0x82);
            out.extend((length as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

/// An INTEGER that is not negative, from its big-endian bytes without leading zeros.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let sign = bytes.first().is_none_or(|first| *first >= 0x80);
    let content: Vec<u8> = sign.then_some(0).into_iter().chain(bytes.iter().copied()).collect();
    element(INTEGER, &content)
}

/// Takes an INTEGER that is above zero: its big-endian bytes without leading zeros, and what follows.
pub(super) fn take_unsigned(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, rest) = take(input, INTEGER)?;
    let bytes = match content {
        [0, bytes @ ..] => bytes,
        bytes if bytes.first()? < &0x80 => bytes,
        _ => return None,
    };
    (*bytes.first()? != 0).then_some((bytes, rest))
}

/// The bytes between the lines of a PEM text with this label.
pub(super) fn from_pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix("-----BEGIN ")?.strip_prefix(label)?.strip_prefix("-----")?;
    let body = body.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?;
    let base64: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    STANDARD.decode(base64).ok()
}

/// PEM text with lines of 64 characters.
pub(super) fn to_pem(der: &[u8], label: &str) -> String {
    let base64 = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
