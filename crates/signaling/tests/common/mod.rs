//! A bare WebSocket client for tests, and shorthands.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ossa_signaling::{AgentUri, Client, ClientConfig, ClientEvent, Events, Reconnect, Server, ServerConfig};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Speaks the wire format and nothing else, like `new WebSocket(url)`.
pub struct Raw(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Raw {
    pub async fn connect(url: &str) -> Self {
        Self(connect_async(url).await.expect("connects").0)
    }

    pub async fn registered(server: &Server, agent: &str) -> Self {
        let mut raw = Self::connect(&server.url()).await;
        assert_eq!(raw.ask(json!({ "type": "register", "agentId": agent })).await["type"], "registered");
        raw
    }

    pub async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.expect("sends");
    }

    /// The next text frame; pings are answered by the library while waiting.
    pub async fn next(&mut self) -> Value {
        loop {
            match self.0.next().await.expect("open").expect("no error") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Close(frame) => panic!("closed instead of a frame: {frame:?}"),
                _ => {}
            }
        }
    }

    pub async fn ask(&mut self, frame: Value) -> Value {
        self.send(frame).await;
        self.next().await
    }

    /// Reads until the server closes; returns the close code.
    pub async fn closed(&mut self) -> Option<u16> {
        while let Some(Ok(frame)) = self.0.next().await {
            if let Message::Close(frame) = frame {
                return frame.map(|frame| frame.code.into());
            }
        }
        None
    }
}

pub async fn server() -> Server {
    Server::bind(ServerConfig::default()).await.expect("a loopback port")
}

pub fn uri(text: &str) -> AgentUri {
    text.parse().expect("an agent URI")
}

pub fn offer(from: &str, to: &str) -> Value {
    json!({ "type": "offer", "from": from, "to": to, "sessionId": "s1", "sdp": "v=0" })
}

/// A client that tries again at once.
pub fn client(url: &str, agent: &str) -> (Client, Events) {
    let quick = Reconnect {
        initial: Duration::from_millis(1),
        max: Duration::from_millis(5),
        ..Reconnect::default()
    };
    Client::start(ClientConfig { reconnect: quick, ..ClientConfig::new(url, uri(agent)) })
        .expect("a valid URL")
}

/// Waits for an event of one kind; others before it are dropped.
pub async fn wait<T>(events: &mut Events, mut pick: impl FnMut(ClientEvent) -> Option<T>) -> T {
    loop {
        if let Some(found) = pick(events.recv().await.expect("an event")) {
            return found;
        }
    }
}

pub async fn wait_registered(events: &mut Events) {
    wait(events, |event| matches!(event, ClientEvent::Registered { .. }).then_some(())).await;
}
