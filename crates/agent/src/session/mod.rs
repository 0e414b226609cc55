//! The conversation with one agent: what is said, what is understood, and what it means. Nothing in here knows channels, whose turn
//! it is to be sent, or whether the connection works.
//!
//! `conversation` composes, `receive` understands; `caller` and `callee` do so for calls of ours and of the other side, whose books
//! are kept in [`calls`](crate::calls).

mod call_limits;
#[cfg(test)]
mod call_tests;
mod callee;
mod caller;
mod conversation;
mod payload;
mod receive;
#[cfg(test)]
mod tests;
mod types;

pub use call_limits::{CallTimeouts, ExpiredHandler};
pub use conversation::Session;
pub use types::{Composed, FailAs, Options, Received, ResultShape, SessionConfig};
