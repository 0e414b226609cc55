//! Requests that no honest client sends, to a server that goes on serving honest ones.

mod common;
#[path = "common/http.rs"]
mod http;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use common::Raw;
use http::{Session, get, request, rest};
use ossa_signaling::{AuthMode, Authenticator, Origins, Rate, Server, ServerConfig, Verdict};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn with(config: ServerConfig) -> Server {
    Server::bind(config).await.expect("a loopback port")
}

/// Sends bytes as they are, says that there are no more, and takes all that comes back.
async fn answer(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    // The server may have had enough before the end.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    rest(&mut stream).await
}

fn register(agent: &str) -> String {
    json!({ "type": "register", "agentId": agent }).to_string()
}

/// Whether an agent can still register, both ways.
async fn serves(server: &Server) {
    let mut raw = Raw::registered(server, "agent://honest/ws").await;
    raw.0.close(None).await.unwrap();
    let mut session = Session::start(server).await;
    assert_eq!(session.post(&register("agent://honest/http")).await.status, 202);
    assert_eq!(session.frames().await[0]["type"], "registered");
    request(server.local_addr(), "DELETE /v1/sessions", &[&session.header()], "").await;
}

#[tokio::test]
async fn heads_that_are_none_are_refused_and_hurt_nobody() {
    let server = common::server().await;
    let long = "x".repeat(20_000);
    for head in [
        "GET\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET  /  HTTP/1.1\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\r\n\r\n".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(65)),
        "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n".to_owned(),
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n".to_owned(),
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx".to_owned(),
        "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(),
    ] {
        let answer = answer(&server, head.as_bytes()).await;
        let wrong =
            || format!("{:?} was answered with {answer:?}", head.chars().take(80).collect::<String>());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{}", wrong());
    }
    assert_eq!(server.stats().total_connections, 0);
    serves(&server).await;
}

#[tokio::test]
async fn odd_urls_are_nothing_here_and_do_not_reach_what_is_there() {
    let server = with(ServerConfig { path: Some("/sig".into()), ..ServerConfig::default() }).await;
    for path in [
        "//sig/health",
        "/sig/../sig/health",
        "/sig/%68ealth",
        "/sig/health/",
        "/sig//health",
        "/sighealth",
        "/x?/sig/health",
        "/sig/v1/sessions/..",
        "/%2e%2e/sig/status",
    ] {
        assert_eq!(get(&server, path).await.status, 404, "{path}");
    }
    let absolute = answer(
        &server,
        b"GET http://evil.example/sig/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert!(absolute.await.starts_with("HTTP/1.1 200"), "the form for proxies is that of RFC 9112, 3.2.2");
    assert_eq!(get(&server, "/sig/health?x=%ff%00").await.status, 200);
}

#[tokio::test]
async fn bodies_come_in_chunks_or_not_at_all() {
    let server = common::server().await;
    let mut session = Session::start(&server).await;
    let head = format!(
        "POST /v1/frames HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n",
        session.header()
    );
    let frame = register("agent://a");
    // Whatever the type says: what counts is the content. A chunk of one byte each is slow, and right.
    let chunks: String = frame.chars().map(|byte| format!("1\r\n{byte}\r\n")).collect();
    let whole = answer(&server, format!("{head}{chunks}0\r\n\r\n").as_bytes()).await;
    assert!(whole.starts_with("HTTP/1.1 202"), "{whole}");
    assert_eq!(session.frames().await[0]["type"], "registered");
    let large = format!("{head}100000\r\n{}\r\n0\r\n\r\n", "x".repeat(0x10_0000));
    let endless_extension = format!("{head}1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(100_000));
    for (body, status) in [
        (format!("{head}zz\r\nx\r\n0\r\n\r\n"), "400"),
        (format!("{head}5\r\nab"), "400"),
        (format!("{head}fffffffffffffffff\r\nx"), "400"),
        (endless_extension, "400"),
        (large, "413"),
    ] {
        let answer = answer(&server, body.as_bytes()).await;
        let shown = body[head.len()..].chars().take(20).collect::<String>();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) || answer.is_empty(), "{shown}: {answer}");
    }
    // None of this has ended the session, or left one of its places for requests taken.
    for _ in 0..5 {
        assert_eq!(session.post("[]").await.status, 202);
    }
}

