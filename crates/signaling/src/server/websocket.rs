//! A client that is connected by a WebSocket: its frames and its goodbye.

use std::sync::Arc;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::client::{Client, watchdog};
use super::http::Upgraded;
use super::io::Io;
use super::registry::{Close, Handle, Outgoing};
use super::stats::count;
use super::{Phase, Shared, told_to_leave};
use crate::AgentUri;

const TOO_BIG: Close = Close { code: 1009, reason: "message too large" };

/// Serves one client until it or the server ends the connection. `early` is what it sent right behind its request.
pub(super) async fn run(
    shared: &Arc<Shared>,
    io: Io,
    early: &[u8],
    upgraded: Upgraded,
    id: u64,
    mut shutdown: watch::Receiver<Phase>,
) {
    let config = &shared.config;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(config.max_message_size))
        .max_frame_size(Some(config.max_message_size))
        // Allocated per connection: thousands of idle agents must not cost 128 KiB each.
        .read_buffer_size(4096)
        .write_buffer_size(4096);
    let socket = WebSocketStream::from_partially_read(io, early.to_vec(), Role::Server, Some(limits)).await;
    let (mut client, mut queue) = Client::new(shared.clone(), id, upgraded.arrival);
    let (mut sink, mut stream) = socket.split();
    let handle = client.handle().clone();
    let close = tokio::select! {
        close = read(shared, &mut client, &mut stream, upgraded.agent) => close,
        () = write(&mut sink, &mut queue, &handle) => None,
        close = handle.killed() => Some(close),
        close = watchdog(config, &handle) => Some(close),
        close = told_to_leave(&mut shutdown, id) => Some(close),
    };
    client.leave(close);
    if let Some(Close { code, reason }) = close {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let goodbye = async {
            // What was queued before, an error that explains the end above all, goes first.
            while let Ok(outgoing) = queue.try_recv() {
                sink.feed(message(outgoing)).await?;
            }
            sink.send(Message::Close(Some(frame))).await?;
            while stream.next().await.is_some_and(|frame| frame.is_ok()) {}
            Ok::<(), WsError>(())
        };
        let _ = timeout(config.close_timeout, goodbye).await;
    }
}

/// Reads until the client leaves (`None`) or must go (`Some`).
async fn read<S>(
    shared: &Shared,
    client: &mut Client,
    stream: &mut S,
    agent: Option<AgentUri>,
) -> Option<Close>
where
    S: Stream<Item = Result<Message, WsError>> + Unpin,
{
    if let Some(agent) = agent
        && client.greet(agent).await.is_err()
    {
        return Some(client.handle().killed().await);
    }
    loop {
        let frame = match stream.next().await? {
            Ok(frame) => frame,
            Err(WsError::Capacity(_)) => {
                count(&shared.counters.refused);
                return Some(TOO_BIG);
            }
            Err(_) => return None,
        };
        client.handle().was_heard();
        let served = match frame {
            Message::Text(text) => client.frame(text).await,
            Message::Binary(_) => client.refuse_binary(),
            Message::Close(_) => return None,
            _ => Ok(()),
        };
        if served.is_err() {
            return Some(client.handle().killed().await);
        }
    }
}

async fn write<S>(sink: &mut S, queue: &mut mpsc::UnboundedReceiver<Outgoing>, handle: &Handle)
where
    S: Sink<Message, Error = WsError> + Unpin,
{
    while let Some(mut outgoing) = queue.recv().await {
        loop {
            let cost = outgoing.cost();
            if sink.feed(message(outgoing)).await.is_err() {
                return;
            }
            handle.taken(cost);
            match queue.try_recv() {
                Ok(next) => outgoing = next,
                Err(_) => break,
            }
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}

fn message(outgoing: Outgoing) -> Message {
    match outgoing {
        Outgoing::Text(text) => Message::Text(text),
        Outgoing::Ping => Message::Ping(tokio_tungstenite::tungstenite::Bytes::new()),
    }
}
