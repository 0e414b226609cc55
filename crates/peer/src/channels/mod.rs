//! Data channels (RFC 8831, RFC 8832).

mod types;

pub use types::{ChannelError, ChannelId, ChannelInfo, DataChannelInit, MessageKind, Priority};
