//! Several servers: who is asked when, what happens when one is lost, stops reading or never answers.

mod common;

use std::time::Duration;

use common::{uri, wait, wait_registered};
use futures_util::{SinkExt, StreamExt};
use ossa_signaling::{
    Body, Client, ClientConfig, ClientEvent, Events, Reconnect, SUBPROTOCOL, SendError, Server, ServerConfig,
    SignalingMessage,
};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

fn quick() -> Reconnect {
    Reconnect { initial: Duration::from_millis(1), max: Duration::from_millis(5), ..Reconnect::default() }
}

fn config(urls: &[String]) -> ClientConfig {
    ClientConfig { urls: urls.to_vec(), reconnect: quick(), ..ClientConfig::new("", uri("agent://a")) }
}

fn start(urls: &[String]) -> (Client, Events) {
    Client::start(config(urls)).unwrap()
}

async fn server_at(address: std::net::SocketAddr) -> Server {
    Server::bind(ServerConfig { listen: address, ..ServerConfig::default() }).await.unwrap()
}

/// The URL of the next registration.
async fn registered_at(events: &mut Events) -> String {
    wait(events, |event| match event {
        ClientEvent::Registered { url } => Some(url),
        _ => None,
    })
    .await
}

fn offer(text: &str) -> SignalingMessage {
    SignalingMessage {
        from: Some(uri("agent://a")),
        to: uri("agent://b"),
        session_id: Some("s".into()),
        body: Body::Offer(text.into()),
        auth: None,
    }
}

/// A server by hand: the next client, and what it says first.
#[allow(clippy::result_large_err, reason = "the signature of the library")]
async fn accept(listener: &TcpListener) -> (WebSocketStream<TcpStream>, Value) {
    let (stream, _) = listener.accept().await.unwrap();
    let upgrade = |_: &Request, mut response: Response| {
        response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, upgrade).await.unwrap();
    let Message::Text(text) = socket.next().await.unwrap().unwrap() else { panic!("not a text") };
    (socket, serde_json::from_str(&text).unwrap())
}

