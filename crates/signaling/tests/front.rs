//! What stands between the network and signaling: TLS, origins, paths, addresses, and the pages of operators.

mod common;
#[path = "common/http.rs"]
mod http;

use std::sync::Arc;
use std::time::Duration;

use common::{Raw, offer, server};
use http::{get, request};
use ossa_signaling::{EventSink, Origins, Secret, Server, ServerConfig, ServerEvent, TlsIdentity};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, client_async, connect_async};

async fn with(config: ServerConfig) -> Server {
    Server::bind(config).await.expect("a loopback port")
}

/// The status that an upgrade with one more header gets.
async fn upgrade(server: &Server, header: &'static str, value: &str) -> u16 {
    let mut request = server.url().into_client_request().unwrap();
    request.headers_mut().insert(header, value.parse().unwrap());
    match connect_async(request).await {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn pages_of_foreign_origins_are_refused() {
    let server = server().await;
    assert_eq!(upgrade(&server, "origin", "https://evil.example").await, 403);
    assert_eq!(upgrade(&server, "origin", "null").await, 403);
    assert_eq!(upgrade(&server, "origin", "http://localhost:3000").await, 101);
    assert_eq!(server.stats().turned_away, 2);
    let refused =
        request(server.local_addr(), "POST /v1/sessions", &["Origin: https://evil.example"], "").await;
    assert_eq!(refused.status, 403);

    let only = Origins::Only(vec!["https://app.example".into()]);
    let server = with(ServerConfig { origins: only, ..ServerConfig::default() }).await;
    assert_eq!(upgrade(&server, "origin", "http://localhost:3000").await, 403);
    assert_eq!(upgrade(&server, "origin", "https://app.example").await, 101);
    let asked =
        request(server.local_addr(), "OPTIONS /v1/frames", &["Origin: https://app.example"], "").await;
    assert_eq!(asked.status, 204);
    assert!(asked.head.contains("access-control-allow-origin: https://app.example"), "{}", asked.head);
    assert!(asked.head.contains("ossa-session"));
}

#[tokio::test]
async fn everything_is_below_the_path_and_nothing_beside_it() {
    let server = with(ServerConfig { path: Some("/sig/".into()), ..ServerConfig::default() }).await;
    for (path, status) in [
        ("/sig/health", 200),
        ("/sig/ready", 200),
        ("/health", 404),
        ("/", 404),
        ("/sig/", 426),
        ("/sig/x", 404),
    ] {
        assert_eq!(get(&server, path).await.status, status, "{path}");
    }
    assert!(connect_async(server.url()).await.is_ok());
    assert_eq!(request(server.local_addr(), "POST /sig/health", &[], "").await.status, 405);
}

#[tokio::test]
async fn metrics_and_status_tell_what_goes_on() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let mut b = Raw::registered(&server, "agent://b").await;
    a.ask(json!({ "type": "join", "agentId": "agent://a", "room": "lobby" })).await;
    a.send(offer("agent://a", "agent://b")).await;
    b.next().await;
    let metrics = get(&server, "/metrics").await.body;
    for line in [
        "ossa_signaling_agents 2",
        "ossa_signaling_rooms 1",
        "ossa_signaling_relayed_messages_total 1",
        "ossa_signaling_ready 1",
        "# TYPE ossa_signaling_relayed_messages_total counter",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
    let status = get(&server, "/status.json").await.json();
    assert_eq!(status["counts"]["agents"], 2);
    assert_eq!(status["rooms"], json!([{ "room": "lobby", "members": 1, "agents": ["agent://a"] }]));
    let page = get(&server, "/status").await;
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_for_the_bearer_of_the_token() {
    let server = server().await;
    let ask = async |header: &str| request(server.local_addr(), "GET /metrics", &[header], "").await.status;
    assert_eq!(ask("X-Nothing: x").await, 200);
    // Somebody else's request that a proxy on this machine passes on.
    assert_eq!(ask("X-Forwarded-For: 203.0.113.9").await, 401);
    // A page whose host name was made to point here.
    let mut rebound = TcpStream::connect(server.local_addr()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut rebound,
        b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    )
    .await
    .unwrap();
    assert!(http::rest(&mut rebound).await.starts_with("HTTP/1.1 401"));

    let token = Some(Secret::from("s3cret".to_owned()));
    let server = with(ServerConfig { admin_token: token, ..ServerConfig::default() }).await;
    let ask = async |header: &str| request(server.local_addr(), "GET /metrics", &[header], "").await.status;
    assert_eq!(ask("X-Nothing: x").await, 401);
    assert_eq!(ask("Authorization: Bearer wrong!").await, 401);
    assert_eq!(ask("Authorization: Bearer s3cret").await, 200);
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let server = with(ServerConfig { max_connections_per_address: 2, ..ServerConfig::default() }).await;
    let _a = Raw::connect(&server.url()).await;
    let b = Raw::connect(&server.url()).await;
    let refused = connect_async(server.url()).await.unwrap_err();
    assert!(matches!(refused, Error::Http(response) if response.status() == 429));
    drop(b);
    while connect_async(server.url()).await.is_err() {}
}

#[tokio::test]
async fn clients_of_a_trusted_proxy_are_counted_by_their_own_addresses() {
    let config = ServerConfig {
        max_connections_per_address: 1,
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..ServerConfig::default()
    };
    let server = with(config).await;
    let connect = async |address: &str| {
        let mut request = server.url().into_client_request().unwrap();
        request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
        connect_async(request).await
    };
    let _first = connect("203.0.113.1").await.unwrap();
    let _other = connect("203.0.113.2").await.unwrap();
    assert!(matches!(connect("203.0.113.1").await, Err(Error::Http(response)) if response.status() == 429));
}

fn identity() -> (TlsIdentity, rustls::pki_types::CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let identity = TlsIdentity::from_pem(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
    (identity, made.cert.der().clone())
}

/// Connects by TLS trusting one certificate.
async fn secure(
    server: &Server,
    trusted: &rustls::pki_types::CertificateDer<'static>,
) -> std::io::Result<Raw> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.local_addr()).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (socket, _) = client_async(server.url(), MaybeTlsStream::Rustls(stream)).await.expect("a WebSocket");
    Ok(Raw(socket))
}

#[tokio::test]
async fn a_server_with_a_certificate_speaks_tls_and_takes_a_new_one_while_it_runs() {
    let (old, old_certificate) = identity();
    let server = with(ServerConfig { tls: Some(old), ..ServerConfig::default() }).await;
    assert!(server.url().starts_with("wss://127.0.0.1:"));
    let mut early = secure(&server, &old_certificate).await.unwrap();
    assert_eq!(early.ask(json!({ "type": "register", "agentId": "agent://a" })).await["type"], "registered");

    let (new, new_certificate) = identity();
    assert!(server.update_tls(new));
    assert!(secure(&server, &old_certificate).await.is_err());
    let mut late = secure(&server, &new_certificate).await.unwrap();
    late.send(offer("agent://b", "agent://a")).await;
    assert_eq!(early.next().await["type"], "offer");
    server.close().await;
    assert_eq!(early.closed().await, Some(1001));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_with_a_reason() {
    let made = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for (cert, key, reason) in [
        ("", key.as_str(), "tls.cert"),
        (cert.as_str(), "nonsense", "tls.key"),
        (cert.as_str(), &other, "cannot be used"),
    ] {
        let error = TlsIdentity::from_pem(cert, key).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!(!server().await.update_tls(identity().0));
}

#[tokio::test]
async fn draining_sends_clients_away_one_after_the_other_and_lets_nobody_in() {
    let server = Arc::new(server().await);
    let mut clients = Vec::new();
    for index in 0..8 {
        clients.push(Raw::registered(&server, &format!("agent://{index}")).await);
    }
    let draining = tokio::spawn({
        let server = server.clone();
        async move { server.drain(Duration::from_secs(600)).await }
    });
    while get(&server, "/ready").await.status == 200 {}
    assert_eq!(get(&server, "/health").await.status, 200);
    let refused = connect_async(server.url()).await.unwrap_err();
    assert!(matches!(refused, Error::Http(response) if response.status() == 503));
    assert_eq!(request(server.local_addr(), "POST /v1/sessions", &[], "").await.status, 503);
    // Ten minutes are long: they are still there, and served.
    assert!(server.stats().connections > 0);
    server.close().await;
    for client in &mut clients {
        assert_eq!(client.closed().await, Some(1001));
    }
    draining.await.unwrap();
}

#[tokio::test]
async fn draining_ends_as_soon_as_the_last_client_has_left() {
    let server = server().await;
    let mut client = Raw::registered(&server, "agent://a").await;
    let (code, ()) = tokio::join!(client.closed(), server.drain(Duration::from_millis(200)));
    assert_eq!(code, Some(1001));
}

#[tokio::test]
async fn what_happens_is_told_without_secrets() {
    let (sink, mut events) = EventSink::new();
    let server = with(ServerConfig { events: Some(Arc::new(sink)), ..ServerConfig::default() }).await;
    let mut a = Raw::connect(&server.url()).await;
    let registered = a.ask(json!({ "type": "register", "agentId": "agent://a" })).await;
    a.0.send_text("nonsense").await;
    a.next().await;
    server.close().await;
    drop((a, server));
    let mut told = String::new();
    while let Some(event) = events.recv().await {
        let (level, message, fields) = event.describe();
        told += &format!("{} {message} {fields}\n", level.name());
        if matches!(event, ServerEvent::Disconnected { .. }) {
            break;
        }
    }
    for part in
        ["a client has connected", "an agent is registered", "INVALID_MESSAGE", "an agent is gone", "1001"]
    {
        assert!(told.contains(part), "{part} in\n{told}");
    }
    assert!(!told.contains(registered["resume"].as_str().unwrap()));
}

trait SendText {
    async fn send_text(&mut self, text: &str);
}

impl<S: futures_util::Sink<Message, Error = Error> + Unpin> SendText for S {
    async fn send_text(&mut self, text: &str) {
        futures_util::SinkExt::send(self, Message::text(text)).await.expect("sends");
    }
}
