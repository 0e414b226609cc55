//! The sending side of one stream.

use super::message::NONE;

/// Weight of a stream whose priority was never set (RFC 8831 section 6.4: "normal" is 256).
pub(crate) const DEFAULT_PRIORITY: u16 = 256;

/// How far a reset of the stream is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResetState {
    #[default]
    None,
    /// Asked for; queued data goes first.
    Draining,
    /// Part of a request to the peer, or about to be.
    Requested,
}

/// Queue and numbers of one outgoing stream.
#[derive(Debug)]
pub(crate) struct OutStream {
    /// First and last message with unsent bytes.
    pub(crate) head: u32,
    pub(crate) tail: u32,
    /// Messages queued or in flight.
    pub(crate) live: u32,
    /// Payload bytes without a TSN.
    pub(crate) buffered: usize,
    /// Bytes that left `buffered` and were not reported yet.
    pub(crate) released: usize,
    pub(crate) next_ordered: u32,
    pub(crate) next_unordered: u32,
    pub(crate) priority: u16,
    pub(crate) reset: ResetState,
    /// Whether the scheduler knows that there is data.
    pub(crate) scheduled: bool,
    /// Virtual time at which the stream has had its share.
    pub(crate) finish: u64,
}

impl Default for OutStream {
    fn default() -> Self {
        Self {
            head: NONE,
            tail: NONE,
            live: 0,
            buffered: 0,
            released: 0,
            next_ordered: 0,
            next_unordered: 0,
            priority: DEFAULT_PRIORITY,
            reset: ResetState::None,
            scheduled: false,
            finish: 0,
        }
    }
}

impl OutStream {
    /// The stream starts again at zero (after a reset, or a restart of the association).
    pub(crate) fn restart(&mut self) {
        self.next_ordered = 0;
        self.next_unordered = 0;
        self.reset = ResetState::None;
    }
}
