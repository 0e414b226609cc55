//! Messages that wait for the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::event::ClientEvent;
use crate::error::{ErrorBody, code};
use crate::message::{Body, SignalingMessage};

/// Messages wait no longer than this for a connection: an offer that is older has been given up by its sender.
const MAX_AGE: Duration = Duration::from_secs(30);

/// Messages written at once: those that have gathered during a round trip over HTTP, within one request of usual size.
const MAX_BATCH: usize = 64;

/// A message that waits to be written.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) message: SignalingMessage,
    pub(super) text: Utf8Bytes,
    pub(super) at: Instant,
}

/// The messages of a client, in order.
pub(super) struct Outbox {
    pub(super) queue: mpsc::UnboundedReceiver<Queued>,
    /// Bytes in `queue`.
    pub(super) queued: Arc<AtomicUsize>,
    /// Taken from the queue, not yet known to be written.
    pub(super) held: Vec<Queued>,
    /// Taken from the queue, but beyond what is written at once.
    pub(super) ahead: Option<Queued>,
    /// Most bytes in `held`.
    pub(super) max_batch_bytes: usize,
}

impl Outbox {
    /// The next messages to write; they stay here until [`Outbox::written`], and come again if that is never called.
    /// The senders of those that are too old get an error. `None` when the client was dropped. Cancel safe.
    pub(super) async fn next(&mut self, events: &mpsc::Sender<ClientEvent>) -> Option<Vec<Utf8Bytes>> {
        loop {
            if self.held.is_empty() {
                let first = match self.ahead.take() {
                    Some(queued) => queued,
                    None => {
                        let queued = self.queue.recv().await?;
                        self.take(queued)
                    }
                };
                self.held.push(first);
            }
            self.fill();
            while let Some(index) = self.held.iter().position(|queued| queued.at.elapsed() > MAX_AGE) {
                // Room first: a notice must not get lost when this is cancelled. An error means that nobody listens any
                // more; the other messages are still worth sending.
                let place = events.reserve().await.ok();
                let notice = expired(self.held.remove(index));
                if let (Some(place), Some(notice)) = (place, notice) {
                    place.send(ClientEvent::Message(notice));
                }
            }
            if !self.held.is_empty() {
                return Some(self.held.iter().map(|queued| queued.text.clone()).collect());
            }
        }
    }

    /// What [`Outbox::next`] gave out last is on its way.
    pub(super) fn written(&mut self) {
        self.held.clear();
    }

    fn fill(&mut self) {
        // With a byte for each comma and two for the brackets of an array.
        let mut bytes: usize = 1 + self.held.iter().map(|queued| queued.text.len() + 1).sum::<usize>();
        while self.ahead.is_none()
            && self.held.len() < MAX_BATCH
            && let Ok(queued) = self.queue.try_recv()
        {
            let queued = self.take(queued);
            bytes += queued.text.len() + 1;
            if bytes <= self.max_batch_bytes {
                self.held.push(queued);
            } else {
                self.ahead = Some(queued);
            }
        }
    }

    fn take(&self, queued: Queued) -> Queued {
        self.queued.fetch_sub(queued.text.len(), Ordering::Relaxed);
        queued
    }
}

fn expired(queued: Queued) -> Option<SignalingMessage> {
    let SignalingMessage { from, to, session_id, .. } = queued.message;
    let text = format!("a message to {to} waited {} s for the signaling server", MAX_AGE.as_secs());
    let body = Body::Error(ErrorBody::new(code::MESSAGE_EXPIRED, text));
    Some(SignalingMessage { from: None, to: from?, session_id, body, auth: None })
}
