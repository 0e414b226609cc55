//! Data channels (RFC 8831, RFC 8832).

mod channel;
mod early;
mod flow;
mod registry;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use registry::Channels;
pub use types::{ChannelError, ChannelId, ChannelInfo, DataChannelInit, MessageKind, Priority};
