//! The messages that two agents exchange through a signaling service to set up a connection.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::error::ErrorBody;
use crate::uri::AgentUri;

/// One `SignalingMessage` of the OSSA specification.
///
/// Parsing is strict about shape and names what is wrong; fields that the specification does not know are ignored.
#[derive(Debug, Clone)]
pub struct SignalingMessage {
    /// Sender. Only an [`Body::Error`] may lack it, and is then never to be taken as coming from an agent.
    pub from: Option<AgentUri>,
    /// Recipient.
    pub to: AgentUri,
    /// Names one connection set-up; echoed by the other side when it is present. At most
    /// [`SignalingMessage::MAX_SESSION_ID`] bytes.
    pub session_id: Option<String>,
    /// What is said.
    pub body: Body,
    /// Proof of identity, passed through as the JSON text that was received.
    pub auth: Option<Box<RawValue>>,
}

/// What a [`SignalingMessage`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An SDP offer.
    Offer(String),
    /// An SDP answer.
    Answer(String),
    /// A trickled ICE candidate.
    Candidate(IceCandidate),
    /// The sender has no more ICE candidates (a null, absent or empty candidate on the wire).
    EndOfCandidates,
    /// The request of the other side was refused or could not be delivered.
    Error(ErrorBody),
}

/// W3C `RTCIceCandidateInit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// The candidate-attribute of RFC 8839, `candidate:...`.
    #[serde(default)]
    pub candidate: String,
    /// `a=mid` of the media section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// Index of the media section.
    #[serde(default, rename = "sdpMLineIndex", skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// ICE user fragment, which tells the generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

/// Why a text is not a [`SignalingMessage`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidMessage(pub String);

impl From<serde_json::Error> for InvalidMessage {
    fn from(error: serde_json::Error) -> Self {
        Self(format!("not a signaling message: {error}"))
    }
}

/// The message as it stands on the wire. Every field is optional here so that each absence gets its own error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    from: Option<AgentUri>,
    #[serde(default)]
    to: Option<AgentUri>,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(borrow, default)]
    sdp: Option<&'a RawValue>,
    #[serde(default)]
    candidate: Option<IceCandidate>,
    #[serde(default)]
    auth: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<ErrorBody>,
}

impl SignalingMessage {
    /// The longest session id accepted, in bytes: a UUID has 36, this leaves room for other schemes.
    pub const MAX_SESSION_ID: usize = 128;

    /// Parses one JSON text.
    pub fn parse(text: &str) -> Result<Self, InvalidMessage> {
        let wire: Wire<'_> = serde_json::from_str(text)?;
        let kind = wire.kind.ok_or_else(|| InvalidMessage("the message has no \"type\"".into()))?;
        let body = match kind.as_str() {
            "offer" => Body::Offer(description("offer", wire.sdp)?),
            "answer" => Body::Answer(description("answer", wire.sdp)?),
            "ice-candidate" => match wire.candidate {
                Some(candidate) if !candidate.candidate.is_empty() => Body::Candidate(candidate),
                _ => Body::EndOfCandidates,
            },
            "error" => Body::Error(
                wire.error.ok_or_else(|| InvalidMessage("the error message has no \"error\"".into()))?,
            ),
            other => {
                return Err(InvalidMessage(format!(
                    "unknown type {other:?}; known are \"offer\", \"answer\", \"ice-candidate\" and \"error\""
                )));
            }
        };
        let to = wire.to.ok_or_else(|| InvalidMessage(format!("the {kind} has no \"to\"")))?;
        if wire.from.is_none() && !matches!(body, Body::Error(_)) {
            return Err(InvalidMessage(format!("the {kind} has no \"from\"")));
        }
        if let Some(id) = &wire.session_id
            && id.len() > Self::MAX_SESSION_ID
        {
            return Err(InvalidMessage(format!(
                "\"sessionId\" has {} bytes, at most 128 are allowed",
                id.len()
            )));
        }
        Ok(Self { from: wire.from, to, session_id: wire.session_id, body, auth: wire.auth })
    }

    /// The JSON text of this message.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and raw JSON always serialize")
    }
}

/// `sdp` is a string; the dictionary `{type, sdp}` that naive peers send is accepted as well.
fn description(kind: &str, sdp: Option<&RawValue>) -> Result<String, InvalidMessage> {
    #[derive(Deserialize)]
    struct Description {
        #[serde(rename = "type", default)]
        kind: Option<String>,
        sdp: String,
    }
    let json = sdp.ok_or_else(|| InvalidMessage(format!("the {kind} has no \"sdp\"")))?.get();
    if json.starts_with('"') {
        return Ok(serde_json::from_str(json)?);
    }
    let wrong = || InvalidMessage(format!("\"sdp\" of the {kind} is neither a string nor {{type, sdp}}"));
    let description: Description = serde_json::from_str(json).map_err(|_| wrong())?;
    match description.kind {
        Some(other) if other != kind => {
            Err(InvalidMessage(format!("the {kind} carries a description of type {other:?}")))
        }
        _ => Ok(description.sdp),
    }
}

