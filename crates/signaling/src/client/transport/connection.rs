//! A connection, whatever carries it.

use std::sync::Arc;

use super::job::{Incoming, Job};
use super::{http, websocket};
use crate::client::address::{Address, Transport};
use crate::client::config::ClientConfig;
use crate::client::dial::Dialer;
use crate::client::end::End;

/// Both halves of a connection.
pub(in crate::client) struct Connection {
    pub(in crate::client) sender: Sender,
    pub(in crate::client) receiver: Receiver,
}

pub(in crate::client) enum Sender {
    WebSocket(websocket::Sender),
    Http(http::Sender),
}

pub(in crate::client) enum Receiver {
    WebSocket(websocket::Receiver),
    Http(http::Receiver),
}

impl Connection {
    /// Connects, without registering anybody.
    pub(in crate::client) async fn open(
        config: &Arc<ClientConfig>,
        dialer: &Arc<Dialer>,
        address: &Arc<Address>,
    ) -> Result<Self, End> {
        match address.transport {
            Transport::WebSocket => {
                let (sender, receiver) = websocket::open(config, dialer, address).await?;
                Ok(Self { sender: Sender::WebSocket(sender), receiver: Receiver::WebSocket(receiver) })
            }
            Transport::Http => {
                let (sender, receiver) = http::open(config, dialer, address).await?;
                Ok(Self { sender: Sender::Http(sender), receiver: Receiver::Http(receiver) })
            }
        }
    }
}

impl Sender {
    pub(in crate::client) async fn perform(&mut self, job: Job) -> Result<(), End> {
        match self {
            Self::WebSocket(sender) => sender.perform(job).await,
            Self::Http(sender) => sender.perform(job).await,
        }
    }
}

impl Receiver {
    /// What comes next; the end of the connection is an error. Cancel safe.
    pub(in crate::client) async fn next(&mut self) -> Result<Incoming, End> {
        match self {
            Self::WebSocket(receiver) => receiver.next().await,
            Self::Http(receiver) => receiver.next().await,
        }
    }

    /// Waits for the server's end of a goodbye.
    pub(in crate::client) async fn finish(&mut self) -> Result<(), End> {
        match self {
            Self::WebSocket(receiver) => loop {
                receiver.next().await?;
            },
            // The response to the last request was that already.
            Self::Http(_) => Ok(()),
        }
    }
}