#[tokio::test]
async fn an_upgrade_with_a_body_leaves_no_frame_behind() {
    let server = common::server().await;
    let upgrade = "GET /?agentId=agent://a HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nContent-Length: 40\r\n\r\n";
    let smuggled = "GET /v1/frames HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = answer(&server, format!("{upgrade}{smuggled}{smuggled}").as_bytes()).await;
    // One answer; what follows is taken as frames at most, which it is not.
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    serves(&server).await;
}

#[tokio::test]
async fn many_pipelined_requests_are_answered_in_order_and_one_at_a_time() {
    let server = common::server().await;
    let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let requests = "GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
        .repeat(2000)
        + "GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut answers = Vec::new();
    let sent = async { writing.write_all(requests.as_bytes()).await.unwrap() };
    let received = async { reading.read_to_end(&mut answers).await.unwrap() };
    tokio::join!(sent, received);
    let answers = String::from_utf8(answers).unwrap();
    let codes: Vec<_> = answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
    assert_eq!(codes.len(), 4001);
    assert!(codes[..4000].chunks(2).all(|pair| pair == ["200", "404"]));
    serves(&server).await;
}

#[tokio::test]
async fn the_secret_of_a_session_cannot_be_guessed_and_nothing_else_opens_it() {
    let server = common::server().await;
    let mut secrets = HashSet::new();
    for _ in 0..100 {
        let session = Session::start(&server).await;
        let header = session.header();
        let secret = header.strip_prefix("Ossa-Session: ").unwrap().to_owned();
        // 244 random bits in hexadecimal digits, none of them the number of the connection.
        assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{secret}");
        secrets.insert(secret);
    }
    assert_eq!(secrets.len(), 100);
    let known = secrets.iter().next().unwrap();
    // Bytes that are the same in all of them are those that say the version of a UUID.
    let alike = |at: usize| secrets.iter().all(|secret| secret.as_bytes()[at] == known.as_bytes()[at]);
    assert!((0..64).filter(|at| alike(*at)).count() <= 2);
    for wrong in [
        &known[..63],
        &format!("{known}0"),
        &known.to_ascii_uppercase(),
        &known.chars().rev().collect::<String>(),
        "",
        "0",
        "*",
        "../1",
        "\u{e9}",
    ] {
        if wrong == known {
            continue;
        }
        for what in ["POST /v1/frames", "GET /v1/frames?wait=0", "DELETE /v1/sessions"] {
            let header = format!("Ossa-Session: {wrong}");
            let refused = request(server.local_addr(), what, &[&header], "[]").await;
            assert_eq!(
                (refused.status, refused.json()["code"].as_str()),
                (404, Some("UNAUTHORIZED")),
                "{wrong}"
            );
            assert!(!refused.body.contains(known.as_str()));
        }
    }
    // It counts in its header only: URLs end up in logs.
    let in_url = format!("GET /v1/frames?wait=0&session={known}&ossa-session={known}");
    assert_eq!(request(server.local_addr(), &in_url, &[], "").await.status, 404);
}

#[tokio::test]
async fn one_connection_cannot_take_the_place_of_all_clients_by_starting_sessions() {
    let config = ServerConfig { max_connections_per_address: 3, ..ServerConfig::default() };
    let server = with(config).await;
    let start = "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    let last = "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let answers = answer(&server, format!("{}{last}", start.repeat(9)).as_bytes()).await;
    let started = |status: &str| answers.matches(&format!("HTTP/1.1 {status}")).count();
    assert_eq!((started("201"), started("429")), (3, 7), "{answers}");
    assert_eq!((server.stats().connections, server.stats().turned_away), (3, 7));
    // A place is free again when a session ends.
    let at = answers.find("\"session\":\"").unwrap() + 11;
    let header = format!("Ossa-Session: {}", &answers[at..at + 64]);
    assert_eq!(request(server.local_addr(), "DELETE /v1/sessions", &[&header], "").await.status, 204);
    while request(server.local_addr(), "POST /v1/sessions", &[], "").await.status != 201 {}
}