impl Serialize for SignalingMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.body.kind())?;
        if let Some(from) = &self.from {
            map.serialize_entry("from", from)?;
        }
        map.serialize_entry("to", &self.to)?;
        if let Some(id) = &self.session_id {
            map.serialize_entry("sessionId", id)?;
        }
        match &self.body {
            Body::Offer(sdp) | Body::Answer(sdp) => map.serialize_entry("sdp", sdp)?,
            Body::Candidate(candidate) => map.serialize_entry("candidate", candidate)?,
            Body::EndOfCandidates => map.serialize_entry("candidate", &())?,
            Body::Error(error) => map.serialize_entry("error", error)?,
        }
        if let Some(auth) = &self.auth {
            map.serialize_entry("auth", auth)?;
        }
        map.end()
    }
}

impl Body {
    /// The `type` of the message on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Answer(_) => "answer",
            Self::Candidate(_) | Self::EndOfCandidates => "ice-candidate",
            Self::Error(_) => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(fields: &str) -> Result<SignalingMessage, InvalidMessage> {
        SignalingMessage::parse(&format!(r#"{{"from":"agent://a","to":"agent://b",{fields}}}"#))
    }

    #[test]
    fn sdp_may_be_a_string_or_a_description_of_the_same_type() {
        assert_eq!(parse(r#""type":"offer","sdp":"v=0\r\n""#).unwrap().body, Body::Offer("v=0\r\n".into()));
        let object = parse(r#""type":"answer","sdp":{"type":"answer","sdp":"v=0"}"#).unwrap();
        assert_eq!(object.body, Body::Answer("v=0".into()));
        assert!(parse(r#""type":"answer","sdp":{"type":"offer","sdp":"v=0"}"#).is_err());
        assert!(parse(r#""type":"offer","sdp":7"#).unwrap_err().0.contains("neither a string"));
        assert!(parse(r#""type":"offer""#).unwrap_err().0.contains("no \"sdp\""));
    }

    #[test]
    fn null_absent_and_empty_candidates_mean_end_of_candidates() {
        for candidate in
            ["", r#","candidate":null"#, r#","candidate":{"candidate":""}"#, r#","candidate":{}"#]
        {
            let message = parse(&format!(r#""type":"ice-candidate"{candidate}"#)).unwrap();
            assert_eq!(message.body, Body::EndOfCandidates);
        }
    }

    #[test]
    fn a_candidate_keeps_its_four_members() {
        let message = parse(
            r#""type":"ice-candidate","candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"u"}"#,
        )
        .unwrap();
        let json: serde_json::Value = serde_json::from_str(&message.to_json()).unwrap();
        assert_eq!(json["candidate"]["sdpMLineIndex"], 0);
        assert_eq!(json["candidate"]["usernameFragment"], "u");
        assert_eq!(json["candidate"]["sdpMid"], "0");
    }

    #[test]
    fn only_an_error_may_lack_its_sender() {
        let error = r#"{"type":"error","to":"agent://b","error":{"code":"X","message":"y"}}"#;
        assert!(SignalingMessage::parse(error).unwrap().from.is_none());
        let offer = r#"{"type":"offer","to":"agent://b","sdp":""}"#;
        assert!(SignalingMessage::parse(offer).unwrap_err().0.contains("no \"from\""));
    }

    #[test]
    fn auth_travels_byte_for_byte() {
        let message = parse(r#""type":"offer","sdp":"","auth":{"token": 1.0e2, "x":"\ud83d"}"#).unwrap();
        assert!(message.to_json().ends_with(r#""auth":{"token": 1.0e2, "x":"\ud83d"}}"#));
    }

    #[test]
    fn a_field_given_twice_is_refused_since_readers_would_disagree_on_which_counts() {
        assert!(parse(r#""type":"offer","sdp":"","from":"agent://c""#).is_err());
    }

    #[test]
    fn an_overlong_session_id_is_refused() {
        let id = "x".repeat(129);
        assert!(parse(&format!(r#""type":"offer","sdp":"","sessionId":"{id}""#)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_panic(text in "\\PC{0,200}") {
            let _ = SignalingMessage::parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(sdp in "\\PC{0,60}", session in proptest::option::of("[a-z0-9-]{0,128}")) {
            let message = SignalingMessage {
                from: Some("agent://a/x".parse().unwrap()),
                to: "agent://b".parse().unwrap(),
                session_id: session,
                body: Body::Offer(sdp),
                auth: None,
            };
            let back = SignalingMessage::parse(&message.to_json()).unwrap();
            prop_assert_eq!(back.body, message.body);
            prop_assert_eq!(back.session_id, message.session_id);
            prop_assert_eq!(back.from, message.from);
        }
    }
}
