//! What a client keeps from one connection to the next.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::config::ClientConfig;
use super::event::ClientEvent;
use super::outbox::Outbox;
use super::rooms::Rooms;

/// The state of a [`Client`](crate::Client).
pub(super) struct State {
    pub(super) config: Arc<ClientConfig>,
    pub(super) outbox: Outbox,
    pub(super) events: mpsc::Sender<ClientEvent>,
    /// Token of the last registration.
    pub(super) resume: Option<String>,
    /// The application knows of ICE servers.
    pub(super) had_ice_servers: bool,
    pub(super) rooms: Rooms,
    /// The network has changed.
    pub(super) hurry: Arc<Notify>,
}

impl State {
    pub(super) async fn emit(&self, event: ClientEvent) {
        // An error means that nobody listens any more; the connection is still worth keeping for sending.
        let _ = self.events.send(event).await;
    }
}
