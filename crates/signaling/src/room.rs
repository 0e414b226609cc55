//! Names of rooms.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of a room: a meeting point of agents. Any text of 1 to [`RoomName::MAX_LEN`] bytes without control
/// characters; compared byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Arc<str>);

/// Why a text is not a [`RoomName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// No text at all.
    #[error("the name of a room must not be empty")]
    Empty,
    /// Longer than [`RoomName::MAX_LEN`]; its length in bytes.
    #[error("the name of a room has {0} bytes, at most 128 are allowed")]
    TooLong(usize),
    /// Something that does not show in a log.
    #[error("the name of a room has the control character {0:?} in it")]
    Control(char),
}

impl RoomName {
    /// The longest name, in bytes: it is repeated in every notice, and remembered for every member.
    pub const MAX_LEN: usize = 128;

    /// Checks `text`.
    ///
    /// # Errors
    /// It is empty, too long, or has control characters in it.
    pub fn parse(text: &str) -> Result<Self, RoomNameError> {
        if text.is_empty() {
            return Err(RoomNameError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(RoomNameError::TooLong(text.len()));
        }
        match text.chars().find(|character| character.is_control()) {
            Some(control) => Err(RoomNameError::Control(control)),
            None => Ok(Self(text.into())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomName {
    type Err = RoomNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for RoomName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoomName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_any_short_visible_text() {
        for name in ["a", "team/blue 7", "\u{e9}\u{1f600}", &"x".repeat(128)] {
            assert_eq!(RoomName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(RoomName::parse(""), Err(RoomNameError::Empty));
        assert_eq!(RoomName::parse(&"x".repeat(129)), Err(RoomNameError::TooLong(129)));
        assert_eq!(RoomName::parse("a\nb"), Err(RoomNameError::Control('\n')));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_as_it_is_or_refused(text in "\\PC{0,140}") {
            if let Ok(name) = RoomName::parse(&text) {
                let json = serde_json::to_string(&name).unwrap();
                prop_assert_eq!(serde_json::from_str::<RoomName>(&json).unwrap(), name);
            }
        }
    }
}
