//! What a client tells the application.

use std::time::Duration;

use tokio::sync::mpsc;

use super::rooms::RoomEvent;
use crate::error::ErrorBody;
use crate::message::SignalingMessage;
use crate::turn::IceServer;

/// What a [`Client`](crate::Client) reports, in order.
#[derive(Debug)]
pub enum ClientEvent {
    /// An attempt to connect and register begins.
    Connecting {
        /// The server.
        url: String,
    },
    /// The agent is registered: the first time, or again after a loss.
    Registered {
        /// The server.
        url: String,
    },
    /// A message for the agent. An error without `from` was made by the server or by this client.
    Message(SignalingMessage),
    /// TURN and STUN servers for the agent, before [`Registered`](Self::Registered) and whenever the server renews their
    /// credentials; they replace all from before. None: the server has none.
    IceServers {
        /// The servers.
        servers: Vec<IceServer>,
        /// How long their credentials are valid.
        ttl: Duration,
    },
    /// Something about a room that the agent has asked to be in.
    Room(RoomEvent),
    /// The connection was lost or could not be made; the next attempt, with this or another server, starts after `retry_in`.
    Disconnected {
        /// The server.
        url: String,
        /// What happened.
        error: String,
        /// Time until the next attempt.
        retry_in: Duration,
    },
    /// The client has ended, by [`Client::close`] (no error) or because trying again makes no sense. The last event.
    Closed(Option<ErrorBody>),
}

/// The events of a [`Client`](crate::Client).
#[derive(Debug)]
pub struct Events(pub(super) mpsc::Receiver<ClientEvent>);

impl Events {
    /// The next event; `None` after [`ClientEvent::Closed`]. Cancel safe.
    pub async fn recv(&mut self) -> Option<ClientEvent> {
        self.0.recv().await
    }
}
