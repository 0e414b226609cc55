//! What waits to be written to one client.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::frames;

/// Frames for one client, encoded as they go over a WebSocket, so that a busy recipient costs one copy per message and one
/// system call for as many as are there.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    /// Bytes that may wait. A client that does not read must not fill the memory.
    limit: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Taken by the transport and not yet written. They count as waiting.
    taken: usize,
    transport: Option<Waker>,
}

/// The client does not read, and more than is allowed would wait for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Outbox {
    pub(super) fn new(limit: usize) -> Self {
        Self { waiting: Mutex::default(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Appending bytes is all that happens under the lock; nothing panics there.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame of `size` bytes, which `encode` appends, and wakes the transport if it has nothing else to do.
    fn push(&self, size: usize, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), Full> {
        let transport = {
            let mut waiting = self.lock();
            if waiting.bytes.len() + waiting.taken + size > self.limit {
                return Err(Full);
            }
            encode(&mut waiting.bytes);
            waiting.transport.take()
        };
        if let Some(transport) = transport {
            transport.wake();
        }
        Ok(())
    }

    /// Adds a text frame.
    pub(super) fn push_text(&self, text: &str) -> Result<(), Full> {
        self.push(frames::size(text.len()), |bytes| frames::text(bytes, text))
    }

    /// Adds a ping.
    pub(super) fn push_ping(&self) -> Result<(), Full> {
        self.push(frames::size(0), frames::ping)
    }

    /// Adds the answer to a ping.
    pub(super) fn push_pong(&self, payload: &[u8]) -> Result<(), Full> {
        self.push(frames::size(payload.len()), |bytes| frames::pong(bytes, payload))
    }

    /// Takes all that waits, as soon as something does, into `bytes`, which is empty. Only the transport calls this.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>, bytes: &mut Vec<u8>) -> Poll<()> {
        debug_assert!(bytes.is_empty());
        let mut waiting = self.lock();
        if waiting.bytes.is_empty() {
            // Nothing to do for now: thousands of idle clients must not keep the buffers of their last rush.
            waiting.bytes = Vec::new();
            *bytes = Vec::new();
            waiting.transport = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut waiting.bytes, bytes);
        waiting.taken += bytes.len();
        Poll::Ready(())
    }

    /// Takes what waits now, appending it to `bytes`.
    pub(super) fn take(&self, bytes: &mut Vec<u8>) {
        let mut waiting = self.lock();
        let mut more = std::mem::take(&mut waiting.bytes);
        waiting.taken += more.len();
        bytes.append(&mut more);
    }

    /// `count` of the bytes taken are written.
    pub(super) fn written(&self, count: usize) {
        self.lock().taken -= count;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn frames_come_out_in_order_and_count_until_they_are_written() {
        let outbox = Outbox::new(20);
        outbox.push_text("one").unwrap();
        outbox.push_text("two").unwrap();
        let mut bytes = Vec::new();
        poll_fn(|cx| outbox.poll_take(cx, &mut bytes)).await;
        assert_eq!(bytes, b"\x81\x03one\x81\x03two");
        assert_eq!(outbox.push_text("a long one"), Err(Full));
        outbox.written(5);
        assert_eq!(outbox.push_text("a long one"), Ok(()));
    }

    #[tokio::test]
    async fn whoever_waits_for_a_frame_is_woken_by_it() {
        let outbox = std::sync::Arc::new(Outbox::new(100));
        let mut bytes = Vec::new();
        let taking = outbox.clone();
        let taken = tokio::spawn(async move {
            poll_fn(|cx| taking.poll_take(cx, &mut bytes)).await;
            bytes
        });
        tokio::task::yield_now().await;
        outbox.push_text("x").unwrap();
        assert_eq!(taken.await.unwrap(), b"\x81\x01x");
    }
}
