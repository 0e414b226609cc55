//! A WebSocket client that registers an agent and keeps it registered.

mod config;
mod outbox;
mod prover;
mod rooms;
mod session;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use config::{ClientConfig, ConfigError, Reconnect};
use outbox::{Outbox, Queued};
pub use prover::{Challenge, Proof, Prover, Proving};
pub use rooms::RoomEvent;
use rooms::{RoomRequest, Rooms};
use session::{End, Session};

use crate::{ErrorBody, IceServer, RoomName, SignalingMessage, code};

/// Events that may wait for the application. The client stops reading from the server beyond it, and the server's
/// own bound for slow consumers applies.
const EVENT_QUEUE: usize = 256;

/// What a [`Client`] reports, in order.
#[derive(Debug)]
pub enum ClientEvent {
    /// The agent is registered: the first time, or again after a loss.
    Registered,
    /// A message for the agent. An error without `from` was made by the server or by this client.
    Message(SignalingMessage),
    /// TURN and STUN servers for the agent, before [`Registered`](Self::Registered) and whenever the server renews their
    /// credentials; they replace all from before. None: the server has none.
    IceServers {
        /// The servers.
        servers: Vec<IceServer>,
        /// How long their credentials are valid.
        ttl: Duration,
    },
    /// Something about a room that the agent has asked to be in.
    Room(RoomEvent),
    /// The connection was lost or could not be made; the next attempt starts after `retry_in`.
    Disconnected {
        /// What happened.
        error: String,
        /// Time until the next attempt.
        retry_in: Duration,
    },
    /// The client has ended, by [`Client::close`] (no error) or because trying again makes no sense. The last event.
    Closed(Option<ErrorBody>),
}

/// The events of a [`Client`].
#[derive(Debug)]
pub struct Events(mpsc::Receiver<ClientEvent>);

impl Events {
    /// The next event; `None` after [`ClientEvent::Closed`]. Cancel safe.
    pub async fn recv(&mut self) -> Option<ClientEvent> {
        self.0.recv().await
    }
}

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
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Client {
    /// Starts connecting; must be called on a tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    /// The URL is not one of a WebSocket, or a limit is zero.
    pub fn start(config: ClientConfig) -> Result<(Self, Events), ConfigError> {
        config.validate()?;
        let (queue, receiver) = mpsc::unbounded_channel();
        let (events, event_receiver) = mpsc::channel(EVENT_QUEUE);
        let (closing, close_watch) = watch::channel(false);
        let queued = Arc::new(AtomicUsize::new(0));
        let (max_queue_bytes, max_message_size) = (config.max_queue_bytes, config.max_message_size);
        // What the application asks for; the server bounds how many rooms it gets.
        let (rooms, requests) = mpsc::unbounded_channel();
        let driver = Driver {
            config,
            outbox: Outbox { queue: receiver, queued: queued.clone(), held: None },
            events,
            resume: None,
            had_ice_servers: false,
            rooms: Rooms::new(requests),
        };
        let task = Mutex::new(Some(tokio::spawn(driver.run(close_watch))));
        let client = Self { queue, queued, max_queue_bytes, max_message_size, rooms, closing, task };
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
        self.queue.send(Queued { message, text, at: Instant::now() }).map_err(|_| SendError::Closed)
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

/// The task behind a [`Client`].
struct Driver {
    config: ClientConfig,
    outbox: Outbox,
    events: mpsc::Sender<ClientEvent>,
    /// Token of the last registration.
    resume: Option<String>,
    /// The application knows of ICE servers.
    had_ice_servers: bool,
    rooms: Rooms,
}

impl Driver {
    async fn run(mut self, mut closing: watch::Receiver<bool>) {
        let error = tokio::select! {
            error = self.stay_registered(closing.clone()) => error,
            // The sender is gone when the `Client` was dropped: that closes as well.
            _ = closing.wait_for(|closing| *closing) => None,
        };
        // Nobody may be listening any more, and `close()` must not wait for them.
        let _ = self.events.try_send(ClientEvent::Closed(error));
    }

    /// Connects again and again; returns when that makes no sense any more.
    async fn stay_registered(&mut self, closing: watch::Receiver<bool>) -> Option<ErrorBody> {
        let tls = match tls::connector(&self.config).await {
            Ok(tls) => tls,
            Err(error) => return Some(ErrorBody::new(code::PROTOCOL_ERROR, error)),
        };
        let mut ever_registered = false;
        let mut attempt = 0;
        loop {
            let mut session = Session { driver: self, registered: false };
            let end = session.run(tls.clone(), closing.clone()).await;
            if session.registered {
                ever_registered = true;
                attempt = 0;
            }
            let error = match end {
                End::Closed => return None,
                End::Refused(error) => return Some(error),
                End::Lost(error) => error,
            };
            attempt += 1;
            let attempts = self.config.reconnect.attempts(ever_registered);
            if attempts.is_some_and(|limit| attempt >= limit) {
                let text = format!("{} could not be reached: {error}", self.config.url);
                return Some(ErrorBody::new(code::AGENT_UNREACHABLE, text));
            }
            let retry_in =
                self.config.reconnect.delay(attempt, f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 256.0);
            self.emit(ClientEvent::Disconnected { error, retry_in }).await;
            tokio::time::sleep(retry_in).await;
        }
    }

    async fn emit(&self, event: ClientEvent) {
        // An error means that nobody listens any more; the connection is still worth keeping for sending.
        let _ = self.events.send(event).await;
    }
}
