//! The books of calls in both directions: what waits for an answer, what runs here, what streams, and until when. What is said about
//! calls is composed and understood in [`session`](crate::session).
//!
//! | message | says |
//! |---|---|
//! | `capability_call` | `{capability, input}`; `metadata.stream: true` if the caller takes the result item by item |
//! | `capability_response` | the result; with `metadata.stream: {index, done}` one item of it, or its end |
//! | `error` | the call has failed |
//! | `capability_cancel` | the caller does not want the result any more |
//! | `capability_ack` | `metadata.stream.index`: the caller has read the items before this one |
//!
//! The last two and `metadata.stream` are ours; towards other implementations calls have one result.

mod deadlines;
mod incoming;
mod outgoing;
mod window;

pub(crate) use incoming::{Ack, Incoming, IncomingLimits};
pub(crate) use outgoing::{Outgoing, Progress};
pub use window::{WINDOW_BYTES, WINDOW_ITEMS};