#[tokio::test]
async fn a_request_full_of_tiny_frames_ends_at_the_limit_and_not_at_its_own_end() {
    let config =
        ServerConfig { message_rate: Rate { per_second: 0.001, burst: 10.0 }, ..ServerConfig::default() };
    let server = with(config).await;
    let mut session = Session::start(&server).await;
    let many = format!("[{}]", vec!["0"; 100_000].join(","));
    assert_eq!(session.post(&many).await.status, 413);
    assert_eq!(session.post(&format!("[{}]", vec!["0"; 256].join(","))).await.status, 202);
    // Ten are served, a hundred are refused with a reason, and then it is over.
    let closed = loop {
        let received = session.receive(25).await.json();
        if let Some(closed) = received.get("closed") {
            break closed["code"].clone();
        }
    };
    assert_eq!(closed, 4005);
    assert_eq!(server.stats().rate_limited, 101);
}

/// Takes every token.
#[derive(Debug)]
struct Anybody;

impl Authenticator for Anybody {
    fn mode(&self) -> AuthMode {
        AuthMode::Bearer
    }

    fn verify<'a>(&'a self, _: ossa_signaling::Attempt<'a>) -> Verdict<'a> {
        Box::pin(std::future::ready(Ok(ossa_signaling::Identity::default())))
    }
}

#[tokio::test]
async fn what_is_remembered_of_a_request_is_bounded() {
    let server = with(ServerConfig { authenticator: Arc::new(Anybody), ..ServerConfig::default() }).await;
    let start = async |host: usize, token: usize| {
        let request = format!(
            "POST /v1/sessions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            "h".repeat(host),
            "t".repeat(token)
        );
        answer(&server, request.as_bytes()).await[9..12].to_owned()
    };
    assert_eq!(start(260, 8192).await, "201");
    assert_eq!(start(261, 1).await, "431");
    assert_eq!(start(1, 8193).await, "431");
}

#[tokio::test]
async fn web_pages_may_use_signaling_and_not_see_what_is_for_operators() {
    let server = with(ServerConfig { origins: Origins::Any, ..ServerConfig::default() }).await;
    let page = "Origin: https://evil.example";
    assert_eq!(request(server.local_addr(), "POST /v1/sessions", &[page], "").await.status, 201);
    for path in ["/metrics", "/status", "/status.json"] {
        let what = format!("GET {path}");
        assert_eq!(request(server.local_addr(), &what, &[page], "").await.status, 401, "{path}");
        assert_eq!(request(server.local_addr(), &what, &["Origin: null"], "").await.status, 401, "{path}");
        assert_eq!(
            request(server.local_addr(), &what, &["Origin: http://localhost:3000"], "").await.status,
            200
        );
    }
}

#[tokio::test]
async fn a_request_that_a_proxy_on_this_machine_passes_on_is_not_one_of_this_machine() {
    let server = common::server().await;
    for header in [
        "Via: 1.1 proxy",
        "Forwarded: for=203.0.113.9",
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: signal.example",
        "X-Real-IP: 203.0.113.9",
    ] {
        assert_eq!(
            request(server.local_addr(), "GET /status.json", &[header], "").await.status,
            401,
            "{header}"
        );
    }
    assert_eq!(get(&server, "/status.json").await.status, 200);
}

#[tokio::test]
async fn a_body_that_comes_a_byte_at_a_time_does_not_keep_its_place_for_ever() {
    let config = ServerConfig { handshake_timeout: Duration::from_millis(200), ..ServerConfig::default() };
    let server = with(config).await;
    let mut session = Session::start(&server).await;
    session.post(&register("agent://a")).await;
    assert_eq!(session.frames().await[0]["type"], "registered");
    let head = format!(
        "POST /v1/frames HTTP/1.1\r\nHost: a\r\n{}\r\nTransfer-Encoding: chunked\r\n\r\n",
        session.header()
    );
    // As many as may wait for each other.
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(server.local_addr()).await.unwrap();
        stream.write_all(format!("{head}1\r\n[\r\n").as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for mut stream in slow {
        assert!(rest(&mut stream).await.starts_with("HTTP/1.1 408"));
    }
    assert_eq!(session.post("[]").await.status, 202);
}
