//! Long strings taken out of JSON.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use crate::chunk::{surrogate, unescape};

/// Strings from this length on, in bytes of JSON, are taken out: less is parsed as fast as it is put in again.
const LONG: usize = 32 * 1024;

/// What is left may have so many bytes: whoever puts the strings in again looks at all of it.
const MAX_SKELETON: usize = 64 * 1024;

/// So many string literals are looked at, some ten microseconds' worth: a message of many short ones has no long one, most likely.
const MAX_LITERALS: usize = 2048;

/// Begins the content of a literal that stands for a string that was taken out; its number follows. JSON allows this
/// character in strings, and nowhere else.
pub const PLACEHOLDER: char = '\u{7f}';

/// JSON without its long strings.
#[derive(Debug, PartialEq, Eq)]
pub struct Lifted {
    /// It is JSON if and only if the whole was. In place of each long string stands `"\u{7f}N"`, N from 0; nothing else in
    /// it means a string that begins like that.
    pub skeleton: String,
    /// The strings that were taken out.
    pub strings: Vec<LongString>,
}

/// A string that was taken out, as JavaScript wants it.
#[derive(Debug, PartialEq, Eq)]
pub enum LongString {
    /// ASCII without escapes: these bytes of the text.
    Slice(Range<usize>),
    /// Any other of ASCII.
    Ascii(Vec<u8>),
    /// Any other.
    Utf16(Vec<u16>),
}

/// Takes long strings out of an envelope that is an ordinary message, of any type but calls, their answers and errors: those
/// are read as they stand. `None` if there is nothing to gain, or anything is unusual.
pub fn lift(text: &[u8]) -> Option<Lifted> {
    if text.len() < LONG || !is_ordinary(text) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let literals = long_literals(text.as_bytes());
    let content: usize = literals.iter().map(|literal| literal.range.len()).sum();
    if literals.is_empty() || text.len() - content > MAX_SKELETON {
        return None;
    }
    let mut skeleton = String::with_capacity(text.len() - content + 16 * literals.len());
    let mut from = 0;
    for (number, Literal { range, .. }) in literals.iter().enumerate() {
        skeleton.push_str(&text[from..range.start]);
        if is_ambiguous(&text[from..range.start]) {
            return None;
        }
        skeleton.push(PLACEHOLDER);
        skeleton.push_str(&number.to_string());
        from = range.end;
    }
    if is_ambiguous(&text[from..]) {
        return None;
    }
    skeleton.push_str(&text[from..]);
    let strings = literals.into_iter().map(|literal| literal.value(text)).collect::<Option<_>>()?;
    Some(Lifted { skeleton, strings })
}

/// Our own agents begin with the type.
fn is_ordinary(text: &[u8]) -> bool {
    let Some(kind) = text.strip_prefix(b"{\"type\":\"") else { return false };
    !kind.starts_with(b"capability_") && !kind.starts_with(b"error\"")
}

/// Whether a string in it might be taken for a placeholder, as it stands or by an escape.
fn is_ambiguous(skeleton: &str) -> bool {
    skeleton.contains(PLACEHOLDER) || memmem::find(skeleton.as_bytes(), b"\\u").is_some()
}

/// The content of a string literal.
struct Literal {
    range: Range<usize>,
    escaped: bool,
}

impl Literal {
    /// `None` if it is not a valid one.
    fn value(self, text: &str) -> Option<LongString> {
        let content = &text[self.range.clone()];
        // In blocks, which compilers make one instruction for many bytes of.
        if content
            .as_bytes()
            .chunks(64)
            .any(|block| block.iter().fold(false, |any, &byte| any | (byte < 0x20)))
        {
            return None;
        }
        if !self.escaped {
            return Some(match content.is_ascii() {
                true => LongString::Slice(self.range),
                false => LongString::Utf16(content.encode_utf16().collect()),
            });
        }
        let value = unescape(&text[self.range.start - 1..=self.range.end])?;
        if value.is_ascii() { Some(LongString::Ascii(value)) } else { utf16(&value).map(LongString::Utf16) }
    }
}

/// The long literals among the first ones. Outside of literals every quotation mark begins one.
fn long_literals(text: &[u8]) -> Vec<Literal> {
    let mut found = Vec::new();
    let mut at = 0;
    for _ in 0..MAX_LITERALS {
        let Some(start) = memchr(b'"', &text[at..]).map(|quote| at + quote + 1) else { break };
        let Some((end, escaped)) = end_of_literal(text, start) else { break };
        if end - start >= LONG {
            found.push(Literal { range: start..end, escaped });
        }
        at = end + 1;
    }
    found
}

/// Where its closing quotation mark stands, and whether anything in it is escaped.
fn end_of_literal(text: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// UTF-16 of WTF-8. Halves of a pair that meet make one character without further ado.
fn utf16(mut bytes: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::with_capacity(bytes.len());
    loop {
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => {
                units.extend(text.encode_utf16());
                return Some(units);
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        units.extend(std::str::from_utf8(valid).ok()?.encode_utf16());
        units.push(surrogate(rest)?);
        bytes = &rest[3..];
    }
}

#[cfg(test)]
#[path = "lift_tests.rs"]
mod tests;
