//! Clients that come by TCP or TLS. The signaling server has accepted them on its own port.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::Inner;
use crate::turn::{Client, Framed, framed};

/// What may wait for a client that does not read; beyond it datagrams are dropped, as on any path that is too slow. 100 ms at
/// 20 Mbit/s: more would only make everything late.
const MAX_QUEUE: usize = 256 * 1024;

/// A client that takes nothing of what is written for this long is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a connection may be without an allocation: several round trips of a slow network.
const STRANGER_TIME: Duration = Duration::from_secs(30);

/// What is read at once: ten full packets.
const READ: usize = 16 * 1024;

/// The longest message of all: a STUN message with a body of 65,532 bytes, or ChannelData of 65,535, with padding.
const MAX_MESSAGE: usize = 65_560;

/// What waits for the clients of streams.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<HashMap<u64, Arc<Outlet>>>);

#[derive(Debug, Default)]
struct Outlet {
    queue: Mutex<Vec<u8>>,
    filled: Notify,
}

impl Streams {
    fn open(&self, id: u64) -> Arc<Outlet> {
        let outlet = Arc::new(Outlet::default());
        self.0.lock().insert(id, outlet.clone());
        outlet
    }

    /// Queues messages that belong together. False: there is no room, or the client has gone.
    pub(super) fn send(&self, id: u64, data: &[u8]) -> bool {
        let Some(outlet) = self.0.lock().get(&id).cloned() else { return false };
        let mut queue = outlet.queue.lock();
        let room = queue.len() + data.len() <= MAX_QUEUE;
        if room {
            queue.extend_from_slice(data);
            outlet.filled.notify_one();
        }
        room
    }
}

impl Outlet {
    /// Writes what comes into the queue, until the client takes no more of it.
    async fn write_to(&self, mut writer: impl AsyncWrite + Unpin) {
        loop {
            let bytes = std::mem::take(&mut *self.queue.lock());
            if bytes.is_empty() {
                self.filled.notified().await;
                continue;
            }
            let written = async {
                writer.write_all(&bytes).await?;
                writer.flush().await
            };
            if !matches!(timeout(PATIENCE, written).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// A client that goes takes its allocation along, also when its task is aborted.
struct Leaving<'a>(&'a Inner, Client);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let Self(inner, client) = self;
        if let Some(id) = client.stream {
            inner.streams.0.lock().remove(&id);
        }
        inner.batch(|turn, _, _| turn.client_gone(client));
    }
}

impl Inner {
    /// Serves the client until either side has enough. `admitted` is called when it has its first allocation.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite,
        client: Client,
        admitted: Box<dyn FnOnce() + Send>,
    ) {
        let Some(id) = client.stream else { return };
        let outlet = self.streams.open(id);
        let _leaving = Leaving(&self, client);
        let (reader, writer) = tokio::io::split(stream);
        let mut closed = self.closed.subscribe();
        let reading = async {
            if self.read_from(reader, client, admitted).await.is_ok() {
                // What was answered last is still to be written.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = reading => {}
            () = outlet.write_to(writer) => {}
            () = self.while_known(&client) => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
    }

    /// Until the client has been without an allocation for too long.
    async fn while_known(&self, client: &Client) {
        let mut unknown = false;
        loop {
            sleep(STRANGER_TIME / 2).await;
            let known = self.turn.lock().has_allocation(client);
            if !known && unknown {
                return;
            }
            unknown = !known;
        }
    }

    /// Reads until the client ends the stream (`Err`), which includes that it sends what is no TURN.
    async fn read_from(
        self: &Arc<Self>,
        mut reader: impl AsyncRead + Unpin,
        client: Client,
        admitted: Box<dyn FnOnce() + Send>,
    ) -> io::Result<()> {
        let mut admitted = Some(admitted);
        let mut buffer = Vec::with_capacity(READ);
        loop {
            if buffer.capacity() - buffer.len() < READ / 2 {
                buffer.reserve(READ);
            }
            if reader.read_buf(&mut buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let (taken, known) = self.take_messages(client, &buffer)?;
            buffer.drain(..taken);
            debug_assert!(buffer.len() <= MAX_MESSAGE + READ, "a message is longer than the longest");
            if buffer.is_empty() && buffer.capacity() > 2 * READ {
                buffer = Vec::with_capacity(READ);
            }
            if known && let Some(admitted) = admitted.take() {
                admitted();
            }
        }
    }

    /// Handles the messages that `buffer` begins with. Returns how much of it that was, and whether the client has an allocation.
    fn take_messages(self: &Arc<Self>, client: Client, buffer: &[u8]) -> io::Result<(usize, bool)> {
        self.batch(|turn, outbox, now| {
            let mut at = 0;
            loop {
                match framed(&buffer[at..]) {
                    Framed::Message { length, taken } => {
                        self.step(turn, outbox, client, &buffer[at..at + length], now);
                        at += taken;
                    }
                    Framed::Incomplete => return Ok((at, turn.has_allocation(&client))),
                    Framed::Garbage => return Err(io::ErrorKind::InvalidData.into()),
                }
            }
        })
    }
}
