//! The handle of a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::config::ClientConfig;
use super::config_error::ConfigError;
use super::driver;
use super::event::Events;
use super::outbox::{Outbox, Queued};
use super::rooms::{RoomRequest, Rooms};
use super::state::State;
use crate::message::SignalingMessage;
use crate::room::RoomName;

/// Events that may wait for the application. The client stops reading from the server beyond it, and the server's
/// own bound for slow consumers applies.
const EVENT_QUEUE: usize = 256;

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Longer than the configured `max_message_size`.
    #[error("the signaling message has {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// `max_queue_bytes` are waiting already.
    #[error("{0} bytes of signaling messages wait for the server already; try again later")]
    QueueFull(usize),
    /// The client has ended.
    #[error("the signaling client is closed")]
    Closed,
}

/// Keeps one agent registered with a signaling server. Dropping it ends the connection.
#[derive(Debug)]
pub struct Client {
    queue: mpsc::UnboundedSender<Queued>,
    /// Bytes in `queue`: the bound that makes it a bounded queue.
    queued: Arc<AtomicUsize>,
    max_queue_bytes: usize,
    max_message_size: usize,
    rooms: mpsc::UnboundedSender<RoomRequest>,
    closing: watch::Sender<bool>,
    hurry: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Client {
    /// Starts connecting; must be called on a tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    /// A URL, the proxy or a header cannot be used.
    pub fn start(config: ClientConfig) -> Result<(Self, Events), ConfigError> {
        let servers = config.validate()?;
        let proxies = config.proxy.matcher(&servers)?;
        let servers = servers.into_iter().map(Arc::new).collect();
        let (queue, receiver) = mpsc::unbounded_channel();
        let (events, event_receiver) = mpsc::channel(EVENT_QUEUE);
        let (closing, close_watch) = watch::channel(false);
        let queued = Arc::new(AtomicUsize::new(0));
        let (max_queue_bytes, max_message_size) = (config.max_queue_bytes, config.max_message_size);
        // What the application asks for; the server bounds how many rooms it gets.
        let (rooms, requests) = mpsc::unbounded_channel();
        let hurry = Arc::new(Notify::new());
        let state = State {
            outbox: Outbox {
                queue: receiver,
                queued: queued.clone(),
                held: Vec::new(),
                ahead: None,
                max_batch_bytes: max_message_size,
            },
            config: Arc::new(config),
            events,
            resume: None,
            had_ice_servers: false,
            rooms: Rooms::new(requests),
            hurry: hurry.clone(),
        };
        let task = Mutex::new(Some(tokio::spawn(driver::run(state, servers, proxies, close_watch))));
        let client = Self { queue, queued, max_queue_bytes, max_message_size, rooms, closing, hurry, task };
        Ok((client, Events(event_receiver)))
    }

    /// Queues a message for the server. It is sent when the agent is registered; if that takes more than 30 s, an
    /// error `MESSAGE_EXPIRED` without `from` and with the message's session id comes back as an event.
    pub fn send(&self, message: SignalingMessage) -> Result<(), SendError> {
        let text = message.to_json();
        let size = text.len();
        if size > self.max_message_size {
            return Err(SendError::TooLarge { size, limit: self.max_message_size });
        }
        let before = self.queued.fetch_add(size, Ordering::Relaxed);
        if before + size > self.max_queue_bytes {
            self.queued.fetch_sub(size, Ordering::Relaxed);
            return Err(SendError::QueueFull(before));
        }
        self.queue
            .send(Queued { message, text: text.into(), at: Instant::now() })
            .map_err(|_| SendError::Closed)
    }

    /// Enters a room, and enters it again after every loss of the connection; [`ClientEvent::Room`] tells how it goes.
    ///
    /// # Errors
    /// The client has ended.
    pub fn join(&self, room: RoomName) -> Result<(), SendError> {
        self.rooms.send(RoomRequest::Join(room)).map_err(|_| SendError::Closed)
    }

    /// Leaves a room.
    ///
    /// # Errors
    /// The client has ended.
    pub fn leave(&self, room: RoomName) -> Result<(), SendError> {
        self.rooms.send(RoomRequest::Leave(room)).map_err(|_| SendError::Closed)
    }

    /// The network has changed: a connection has to prove at once that it is alive, and a wait for the next attempt ends.
    pub fn hurry(&self) {
        self.hurry.notify_one();
    }

    /// Starts to close without waiting for it; [`ClientEvent::Closed`] tells when it is done.
    pub fn start_close(&self) {
        self.closing.send_replace(true);
    }

    /// Says goodbye to the server and waits until the connection is gone, at most a second. Idempotent. Events
    /// that nobody receives do not hold it up.
    pub async fn close(&self) {
        self.start_close();
        if let Some(task) = self.task.lock().await.take() {
            // An error would mean that the task was aborted or panicked: it is gone either way.
            let _ = task.await;
        }
    }
}
