//! What an attacker may try, and what the others notice of it: nothing.

mod common;
#[path = "common/http.rs"]
mod http;

use std::time::Duration;

use common::{Raw, offer, server};
use http::{Session, rest};
use ossa_signaling::{Rate, Server, ServerConfig, close_code};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

async fn impatient() -> Server {
    let config = ServerConfig { handshake_timeout: Duration::from_millis(300), ..ServerConfig::default() };
    Server::bind(config).await.unwrap()
}

/// Sends a byte now and then until the server has had enough.
async fn drip(stream: &mut TcpStream) {
    let mut buffer = [0; 256];
    loop {
        tokio::select! {
            read = stream.read(&mut buffer) => if read.is_err() || read.is_ok_and(|length| length == 0) { return },
            () = tokio::time::sleep(Duration::from_millis(20)) => if stream.write_all(b"x").await.is_err() { return },
        }
    }
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off() {
    let server = impatient().await;
    for start in ["", "GET / HTTP/1.1\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        drip(&mut stream).await;
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off_and_the_session_goes_on() {
    let server = impatient().await;
    let mut session = Session::start(&server).await;
    session.post(&json!({ "type": "register", "agentId": "agent://a" }).to_string()).await;
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let head = format!(
        "POST /v1/frames HTTP/1.1\r\nHost: a\r\n{}\r\nContent-Length: 1000\r\n\r\n",
        session.header()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    drip(&mut stream).await;
    assert_eq!(session.frames().await[0]["type"], "registered");
}

#[tokio::test]
async fn oversized_heads_and_garbage_hurt_nobody() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let long = format!("GET / HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X-Many: x\r\n".repeat(1000));
    for garbage in
        [long.as_bytes(), many.as_bytes(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &[0; 1000]]
    {
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        let _ = stream.write_all(garbage).await;
        let _ = stream.shutdown().await;
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_half_open_connections_do_not_keep_an_honest_client_out() {
    let config = ServerConfig {
        max_half_open: 100,
        max_connections_per_address: 20_000,
        // None of them goes by itself.
        handshake_timeout: Duration::from_secs(600),
        ..ServerConfig::default()
    };
    let server = Server::bind(config).await.unwrap();
    let mut half_open = Vec::new();
    for index in 0..10_000 {
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        if index % 2 == 0 {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nX: ").await;
        }
        half_open.push(stream);
        // Both ends are in this process, which may have 20,000 files open at most.
        if half_open.len() > 2000 {
            half_open.drain(..1000);
        }
        if index % 1000 == 999 {
            let mut honest = Raw::registered(&server, "agent://honest").await;
            honest.0.close(None).await.unwrap();
            honest.closed().await;
        }
    }
    // The accept loop may be behind; all but a hundred are turned away in the end.
    while server.stats().turned_away < 9_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_agent_that_floods_is_told_and_then_disconnected_while_others_get_through() {
    let rate = Rate { per_second: 1.0, burst: 10.0 };
    let config = ServerConfig { message_rate: rate, ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let mut b = Raw::registered(&server, "agent://b").await;
    let mut flooder = Raw::registered(&server, "agent://flooder").await;
    let candidate =
        json!({ "type": "ice-candidate", "from": "agent://flooder", "to": "agent://b", "sessionId": "s" });
    for _ in 0..200 {
        // The server may have closed it already.
        let _ = futures_util::SinkExt::send(&mut flooder.0, Message::text(candidate.to_string())).await;
    }
    let first = flooder.next().await;
    assert_eq!((&first["error"]["code"], &first["sessionId"]), (&json!("RATE_LIMIT_EXCEEDED"), &json!("s")));
    assert_eq!(flooder.closed().await, Some(close_code::RATE_LIMITED));
    let mut honest = Raw::registered(&server, "agent://honest").await;
    honest.send(offer("agent://honest", "agent://b")).await;
    let mut relayed = 0;
    while b.next().await["from"] == "agent://flooder" {
        relayed += 1;
    }
    assert!(relayed <= 11, "{relayed}");
    assert!(server.stats().rate_limited >= 100);
    // Coming back does not bring a new allowance.
    let mut again = Raw::connect(&server.url()).await;
    let refusal = again.ask(json!({ "type": "register", "agentId": "agent://flooder" })).await;
    assert_eq!(refusal["error"]["code"], "RATE_LIMIT_EXCEEDED");
    assert!(refusal["error"]["message"].as_str().unwrap().contains("try again in"), "{refusal}");
}

#[tokio::test]
async fn frames_that_say_nothing_count_like_those_that_do() {
    let rate = Rate { per_second: 1.0, burst: 10.0 };
    for frame in [Message::Ping("p".into()), Message::Pong("".into()), Message::Binary("b".into())] {
        // One each: whoever has been disconnected for flooding has to wait.
        let config = ServerConfig { message_rate: rate, ..ServerConfig::default() };
        let server = Server::bind(config).await.unwrap();
        let mut flooder = Raw::registered(&server, "agent://flooder").await;
        for _ in 0..200 {
            // The server may have closed it already.
            let _ = futures_util::SinkExt::send(&mut flooder.0, frame.clone()).await;
        }
        assert_eq!(flooder.closed().await, Some(close_code::RATE_LIMITED), "{frame:?}");
    }
}

#[tokio::test]
async fn offers_to_one_agent_and_candidates_of_one_session_are_limited() {
    let config = ServerConfig { offers_per_pair: 2, candidates_per_session: 3, ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let mut a = Raw::registered(&server, "agent://a").await;
    let mut b = Raw::registered(&server, "agent://b").await;
    let mut c = Raw::registered(&server, "agent://c").await;
    let candidate =
        json!({ "type": "ice-candidate", "from": "agent://a", "to": "agent://b", "sessionId": "s1" });
    a.send(offer("agent://a", "agent://b")).await;
    for _ in 0..3 {
        a.send(candidate.clone()).await;
    }
    assert_eq!(a.ask(candidate.clone()).await["error"]["code"], "RATE_LIMIT_EXCEEDED");
    // The next generation of candidates comes after its description.
    a.send(offer("agent://a", "agent://b")).await;
    a.send(candidate).await;
    let refusal = a.ask(offer("agent://a", "agent://b")).await;
    assert_eq!(refusal["error"]["code"], "RATE_LIMIT_EXCEEDED");
    // A new connection does not help, and another recipient is not concerned.
    a.send(json!({ "type": "unregister", "agentId": "agent://a" })).await;
    a.next().await;
    let mut again = Raw::registered(&server, "agent://a").await;
    assert_eq!(again.ask(offer("agent://a", "agent://b")).await["error"]["code"], "RATE_LIMIT_EXCEEDED");
    again.send(offer("agent://a", "agent://c")).await;
    assert_eq!(c.next().await["type"], "offer");
    for _ in 0..6 {
        assert_eq!(b.next().await["from"], "agent://a");
    }
}

#[tokio::test]
async fn entering_and_leaving_rooms_is_limited() {
    let rate = Rate { per_second: 0.001, burst: 2.0 };
    let server = Server::bind(ServerConfig { room_rate: rate, ..ServerConfig::default() }).await.unwrap();
    let mut a = Raw::registered(&server, "agent://a").await;
    let frame = |kind: &str| json!({ "type": kind, "agentId": "agent://a", "room": "r" });
    assert_eq!(a.ask(frame("join")).await["type"], "joined");
    assert_eq!(a.ask(frame("leave")).await["type"], "left");
    assert_eq!(a.ask(frame("join")).await["error"]["code"], "RATE_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn too_many_posts_at_once_are_refused() {
    // The registration waits for the owner of the name, and everything behind it waits with it.
    let config = ServerConfig { takeover_timeout: Duration::from_secs(600), ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let _owner = Raw::registered(&server, "agent://a").await;
    let session = Session::start(&server).await;
    let claim = json!({ "type": "register", "agentId": "agent://a" }).to_string();
    let refused = tokio::select! {
        refused = async {
            let posts = std::iter::repeat_with(|| session.post(&claim)).take(5);
            let mut posts: futures_util::stream::FuturesUnordered<_> = posts.collect();
            futures_util::StreamExt::next(&mut posts).await
        } => refused,
        () = std::future::pending() => unreachable!(),
    };
    assert_eq!(refused.unwrap().status, 429);
}
