//! Memory for decrypted records: handed to SCTP without a copy and without an allocation per packet.

use bytes::{Bytes, BytesMut};

/// First chunk: a connection that says little keeps little.
const FIRST_CHUNK: usize = 2 * 1024;
/// Chunks double up to this size while data flows. A message that is kept keeps its chunk.
const MAX_CHUNK: usize = 128 * 1024;

/// Bytes between two calls of [`ReceiveBuffer::rest`] up to which the connection counts as quiet: heartbeats and path
/// MTU probes stay below.
const QUIET: usize = 64 * 1024;

/// A growing supply of chunks that records are cut off.
#[derive(Default)]
pub(crate) struct ReceiveBuffer {
    chunk: BytesMut,
    last_size: usize,
    /// Bytes taken since the last [`Self::rest`].
    used: usize,
}

impl ReceiveBuffer {
    /// Room for a record of at most `len` bytes.
    pub(super) fn room(&mut self, len: usize) -> &mut [u8] {
        if self.chunk.capacity() < len {
            self.last_size = (self.last_size * 2).clamp(FIRST_CHUNK, MAX_CHUNK).max(len);
            // Not `reserve`: that could move what is left of the old chunk instead of leaving it to its readers.
            self.chunk = BytesMut::with_capacity(self.last_size);
        }
        self.chunk.resize(len, 0);
        &mut self.chunk
    }

    /// Takes the first `len` bytes of the room that was filled.
    pub(super) fn take(&mut self, len: usize) -> Bytes {
        self.used += len;
        self.chunk.truncate(len);
        self.chunk.split().freeze()
    }

    /// To be called now and then: gives the memory back if little has come since the last time. Returns whether
    /// anything has, so that there is a reason to call again.
    pub(crate) fn rest(&mut self) -> bool {
        let used = std::mem::take(&mut self.used);
        if used < QUIET {
            self.chunk = BytesMut::new();
            self.last_size = 0;
        }
        used > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_their_content_while_later_ones_arrive() {
        let mut buffer = ReceiveBuffer::default();
        let mut kept = Vec::new();
        for i in 0..300u32 {
            let len = 1 + (i as usize * 61) % 1500;
            buffer.room(len + 40)[..len].fill(i as u8);
            kept.push(buffer.take(len));
        }
        for (i, bytes) in kept.iter().enumerate() {
            assert!(bytes.iter().all(|b| *b == i as u8));
        }
    }

    #[test]
    fn a_quiet_connection_keeps_no_buffer() {
        let mut buffer = ReceiveBuffer::default();
        for _ in 0..100 {
            buffer.room(1000);
            drop(buffer.take(1000));
        }
        assert!(buffer.rest(), "data has come since the last time");
        assert_ne!(buffer.chunk.capacity(), 0);
        buffer.room(1000);
        drop(buffer.take(1000));
        assert!(buffer.rest(), "not silent yet");
        assert_eq!(buffer.chunk.capacity(), 0, "but quiet");
        assert!(!buffer.rest());
    }
}
