//! What an agent and a signaling server say to each other: registration and its outcome.

use serde::{Deserialize, Serialize};

use crate::error::ErrorBody;
use crate::message::{InvalidMessage, SignalingMessage};
use crate::room::RoomName;
use crate::turn::IceServer;
use crate::uri::AgentUri;

/// The WebSocket subprotocol (`Sec-WebSocket-Protocol`) of this wire format.
pub const SUBPROTOCOL: &str = "ossa-signaling.v1";

/// Says in `registered` that the server knows `join` and `leave`.
pub const FEATURE_ROOMS: &str = "rooms";

/// The longest resume token accepted, in bytes (those we issue have 32).
const MAX_RESUME: usize = 128;

/// The longest bearer token, proof and public key accepted, in bytes, as of the tokens in offers.
pub(crate) const MAX_TOKEN: usize = 8192;

/// What a registration has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Nothing: whoever comes first has the name as long as it is connected. For development.
    #[default]
    Open,
    /// A name belongs to the first key that proves itself under it.
    Tofu,
    /// The agent's key, which the server knows.
    Keys,
    /// A bearer token (RFC 6750).
    Bearer,
}

impl AuthMode {
    /// The name in frames and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Tofu => "tofu",
            Self::Keys => "keys",
            Self::Bearer => "bearer",
        }
    }
}

/// Anything a client may send.
#[derive(Debug, Clone)]
pub enum ClientFrame {
    /// Claims an agent URI for this connection.
    Register {
        /// The agent.
        agent: AgentUri,
        /// The token of an earlier registration, which allows to take it over at once.
        resume: Option<String>,
        /// A bearer token (RFC 6750), where the server wants one.
        token: Option<String>,
    },
    /// Answers a challenge.
    Prove {
        /// The agent.
        agent: AgentUri,
        /// JWT that the agent's key has signed for the nonce and audience of the challenge.
        proof: String,
        /// That key, PEM or JWK as text. A server that trusts on first use needs it, others do not look at it.
        public_key: Option<String>,
    },
    /// Gives an agent URI up.
    Unregister {
        /// The agent.
        agent: AgentUri,
    },
    /// Enters a room: from now on the agent is told who else is in it.
    Join {
        /// The agent.
        agent: AgentUri,
        /// Where to.
        room: RoomName,
    },
    /// Leaves a room.
    Leave {
        /// The agent.
        agent: AgentUri,
        /// Where from.
        room: RoomName,
    },
    /// A message to another agent.
    Message(SignalingMessage),
}

/// What a server sends besides relayed messages and errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum ServerFrame {
    /// The registration stands.
    Registered {
        /// The agent, in canonical form.
        agent_id: AgentUri,
        /// Presented in the next `register`, it takes the registration over without a liveness probe.
        resume: String,
        /// The server closes the connection when it hears nothing for so long. It sends pings that a WebSocket
        /// client answers by itself, well before that.
        idle_timeout_ms: u64,
        /// What the server can do beyond relaying: [`FEATURE_ROOMS`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        features: Vec<String>,
        /// What a registration had to show. Servers before this field were open.
        #[serde(default)]
        auth: AuthMode,
        /// TURN and STUN servers for this agent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ice_servers: Vec<IceServer>,
        /// How long their credentials are valid, in seconds; they are renewed before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ice_servers_ttl: Option<u64>,
    },
    /// Before the agent is registered it has to show that it holds its key, by `prove`.
    Challenge {
        /// The agent, in canonical form.
        agent_id: AgentUri,
        /// To be signed; valid once, on this connection, for 30 seconds.
        nonce: String,
        /// The name that the server believes to be reached under. For people who look for a fault: the proof names the
        /// server that the client has dialled, whatever this says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
    },
    /// New credentials, before the old ones expire.
    #[serde(rename = "ice-servers")]
    IceServers {
        /// The agent that is told.
        agent_id: AgentUri,
        /// They replace all from before.
        ice_servers: Vec<IceServer>,
        /// How long they are valid, in seconds.
        ttl: u64,
    },
    /// The registration was given up as asked.
    Unregistered {
        /// The agent, in canonical form.
        agent_id: AgentUri,
    },
    /// The agent is in the room.
    Joined {
        /// The agent, in canonical form.
        agent_id: AgentUri,
        /// The room.
        room: RoomName,
        /// Everybody in it, the agent included, sorted.
        members: Vec<AgentUri>,
    },
    /// The agent has left the room as asked.
    Left {
        /// The agent, in canonical form.
        agent_id: AgentUri,
        /// The room.
        room: RoomName,
    },
    /// Others have come to a room or gone from it.
    Members {
        /// The agent that is told.
        agent_id: AgentUri,
        /// The room.
        room: RoomName,
        /// Those who came.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<AgentUri>,
        /// Those who left as they wanted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<AgentUri>,
        /// Those whose connection to the server is lost. They may still be there for agents that are connected to them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<AgentUri>,
    },
    /// The last frame was refused, or a message could not be delivered. Unlike an error relayed from an agent it
    /// has no `from`.
    Error {
        /// The agent on this connection that is concerned, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<AgentUri>,
        /// Of the message concerned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_id: Option<String>,
        /// The room concerned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        /// What happened.
        error: ErrorBody,
    },
}

