//! How one message is to be delivered.

use std::time::Duration;

/// Delivery of one message; the default is ordered and reliable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Deliver it as soon as it is complete, without waiting for earlier messages of the stream.
    pub unordered: bool,
    /// How hard to try.
    pub reliability: Reliability,
}

/// How hard a message is tried (RFC 3758, RFC 7496). A peer that cannot skip messages gets all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliability {
    /// Until it arrives.
    #[default]
    Reliable,
    /// Each part is sent again at most this often; 0 = sent once.
    MaxRetransmits(u16),
    /// Sent (again) only within this time after `send`.
    MaxLifetime(Duration),
}
