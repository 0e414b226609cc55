//! Files: the conversation about one file on a channel of its own.
//!
//! Sans-IO: [`FileSender`] and [`FileReceiver`] are told the time, what was received and what has been done with it,
//! and say what to send. They see the text messages of the channel and the sizes of the binary ones, never the bytes.
//!
//! ```text
//! sender                                  receiver
//! offer {name, size, ...}      ->         asks the application
//!                              <-         preparing            the application agrees; a part may have to be read
//!                              <-         accept {offset, sha256 of what is there, window}
//! start {offset}               ->         0 if what is there is not the beginning of this file
//! bytes, within the credit     ->
//!                              <-         credit {written, limit}
//! finish {size, sha256}        ->
//!                              <-         done {size, sha256}  the file is complete and in its place
//! ```
//!
//! Either side may say `abort {code, message, retryable}` at any time and closes the channel then. A channel that
//! closes without one means that the connection is lost: the receiver keeps what it has.

mod journal;
mod name;
mod receiver;
mod sender;
mod wire;

#[cfg(test)]
mod tests;

pub use journal::Journal;
pub use name::safe_file_name;
pub use receiver::{FileReceiver, ReceiverEvent, Verdict};
pub use sender::{FileSender, SenderEvent};
pub use wire::{FileOffer, MAX_CONTROL};

use crate::error::AgentError;

/// Largest binary message that a receiver takes, in bytes. Senders of ours use a quarter of it.
pub const MAX_CHUNK: u64 = 1024 * 1024;

/// Smallest and largest credit window, in bytes. The least lets a sender of 256 KiB messages always go on when
/// everything is written; the most bounds what a receiver may have to hold.
pub const WINDOWS: std::ops::RangeInclusive<u64> = 512 * 1024..=64 * 1024 * 1024;

/// The end of a transfer by an error.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: AgentError,
    /// What to tell the other side, if it does not know.
    pub tell: Option<String>,
}

impl Failure {
    /// The other side is told what happened here.
    fn told(error: AgentError) -> Self {
        let tell = wire::abort(&error);
        Self { error, tell: Some(tell) }
    }

    /// The other side does not keep to the protocol.
    fn violation(message: impl Into<String>) -> Self {
        Self::told(AgentError::new(crate::code::PROTOCOL_ERROR, message))
    }
}