impl ClientFrame {
    /// Parses one text frame.
    pub fn parse(text: &str) -> Result<Self, InvalidMessage> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Control {
            agent_id: AgentUri,
            #[serde(default)]
            resume: Option<String>,
            #[serde(default)]
            token: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Proof {
            agent_id: AgentUri,
            proof: String,
            #[serde(default)]
            public_key: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Place {
            agent_id: AgentUri,
            room: RoomName,
        }
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "type", default)]
            kind: Option<String>,
        }
        let head: Head = serde_json::from_str(text)?;
        match head.kind.as_deref() {
            Some("register") => {
                let Control { agent_id, resume, token } = serde_json::from_str(text)?;
                at_most(MAX_RESUME, "resume", resume.as_deref())?;
                at_most(MAX_TOKEN, "token", token.as_deref())?;
                Ok(Self::Register { agent: agent_id, resume, token })
            }
            Some("prove") => {
                let Proof { agent_id, proof, public_key } = serde_json::from_str(text)?;
                at_most(MAX_TOKEN, "proof", Some(&proof))?;
                at_most(MAX_TOKEN, "publicKey", public_key.as_deref())?;
                Ok(Self::Prove { agent: agent_id, proof, public_key })
            }
            Some("unregister") => {
                let control: Control = serde_json::from_str(text)?;
                Ok(Self::Unregister { agent: control.agent_id })
            }
            Some("join") => {
                let Place { agent_id, room } = serde_json::from_str(text)?;
                Ok(Self::Join { agent: agent_id, room })
            }
            Some("leave") => {
                let Place { agent_id, room } = serde_json::from_str(text)?;
                Ok(Self::Leave { agent: agent_id, room })
            }
            _ => SignalingMessage::parse(text).map(Self::Message),
        }
    }

    /// The JSON text of this frame.
    pub fn to_json(&self) -> String {
        match self {
            Self::Register { agent, resume, token } => {
                #[derive(Serialize)]
                #[serde(tag = "type", rename = "register", rename_all = "camelCase")]
                struct Register<'a> {
                    agent_id: &'a AgentUri,
                    #[serde(skip_serializing_if = "Option::is_none")]
                    resume: &'a Option<String>,
                    #[serde(skip_serializing_if = "Option::is_none")]
                    token: &'a Option<String>,
                }
                serde_json::json!(Register { agent_id: agent, resume, token }).to_string()
            }
            Self::Prove { agent, proof, public_key: Some(key) } => {
                serde_json::json!({ "type": "prove", "agentId": agent, "proof": proof, "publicKey": key })
                    .to_string()
            }
            Self::Prove { agent, proof, public_key: None } => {
                serde_json::json!({ "type": "prove", "agentId": agent, "proof": proof }).to_string()
            }
            Self::Unregister { agent } => {
                serde_json::json!({ "type": "unregister", "agentId": agent }).to_string()
            }
            Self::Join { agent, room } => {
                serde_json::json!({ "type": "join", "agentId": agent, "room": room }).to_string()
            }
            Self::Leave { agent, room } => {
                serde_json::json!({ "type": "leave", "agentId": agent, "room": room }).to_string()
            }
            Self::Message(message) => message.to_json(),
        }
    }
}

impl ServerFrame {
    /// The JSON text of this frame.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialize")
    }

    /// Parses `text` if it is a frame of the server itself; `None` means that it is for the agents above.
    pub fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            from: Option<serde::de::IgnoredAny>,
        }
        let head: Head = serde_json::from_str(text).ok()?;
        let own = match head.kind.as_str() {
            "registered" | "unregistered" | "joined" | "left" | "members" | "challenge" | "ice-servers" => {
                true
            }
            "error" => head.from.is_none(),
            _ => false,
        };
        if own { serde_json::from_str(text).ok() } else { None }
    }
}

fn at_most(limit: usize, name: &str, value: Option<&str>) -> Result<(), InvalidMessage> {
    match value {
        Some(value) if value.len() > limit => {
            Err(InvalidMessage(format!("\"{name}\" has more than {limit} bytes")))
        }
        _ => Ok(()),
    }
}
