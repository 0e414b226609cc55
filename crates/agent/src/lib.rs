//! The OSSA agent layer above a data channel: what travels in a message channel between two agents.
//!
//! Sans-IO: a [`Session`] is told the time and what was received, and says what to send. One session per link.
//!
//! - [`Envelope`]: the `WebRTCMessage` of the specification, parsed without touching its payload.
//! - [`auth`]: who the other agent is.
//! - [`transfer`]: files, on channels of their own.
//! - [`Session`]: validates what comes in, matches responses to calls, drops duplicates and what has expired,
//!   and puts messages together that come in parts.
//! - [`Splitter`]: cuts a message into the chunks of the specification.
//! - [`Schedule`]: whose turn it is among messages that wait to be sent.
//! - [`KeepAlive`] and [`Reconnect`]: when a connection counts as lost, and what is done about it when.
//! - [`Patience`]: a time limit for others that allows for this program being late itself.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use ossa_agent::{RawValue, Received, Session, SessionConfig};
//! # fn now() -> Instant { #[allow(clippy::disallowed_methods)] Instant::now() }
//! let [alice, bob] = ["agent://alice", "agent://bob"].map(|uri| uri.parse().unwrap());
//! let mut caller = Session::new(SessionConfig::new(Clone::clone(&alice), Clone::clone(&bob)), [1; 32]);
//! let mut callee = Session::new(SessionConfig::new(bob, alice), [2; 32]);
//! let (now, unix_ms) = (now(), 1_700_000_000_000);
//!
//! let input = RawValue::from_string("[1,2]".into()).unwrap();
//! let call = caller.call("sum", &input, Duration::from_secs(5), &Default::default(), now, unix_ms).unwrap();
//! let Received::Call { id, capability } = callee.receive(0, &call.text, now, unix_ms) else { panic!() };
//! assert_eq!(capability, "sum");
//!
//! let result = RawValue::from_string("3".into()).unwrap();
//! let response = callee.respond(&id, &result, unix_ms).unwrap();
//! assert!(matches!(caller.receive(0, &response.text, now, unix_ms), Received::Response { call: matched, .. } if matched == call.id));
//! ```
#![forbid(unsafe_code)]

pub mod auth;
mod calls;
mod chunk;
mod envelope;
mod error;
pub mod fuzz;
mod keepalive;
mod large;
mod reconnect;
mod schedule;
mod seen;
mod session;
#[cfg(test)]
mod testing;
mod timestamp;
pub mod transfer;
mod verdict;

pub use calls::{WINDOW_BYTES, WINDOW_ITEMS};
pub use chunk::{MAX_CHUNK, PART_MARK, Place, Reassembly, ReassemblyLimits, Splitter, Taken};
pub use envelope::{Chunked, Envelope, Metadata, Priority, StreamMark};
pub use error::{AgentError, code};
pub use keepalive::{Beat, HEARTBEAT_INTERVAL, KeepAlive};
pub use large::{Lifted, LongString, PLACEHOLDER, join, lift};
pub use reconnect::{Action, ClockWatch, LinkMonitor, Reconnect, ReconnectConfig, Step};
pub use schedule::{MAX_LANES, Schedule, ScheduleLimits};
pub use serde_json::value::RawValue;
pub use session::{
    CallTimeouts, Composed, ExpiredHandler, FailAs, Options, Received, ResultShape, Session, SessionConfig,
};
pub use verdict::Patience;