async fn accept_registered(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (mut socket, register) = accept(listener).await;
    let answer = json!({ "type": "registered", "agentId": register["agentId"], "resume": "r", "idleTimeoutMs": 60000 });
    socket.send(Message::text(answer.to_string())).await.unwrap();
    socket
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn a_lost_server_is_replaced_by_the_next_and_asked_first_after_the_next_loss() {
    let first = common::server().await;
    let second = common::server().await;
    let (address, urls) = (first.local_addr(), [first.url(), second.url()]);
    let (client, mut events) = start(&urls);
    assert_eq!(registered_at(&mut events).await, urls[0]);
    first.close().await;
    assert_eq!(registered_at(&mut events).await, urls[1]);
    assert_eq!(second.stats().agents, 1);
    let first = server_at(address).await;
    second.close().await;
    assert_eq!(registered_at(&mut events).await, urls[0]);
    assert_eq!(first.stats().agents, 1);
    client.close().await;
}

#[tokio::test]
async fn a_client_on_the_second_server_returns_when_the_first_is_back() {
    let first = common::server().await;
    let second = common::server().await;
    let (address, urls) = (first.local_addr(), [first.url(), second.url()]);
    first.close().await;
    let (client, mut events) =
        Client::start(ClientConfig { fail_back: Some(Duration::from_millis(5)), ..config(&urls) }).unwrap();
    assert_eq!(registered_at(&mut events).await, urls[1]);
    let first = server_at(address).await;
    assert_eq!(registered_at(&mut events).await, urls[0]);
    assert_eq!(first.stats().agents, 1);
    // It has said goodbye there.
    assert_eq!(second.stats().agents, 0);
    client.close().await;
}

#[tokio::test]
async fn a_server_that_accepts_but_never_answers_is_passed_over() {
    let (_silent, silent_url) = listener().await;
    let good = common::server().await;
    let urls = [silent_url, good.url()];
    let config = ClientConfig { connect_timeout: Duration::from_secs(1), ..config(&urls) };
    let (client, mut events) = Client::start(config).unwrap();
    let reason = wait(&mut events, |event| match event {
        ClientEvent::Disconnected { url, error, retry_in } => Some((url, error, retry_in)),
        _ => None,
    })
    .await;
    assert_eq!(reason, (urls[0].clone(), "connecting did not succeed in time".to_owned(), Duration::ZERO));
    assert_eq!(registered_at(&mut events).await, urls[1]);
    client.close().await;
}

#[tokio::test]
async fn when_no_server_can_be_reached_the_end_names_each_with_its_reason() {
    let gone = [common::server().await, common::server().await];
    let urls = [gone[0].url(), gone[1].url()];
    for server in gone {
        server.close().await;
    }
    let (_client, mut events) = start(&urls);
    let mut asked = Vec::new();
    let error = wait(&mut events, |event| match event {
        ClientEvent::Connecting { url } => {
            asked.push(url);
            None
        }
        ClientEvent::Closed(error) => Some(error),
        _ => None,
    })
    .await
    .unwrap();
    assert_eq!(asked, [&urls[..]; 5].concat());
    assert!(urls.iter().all(|url| error.message.contains(url)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_goes_away_sends_its_clients_to_the_next_one() {
    let (listener, url) = listener().await;
    let second = common::server().await;
    let urls = [url, second.url()];
    let (client, mut events) = start(&urls);
    let mut socket = accept_registered(&listener).await;
    assert_eq!(registered_at(&mut events).await, urls[0]);
    // It still accepts connections: a load balancer before it may take a while to notice.
    let frame = CloseFrame { code: 1001.into(), reason: "draining".into() };
    socket.send(Message::Close(Some(frame))).await.unwrap();
    let next = wait(&mut events, |event| match event {
        ClientEvent::Connecting { url } => Some(url),
        _ => None,
    })
    .await;
    assert_eq!(next, urls[1]);
    assert_eq!(registered_at(&mut events).await, urls[1]);
    client.close().await;
}

#[tokio::test]
async fn a_server_that_stops_reading_is_left_and_heard_until_then() {
    let socket = TcpSocket::new_v4().unwrap();
    // What it takes in without reading.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let deaf = socket.listen(8).unwrap();
    let second = common::server().await;
    let urls = [format!("ws://{}", deaf.local_addr().unwrap()), second.url()];
    let config = ClientConfig { write_timeout: Duration::from_secs(2), ..config(&urls) };
    let (client, mut events) = Client::start(config).unwrap();
    let mut socket = accept_registered(&deaf).await;
    wait_registered(&mut events).await;
    // More than the kernel takes on the way: the write cannot end.
    while !matches!(client.send(offer(&"x".repeat(60_000))), Err(SendError::QueueFull(_))) {
        tokio::task::yield_now().await;
    }
    let message = json!({ "type": "offer", "from": "agent://b", "to": "agent://a", "sdp": "heard" });
    socket.send(Message::text(message.to_string())).await.unwrap();
    let heard = wait(&mut events, |event| match event {
        ClientEvent::Message(message) => Some(message.body),
        _ => None,
    })
    .await;
    assert_eq!(heard, Body::Offer("heard".into()));
    let error = wait(&mut events, |event| match event {
        ClientEvent::Disconnected { error, .. } => Some(error),
        _ => None,
    })
    .await;
    assert_eq!(error, "the server takes nothing for 2 s");
    drop(deaf);
    // Nothing is lost: the messages wait for the next server, which knows nobody of that name.
    assert_eq!(registered_at(&mut events).await, urls[1]);
    let answer = wait(&mut events, |event| match event {
        ClientEvent::Message(message) => Some(message.body),
        _ => None,
    })
    .await;
    assert!(matches!(answer, Body::Error(error) if error.code == "AGENT_UNREACHABLE"));
    client.close().await;
}

#[tokio::test]
async fn the_registration_is_resumed_on_another_server_with_the_token_of_the_last() {
    let (first, first_url) = listener().await;
    let (second, second_url) = listener().await;
    let (client, mut events) = start(&[first_url, second_url]);
    let socket = accept_registered(&first).await;
    wait_registered(&mut events).await;
    drop((socket, first));
    let (_socket, register) = accept(&second).await;
    assert_eq!(register, json!({ "type": "register", "agentId": "agent://a", "resume": "r" }));
    client.close().await;
}

#[tokio::test]
async fn closing_says_goodbye_to_the_server() {
    let (listener, url) = listener().await;
    let (client, mut events) = start(&[url]);
    let mut socket = accept_registered(&listener).await;
    wait_registered(&mut events).await;
    let (said, ()) = tokio::join!(socket.next(), client.close());
    assert!(matches!(said, Some(Ok(Message::Close(_)))), "{said:?}");
}
