//! What a server needs to know of a message to hand it on, read in one pass and borrowed from the text: no session
//! description is unescaped or copied on its way.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};
use serde_json::value::RawValue;

use crate::message::{Body, SignalingMessage};
use crate::uri::AgentUri;

/// The kinds of [`SignalingMessage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Offer,
    Answer,
    Candidate,
    Error,
}

/// The outside of a message that has a sender and is in order.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Kind,
    /// As it was sent: perhaps not canonical, perhaps no agent URI at all.
    pub(crate) from: Cow<'a, str>,
    /// Likewise.
    pub(crate) to: Cow<'a, str>,
    pub(crate) session_id: Option<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// Reads `text` if it is a message like most. `None` says nothing: [`ClientFrame::parse`](crate::ClientFrame::parse) knows
    /// what it is, or what is wrong with it. If both URIs are valid, it agrees with this.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let Wire { kind, from, to, session_id, sdp, error, .. } = serde_json::from_str(text).ok()?;
        let kind = match &*kind.0 {
            "offer" if is_text(sdp?) => Kind::Offer,
            "answer" if is_text(sdp?) => Kind::Answer,
            "ice-candidate" => Kind::Candidate,
            "error" if error.is_some() => Kind::Error,
            _ => return None,
        };
        let session_id = session_id.map(|id| id.0);
        if session_id.as_ref().is_some_and(|id| id.len() > SignalingMessage::MAX_SESSION_ID) {
            return None;
        }
        Some(Self { kind, from: from.0, to: to.0, session_id })
    }
}

impl SignalingMessage {
    /// What a server needs to know of this message, which `from` sends.
    pub(crate) fn envelope<'a>(&'a self, from: &'a AgentUri) -> Envelope<'a> {
        Envelope {
            kind: match self.body {
                Body::Offer(_) => Kind::Offer,
                Body::Answer(_) => Kind::Answer,
                Body::Candidate(_) | Body::EndOfCandidates => Kind::Candidate,
                Body::Error(_) => Kind::Error,
            },
            from: from.as_str().into(),
            to: self.to.as_str().into(),
            session_id: self.session_id.as_deref().map(Into::into),
        }
    }
}

/// A description that is an object is for the long way, and so is one with escapes that only a full reader can judge.
fn is_text(sdp: &RawValue) -> bool {
    let json = sdp.get();
    json.starts_with('"') && !json.contains("\\u")
}

/// The fields of [`SignalingMessage`], as strict as it is about their types.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    from: Text<'a>,
    #[serde(borrow)]
    to: Text<'a>,
    #[serde(borrow, default)]
    session_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    sdp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    #[expect(dead_code, reason = "read to see that it has the right type")]
    candidate: Option<Candidate<'a>>,
    #[serde(borrow, default)]
    error: Option<Refusal<'a>>,
    #[serde(default)]
    #[expect(dead_code, reason = "a field given twice is refused")]
    auth: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read to see that it has the right type")]
struct Candidate<'a> {
    #[serde(borrow, default)]
    candidate: Text<'a>,
    #[serde(borrow, default)]
    sdp_mid: Option<Text<'a>>,
    #[serde(default, rename = "sdpMLineIndex")]
    sdp_m_line_index: Option<u16>,
    #[serde(borrow, default)]
    username_fragment: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read to see that it has the right type")]
struct Refusal<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
}

