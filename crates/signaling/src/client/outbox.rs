//! Messages that wait for the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::ClientEvent;
use crate::{Body, ErrorBody, SignalingMessage, code};

/// Messages wait no longer than this for a connection: an offer that is older has been given up by its sender.
const MAX_AGE: Duration = Duration::from_secs(30);

/// A message that waits to be written.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) message: SignalingMessage,
    pub(super) text: String,
    pub(super) at: Instant,
}

/// The messages of a client, in order.
pub(super) struct Outbox {
    pub(super) queue: mpsc::UnboundedReceiver<Queued>,
    /// Bytes in `queue`.
    pub(super) queued: Arc<AtomicUsize>,
    /// Taken from the queue, not yet known to be written.
    pub(super) held: Option<Queued>,
}

impl Outbox {
    /// The next message to write that is not too old; the senders of those that are get an error. Cancel safe.
    pub(super) async fn next(&mut self, events: &mpsc::Sender<ClientEvent>) -> Option<Queued> {
        loop {
            let queued = match self.held.take() {
                Some(queued) => queued,
                None => {
                    let queued = self.queue.recv().await?;
                    self.queued.fetch_sub(queued.text.len(), Ordering::Relaxed);
                    queued
                }
            };
            if queued.at.elapsed() <= MAX_AGE {
                return Some(queued);
            }
            let SignalingMessage { from, to, session_id, .. } = queued.message;
            let Some(sender) = from else { continue };
            let text = format!("a message to {to} waited {} s for the signaling server", MAX_AGE.as_secs());
            let body = Body::Error(ErrorBody::new(code::MESSAGE_EXPIRED, text));
            let notice = SignalingMessage { from: None, to: sender, session_id, body, auth: None };
            // An error means that nobody listens any more; the other messages are still worth sending.
            let _ = events.send(ClientEvent::Message(notice)).await;
        }
    }
}
