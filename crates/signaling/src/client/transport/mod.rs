//! What carries the frames: a WebSocket or HTTP requests. Nothing in here knows what the frames say.

mod connection;
mod http;
mod job;
mod websocket;

pub(super) use connection::{Connection, Receiver, Sender};
pub(crate) use http::EventParser;
pub(super) use job::{Incoming, Job};