/// A string that is borrowed unless it has escapes in it. serde borrows a plain `Cow`, but none within an `Option`.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the long way says about the same text.
    fn agrees(text: &str) {
        let Some(envelope) = Envelope::read(text) else { return };
        let whole = match SignalingMessage::parse(text) {
            Ok(whole) => whole,
            // Agent URIs are looked up, not parsed.
            Err(error) => return assert!(error.0.contains("agent URI"), "{text}: {error}"),
        };
        let kind = match whole.body.kind() {
            "offer" => Kind::Offer,
            "answer" => Kind::Answer,
            "ice-candidate" => Kind::Candidate,
            _ => Kind::Error,
        };
        assert_eq!(envelope.kind, kind, "{text}");
        assert_eq!(envelope.session_id.as_deref(), whole.session_id.as_deref(), "{text}");
        assert_eq!(envelope.from.parse().ok(), whole.from, "{text}");
        assert_eq!(envelope.to.parse().ok(), Some(whole.to), "{text}");
    }

    #[test]
    fn the_usual_messages_are_read_without_a_copy() {
        for (text, kind) in [
            (r#"{"type":"offer","from":"agent://a","to":"agent://b","sdp":"v=0\r\n"}"#, Kind::Offer),
            (
                r#"{"sdp":"v=0","type":"answer","to":"agent://b","from":"agent://a","auth":{"token":"t"}}"#,
                Kind::Answer,
            ),
            (
                r#"{"type":"ice-candidate","from":"agent://a","to":"agent://b","candidate":{"candidate":"c","sdpMid":"0"}}"#,
                Kind::Candidate,
            ),
            (
                r#"{"type":"ice-candidate","from":"agent://a","to":"agent://b","candidate":null}"#,
                Kind::Candidate,
            ),
            (
                r#"{"type":"error","from":"agent://a","to":"agent://b","error":{"code":"C","message":"m"}}"#,
                Kind::Error,
            ),
        ] {
            let envelope = Envelope::read(text).unwrap();
            assert_eq!(envelope.kind, kind);
            assert!(matches!(
                (&envelope.from, &envelope.to),
                (Cow::Borrowed("agent://a"), Cow::Borrowed("agent://b"))
            ));
            agrees(text);
        }
    }

    #[test]
    fn everything_unusual_goes_the_long_way() {
        for text in [
            "",
            "[]",
            r#"{"type":"register","agentId":"agent://a"}"#,
            r#"{"type":"offer","to":"agent://b","sdp":"v=0"}"#,
            r#"{"type":"offer","from":"agent://a","to":"agent://b"}"#,
            r#"{"type":"offer","from":"agent://a","to":"agent://b","sdp":{"type":"offer","sdp":"v=0"}}"#,
            r#"{"type":"offer","from":"agent://a","to":"agent://b","sdp":"\ud800"}"#,
            r#"{"type":"offer","from":"agent://a","to":"agent://b","sdp":7}"#,
            r#"{"type":"offer","from":"agent://a","from":"agent://c","to":"agent://b","sdp":"v=0"}"#,
            r#"{"type":"ice-candidate","from":"agent://a","to":"agent://b","candidate":"text"}"#,
            r#"{"type":"error","from":"agent://a","to":"agent://b"}"#,
            r#"{"type":"error","to":"agent://b","error":{"code":"C","message":"m"}}"#,
        ] {
            assert!(Envelope::read(text).is_none(), "{text}");
        }
        let long = "x".repeat(129);
        let text =
            format!(r#"{{"type":"ice-candidate","from":"agent://a","to":"agent://b","sessionId":"{long}"}}"#);
        assert!(Envelope::read(&text).is_none());
    }

    /// Values of all shapes, those that belong there among them.
    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            "\"[a-z0-9 ]{0,5}\"",
            "\"(\\\\[ntu\"\\\\/][0-9a-f]{0,4}){0,3}\"",
            Just("\"agent://a\"".to_owned()),
            Just("\"AGENT://B\"".to_owned()),
            Just("null".to_owned()),
            Just("7".to_owned()),
            Just("70000".to_owned()),
            Just(r#"{"candidate":"c","sdpMid":null,"sdpMLineIndex":3}"#.to_owned()),
            Just(r#"{"candidate":null}"#.to_owned()),
            Just(r#"{"sdpMLineIndex":65536}"#.to_owned()),
            Just(r#"{"code":"C","message":"m","more":[1]}"#.to_owned()),
            Just(r#"{"code":"C"}"#.to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn both_ways_to_read_a_message_agree(
            kind in "offer|answer|ice-candidate|error|other",
            fields in proptest::collection::vec(("from|to|sessionId|sdp|candidate|error|auth|x", value()), 0..6),
        ) {
            let mut text = format!(r#"{{"type":"{kind}","from":"agent://a","to":"agent://b""#);
            for (name, value) in fields {
                text += &format!(r#","{name}":{value}"#);
            }
            text += "}";
            agrees(&text);
            agrees(&text.replacen(r#","from":"agent://a","to":"agent://b""#, "", 1));
        }
    }
}
