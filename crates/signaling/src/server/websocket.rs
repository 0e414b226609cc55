//! A client that is connected by a WebSocket: its upgrade, its frames, its goodbye.

use std::sync::Arc;

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::auth::Visitor;
use super::client::{Client, watchdog};
use super::handshake::Upgrade;
use super::registry::{Close, Handle, Outgoing};
use super::stats::count;
use super::{Shared, told_to_close};
use crate::{AgentUri, close_code};

const GOING_AWAY: Close = Close { code: 1001, reason: "the server is shutting down" };
const TOO_BIG: Close = Close { code: 1009, reason: "message too large" };

/// Serves one client until it or the server ends the connection.
pub(super) async fn run(
    shared: Arc<Shared>,
    stream: TcpStream,
    id: u64,
    mut shutdown: watch::Receiver<bool>,
) {
    // Signaling is small messages that somebody waits for.
    let _ = stream.set_nodelay(true);
    // Without an address it is gone already.
    let Ok(address) = stream.peer_addr() else { return };
    let (mut agent, mut visitor) = (None, Visitor::new(address.ip()));
    let upgrade = Upgrade { path: shared.config.path.as_deref(), agent: &mut agent, visitor: &mut visitor };
    let limits = WebSocketConfig::default()
        .max_message_size(Some(shared.config.max_message_size))
        .max_frame_size(Some(shared.config.max_message_size))
        // Allocated per connection: thousands of idle agents must not cost 128 KiB each.
        .read_buffer_size(4096)
        .write_buffer_size(4096);
    let accepted = tokio::select! {
        accepted = timeout(shared.config.handshake_timeout, accept_hdr_async_with_config(stream, upgrade, Some(limits))) => accepted,
        () = told_to_close(&mut shutdown) => return,
    };
    let Ok(Ok(socket)) = accepted else { return };
    let (client, queue) = Client::new(shared.clone(), id, visitor);
    serve(&shared, client, socket, queue, agent, shutdown).await;
}

async fn serve<S>(
    shared: &Shared,
    mut client: Client,
    socket: S,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
    agent: Option<AgentUri>,
    mut shutdown: watch::Receiver<bool>,
) where
    S: Stream<Item = Result<Message, WsError>> + Sink<Message, Error = WsError> + Unpin,
{
    let (mut sink, mut stream) = socket.split();
    let handle = client.handle().clone();
    let close = tokio::select! {
        close = read(shared, &mut client, &mut stream, agent) => close,
        () = write(&mut sink, &mut queue, &handle) => None,
        close = handle.killed() => Some(close),
        close = watchdog(&shared.config, &handle) => Some(close),
        () = told_to_close(&mut shutdown) => Some(GOING_AWAY),
    };
    client.release_all();
    if let Some(Close { code, reason }) = close {
        if code == close_code::SLOW_CONSUMER {
            count(&shared.counters.slow_consumers);
        }
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
        let _ = timeout(shared.config.close_timeout, goodbye).await;
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
