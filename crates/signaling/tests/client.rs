//! The client against the real server, over real sockets.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Raw, client, offer, server, uri, wait, wait_registered};
use ossa_signaling::{
    Body, Client, ClientConfig, ClientEvent, ErrorBody, IceCandidate, Reconnect, SendError, Server,
    ServerConfig, SignalingMessage,
};

fn message(from: &str, to: &str, body: Body) -> SignalingMessage {
    SignalingMessage { from: Some(uri(from)), to: uri(to), session_id: Some("s".into()), body, auth: None }
}

fn received(event: ClientEvent) -> Option<SignalingMessage> {
    match event {
        ClientEvent::Message(message) => Some(message),
        _ => None,
    }
}

fn closed(event: ClientEvent) -> Option<Option<ErrorBody>> {
    match event {
        ClientEvent::Closed(error) => Some(error),
        _ => None,
    }
}

#[tokio::test]
async fn two_clients_exchange_offer_answer_and_candidates() {
    let server = server().await;
    let (a, mut a_events) = client(&server.url(), "agent://a");
    let (b, mut b_events) = client(&server.url(), "agent://b");
    tokio::join!(wait_registered(&mut a_events), wait_registered(&mut b_events));
    a.send(message("agent://a", "agent://b", Body::Offer("o".into()))).unwrap();
    assert_eq!(wait(&mut b_events, received).await.body, Body::Offer("o".into()));
    let candidate = IceCandidate {
        candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    for body in [Body::Answer("a".into()), Body::Candidate(candidate), Body::EndOfCandidates] {
        b.send(message("agent://b", "agent://a", body.clone())).unwrap();
        let got = wait(&mut a_events, received).await;
        assert_eq!((got.body, got.from.as_ref()), (body, Some(&uri("agent://b"))));
    }
    tokio::join!(a.close(), b.close());
    assert_eq!(wait(&mut a_events, closed).await, None);
    assert!(a_events.recv().await.is_none());
    assert_eq!(a.send(message("agent://a", "agent://b", Body::EndOfCandidates)), Err(SendError::Closed));
}

#[tokio::test]
async fn messages_sent_before_the_registration_are_delivered_after_it() {
    let server = server().await;
    let mut b = Raw::registered(&server, "agent://b").await;
    let (a, _events) = client(&server.url(), "agent://a");
    a.send(message("agent://a", "agent://b", Body::Offer("early".into()))).unwrap();
    assert_eq!(b.next().await["sdp"], "early");
}

#[tokio::test]
async fn an_unreachable_agent_is_reported_without_a_sender() {
    let server = server().await;
    let (a, mut events) = client(&server.url(), "agent://a");
    a.send(message("agent://a", "agent://nobody", Body::Offer("o".into()))).unwrap();
    let notice = wait(&mut events, received).await;
    assert!(notice.from.is_none());
    assert_eq!(notice.session_id.as_deref(), Some("s"));
    assert!(matches!(notice.body, Body::Error(error) if error.code == "AGENT_UNREACHABLE"));
}

#[tokio::test]
async fn the_client_returns_after_the_server_did() {
    let first = server().await;
    let address = first.local_addr();
    let (a, mut events) = client(&first.url(), "agent://a");
    wait_registered(&mut events).await;
    first.close().await;
    wait(&mut events, |event| matches!(event, ClientEvent::Disconnected { .. }).then_some(())).await;
    a.send(message("agent://a", "agent://b", Body::Offer("kept".into()))).unwrap();
    let second = Server::bind(ServerConfig { listen: address, ..ServerConfig::default() }).await.unwrap();
    wait_registered(&mut events).await;
    assert!(
        matches!(wait(&mut events, received).await.body, Body::Error(_)),
        "the queued offer found no recipient"
    );
    assert_eq!(second.stats().agents, 1);
}

#[tokio::test]
async fn a_server_that_was_never_there_is_reported_after_a_few_attempts() {
    let gone = server().await;
    gone.close().await;
    let (_a, mut events) = client(&gone.url(), "agent://a");
    let mut failures = 0;
    let error = wait(&mut events, |event| match event {
        ClientEvent::Disconnected { .. } => {
            failures += 1;
            None
        }
        other => closed(other),
    })
    .await;
    assert_eq!((failures, error.unwrap().code.as_str()), (4, "AGENT_UNREACHABLE"));
}

#[tokio::test]
async fn a_name_that_is_taken_ends_the_client_and_not_the_owner() {
    let server = server().await;
    let (owner, mut owner_events) = client(&server.url(), "agent://a");
    wait_registered(&mut owner_events).await;
    let (_second, mut second_events) = client(&server.url(), "agent://a");
    let error = wait(&mut second_events, closed).await.unwrap();
    assert_eq!(error.code, "UNAUTHORIZED");
    let mut b = Raw::registered(&server, "agent://b").await;
    b.send(offer("agent://b", "agent://a")).await;
    assert!(matches!(wait(&mut owner_events, received).await.body, Body::Offer(_)));
    owner.close().await;
}

#[tokio::test]
async fn limits_on_what_waits_are_reported_to_the_sender() {
    let nowhere = ClientConfig {
        max_queue_bytes: 1000,
        max_message_size: 600,
        reconnect: Reconnect { initial: Duration::from_secs(3600), ..Reconnect::default() },
        ..ClientConfig::new("ws://127.0.0.1:9", uri("agent://a"))
    };
    let (a, _events) = Client::start(nowhere).unwrap();
    let of = |size: usize| message("agent://a", "agent://b", Body::Offer("x".repeat(size)));
    assert!(matches!(a.send(of(600)), Err(SendError::TooLarge { limit: 600, .. })));
    a.send(of(400)).unwrap();
    assert!(matches!(a.send(of(500)), Err(SendError::QueueFull(_))));
    a.close().await;
}

#[tokio::test]
async fn closing_while_connecting_does_not_wait_for_the_network() {
    // Listens but never answers the upgrade.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (a, mut events) = client(&format!("ws://{}", silent.local_addr().unwrap()), "agent://a");
    a.close().await;
    a.close().await;
    assert_eq!(wait(&mut events, closed).await, None);
}

/// Forwards TLS connections to `target`; returns its port and its certificate.
async fn tls_front(target: std::net::SocketAddr) -> (u16, rustls::pki_types::CertificateDer<'static>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let mut inside = tokio::net::TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    (port, cert.der().clone())
}

#[tokio::test]
async fn wss_needs_a_certificate_that_is_trusted_for_the_host() {
    let server = server().await;
    let (port, certificate) = tls_front(server.local_addr()).await;
    let config = |host: &str, roots: Vec<_>| ClientConfig {
        extra_roots: roots,
        reconnect: Reconnect { first_attempts: 1, ..Reconnect::default() },
        ..ClientConfig::new(format!("wss://{host}:{port}"), uri("agent://a"))
    };
    let (trusting, mut events) = Client::start(config("localhost", vec![certificate.clone()])).unwrap();
    wait_registered(&mut events).await;
    trusting.close().await;
    for refused in [config("localhost", vec![]), config("127.0.0.1", vec![certificate])] {
        let (_client, mut events) = Client::start(refused).unwrap();
        let error = wait(&mut events, closed).await.unwrap();
        assert!(error.message.contains("certificate") || error.message.contains("trusted"), "{error:?}");
    }
}
