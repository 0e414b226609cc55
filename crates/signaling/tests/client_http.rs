//! The client over plain HTTP requests: with the real server, and with what stands between.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{uri, wait, wait_registered};
use ossa_signaling::{
    Body, Client, ClientConfig, ClientEvent, Events, ProxyConfig, Reconnect, Server, ServerConfig,
    SignalingMessage,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn config(url: &str, agent: &str) -> ClientConfig {
    let quick = Reconnect {
        initial: Duration::from_millis(1),
        max: Duration::from_millis(5),
        ..Reconnect::default()
    };
    ClientConfig { reconnect: quick, ..ClientConfig::new(url, uri(agent)) }
}

fn start(url: &str, agent: &str) -> (Client, Events) {
    Client::start(config(url, agent)).unwrap()
}

fn http(server: &Server) -> String {
    server.url().replace("ws://", "http://")
}

/// An answer: there is a limit for offers to one agent.
fn answer(from: &str, to: &str, text: &str) -> SignalingMessage {
    SignalingMessage {
        from: Some(uri(from)),
        to: uri(to),
        session_id: Some("s".into()),
        body: Body::Answer(text.into()),
        auth: None,
    }
}

async fn received(events: &mut Events) -> Body {
    wait(events, |event| match event {
        ClientEvent::Message(message) => Some(message.body),
        _ => None,
    })
    .await
}

/// Passes connections on to `target`, after `change` has seen the head of the first request of each.
async fn front(
    target: std::net::SocketAddr,
    change: impl Fn(&str) -> Front + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let change = Arc::new(change);
    tokio::spawn(async move {
        while let Ok((mut outside, _)) = listener.accept().await {
            let change = change.clone();
            tokio::spawn(async move {
                let mut head = vec![0; 4096];
                let length = outside.read(&mut head).await.unwrap_or(0);
                head.truncate(length);
                let mut inside = TcpStream::connect(target).await.unwrap();
                inside.write_all(&head).await.unwrap();
                match change(&String::from_utf8_lossy(&head)) {
                    Front::Through => {
                        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                    }
                    Front::HoldBack => {
                        // The whole response first, as it would have to be looked at: it has no end.
                        let _ = inside.read_to_end(&mut Vec::new()).await;
                    }
                    Front::Cut(bytes) => {
                        let _ = tokio::io::copy(&mut inside.take(bytes), &mut outside).await;
                    }
                }
            });
        }
    });
    format!("http://{address}")
}

enum Front {
    Through,
    HoldBack,
    /// Ends the response after so many bytes.
    Cut(u64),
}

#[tokio::test]
async fn an_agent_behind_http_and_one_on_a_websocket_exchange_messages_in_order() {
    let server = common::server().await;
    let (a, mut a_events) = start(&http(&server), "agent://a");
    let (b, mut b_events) = start(&server.url(), "agent://b");
    tokio::join!(wait_registered(&mut a_events), wait_registered(&mut b_events));
    for number in 0..50 {
        a.send(answer("agent://a", "agent://b", &format!("to b {number}"))).unwrap();
        b.send(answer("agent://b", "agent://a", &format!("to a {number}"))).unwrap();
    }
    for number in 0..50 {
        assert_eq!(received(&mut b_events).await, Body::Answer(format!("to b {number}")));
        assert_eq!(received(&mut a_events).await, Body::Answer(format!("to a {number}")));
    }
    tokio::join!(a.close(), b.close());
    assert_eq!(server.stats().agents, 0);
}

#[tokio::test]
async fn the_path_of_an_http_url_leads_to_the_server_behind_it() {
    let server = Server::bind(ServerConfig { path: Some("/deep/signal".into()), ..ServerConfig::default() })
        .await
        .unwrap();
    let (a, mut events) = start(&http(&server), "agent://a");
    wait_registered(&mut events).await;
    a.close().await;
}

#[tokio::test]
async fn an_agent_behind_http_returns_with_the_server_and_resumes_its_name() {
    let first = common::server().await;
    let address = first.local_addr();
    let (a, mut events) = start(&http(&first), "agent://a");
    wait_registered(&mut events).await;
    first.close().await;
    let reason = wait(&mut events, |event| match event {
        ClientEvent::Disconnected { error, .. } => Some(error),
        _ => None,
    })
    .await;
    assert!(reason.contains("1001"), "{reason}");
    let second = Server::bind(ServerConfig { listen: address, ..ServerConfig::default() }).await.unwrap();
    wait_registered(&mut events).await;
    assert_eq!(second.stats().agents, 1);
    a.close().await;
}

#[tokio::test]
async fn the_server_hears_of_a_client_that_is_silent_but_there() {
    // The client has two and a half seconds for its answer, so that a busy machine makes no difference.
    let config = ServerConfig {
        ping_interval: Duration::from_millis(500),
        idle_timeout: Duration::from_secs(3),
        ..ServerConfig::default()
    };
    let server = Server::bind(config).await.unwrap();
    let (a, mut events) = start(&http(&server), "agent://a");
    wait_registered(&mut events).await;
    let (b, mut b_events) = start(&server.url(), "agent://b");
    wait_registered(&mut b_events).await;
    let end = tokio::time::sleep(Duration::from_secs(4));
    tokio::select! {
        event = events.recv() => panic!("{event:?}"),
        () = end => {}
    }
    b.send(answer("agent://b", "agent://a", "still there?")).unwrap();
    assert_eq!(received(&mut events).await, Body::Answer("still there?".into()));
    a.close().await;
}

#[tokio::test]
async fn streams_that_something_holds_back_are_replaced_by_polling() {
    let server = common::server().await;
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let url = front(server.local_addr(), move |head| {
        if head.contains("text/event-stream") {
            return Front::HoldBack;
        }
        if head.starts_with("GET ") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Front::Through
    })
    .await;
    let (a, mut events) = start(&url, "agent://a");
    wait_registered(&mut events).await;
    assert!(polls.load(Ordering::Relaxed) > 0);
    let (b, mut b_events) = start(&server.url(), "agent://b");
    wait_registered(&mut b_events).await;
    for number in 0..20 {
        b.send(answer("agent://b", "agent://a", &number.to_string())).unwrap();
        assert_eq!(received(&mut events).await, Body::Answer(number.to_string()));
    }
    a.close().await;
}

#[tokio::test]
async fn a_stream_that_is_cut_goes_on_without_a_frame_lost_or_doubled() {
    let server = common::server().await;
    let streams = Arc::new(AtomicUsize::new(0));
    let counted = streams.clone();
    let url = front(server.local_addr(), move |head| {
        let is_stream = head.contains("text/event-stream");
        // In the middle of what the first stream brings.
        if is_stream && counted.fetch_add(1, Ordering::Relaxed) == 0 {
            Front::Cut(1200)
        } else {
            Front::Through
        }
    })
    .await;
    let (a, mut events) = start(&url, "agent://a");
    wait_registered(&mut events).await;
    let (b, mut b_events) = start(&server.url(), "agent://b");
    wait_registered(&mut b_events).await;
    for number in 0..20 {
        b.send(answer("agent://b", "agent://a", &format!("{number} {}", "x".repeat(60)))).unwrap();
    }
    for number in 0..20 {
        let Body::Answer(text) = received(&mut events).await else { panic!("not an answer") };
        assert_eq!(text.split(' ').next(), Some(number.to_string().as_str()));
    }
    assert_eq!(streams.load(Ordering::Relaxed), 2);
    a.close().await;
}

#[tokio::test]
async fn a_server_that_knows_no_http_transport_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nnot here").await;
        }
    });
    let (_a, mut events) = start(&url, "agent://a");
    let error = wait(&mut events, |event| match event {
        ClientEvent::Closed(error) => Some(error.unwrap()),
        _ => None,
    })
    .await;
    assert!(error.message.contains("HTTP 404 Not Found: not here"), "{error:?}");
}

#[tokio::test]
async fn plain_http_goes_through_a_proxy_as_whole_urls_with_its_password() {
    let server = common::server().await;
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = heads.clone();
    // The server takes absolute URLs as well (RFC 9112, 3.2.2): what comes through may stay as it is.
    let proxy = front(server.local_addr(), move |head| {
        seen.lock().unwrap().push(head.to_owned());
        Front::Through
    })
    .await;
    let proxy = ProxyConfig::fixed(proxy.replace("http://", "http://me:secret@"));
    let config = ClientConfig { proxy, ..config("http://signal.test:8080", "agent://a") };
    let (a, mut events) = Client::start(config).unwrap();
    wait_registered(&mut events).await;
    a.close().await;
    let heads = heads.lock().unwrap();
    assert!(heads[0].starts_with("POST http://signal.test:8080/v1/sessions HTTP/1.1\r\n"), "{}", heads[0]);
    for head in heads.iter() {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("\r\nhost: signal.test:8080\r\n"), "{head}");
        assert!(head.contains("\r\nproxy-authorization: basic bwu6c2vjcmv0\r\n"), "{head}");
    }
}
