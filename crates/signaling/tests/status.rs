//! What the status page is told.

mod common;
#[path = "common/http.rs"]
mod http;

use std::time::Duration;

use common::{Raw, offer, server};
use http::{get, request, rest};
use ossa_signaling::{Secret, Server, ServerConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A page that is being refreshed.
struct Page {
    stream: TcpStream,
    text: String,
}

impl Page {
    async fn open(server: &Server) -> Self {
        let address = server.local_addr();
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let text = format!("GET /status/events HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(text.as_bytes()).await.expect("writes");
        Self { stream, text: String::new() }
    }

    /// Reads until `part` has come.
    async fn until(&mut self, part: &str) -> &str {
        let mut bytes = vec![0; 65_536];
        while !self.text.contains(part) {
            let count = self.stream.read(&mut bytes).await.expect("reads");
            assert!(count > 0, "{part} in {}", self.text);
            self.text += &String::from_utf8_lossy(&bytes[..count]);
        }
        &self.text
    }

    /// The data of the latest event of that name.
    fn latest(&self, event: &str) -> Value {
        let start = format!("event: {event}\ndata: ");
        let data = self.text.rsplit_once(&start).expect("such an event").1.lines().next().unwrap_or_default();
        serde_json::from_str(data).expect("JSON")
    }
}

fn answer(from: &str, to: &str) -> Value {
    json!({ "type": "answer", "from": from, "to": to, "sessionId": "s1", "sdp": "v=0" })
}

#[tokio::test]
async fn whoever_answers_an_offer_is_connected_and_whoever_answers_none_is_not() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let mut b = Raw::registered(&server, "agent://b").await;
    let mut liar = Raw::registered(&server, "agent://liar").await;
    liar.send(answer("agent://liar", "agent://b")).await;
    b.next().await;
    a.send(offer("agent://a", "agent://b")).await;
    b.next().await;
    let before = get(&server, "/status.json").await.json();
    assert_eq!(before["connections"], json!([]));
    b.send(answer("agent://b", "agent://a")).await;
    a.next().await;
    let status = get(&server, "/status.json").await.json();
    assert_eq!(status["connections"], json!([["agent://a", "agent://b"]]));
    assert_eq!(status["agents"], json!(["agent://a", "agent://b", "agent://liar"]));
}

#[tokio::test]
async fn a_search_finds_agents_and_rooms_by_any_part_of_their_names() {
    let server = server().await;
    let mut agents = Vec::new();
    for name in ["agent://shop/Orders", "agent://shop/mail", "agent://depot"] {
        agents.push(Raw::registered(&server, name).await);
    }
    let room = "Größe & order";
    agents[2].ask(json!({ "type": "join", "agentId": "agent://depot", "room": room })).await;
    let found = async |search: &str| {
        let status = get(&server, &format!("/status.json?search={search}")).await.json();
        assert_eq!(status["counts"]["agents"], 3);
        let rooms = status["rooms"].as_array().expect("a list").len();
        (status["agents"].as_array().expect("a list").len(), rooms)
    };
    assert_eq!(found("ORDER").await, (1, 1));
    assert_eq!(found("shop").await, (2, 0));
    assert_eq!(found("Gr%C3%B6%C3%9Fe%20%26").await, (0, 1));
    assert_eq!(found("").await, (3, 1));
    assert_eq!(found("nobody").await, (0, 0));
    assert_eq!(get(&server, "/status.json?search=%ff").await.status, 400);
}

#[tokio::test]
async fn a_page_is_told_of_everybody_at_once_and_of_whoever_comes() {
    let server = server().await;
    let _a = Raw::registered(&server, "agent://a").await;
    let mut page = Page::open(&server).await;
    page.until("event: status\n").await;
    assert!(page.text.contains("content-type: text/event-stream"), "{}", page.text);
    assert_eq!(page.latest("listing")["agents"], json!(["agent://a"]));
    let names = page.latest("columns")["names"].as_array().expect("a list").len();
    let samples = page.latest("samples");
    assert_eq!(samples[0].as_array().expect("a row").len(), names + 1);
    let _b = Raw::registered(&server, "agent://b").await;
    page.until(r#""agents":["agent://a","agent://b"]"#).await;
}

#[tokio::test]
async fn so_many_pages_are_refreshed_and_a_place_is_free_when_one_is_closed() {
    let server = server().await;
    let mut pages = Vec::new();
    for _ in 0..16 {
        let mut page = Page::open(&server).await;
        page.until("event: status\n").await;
        pages.push(page);
    }
    let refused = get(&server, "/status/events").await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.starts_with("RATE_LIMIT_EXCEEDED: 16"), "{}", refused.body);
    // Whoever only asks for the state of things is not concerned.
    assert_eq!(get(&server, "/status.json").await.status, 200);
    pages.pop();
    while !Page::open(&server).await.until("\r\n\r\n").await.contains(" 200 ") {}
}

#[tokio::test]
async fn a_server_that_closes_says_so_to_pages_and_does_not_wait_for_them() {
    let server = server().await;
    let mut page = Page::open(&server).await;
    page.until("event: status\n").await;
    server.close().await;
    let ending = rest(&mut page.stream).await;
    assert!(ending.contains("event: close\ndata: {}\n\n"), "{ending}");
}

#[tokio::test]
async fn pages_do_not_keep_a_server_that_drains() {
    let server = server().await;
    let mut page = Page::open(&server).await;
    page.until("event: status\n").await;
    // An hour is only the most: nobody is left who is to be sent away.
    server.drain(Duration::from_secs(3600)).await;
    page.until("event: close\n").await;
}

#[tokio::test]
async fn without_the_token_there_is_the_page_and_nothing_to_show_on_it() {
    let admin_token = Some(Secret::from("s3cret".to_owned()));
    let server =
        Server::bind(ServerConfig { admin_token, ..ServerConfig::default() }).await.expect("a loopback port");
    for path in ["/status", "/status/page.js", "/status/page.css", "/status/charts.js", "/status/picture.js"]
    {
        assert_eq!(get(&server, path).await.status, 200, "{path}");
    }
    for path in ["/status/events", "/status.json", "/status/other", "/metrics"] {
        assert_eq!(get(&server, path).await.status, 401, "{path}");
    }
    let page = get(&server, "/status").await;
    assert!(page.head.contains("script-src 'self';") && !page.head.contains("unsafe"), "{}", page.head);
    let token = ["Authorization: Bearer s3cret"];
    assert_eq!(request(server.local_addr(), "GET /status/other", &token, "").await.status, 404);
    assert_eq!(request(server.local_addr(), "POST /status/events", &token, "").await.status, 405);
}
