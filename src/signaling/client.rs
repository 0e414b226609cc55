//! The signaling client as `ts/signaling/client/websocket.ts` sees it.

use std::sync::Arc;

use napi::Result;
use napi::bindgen_prelude::{FnArgs, Function};
use napi_derive::napi;
use ossa_signaling::{Client, ClientEvent, Events, RoomEvent, RoomName, SendError, SignalingMessage, code};
use serde_json::json;

use super::client_options::{SignalingClientOptions, refused};
use super::prover::SignalingProver;
use super::{Callback, runtime, tell};
use crate::base::agent_error::coded;
use crate::base::identity::agent_uri;

/// Keeps one agent registered with a signaling server.
#[napi]
pub struct SignalingClient {
    client: Arc<Client>,
}

#[napi]
impl SignalingClient {
    /// Starts connecting. Events: `connecting`, `{url}`; `registered`, `{url}`; `message`, a signaling message; `room`, see
    /// [`room_json`]; `iceServers`, `{iceServers, ttl}`; `disconnected`, `{url, error, retryIn}`;
    /// `closed`, an error `{code, message}` or nothing, the last one.
    #[napi(constructor)]
    pub fn new(
        agent: String,
        options: SignalingClientOptions,
        on_event: Function<'_, FnArgs<(String, Option<String>)>, ()>,
        prover: Option<&SignalingProver>,
    ) -> Result<Self> {
        let mut config = options.config(agent_uri(&agent)?)?;
        config.prover = prover.map(SignalingProver::prover);
        let runtime = runtime()?;
        let started = {
            let _on_its_thread = runtime.enter();
            Client::start(config)
        };
        let (client, events) = started.map_err(|error| coded(code::INVALID_MESSAGE, error))?;
        let client = Arc::new(client);
        let callback = on_event.build_threadsafe_function().build()?;
        runtime.spawn(deliver(events, callback, client.clone()));
        Ok(Self { client })
    }

    /// Refuses options that the constructor would refuse, for any agent.
    #[napi]
    pub fn check(options: SignalingClientOptions) -> Result<()> {
        options.config(agent_uri("agent://anybody")?)?.check().map_err(refused)
    }

    /// Queues a signaling message, as JSON.
    #[napi]
    pub fn send(&self, message: String) -> Result<()> {
        let message =
            SignalingMessage::parse(&message).map_err(|error| coded(code::INVALID_MESSAGE, error))?;
        self.client.send(message).map_err(not_sent)
    }

    /// Enters a room, and enters it again after every loss of the connection.
    #[napi]
    pub fn join(&self, room: String) -> Result<()> {
        self.client.join(room_name(&room)?).map_err(not_sent)
    }

    /// Leaves a room.
    #[napi]
    pub fn leave(&self, room: String) -> Result<()> {
        self.client.leave(room_name(&room)?).map_err(not_sent)
    }

    /// The network has changed: is the connection alive? A wait for the next attempt ends.
    #[napi]
    pub fn hurry(&self) {
        self.client.hurry();
    }

    /// Starts to close; the event `closed` tells when it is done.
    #[napi]
    pub fn close(&self) {
        self.client.start_close();
    }
}

impl Drop for SignalingClient {
    /// Its JavaScript thread has ended without closing it: a worker was terminated. The agent must not seem alive.
    fn drop(&mut self) {
        self.client.start_close();
    }
}

fn room_name(text: &str) -> Result<RoomName> {
    RoomName::parse(text).map_err(|error| coded(code::INVALID_MESSAGE, error))
}

fn not_sent(error: SendError) -> napi::Error {
    let code = match error {
        SendError::TooLarge { .. } => code::MESSAGE_TOO_LARGE,
        SendError::QueueFull(_) => code::RATE_LIMIT_EXCEEDED,
        SendError::Closed => code::AGENT_UNREACHABLE,
    };
    coded(code, error)
}

/// An event about a room as `RoomEvent` in `ts/signaling/client/rooms.ts`.
fn room_json(event: RoomEvent) -> String {
    match event {
        RoomEvent::Entered { room, members } => {
            json!({ "event": "entered", "room": room, "members": members })
        }
        RoomEvent::Changed { room, joined, left, lost } => {
            json!({ "event": "changed", "room": room, "joined": joined, "left": left, "lost": lost })
        }
        RoomEvent::Left(room) => json!({ "event": "left", "room": room }),
        RoomEvent::Refused { room, error, again } => {
            json!({ "event": "refused", "room": room, "error": error, "again": again })
        }
    }
    .to_string()
}

/// One event at a time: what JavaScript does not take stays on the network.
async fn deliver(mut events: Events, callback: Callback, client: Arc<Client>) {
    while let Some(event) = events.recv().await {
        let alive = match event {
            ClientEvent::Connecting { url } => {
                tell(&callback, "connecting", Some(json!({ "url": url }).to_string())).await
            }
            ClientEvent::Registered { url } => {
                tell(&callback, "registered", Some(json!({ "url": url }).to_string())).await
            }
            ClientEvent::Message(message) => tell(&callback, "message", Some(message.to_json())).await,
            ClientEvent::Room(event) => tell(&callback, "room", Some(room_json(event))).await,
            ClientEvent::IceServers { servers, ttl } => {
                let content = json!({ "iceServers": servers, "ttl": ttl.as_secs() });
                tell(&callback, "iceServers", Some(content.to_string())).await
            }
            ClientEvent::Disconnected { url, error, retry_in } => {
                let retry_in = retry_in.as_secs_f64() * 1000.0;
                let content = json!({ "url": url, "error": error, "retryIn": retry_in });
                tell(&callback, "disconnected", Some(content.to_string())).await
            }
            ClientEvent::Closed(error) => {
                tell(&callback, "closed", error.map(|error| json!(error).to_string())).await;
                return;
            }
        };
        if !alive {
            // Its JavaScript thread has ended: a worker was terminated.
            client.start_close();
            return;
        }
    }
    // There was no room for the last event among the others.
    tell(&callback, "closed", None).await;
}
