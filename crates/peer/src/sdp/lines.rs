//! The lowest layer: text into numbered lines, and nothing else.

use crate::error::Error;

/// One line of a description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Line number, from 1.
    pub(super) number: u32,
    /// The letter before the `=`.
    pub(super) letter: u8,
    /// What follows the `=`, without the line ending and surrounding white space.
    pub(super) value: &'a str,
    /// Where the line begins in the text, in bytes.
    pub(super) start: usize,
}

impl<'a> Line<'a> {
    /// Name and value of an attribute (`a=name:value` or `a=name`).
    pub(super) fn attribute(&self) -> (&'a str, &'a str) {
        match self.value.split_once(':') {
            Some((name, value)) => (name.trim_ascii_end(), value.trim_ascii()),
            None => (self.value, ""),
        }
    }
}

/// Splits text into lines. CRLF and LF both end a line; blank lines are skipped but counted.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, Error>> {
    let mut start = 0;
    text.split_inclusive('\n').zip(1u32..).filter_map(move |(raw, number)| {
        let begin = start;
        start += raw.len();
        let line = raw.trim_ascii();
        (!line.is_empty()).then(|| parse(line, number, begin))
    })
}

fn parse(line: &str, number: u32, start: usize) -> Result<Line<'_>, Error> {
    match line.as_bytes() {
        [letter @ b'a'..=b'z', b'=', ..] => {
            Ok(Line { number, letter: *letter, value: line[2..].trim_ascii(), start })
        }
        _ => Err(Error::syntax(
            number,
            format!("a line is a letter, \"=\" and a value, not {:?}", excerpt(line)),
        )),
    }
}

/// The beginning of a text that goes into an error message.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX: usize = 60;
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
