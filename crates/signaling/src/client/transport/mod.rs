//! What carries the frames: a WebSocket or HTTP requests.

pub(super) mod http;
pub(super) mod websocket;

use std::sync::Arc;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::ClientConfig;
use super::address::{Address, Transport};
use super::dial::Dialer;
use super::session::End;

/// What comes from the server.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A frame.
    Text(Utf8Bytes),
    /// A sign of life.
    Alive,
    /// The server wants a sign of life, and the transport does not give one by itself.
    Ping,
}

/// What may be asked of a [`Sender`].
#[derive(Debug)]
pub(super) enum Job {
    /// Frames, in this order.
    Frames(Vec<Utf8Bytes>),
    /// Makes the server give a sign of life.
    Ping,
    /// Says goodbye.
    Close,
}

/// Both halves of a connection.
pub(super) struct Connection {
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
}

pub(super) enum Sender {
    WebSocket(websocket::Sender),
    Http(http::Sender),
}

pub(super) enum Receiver {
    WebSocket(websocket::Receiver),
    Http(http::Receiver),
}

impl Connection {
    /// Connects, without registering anybody.
    pub(super) async fn open(
        config: &Arc<ClientConfig>,
        dialer: &Arc<Dialer>,
        address: &Arc<Address>,
    ) -> Result<Self, End> {
        match address.transport {
            Transport::WebSocket => websocket::open(config, dialer, address).await,
            Transport::Http => http::open(config, dialer, address).await,
        }
    }
}

impl Sender {
    pub(super) async fn perform(&mut self, job: Job) -> Result<(), End> {
        match self {
            Self::WebSocket(sender) => sender.perform(job).await,
            Self::Http(sender) => sender.perform(job).await,
        }
    }
}

impl Receiver {
    /// What comes next; the end of the connection is an error. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Incoming, End> {
        match self {
            Self::WebSocket(receiver) => receiver.next().await,
            Self::Http(receiver) => receiver.next().await,
        }
    }

    /// Waits for the server's end of a goodbye.
    pub(super) async fn finish(&mut self) -> Result<(), End> {
        match self {
            Self::WebSocket(receiver) => loop {
                receiver.next().await?;
            },
            // The response to the last request was that already.
            Self::Http(_) => Ok(()),
        }
    }
}
