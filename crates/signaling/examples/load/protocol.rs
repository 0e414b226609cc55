//! What the three kinds of servers speak. The messages of all are the same set-up: one offer, then candidates.

use std::str::FromStr;

use serde_json::{Value, json};

/// Candidates after each offer.
const CANDIDATES: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Ours.
    Ossa,
    /// PeerJS.
    Peer,
    /// The plain relay of this benchmark: our messages, a `register` that names the agent.
    Ws,
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ossa" => Ok(Self::Ossa),
            "peer" => Ok(Self::Peer),
            "ws" => Ok(Self::Ws),
            _ => Err(format!("{text:?} is no protocol: ossa, peer, ws")),
        }
    }
}

impl Protocol {
    pub(crate) fn name(self, name: &str) -> String {
        match self {
            Self::Ossa | Self::Ws => format!("agent://example.com/{name}"),
            Self::Peer => format!("example-com-{name}"),
        }
    }

    /// The request target of the upgrade.
    pub(crate) fn target(self, agent: &str) -> String {
        match self {
            Self::Ossa | Self::Ws => "/".into(),
            Self::Peer => format!("/peerjs?key=peerjs&id={agent}&token=t-{agent}&version=1.5.5"),
        }
    }

    pub(crate) fn subprotocol(self) -> Option<&'static str> {
        (self == Self::Ossa).then_some(ossa_signaling::SUBPROTOCOL)
    }

    /// The frame that registers `agent`, if the upgrade has not done so already.
    pub(crate) fn register(self, agent: &str) -> Option<String> {
        (self != Self::Peer).then(|| json!({ "type": "register", "agentId": agent }).to_string())
    }

    /// Whether the frame says that the agent is registered.
    pub(crate) fn is_welcome(self, frame: &[u8]) -> bool {
        let kind = serde_json::from_slice::<Value>(frame).ok().and_then(|frame| {
            let kind = frame.get("type")?.as_str()?;
            Some(kind.to_owned())
        });
        kind.as_deref() == Some(if self == Self::Peer { "OPEN" } else { "registered" })
    }

    /// What `from` sends to `to`, over and over: an offer with a data channel (about 1 KiB) and candidates (about 250 bytes).
    pub(crate) fn messages(self, from: &str, to: &str) -> Vec<String> {
        let session = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let candidates = (0..CANDIDATES).map(|index| {
            let candidate = json!({
                "candidate": format!(
                    "candidate:{} 1 udp 2113937151 192.168.178.{} {} typ host generation 0 ufrag 8hhY",
                    842163049 + index, 20 + index, 50000 + index
                ),
                "sdpMid": "0",
                "sdpMLineIndex": 0,
                "usernameFragment": "8hhY"
            });
            match self {
                Self::Ossa | Self::Ws => {
                    json!({ "type": "ice-candidate", "from": from, "to": to, "sessionId": session, "candidate": candidate })
                }
                Self::Peer => json!({
                    "type": "CANDIDATE",
                    "payload": { "candidate": candidate, "type": "data", "connectionId": "dc_0f8fad5bd9cb" },
                    "dst": to
                }),
            }
        });
        let offer = match self {
            Self::Ossa | Self::Ws => {
                json!({ "type": "offer", "from": from, "to": to, "sessionId": session, "sdp": sdp() })
            }
            Self::Peer => json!({
                "type": "OFFER",
                "payload": {
                    "sdp": { "type": "offer", "sdp": sdp() },
                    "type": "data",
                    "connectionId": "dc_0f8fad5bd9cb",
                    "label": "dc_0f8fad5bd9cb",
                    "reliable": false,
                    "serialization": "binary"
                },
                "dst": to
            }),
        };
        std::iter::once(offer).chain(candidates).map(|message| message.to_string()).collect()
    }

    /// The session description inside an offer.
    pub(crate) fn sdp_of(self, frame: &[u8]) -> Option<String> {
        let frame: Value = serde_json::from_slice(frame).ok()?;
        let sdp = if self == Self::Peer { &frame["payload"]["sdp"]["sdp"] } else { &frame["sdp"] };
        Some(sdp.as_str()?.to_owned())
    }
}

/// An offer as a browser makes it for one data channel, with two candidates already gathered.
pub(crate) fn sdp() -> String {
    let mut sdp = String::from(
        "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n\
         a=msid-semantic: WMS\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n",
    );
    for (foundation, port) in [(842163049, 46154), (1876313031, 46155)] {
        sdp += &format!(
            "a=candidate:{foundation} 1 udp 2113937151 192.168.178.20 {port} typ host generation 0 network-cost 999\r\n"
        );
    }
    sdp += "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg5x\r\na=ice-options:trickle\r\na=fingerprint:sha-256 ";
    let fingerprint: Vec<String> = (0..32).map(|byte| format!("{:02X}", byte * 7 % 256)).collect();
    sdp += &fingerprint.join(":");
    sdp += "\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";
    sdp
}
