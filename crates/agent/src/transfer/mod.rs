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

mod failure;
mod journal;
mod name;
mod receiver;
mod sender;
mod wire;

#[cfg(test)]
mod tests;

pub use failure::Failure;
pub use journal::Journal;
pub use name::safe_file_name;
pub use receiver::{FileReceiver, ReceiverEvent, Verdict};
pub use sender::{FileSender, SenderEvent};
pub use wire::{FileOffer, MAX_CHUNK, MAX_CONTROL, WINDOWS};
