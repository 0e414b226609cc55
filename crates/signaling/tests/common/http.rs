//! A bare HTTP/1.1 client: one connection per request.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::net::SocketAddr;

use ossa_signaling::Server;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON instead of {:?}", self.body))
    }

    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }
}

/// Sends one request; `headers` are whole lines. Bodies of known length only.
pub async fn request(address: SocketAddr, what: &str, headers: &[&str], body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let mut text = format!("{what} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for header in headers {
        text += &format!("{header}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    // An early refusal closes the connection before it has read everything.
    let _ = stream.write_all(text.as_bytes()).await;
    Answer::parse(&rest(&mut stream).await)
}

/// Everything until the server closes.
pub async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

pub async fn get(server: &Server, path: &str) -> Answer {
    request(server.local_addr(), &format!("GET {path}"), &[], "").await
}

/// A client of the HTTP transport.
pub struct Session {
    address: SocketAddr,
    secret: String,
    last: u64,
}

impl Session {
    pub async fn start(server: &Server) -> Self {
        let answer = request(server.local_addr(), "POST /v1/sessions", &[], "").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let secret = answer.json()["session"].as_str().expect("a secret").to_owned();
        Self { address: server.local_addr(), secret, last: 0 }
    }

    pub fn header(&self) -> String {
        format!("Ossa-Session: {}", self.secret)
    }

    pub async fn post(&self, body: &str) -> Answer {
        request(self.address, "POST /v1/frames", &[&self.header()], body).await
    }

    /// Frames after the last ones.
    pub async fn receive(&mut self, wait: u64) -> Answer {
        let what = format!("GET /v1/frames?after={}&wait={wait}", self.last);
        let answer = request(self.address, &what, &[&self.header()], "").await;
        if answer.status == 200 {
            self.last = answer.json()["last"].as_u64().expect("a number");
        }
        answer
    }

    /// The next frames, however long it takes.
    pub async fn frames(&mut self) -> Vec<Value> {
        loop {
            let answer = self.receive(25).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let frames = answer.json()["frames"].as_array().expect("a list").clone();
            if !frames.is_empty() {
                return frames;
            }
        }
    }
}
