//! The server as a WebSocket client sees it, over real sockets.

mod common;

use std::time::Duration;

use common::{Raw, offer, server};
use futures_util::SinkExt;
use ossa_signaling::{Server, ServerConfig, Stats, close_code};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

#[tokio::test]
async fn a_message_reaches_the_agent_it_is_addressed_to_unchanged() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://example.com/a").await;
    let mut b = Raw::registered(&server, "agent://EXAMPLE.com/b").await;
    let mut message = offer("agent://example.com/a", "agent://Example.com/b");
    message["auth"] = json!({ "token": "t", "unknown": [1.5] });
    a.send(message.clone()).await;
    assert_eq!(b.next().await, message);
    let Stats { agents: 2, connections: 2, relayed: 1, .. } = server.stats() else {
        panic!("{:?}", server.stats())
    };
    server.close().await;
    assert_eq!(a.closed().await, Some(1001));
}

#[tokio::test]
async fn a_naive_peer_is_registered_by_its_first_message() {
    let server = server().await;
    let mut b = Raw::registered(&server, "agent://b").await;
    let mut naive = Raw::connect(&server.url()).await;
    naive.send(offer("agent://a", "agent://b")).await;
    assert_eq!(b.next().await["from"], "agent://a");
    b.send(json!({ "type": "answer", "from": "agent://b", "to": "agent://a", "sdp": "v=0" })).await;
    assert_eq!(naive.next().await["type"], "answer");
}

#[tokio::test]
async fn an_agent_in_the_url_is_registered_without_a_frame() {
    let server = server().await;
    let mut naive = Raw::connect(&format!("{}/?agentId=agent%3A%2F%2Fa", server.url())).await;
    let mut b = Raw::registered(&server, "agent://b").await;
    // Its own error proves that the registration has been made: frames are served in order.
    assert_eq!(naive.ask(json!({ "type": "nonsense" })).await["error"]["code"], "INVALID_MESSAGE");
    b.send(offer("agent://b", "agent://a")).await;
    assert_eq!(naive.next().await["type"], "offer");
    for query in ["agentId=http%3A%2F%2Fa", "agentId=%ff"] {
        let refused = connect_async(format!("{}/?{query}", server.url())).await.unwrap_err();
        assert!(matches!(refused, Error::Http(response) if response.status() == 400));
    }
}

#[tokio::test]
async fn an_unknown_recipient_is_unreachable_and_the_session_is_named() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let answer = a.ask(offer("agent://a", "agent://nobody")).await;
    assert_eq!(answer["error"]["code"], "AGENT_UNREACHABLE");
    assert_eq!(answer["sessionId"], "s1");
    assert_eq!(answer["to"], "agent://a");
    assert!(answer.get("from").is_none());
    assert_eq!(server.stats().undeliverable, 1);
}

#[tokio::test]
async fn from_is_bound_to_the_connection() {
    let server = server().await;
    let mut mallory = Raw::registered(&server, "agent://mallory").await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let _b = Raw::registered(&server, "agent://b").await;
    let refusal = mallory.ask(offer("agent://a", "agent://b")).await;
    assert_eq!(refusal["error"]["code"], "UNAUTHORIZED");
    // Nor may it borrow a sender by leaving `from` out of an error: the server puts the true one in.
    mallory
        .send(json!({ "type": "error", "to": "agent://a", "error": { "code": "X", "message": "" } }))
        .await;
    assert_eq!(a.next().await["from"], "agent://mallory");
}

#[tokio::test]
async fn a_living_owner_keeps_its_name() {
    let server = server().await;
    let mut owner = Raw::registered(&server, "agent://a").await;
    let mut thief = Raw::connect(&server.url()).await;
    thief.send(json!({ "type": "register", "agentId": "agent://a" })).await;
    let (refusal, ()) = tokio::join!(thief.next(), async {
        // Reading is what answers the server's ping; the frame that ends it comes from the thief's next try.
        owner.send(json!({ "type": "nonsense" })).await;
        owner.next().await;
    });
    assert_eq!(refusal["error"]["code"], "UNAUTHORIZED");
    assert_eq!(refusal["to"], "agent://a");
}

