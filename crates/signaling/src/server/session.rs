//! A client that is connected by single HTTP requests: what waits for it, and its end.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::client::{Client, watchdog};
use super::outbox::Outbox;
use super::registry::{Close, Handle};
use super::visit::Arrival;
use super::{Phase, Shared, told_to_leave};
use crate::frames::{self, Written};

/// The sessions of a server by their secrets. Not more than `max_connections`.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, secret: &str) -> Option<Arc<Session>> {
        self.lock().get(secret).cloned()
    }
}

/// One client. Whoever knows the secret is the client.
pub(super) struct Session {
    /// For the frames of one request after the other.
    pub(super) client: tokio::sync::Mutex<Client>,
    pub(super) handle: Arc<Handle>,
    outbox: Arc<Outbox>,
    /// Requests with frames that wait for each other.
    pub(super) waiting: AtomicUsize,
    mailbox: Mutex<Mailbox>,
    /// Goes up when there is news for the receiver: a frame, a ping, the end, a newer receiver.
    news: watch::Sender<u64>,
    ended: Notify,
    max_kept: usize,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("connection", &self.handle.id).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Mailbox {
    /// Not handed over yet. Counted by the handle, which bounds it.
    waiting: VecDeque<Utf8Bytes>,
    /// Handed over, for a receiver that has to ask again; at most `max_kept` bytes.
    sent: VecDeque<(u64, Utf8Bytes)>,
    sent_bytes: usize,
    /// Number of the last frame handed over.
    last: u64,
    /// The client is to show that it is there.
    pinged: bool,
    /// The present receiver.
    receiver: u64,
    closed: Option<Close>,
    /// The receiver has been told of the end.
    told: bool,
}

/// What a receiver gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mail {
    Frames(Vec<(u64, Utf8Bytes)>),
    /// Nothing, but the client is to show that it is there.
    Ping,
    /// The session has ended.
    End(Close),
    /// Another receiver has come.
    Displaced,
}

/// The receiver asks for frames that are not kept any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl Session {
    /// Starts a session; its secret.
    pub(super) fn start(shared: &Arc<Shared>, shutdown: watch::Receiver<Phase>, arrival: Arrival) -> String {
        let id = shared.next_id.fetch_add(1, Ordering::Relaxed);
        let (client, outbox) = Client::new(shared.clone(), id, arrival);
        let session = Arc::new(Self {
            handle: client.handle().clone(),
            outbox,
            client: tokio::sync::Mutex::new(client),
            waiting: AtomicUsize::new(0),
            mailbox: Mutex::new(Mailbox::default()),
            news: watch::Sender::new(0),
            ended: Notify::new(),
            max_kept: shared.config.max_queue_bytes,
        });
        // 244 random bits.
        let secret = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        shared.sessions.lock().insert(secret.clone(), session.clone());
        tokio::spawn(live(shared.clone(), session, secret.clone(), shutdown));
        secret
    }

    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_news(&self) {
        self.news.send_modify(|version| *version += 1);
    }

    /// The client says goodbye.
    pub(super) fn end(&self) {
        self.ended.notify_one();
    }

    /// Why the session has ended, if it has.
    pub(super) fn closed(&self) -> Option<Close> {
        self.mailbox().closed
    }

    /// Makes the caller the receiver; an earlier one is sent away. It has everything up to `after`.
    pub(super) fn receiver(self: &Arc<Self>, after: u64) -> Result<Receiver, Gone> {
        let mut mailbox = self.mailbox();
        while mailbox.sent.front().is_some_and(|(id, _)| *id <= after) {
            if let Some((_, text)) = mailbox.sent.pop_front() {
                mailbox.sent_bytes -= text.len();
            }
        }
        let oldest = mailbox.sent.front().map_or(mailbox.last + 1, |(id, _)| *id);
        if after > mailbox.last || oldest > after + 1 {
            return Err(Gone);
        }
        mailbox.receiver += 1;
        let number = mailbox.receiver;
        drop(mailbox);
        let news = self.news.subscribe();
        self.has_news();
        Ok(Receiver { session: self.clone(), number, after, news })
    }

    /// Puts into the mailbox what the server has to say, as it comes.
    async fn collect(&self) {
        let mut bytes = Vec::new();
        loop {
            poll_fn(|cx| self.outbox.poll_take(cx, &mut bytes)).await;
            self.put(&bytes);
            bytes.clear();
        }
    }

    fn put(&self, bytes: &[u8]) {
        for frame in frames::written(bytes) {
            match frame {
                Written::Text(text) => self.mailbox().waiting.push_back(text.to_owned().into()),
                Written::Ping => {
                    self.outbox.written(frames::size(0));
                    self.mailbox().pinged = true;
                }
            }
        }
        self.has_news();
    }
}

