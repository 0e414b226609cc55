//! Data channels (RFC 8831, RFC 8832).

mod channel;
mod closing;
mod early;
mod flow;
mod linger;
mod opening;
mod registry;
mod resets;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use registry::Channels;
pub use types::{ChannelError, ChannelId, ChannelInfo, DataChannelInit, MessageKind, Priority};
