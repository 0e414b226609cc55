//! A description that was received: its text, and what we understand of it.

use super::lines::{Line, excerpt, lines};
use super::section::{MediaSection, TransportAttributes};
use crate::error::{Error, ErrorKind};
use std::collections::HashSet;

/// Longest description we parse, in bytes. Browsers stay below 100 KiB with dozens of tracks.
pub const MAX_BYTES: usize = 1 << 20;
/// Most media sections: far above any conference, far below what would cost time.
pub const MAX_SECTIONS: usize = 512;
/// Most candidates in one description; a machine with many interfaces has a few dozen.
pub const MAX_CANDIDATES: usize = 1_000;

/// A group of sections (`a=group`, RFC 5888).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Such as `BUNDLE`.
    pub semantics: String,
    /// The mids in it.
    pub mids: Vec<String>,
}

/// A parsed description.
///
/// The text is kept byte for byte; unknown lines and attributes stay in it and are otherwise skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    text: String,
    /// `a=group`
    pub groups: Vec<Group>,
    /// `a=ice-lite`
    pub ice_lite: bool,
    /// Attributes of ICE and DTLS above all sections.
    pub transport: TransportAttributes,
    /// The media sections in their order.
    pub media: Vec<MediaSection>,
}

impl Description {
    /// Parses a description.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`] with the line, if the text is no description; [`ErrorKind::InvalidAccess`] if two
    /// sections have one mid; [`ErrorKind::Operation`] beyond [`MAX_BYTES`], [`MAX_SECTIONS`] or
    /// [`MAX_CANDIDATES`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_BYTES {
            return Err(too_many("bytes", MAX_BYTES));
        }
        let mut description = Self {
            text: text.to_owned(),
            groups: Vec::new(),
            ice_lite: false,
            transport: TransportAttributes::default(),
            media: Vec::new(),
        };
        let mut rest = lines(text);
        parse_head(&mut rest)?;
        let mut candidates = 0;
        for line in rest {
            let line = line?;
            if line.letter == b'a' && line.value.starts_with("candidate:") {
                candidates += 1;
                if candidates > MAX_CANDIDATES {
                    return Err(too_many("candidates", MAX_CANDIDATES));
                }
            }
            description.take(&line)?;
        }
        if let Some(last) = description.media.last_mut() {
            last.end = text.len();
        }
        description.check_mids()?;
        Ok(description)
    }

    /// Gives back room for more candidates and sections.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.groups.shrink_to_fit();
        self.media.shrink_to_fit();
        self.media.iter_mut().for_each(|section| section.candidates.shrink_to_fit());
    }

    fn take(&mut self, line: &Line<'_>) -> Result<(), Error> {
        match (line.letter, self.media.last_mut()) {
            (b'm', last) => {
                if let Some(last) = last {
                    last.end = line.start;
                }
                if self.media.len() == MAX_SECTIONS {
                    return Err(too_many("media sections", MAX_SECTIONS));
                }
                self.media.push(MediaSection::parse(line)?);
            }
            (b'a', _) if line.attribute().0.is_empty() => {
                return Err(Error::syntax(line.number, "an attribute without a name"));
            }
            (b'a', Some(section)) => section.take(line)?,
            (b'a', None) => self.take_session_attribute(line),
            (b'v' | b'o' | b's', _) => {
                return Err(Error::syntax(line.number, format!("a second \"{}=\"", char::from(line.letter))));
            }
            // Nothing that a data channel depends on, or a letter of the future.
            _ => {}
        }
        Ok(())
    }

    fn take_session_attribute(&mut self, line: &Line<'_>) {
        let (name, value) = line.attribute();
        match name {
            "ice-lite" => self.ice_lite = true,
            "group" => {
                let mut tokens = value.split_ascii_whitespace().map(str::to_owned);
                if let Some(semantics) = tokens.next() {
                    self.groups.push(Group { semantics, mids: tokens.collect() });
                }
            }
            _ => {
                self.transport.take(line, name, value);
            }
        }
    }

    fn check_mids(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        match self.media.iter().find(|m| m.mid.as_ref().is_some_and(|mid| !seen.insert(mid))) {
            Some(section) => Err(Error {
                kind: ErrorKind::InvalidAccess,
                message: format!(
                    "two sections have the mid {:?}",
                    section.mid.as_deref().unwrap_or_default()
                ),
                sdp_line: Some(section.line),
            }),
            None => Ok(()),
        }
    }

    /// The text, byte for byte, with everything that was [appended](Self::append).
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The BUNDLE group that contains `mid`.
    pub fn bundle_of(&self, mid: &str) -> Option<&Group> {
        let bundle = |group: &&Group| group.semantics == "BUNDLE" && group.mids.iter().any(|m| m == mid);
        self.groups.iter().find(bundle)
    }

    /// Index of the section with this mid.
    pub fn index_of(&self, mid: &str) -> Option<usize> {
        self.media.iter().position(|section| section.mid.as_deref() == Some(mid))
    }

    /// Whether the sender says that it takes trickled candidates (RFC 8840).
    pub fn trickle(&self) -> bool {
        self.transport.trickle() || self.media.iter().any(|section| section.transport.trickle())
    }

    /// Adds the line `a=<attribute>` at the end of a section, unless it stands there already.
    ///
    /// The parsed view is not touched: that is up to the caller. An index beyond the sections does nothing.
    pub fn append(&mut self, section: usize, attribute: &str) {
        let Some((start, end)) = self.media.get(section).map(|section| (section.start, section.end)) else {
            return;
        };
        let body = &self.text[start..end];
        if body.lines().any(|line| line.trim_ascii().strip_prefix("a=") == Some(attribute)) {
            return;
        }
        let eol = if body.contains("\r\n") || !body.contains('\n') { "\r\n" } else { "\n" };
        let before = if body.ends_with('\n') { "" } else { eol };
        let line = format!("{before}a={attribute}{eol}");
        self.text.insert_str(end, &line);
        self.media[section].end += line.len();
        for later in &mut self.media[section + 1..] {
            later.start += line.len();
            later.end += line.len();
        }
    }
}

/// `v=`, `o=` and `s=` open a description, in this order (RFC 8866, section 5).
fn parse_head<'a>(rest: &mut impl Iterator<Item = Result<Line<'a>, Error>>) -> Result<(), Error> {
    let mut last = 0;
    let mut next = |letter: u8| match rest.next().transpose()? {
        Some(line) if line.letter == letter => {
            last = line.number;
            Ok(line)
        }
        found => Err(Error::syntax(
            found.map_or(last + 1, |line| line.number),
            format!("\"{}=\" is missing", char::from(letter)),
        )),
    };
    let version = next(b'v')?;
    if version.value != "0" {
        return Err(Error::syntax(
            version.number,
            format!("the version is 0, not {:?}", excerpt(version.value)),
        ));
    }
    let origin = next(b'o')?;
    let fields: Vec<&str> = origin.value.split_ascii_whitespace().collect();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match fields[..] {
        [_, id, version, _, _, _] if number(id) && number(version) => {}
        _ => {
            let message =
                format!("an origin has a name, two numbers and an address, not {:?}", excerpt(origin.value));
            return Err(Error::syntax(origin.number, message));
        }
    }
    next(b's')?;
    Ok(())
}

fn too_many(what: &str, limit: usize) -> Error {
    Error::new(ErrorKind::Operation, format!("the description has more than {limit} {what}"))
}