/// One request that receives.
pub(super) struct Receiver {
    session: Arc<Session>,
    number: u64,
    after: u64,
    news: watch::Receiver<u64>,
}

impl Receiver {
    /// Waits for something.
    pub(super) async fn next(&mut self) -> Mail {
        loop {
            if let Some(mail) = self.take() {
                return mail;
            }
            if self.news.changed().await.is_err() {
                // The sender is in the session, which this holds.
                return Mail::Displaced;
            }
        }
    }

    fn take(&mut self) -> Option<Mail> {
        let session = self.session.clone();
        let mut mailbox = session.mailbox();
        if mailbox.receiver != self.number {
            return Some(Mail::Displaced);
        }
        // First what an earlier receiver may not have got.
        let mut frames: Vec<_> = mailbox.sent.iter().filter(|(id, _)| *id > self.after).cloned().collect();
        let mut bytes: usize = frames.iter().map(|(_, text)| text.len()).sum();
        while bytes < session.max_kept
            && let Some(text) = mailbox.waiting.pop_front()
        {
            bytes += text.len();
            session.outbox.written(frames::size(text.len()));
            mailbox.last += 1;
            let frame = (mailbox.last, text);
            frames.push(frame.clone());
            mailbox.keep(frame, session.max_kept);
        }
        if let Some((last, _)) = frames.last() {
            self.after = *last;
            mailbox.pinged = false;
            return Some(Mail::Frames(frames));
        }
        if let Some(close) = mailbox.closed {
            mailbox.told = true;
            drop(mailbox);
            session.end();
            return Some(Mail::End(close));
        }
        std::mem::take(&mut mailbox.pinged).then_some(Mail::Ping)
    }

    /// Number of the last frame that this receiver got.
    pub(super) fn last(&self) -> u64 {
        self.after
    }
}

impl Mailbox {
    /// The newest always fits: it must be there to be asked for again.
    fn keep(&mut self, frame: (u64, Utf8Bytes), most: usize) {
        self.sent_bytes += frame.1.len();
        self.sent.push_back(frame);
        while self.sent_bytes > most && self.sent.len() > 1 {
            if let Some((_, text)) = self.sent.pop_front() {
                self.sent_bytes -= text.len();
            }
        }
    }
}

/// A session from its start until its client has been told of its end, or does not come to hear of it.
async fn live(
    shared: Arc<Shared>,
    session: Arc<Session>,
    secret: String,
    mut shutdown: watch::Receiver<Phase>,
) {
    let handle = &session.handle;
    let close = tokio::select! {
        () = session.collect() => None,
        close = handle.killed() => Some(close),
        close = watchdog(&shared.config, handle) => Some(close),
        close = told_to_leave(&mut shutdown, handle.id) => Some(close),
        () = session.ended.notified() => None,
    };
    let mut rest = Vec::new();
    session.outbox.take(&mut rest);
    if !rest.is_empty() {
        session.put(&rest);
    }
    session.mailbox().closed = Some(close.unwrap_or(LEFT));
    session.client.lock().await.leave(close);
    if close.is_some() {
        session.has_news();
        let _ = timeout(shared.config.close_timeout, session.ended.notified()).await;
    }
    shared.sessions.lock().remove(&secret);
}

const LEFT: Close = Close { code: 1000, reason: "the client has ended the session" };
