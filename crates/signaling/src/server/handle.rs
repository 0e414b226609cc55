//! A connection as the other connections see it: its queue, and how it is ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::outbox::{Full, Outbox};
use crate::control::ServerFrame;
use crate::error::{ErrorBody, close_code, code};
use crate::uri::AgentUri;

/// Something to be written to a client.
#[derive(Debug)]
pub(super) enum Outgoing {
    Text(Utf8Bytes),
    Ping,
}

/// Why the server closes a connection: close code and reason of the WebSocket close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: &'static str,
}

/// A connection as the other connections see it.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) id: u64,
    outbox: Arc<Outbox>,
    /// Agents registered through this connection.
    pub(super) registrations: AtomicUsize,
    /// Notified for every frame received.
    pub(super) heard: Notify,
    last_heard: Mutex<Instant>,
    closing: OnceLock<Close>,
    kill: Notify,
    /// The name of this server as the client has it, where that is needed.
    dialled: OnceLock<Box<str>>,
}

/// The queue of a client is full: it has been told to go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

impl Handle {
    /// A connection, and what its transport has to write.
    pub(super) fn new(id: u64, max_queue_bytes: usize) -> (Arc<Self>, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::new(max_queue_bytes));
        let handle = Self {
            id,
            outbox: outbox.clone(),
            registrations: AtomicUsize::new(0),
            heard: Notify::new(),
            last_heard: Mutex::new(Instant::now()),
            closing: OnceLock::new(),
            kill: Notify::new(),
            dialled: OnceLock::new(),
        };
        (Arc::new(handle), outbox)
    }

    /// The name of this server as the client has it: `host` or `host:port`.
    pub(super) fn dialled(&self) -> Option<&str> {
        self.dialled.get().map(|name| &**name)
    }

    /// Remembers by which name the client has come; the first one counts.
    pub(super) fn has_dialled(&self, name: &str) {
        let _ = self.dialled.set(name.into());
    }

    /// Queues a frame. A client whose queue is full is disconnected: waiting for it would stop the sender, and
    /// dropping single frames would leave a set-up half done.
    pub(super) fn push(&self, outgoing: Outgoing) -> Result<(), TooSlow> {
        match outgoing {
            Outgoing::Text(text) => self.push_text(&text),
            Outgoing::Ping => self.pushed(self.outbox.push_ping()),
        }
    }

    /// Queues a text, as [`push`](Self::push) does.
    pub(super) fn push_text(&self, text: &str) -> Result<(), TooSlow> {
        self.pushed(self.outbox.push_text(text))
    }

    /// Queues the answer to a ping, as [`push`](Self::push) does.
    pub(super) fn push_pong(&self, payload: &[u8]) -> Result<(), TooSlow> {
        self.pushed(self.outbox.push_pong(payload))
    }

    fn pushed(&self, pushed: Result<(), Full>) -> Result<(), TooSlow> {
        pushed.map_err(|Full| {
            self.close(Close { code: close_code::SLOW_CONSUMER, reason: "messages are not being read" });
            TooSlow
        })
    }

    /// Whether the connection sends anything, at least its answer to a ping, in time.
    pub(super) async fn answers(&self, patience: Duration) -> bool {
        let heard = self.heard.notified();
        tokio::pin!(heard);
        // From here on a frame counts, even one that arrives before the first poll.
        heard.as_mut().enable();
        self.push(Outgoing::Ping).is_ok() && timeout(patience, heard).await.is_ok()
    }

    /// Tells the connection that it has lost `agent`; it ends if that was its last one.
    pub(super) fn tell_displaced(&self, agent: &AgentUri) {
        const REPLACED: Close = Close { code: close_code::REPLACED, reason: "another connection took over" };
        let text = format!("{agent} was taken over by another connection");
        let error = ErrorBody::new(code::UNAUTHORIZED, text);
        let frame = ServerFrame::Error { to: Some(agent.clone()), session_id: None, room: None, error };
        // If it does not read, it is being disconnected: that tells it, too.
        let _ = self.push(Outgoing::Text(frame.to_json().into()));
        if self.registrations.load(Ordering::Relaxed) == 0 {
            self.close(REPLACED);
        }
    }

    /// The client sent something, be it the answer to a ping.
    pub(super) fn was_heard(&self) {
        *self.last_heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.heard.notify_waiters();
    }

    /// When the client last sent something; at first when it connected.
    pub(super) fn last_heard(&self) -> Instant {
        *self.last_heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the connection end; the first reason counts.
    pub(super) fn close(&self, close: Close) {
        if self.closing.set(close).is_ok() {
            self.kill.notify_one();
        }
    }

    /// Waits for [`close`](Self::close). Only the connection itself may call this.
    pub(super) async fn killed(&self) -> Close {
        loop {
            if let Some(close) = self.closing.get() {
                return *close;
            }
            self.kill.notified().await;
        }
    }
}
