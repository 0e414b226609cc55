//! What a transport is asked for, and what it brings.

use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What comes from the server.
#[derive(Debug)]
pub(in crate::client) enum Incoming {
    /// A frame.
    Text(Utf8Bytes),
    /// A sign of life.
    Alive,
    /// The server wants a sign of life, and the transport does not give one by itself.
    Ping,
}

/// What may be asked of a `Sender`.
#[derive(Debug)]
pub(in crate::client) enum Job {
    /// Frames, in this order.
    Frames(Vec<Utf8Bytes>),
    /// Makes the server give a sign of life.
    Ping,
    /// Says goodbye.
    Close,
}