#[tokio::test]
async fn an_owner_that_does_not_answer_loses_its_name() {
    let config = ServerConfig { takeover_timeout: Duration::from_millis(50), ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    // Never polled again, so its pings stay unanswered, like those of a host that was unplugged.
    let mut dead = Raw::registered(&server, "agent://a").await;
    let mut alive = Raw::registered(&server, "agent://a").await;
    let mut b = Raw::registered(&server, "agent://b").await;
    b.send(offer("agent://b", "agent://a")).await;
    assert_eq!(alive.next().await["type"], "offer");
    assert_eq!(dead.next().await["error"]["code"], "UNAUTHORIZED");
    assert_eq!(dead.closed().await, Some(close_code::REPLACED));
    assert_eq!(server.stats().agents, 2);
}

#[tokio::test]
async fn the_resume_token_takes_a_name_over_at_once() {
    let server = server().await;
    let mut old = Raw::connect(&server.url()).await;
    let registered = old.ask(json!({ "type": "register", "agentId": "agent://a" })).await;
    let token = registered["resume"].as_str().unwrap();
    let mut new = Raw::connect(&server.url()).await;
    let resumed = new.ask(json!({ "type": "register", "agentId": "agent://a", "resume": token })).await;
    assert_eq!(resumed["type"], "registered");
    old.next().await;
    assert_eq!(old.closed().await, Some(close_code::REPLACED));
}

#[tokio::test]
async fn a_gateway_keeps_its_other_agents_when_one_is_taken_over() {
    let server = server().await;
    let mut gateway = Raw::registered(&server, "agent://a").await;
    let token = gateway.ask(json!({ "type": "register", "agentId": "agent://a" })).await["resume"].clone();
    assert_eq!(
        gateway.ask(json!({ "type": "register", "agentId": "agent://b" })).await["type"],
        "registered"
    );
    let mut other = Raw::connect(&server.url()).await;
    other.ask(json!({ "type": "register", "agentId": "agent://a", "resume": token })).await;
    assert_eq!(gateway.next().await["to"], "agent://a");
    other.send(offer("agent://a", "agent://b")).await;
    assert_eq!(gateway.next().await["type"], "offer");
    assert_eq!(
        gateway.ask(json!({ "type": "unregister", "agentId": "agent://b" })).await["type"],
        "unregistered"
    );
    assert_eq!(other.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
}

#[tokio::test]
async fn registrations_per_connection_are_limited() {
    let server =
        Server::bind(ServerConfig { max_registrations: 1, ..ServerConfig::default() }).await.unwrap();
    let mut a = Raw::registered(&server, "agent://a").await;
    let refusal = a.ask(json!({ "type": "register", "agentId": "agent://b" })).await;
    assert_eq!(refusal["error"]["code"], "RATE_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn bad_frames_are_refused_and_the_connection_goes_on() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let bad = [
        json!("text"),
        json!([]),
        json!({}),
        json!({ "type": "register" }),
        json!({ "type": "register", "agentId": "agent://" }),
        json!({ "type": "register", "agentId": 7 }),
        json!({ "type": "offer", "from": "agent://a", "to": "agent://b" }),
        json!({ "type": "offer", "from": "agent://a", "sdp": "" }),
        json!({ "type": "offer", "from": "agent://a", "to": "agent://a", "sdp": "" }),
        json!({ "type": "ice-candidate", "from": "agent://a", "to": "agent://b", "candidate": "candidate:1" }),
        json!({ "type": "error", "from": "agent://a", "to": "agent://b" }),
    ];
    for frame in bad {
        assert_eq!(a.ask(frame.clone()).await["error"]["code"], "INVALID_MESSAGE", "{frame}");
    }
    a.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(a.next().await["error"]["code"], "PROTOCOL_ERROR");
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
    assert_eq!(server.stats().refused, 12);
}

#[tokio::test]
async fn an_oversized_frame_ends_only_its_own_connection() {
    let server = server().await;
    let mut bystander = Raw::registered(&server, "agent://b").await;
    let mut a = Raw::registered(&server, "agent://a").await;
    // The server may close while the rest is still being sent; that error is its answer, too.
    let _ = a.0.send(Message::text("x".repeat(64 * 1024 + 1))).await;
    assert!(matches!(a.closed().await, Some(1009) | None));
    assert_eq!(bystander.ask(offer("agent://b", "agent://a")).await["error"]["code"], "AGENT_UNREACHABLE");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected_and_its_sender_is_told() {
    let config =
        ServerConfig { max_queue_bytes: 128 * 1024, offers_per_pair: u32::MAX, ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let mut slow = Raw::registered(&server, "agent://slow").await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let mut big = offer("agent://a", "agent://slow");
    big["sdp"] = json!("x".repeat(60_000));
    // The kernel's buffers take the first megabytes; the queue of 128 KiB then fills.
    let refusal = loop {
        a.send(big.clone()).await;
        a.send(json!({ "type": "unregister", "agentId": "agent://none" })).await;
        let answer = a.next().await;
        if answer["type"] == "error" {
            break answer;
        }
    };
    assert_eq!(refusal["error"]["code"], "AGENT_UNREACHABLE");
    assert!(matches!(slow.closed().await, Some(close_code::SLOW_CONSUMER) | None));
    assert_eq!(server.stats().slow_consumers, 1);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_to_come_back_later() {
    let server = Server::bind(ServerConfig { max_connections: 1, ..ServerConfig::default() }).await.unwrap();
    let _first = Raw::registered(&server, "agent://a").await;
    let refused = connect_async(server.url()).await.unwrap_err();
    assert!(matches!(refused, Error::Http(response) if response.status() == 503));
}

#[tokio::test]
async fn a_connection_without_registration_is_closed() {
    let config = ServerConfig { handshake_timeout: Duration::from_millis(30), ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    assert_eq!(Raw::connect(&server.url()).await.closed().await, Some(close_code::NOT_REGISTERED));
    // One that never finishes its upgrade gets no answer at all.
    let half_open = tokio::net::TcpStream::connect(server.local_addr()).await.unwrap();
    half_open.readable().await.unwrap();
    assert_eq!(half_open.try_read(&mut [0; 1]).unwrap(), 0);
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_then_closed() {
    let config = ServerConfig {
        handshake_timeout: Duration::from_millis(10),
        ping_interval: Duration::from_millis(20),
        idle_timeout: Duration::from_millis(100),
        close_timeout: Duration::from_millis(10),
        ..ServerConfig::default()
    };
    let server = Server::bind(config).await.unwrap();
    // A bare TCP stream answers no pings.
    let mut stream = tokio::net::TcpStream::connect(server.local_addr()).await.unwrap();
    let upgrade = "GET /?agentId=agent://a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    let frames = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(&received[frames..frames + 2], [0x89, 0], "a ping comes first");
    let close = received.windows(2).position(|bytes| bytes == close_code::IDLE.to_be_bytes());
    assert!(close.is_some(), "then the reason");
}

#[tokio::test]
async fn subprotocol_and_path_are_negotiated() {
    let config = ServerConfig { path: Some("/signal".into()), ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let with = |url: String, protocol: &'static str| {
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        connect_async(request)
    };
    let (_, response) = with(server.url(), "chat, ossa-signaling.v1").await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "ossa-signaling.v1");
    let refused = with(server.url(), "ossa-signaling.v9").await.unwrap_err();
    assert!(matches!(refused, Error::Http(response) if response.status() == 400));
    let elsewhere = format!("ws://{}/other", server.local_addr());
    assert!(matches!(connect_async(elsewhere).await.unwrap_err(), Error::Http(r) if r.status() == 404));
}

#[tokio::test]
async fn garbage_instead_of_http_hurts_nobody() {
    let server = server().await;
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\0\r\n\r\n", &[255; 9000]]
    {
        let stream = tokio::net::TcpStream::connect(server.local_addr()).await.unwrap();
        stream.writable().await.unwrap();
        let _ = stream.try_write(garbage);
    }
    Raw::registered(&server, "agent://a").await;
}

#[tokio::test]
async fn close_is_idempotent_and_frees_the_port() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let address = server.local_addr();
    tokio::join!(server.close(), server.close(), a.closed());
    server.close().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(server.stats().connections, 0);
    assert_eq!(server.stats().agents, 0);
}
