//! Several encodings of one source: `a=rid` (RFC 8851) and `a=simulcast` (RFC 8853).

use std::fmt;

/// Who sends an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RidDirection {
    /// Who says it.
    Send,
    /// The other side.
    Recv,
}

impl RidDirection {
    /// The name in descriptions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Recv => "recv",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Send, Self::Recv].into_iter().find(|direction| direction.as_str() == name)
    }
}

/// An encoding that is restricted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rid {
    /// 1 to 255 letters and digits; `-` and `_` are taken as well, since browsers write them.
    pub id: String,
    /// Who sends it.
    pub direction: RidDirection,
    /// Such as `pt=97;max-width=1280`; empty for none.
    pub restrictions: String,
}

/// One of several encodings, of which the first that both sides have is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RidChoice {
    /// Of an `a=rid` line.
    pub id: String,
    /// It is not sent at first (`~`).
    pub paused: bool,
}

/// The encodings of a section: streams, each with its alternatives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulcast {
    /// What the sender of the description sends.
    pub send: Vec<Vec<RidChoice>>,
    /// What it takes.
    pub recv: Vec<Vec<RidChoice>>,
}

impl Simulcast {
    /// Parses the value: `send 1,~4;2 recv 3`.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mut simulcast = Self::default();
        let mut tokens = value.split_ascii_whitespace();
        while let Some(direction) = tokens.next() {
            // The streams may stand behind `rid=`, as in the drafts that older browsers know.
            let list = tokens.next()?;
            let streams = list.strip_prefix("rid=").unwrap_or(list).split(';').map(alternatives);
            let streams = streams.collect::<Option<Vec<_>>>()?;
            let place = match RidDirection::from_name(direction)? {
                RidDirection::Send => &mut simulcast.send,
                RidDirection::Recv => &mut simulcast.recv,
            };
            if !std::mem::replace(place, streams).is_empty() {
                return None;
            }
        }
        (!simulcast.send.is_empty() || !simulcast.recv.is_empty()).then_some(simulcast)
    }

    /// The first alternative of each stream of one direction.
    pub fn streams(&self, direction: RidDirection) -> impl Iterator<Item = &RidChoice> {
        self.alternatives(direction).iter().filter_map(|alternatives| alternatives.first())
    }

    /// All alternatives of all streams of one direction.
    pub fn choices(&self, direction: RidDirection) -> impl Iterator<Item = &RidChoice> {
        self.alternatives(direction).iter().flatten()
    }

    fn alternatives(&self, direction: RidDirection) -> &[Vec<RidChoice>] {
        match direction {
            RidDirection::Send => &self.send,
            RidDirection::Recv => &self.recv,
        }
    }
}

fn alternatives(text: &str) -> Option<Vec<RidChoice>> {
    let choice = |text: &str| {
        let id = text.strip_prefix('~').unwrap_or(text);
        is_rid(id).then(|| RidChoice { id: id.to_owned(), paused: id.len() < text.len() })
    };
    text.split(',').map(choice).collect()
}

/// RFC 8852, section 3, and the two characters that W3C's grammar had before.
pub(super) fn is_rid(id: &str) -> bool {
    (1..=255).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl fmt::Display for Simulcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (name, streams) in [("send", &self.send), ("recv", &self.recv)] {
            if streams.is_empty() {
                continue;
            }
            let of_stream = |alternatives: &Vec<RidChoice>| {
                let choice = |c: &RidChoice| format!("{}{}", if c.paused { "~" } else { "" }, c.id);
                alternatives.iter().map(choice).collect::<Vec<_>>().join(",")
            };
            write!(f, "{separator}{name} {}", streams.iter().map(of_stream).collect::<Vec<_>>().join(";"))?;
            separator = " ";
        }
        Ok(())
    }
}
