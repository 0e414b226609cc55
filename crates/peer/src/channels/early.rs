//! Messages that overtook the DATA_CHANNEL_OPEN of their stream, which unordered delivery allows.

use std::collections::VecDeque;

use ossa_sctp::Message;

/// Bytes kept. The OPEN message follows within a round trip, during which a peer can send at most about a window;
/// whoever sends more than this to a stream it has not announced loses the excess.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Messages kept, since small ones cost more than their bytes.
const MAX_MESSAGES: usize = 4096;

#[derive(Default)]
pub(super) struct EarlyMessages {
    queue: VecDeque<Message>,
    bytes: usize,
}

impl EarlyMessages {
    pub(super) fn keep(&mut self, message: Message) {
        let bytes = self.bytes + message.payload.len();
        if bytes <= MAX_BYTES && self.queue.len() < MAX_MESSAGES {
            self.bytes = bytes;
            self.queue.push_back(message);
        }
    }

    /// Takes out what has come on a stream, in order.
    pub(super) fn take(&mut self, stream: u16) -> Vec<Message> {
        if !self.queue.iter().any(|m| m.stream == stream) {
            return Vec::new();
        }
        let (taken, kept): (Vec<Message>, Vec<Message>) =
            std::mem::take(&mut self.queue).into_iter().partition(|m| m.stream == stream);
        self.bytes -= taken.iter().map(|m| m.payload.len()).sum::<usize>();
        self.queue = kept.into();
        taken
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
