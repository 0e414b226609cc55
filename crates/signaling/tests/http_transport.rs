//! Signaling by plain HTTP requests.

mod common;
#[path = "common/http.rs"]
mod http;

use std::time::Duration;

use common::{Raw, offer, server};
use http::{Session, request, rest};
use ossa_signaling::{Server, ServerConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn register(agent: &str) -> String {
    json!({ "type": "register", "agentId": agent }).to_string()
}

#[tokio::test]
async fn agents_behind_http_and_behind_a_websocket_reach_each_other() {
    let server = server().await;
    let mut raw = Raw::registered(&server, "agent://ws").await;
    let mut session = Session::start(&server).await;
    assert_eq!(session.post(&register("agent://http")).await.status, 202);
    assert_eq!(session.frames().await[0]["type"], "registered");

    raw.send(offer("agent://ws", "agent://http")).await;
    let frames = session.frames().await;
    assert_eq!(frames, [offer("agent://ws", "agent://http")]);
    let answer = json!({ "type": "answer", "from": "agent://http", "to": "agent://ws", "sdp": "v=0" });
    let end = json!({ "type": "ice-candidate", "from": "agent://http", "to": "agent://ws" });
    assert_eq!(session.post(&json!([answer, end]).to_string()).await.status, 202);
    assert_eq!((raw.next().await, raw.next().await), (answer, end));
    assert_eq!(server.stats().connections, 2);
}

#[tokio::test]
async fn frames_are_delivered_again_until_they_are_acknowledged() {
    let server = server().await;
    let mut raw = Raw::registered(&server, "agent://ws").await;
    let mut session = Session::start(&server).await;
    session.post(&register("agent://http")).await;
    session.frames().await;
    raw.send(offer("agent://ws", "agent://http")).await;
    let what = "GET /v1/frames?after=1&wait=25";
    let first = request(server.local_addr(), what, &[&session.header()], "").await;
    let again = request(server.local_addr(), what, &[&session.header()], "").await;
    assert_eq!((first.json()["last"].as_u64(), first.body), (Some(2), again.body));
    let later = request(server.local_addr(), "GET /v1/frames?after=2&wait=0", &[&session.header()], "").await;
    assert_eq!(later.json(), json!({ "frames": [], "last": 2 }));
    let lost = request(server.local_addr(), "GET /v1/frames?after=0&wait=0", &[&session.header()], "").await;
    assert_eq!((lost.status, lost.json()["code"].as_str()), (410, Some("MESSAGE_EXPIRED")));
    let future =
        request(server.local_addr(), "GET /v1/frames?after=3&wait=0", &[&session.header()], "").await;
    assert_eq!(future.status, 410);
}

/// Reads a stream of events until `wanted` has been seen.
async fn until(stream: &mut TcpStream, seen: &mut String, wanted: &str) {
    let mut buffer = [0; 4096];
    while !seen.contains(wanted) {
        let length = stream.read(&mut buffer).await.expect("no error");
        assert!(length > 0, "the stream ended before {wanted:?}: {seen}");
        seen.push_str(std::str::from_utf8(&buffer[..length]).expect("UTF-8"));
    }
}

async fn events(server: &Server, session: &Session, last: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let head = format!(
        "GET /v1/frames HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: text/event-stream\r\n{}\r\n{last}\r\n",
        session.header()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_stream_of_events_goes_on_after_the_last_one_that_was_seen() {
    let server = server().await;
    let mut raw = Raw::registered(&server, "agent://ws").await;
    let session = Session::start(&server).await;
    let mut stream = events(&server, &session, "").await;
    let mut seen = String::new();
    session.post(&register("agent://http")).await;
    until(&mut stream, &mut seen, "id: 1\ndata: {\"type\":\"registered\"").await;
    assert!(seen.contains("content-type: text/event-stream"), "{seen}");
    raw.send(offer("agent://ws", "agent://http")).await;
    until(&mut stream, &mut seen, "id: 2\ndata: {").await;
    drop(stream);

    let mut stream = events(&server, &session, "Last-Event-ID: 1\r\n").await;
    let mut seen = String::new();
    until(&mut stream, &mut seen, "id: 2\ndata: {").await;
    assert!(!seen.contains("id: 1\n"));
    // A newer receiver sends this one away.
    let _newer = events(&server, &session, "Last-Event-ID: 2\r\n").await;
    rest(&mut stream).await;
}

#[tokio::test]
async fn an_ended_session_gives_its_names_up_at_once() {
    let server = server().await;
    let mut session = Session::start(&server).await;
    session.post(&register("agent://http")).await;
    session.frames().await;
    let ended = request(server.local_addr(), "DELETE /v1/sessions", &[&session.header()], "").await;
    assert_eq!(ended.status, 204);
    while server.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    let mut raw = Raw::registered(&server, "agent://http").await;
    assert_eq!(raw.ask(json!({ "type": "x" })).await["error"]["code"], "INVALID_MESSAGE");
    let unknown = session.post("{}").await;
    assert_eq!((unknown.status, unknown.json()["code"].as_str()), (404, Some("UNAUTHORIZED")));
}

#[tokio::test]
async fn an_agent_that_polls_keeps_its_name_and_one_that_does_not_loses_it() {
    let config = ServerConfig { takeover_timeout: Duration::from_millis(300), ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let mut session = Session::start(&server).await;
    session.post(&register("agent://a")).await;
    session.frames().await;
    let mut thief = Raw::connect(&server.url()).await;
    let claim = json!({ "type": "register", "agentId": "agent://a" });
    let refusal = {
        let poll = async {
            loop {
                session.receive(25).await;
            }
        };
        tokio::select! {
            refusal = thief.ask(claim.clone()) => refusal,
            () = poll => unreachable!(),
        }
    };
    assert_eq!(refusal["error"]["code"], "UNAUTHORIZED");
    assert_eq!(thief.ask(claim).await["type"], "registered");
    let told = session.frames().await;
    assert_eq!(told[0]["error"]["code"], "UNAUTHORIZED");
    assert_eq!(session.receive(25).await.json()["closed"]["code"], 4001);
}

#[tokio::test]
async fn a_session_that_never_registers_or_falls_silent_is_ended_with_a_reason() {
    let short = ServerConfig { handshake_timeout: Duration::from_millis(50), ..ServerConfig::default() };
    let server = Server::bind(short).await.unwrap();
    let mut session = Session::start(&server).await;
    assert_eq!(session.receive(25).await.json()["closed"]["code"], 4004);
    while server.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(session.receive(0).await.status, 404);
}

#[tokio::test]
async fn what_is_too_large_or_no_frame_is_refused() {
    let server = server().await;
    let mut session = Session::start(&server).await;
    let big = json!({ "type": "offer", "sdp": "x".repeat(64 * 1024) }).to_string();
    let refused = session.post(&big).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (413, Some("MESSAGE_TOO_LARGE")));
    assert_eq!(session.post(&"x".repeat(1024 * 1024)).await.status, 413);
    assert_eq!(session.post("[1").await.status, 400);
    // As on a WebSocket, what is wrong inside of a frame is answered by a frame.
    assert_eq!(session.post("nonsense").await.status, 202);
    assert_eq!(session.frames().await[0]["error"]["code"], "INVALID_MESSAGE");
    for (what, status) in
        [("PUT /v1/frames", 405), ("GET /v1/sessions", 405), ("GET /v1/frames?after=x", 400)]
    {
        assert_eq!(
            request(server.local_addr(), what, &[&session.header()], "").await.status,
            status,
            "{what}"
        );
    }
    assert_eq!(request(server.local_addr(), "POST /v1/frames", &[], "{}").await.status, 404);
}

#[tokio::test]
async fn a_session_that_does_not_receive_is_a_slow_consumer() {
    let config =
        ServerConfig { max_queue_bytes: 64 * 1024, offers_per_pair: 1000, ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let mut raw = Raw::registered(&server, "agent://ws").await;
    let session = Session::start(&server).await;
    session.post(&register("agent://slow")).await;
    let mut big = offer("agent://ws", "agent://slow");
    big["sdp"] = json!("x".repeat(30_000));
    raw.send(big.clone()).await;
    raw.send(big.clone()).await;
    assert_eq!(raw.ask(big).await["error"]["code"], "AGENT_UNREACHABLE");
    while server.stats().slow_consumers == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn closing_the_server_tells_a_waiting_receiver() {
    let server = server().await;
    let mut session = Session::start(&server).await;
    session.post(&register("agent://a")).await;
    session.frames().await;
    let mut stream = events(&server, &session, "Last-Event-ID: 1\r\n").await;
    let mut seen = String::new();
    // The first bytes come when the receiver is in its place.
    until(&mut stream, &mut seen, ":\n\n").await;
    server.close().await;
    until(&mut stream, &mut seen, "event: close\ndata: {\"code\":1001").await;
}
