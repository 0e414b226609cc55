//! What an agent has to show to be registered, as a WebSocket client sees it. The authenticator here is a toy: a proof is the
//! text `key|nonce|audience`, so that each test can say exactly what is wrong with it.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Raw, offer, uri, wait, wait_registered};
use ossa_signaling::{
    Attempt, AuthMode, Authenticator, Challenge, Client, ClientConfig, ClientEvent, Denied, ErrorBody,
    Evidence, Identity, Proof, Prover, Proving, Server, ServerConfig, TurnConfig, Verdict, close_code, code,
};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, client_async, connect_async};

/// `agent://x` has the key `x`.
#[derive(Debug, Default)]
struct Toy {
    mode: AuthMode,
    asked: AtomicUsize,
}

impl Authenticator for Toy {
    fn mode(&self) -> AuthMode {
        self.mode
    }

    fn verify<'a>(&'a self, attempt: Attempt<'a>) -> Verdict<'a> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let name = attempt.agent.as_str().trim_start_matches("agent://");
        if name.starts_with("broken") {
            let error = ErrorBody::new(code::INTERNAL_ERROR, "not now");
            return Box::pin(std::future::ready(Err(Denied { error, reason: "away".into() })));
        }
        let right = match attempt.evidence {
            Evidence::Proof { proof, nonce, audiences, .. } => {
                audiences.iter().any(|audience| proof == format!("{name}|{nonce}|{audience}"))
            }
            Evidence::Token(token) => token == name,
        };
        let verdict = if right {
            Ok(Identity { owner: Some(name.to_owned()), ..Identity::default() })
        } else {
            Err(Denied { error: ErrorBody::new(code::UNAUTHORIZED, "no"), reason: "wrong".into() })
        };
        Box::pin(std::future::ready(verdict))
    }
}

async fn server(mode: AuthMode) -> (Server, Arc<Toy>) {
    let toy = Arc::new(Toy { mode, ..Toy::default() });
    let config = ServerConfig { authenticator: toy.clone(), ..ServerConfig::default() };
    (Server::bind(config).await.expect("a loopback port"), toy)
}

fn audience(server: &Server) -> String {
    server.url().trim_start_matches("ws://").to_owned()
}

fn register(agent: &str) -> Value {
    json!({ "type": "register", "agentId": agent })
}

fn prove(agent: &str, proof: &str) -> Value {
    json!({ "type": "prove", "agentId": agent, "proof": proof })
}

async fn challenged(raw: &mut Raw, agent: &str) -> String {
    let challenge = raw.ask(register(agent)).await;
    assert_eq!(challenge["type"], "challenge");
    challenge["nonce"].as_str().expect("a nonce").to_owned()
}

/// Registers with the right key.
async fn proven(server: &Server, name: &str) -> (Raw, Value) {
    let mut raw = Raw::connect(&server.url()).await;
    let agent = format!("agent://{name}");
    let nonce = challenged(&mut raw, &agent).await;
    let registered = raw.ask(prove(&agent, &format!("{name}|{nonce}|{}", audience(server)))).await;
    (raw, registered)
}

fn refused(frame: &Value) -> bool {
    frame["error"]["code"] == "UNAUTHORIZED"
}

#[tokio::test]
async fn an_agent_that_answers_its_challenge_is_registered_and_told_how() {
    let (server, _) = server(AuthMode::Keys).await;
    let (mut a, registered) = proven(&server, "a").await;
    assert_eq!((&registered["type"], &registered["auth"]), (&json!("registered"), &json!("keys")));
    let (mut b, _) = proven(&server, "b").await;
    a.send(offer("agent://a", "agent://b")).await;
    assert_eq!(b.next().await["type"], "offer");
}

#[tokio::test]
async fn nobody_is_registered_by_a_message_a_room_or_a_url_where_proof_is_wanted() {
    let (server, _) = server(AuthMode::Keys).await;
    let (_b, _) = proven(&server, "b").await;
    let mut mallory = Raw::connect(&server.url()).await;
    assert!(refused(&mallory.ask(offer("agent://a", "agent://b")).await));
    let join = json!({ "type": "join", "agentId": "agent://a", "room": "r" });
    assert!(refused(&mallory.ask(join).await));
    let mut by_url = Raw::connect(&format!("{}/?agentId=agent://a", server.url())).await;
    assert_eq!(by_url.next().await["type"], "challenge");
    assert!(refused(&by_url.ask(offer("agent://a", "agent://b")).await));
    assert_eq!(server.stats().agents, 1);
}

#[tokio::test]
async fn a_proof_counts_once_and_on_its_own_connection_only() {
    let (server, toy) = server(AuthMode::Keys).await;
    let mut victim = Raw::connect(&server.url()).await;
    let nonce = challenged(&mut victim, "agent://a").await;
    let proof = prove("agent://a", &format!("a|{nonce}|{}", audience(&server)));
    // Whoever has seen it on the way cannot use it first, ...
    let mut mallory = Raw::connect(&server.url()).await;
    assert!(refused(&mallory.ask(proof.clone()).await));
    challenged(&mut mallory, "agent://a").await;
    assert!(refused(&mallory.ask(proof.clone()).await));
    assert_eq!(victim.ask(proof.clone()).await["type"], "registered");
    // ... nor afterwards, not even where it was valid.
    assert!(refused(&mallory.ask(proof.clone()).await));
    let asked = toy.asked.load(Ordering::Relaxed);
    assert!(refused(&victim.ask(proof).await));
    assert_eq!(toy.asked.load(Ordering::Relaxed), asked);
    // A wrong proof uses the challenge up as well: there is one guess per nonce.
    let mut guesser = Raw::connect(&server.url()).await;
    let nonce = challenged(&mut guesser, "agent://c").await;
    assert!(refused(&guesser.ask(prove("agent://c", "guess")).await));
    let late = prove("agent://c", &format!("c|{nonce}|{}", audience(&server)));
    assert!(refused(&guesser.ask(late).await));
}

#[tokio::test]
async fn a_challenge_of_one_agent_is_of_no_use_for_another() {
    let (server, _) = server(AuthMode::Keys).await;
    let mut mallory = Raw::connect(&server.url()).await;
    let nonce = challenged(&mut mallory, "agent://mallory").await;
    let proof = format!("mallory|{nonce}|{}", audience(&server));
    assert!(refused(&mallory.ask(prove("agent://a", &proof)).await));
    assert_eq!(mallory.ask(prove("agent://mallory", &proof)).await["type"], "registered");
    assert!(refused(&mallory.ask(offer("agent://a", "agent://b")).await));
}

#[tokio::test]
async fn the_names_of_a_server_decide_which_proofs_are_for_it() {
    let toy = Arc::new(Toy { mode: AuthMode::Keys, ..Toy::default() });
    let audience = vec!["Signal.example".to_owned(), "signal.example:8443".to_owned()];
    let config = ServerConfig { authenticator: toy, audience, ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    // What a server in between passes on was made for that server's name: the `Host` of this one does not count here.
    let mut raw = Raw::connect(&server.url()).await;
    let nonce = challenged(&mut raw, "agent://a").await;
    let elsewhere = format!("a|{nonce}|{}", server.url().trim_start_matches("ws://"));
    assert!(refused(&raw.ask(prove("agent://a", &elsewhere)).await));
    for port in [443, 8443] {
        let nonce = challenged(&mut raw, "agent://a").await;
        let here = format!("a|{nonce}|signal.example:{port}");
        assert_eq!(raw.ask(prove("agent://a", &here)).await["type"], "registered");
    }
}

#[tokio::test]
async fn the_owner_of_the_key_takes_its_name_over_at_once_and_nobody_else_does() {
    let (server, _) = server(AuthMode::Keys).await;
    let (mut old, registered) = proven(&server, "a").await;
    let resume = registered["resume"].clone();
    // With a stolen resume token, but without the key.
    let mut mallory = Raw::connect(&server.url()).await;
    let mut claim = register("agent://a");
    claim["resume"] = resume;
    assert_eq!(mallory.ask(claim).await["type"], "challenge");
    assert!(refused(&mallory.ask(prove("agent://a", "mallory")).await));
    // The old connection is alive and does not answer pings here, for nobody reads: no ping rule was involved.
    let (_new, registered) = proven(&server, "a").await;
    assert_eq!(registered["type"], "registered");
    let notice = old.next().await;
    assert!(notice["error"]["message"].as_str().unwrap().contains("taken over"), "{notice}");
    assert_eq!(old.closed().await, Some(close_code::REPLACED));
}

/// A connection from another loopback address.
async fn from_address(server: &Server, address: &str) -> Raw {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address.parse().unwrap()).unwrap();
    let stream = socket.connect(server.local_addr()).await.unwrap();
    Raw(client_async(server.url(), MaybeTlsStream::Plain(stream)).await.unwrap().0)
}

#[tokio::test]
async fn a_flood_of_wrong_proofs_is_cut_off_before_it_costs_anything() {
    let (server, toy) = server(AuthMode::Keys).await;
    for _ in 0..40 {
        let mut mallory = from_address(&server, "127.0.0.2:0").await;
        for attempt in 0..6 {
            challenged(&mut mallory, "agent://a").await;
            let refusal = mallory.ask(prove("agent://a", &format!("{attempt}"))).await;
            let code = refusal["error"]["code"].as_str().unwrap();
            assert!(matches!(code, "UNAUTHORIZED" | "RATE_LIMIT_EXCEEDED"), "{code}");
        }
        assert_eq!(mallory.closed().await, Some(close_code::RATE_LIMITED));
    }
    // 240 attempts; 50 at once and 2 per second are verified.
    let verified = toy.asked.load(Ordering::Relaxed);
    assert!((50..200).contains(&verified), "{verified}");
    // Others do not notice.
    assert_eq!(proven(&server, "a").await.1["type"], "registered");
}

#[tokio::test]
async fn whoever_has_keys_looked_up_in_vain_is_cut_off_before_it_keeps_out_the_others() {
    let (server, toy) = server(AuthMode::Bearer).await;
    let with = |agent: &str, token: &str| json!({ "type": "register", "agentId": agent, "token": token });
    for connection in 0..10 {
        let mut mallory = from_address(&server, "127.0.0.2:0").await;
        for attempt in 0..20 {
            let agent = format!("agent://broken{connection}x{attempt}");
            let refusal = mallory.ask(with(&agent, "t")).await;
            let code = refusal["error"]["code"].as_str().unwrap();
            assert!(matches!(code, "INTERNAL_ERROR" | "RATE_LIMIT_EXCEEDED"), "{code}");
            if code == "RATE_LIMIT_EXCEEDED" {
                break;
            }
        }
    }
    // 200 attempts; 50 at once and 2 per second are looked up.
    let asked = toy.asked.load(Ordering::Relaxed);
    assert!((50..100).contains(&asked), "{asked}");
    let mut other = Raw::connect(&server.url()).await;
    assert_eq!(other.ask(with("agent://a", "a")).await["type"], "registered");
}

#[tokio::test]
async fn proofs_that_are_right_are_not_verified_without_end_either() {
    let (server, toy) = server(AuthMode::Bearer).await;
    let mut agent = Raw::connect(&server.url()).await;
    let claim = json!({ "type": "register", "agentId": "agent://a", "token": "a" });
    let mut refused = 0;
    for _ in 0..200 {
        agent.send(claim.clone()).await;
        if agent.next().await["type"] == "error" {
            refused += 1;
            if refused == 6 {
                break;
            }
        }
    }
    assert_eq!(agent.closed().await, Some(close_code::RATE_LIMITED));
    // Four for each of the sixteen agents that it may have, and two per second.
    let asked = toy.asked.load(Ordering::Relaxed);
    assert!((64..150).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_bearer_token_registers_its_agent_from_the_frame_or_the_header() {
    let (server, _) = server(AuthMode::Bearer).await;
    let mut raw = Raw::connect(&server.url()).await;
    assert!(refused(&raw.ask(register("agent://a")).await));
    let with = |token: &str| json!({ "type": "register", "agentId": "agent://a", "token": token });
    assert!(refused(&raw.ask(with("b")).await));
    let registered = raw.ask(with("a")).await;
    assert_eq!((&registered["type"], &registered["auth"]), (&json!("registered"), &json!("bearer")));

    let mut request = format!("{}/?agentId=agent://b", server.url()).into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer b".parse().unwrap());
    let mut by_header = Raw(connect_async(request).await.unwrap().0);
    assert_eq!(by_header.next().await["agentId"], "agent://b");
    assert!(refused(&by_header.ask(register("agent://c")).await));
}

#[derive(Debug)]
struct Keyholder;

impl Prover for Keyholder {
    fn token(&self) -> Proving<'_, Option<String>> {
        Box::pin(async { Ok(Some("a".to_owned())) })
    }

    fn prove<'a>(&'a self, challenge: Challenge<'a>) -> Proving<'a, Option<Proof>> {
        let name = challenge.agent.as_str().trim_start_matches("agent://");
        let proof = format!("{name}|{}|{}", challenge.nonce, challenge.audience);
        Box::pin(async move { Ok(Some(Proof { proof, public_key: String::new() })) })
    }
}

fn client(server: &Server, prover: Option<Arc<dyn Prover>>) -> (Client, ossa_signaling::Events) {
    Client::start(ClientConfig { prover, ..ClientConfig::new(server.url(), uri("agent://a")) }).unwrap()
}

#[tokio::test]
async fn our_client_shows_what_the_server_asks_for_and_says_so_if_it_has_nothing_to_show() {
    for mode in [AuthMode::Open, AuthMode::Keys, AuthMode::Tofu, AuthMode::Bearer] {
        let (server, _) = server(mode).await;
        let (_client, mut events) = client(&server, Some(Arc::new(Keyholder)));
        wait_registered(&mut events).await;
    }
    let (server, _) = server(AuthMode::Keys).await;
    let (_client, mut events) = client(&server, None);
    let error = wait(&mut events, |event| match event {
        ClientEvent::Closed(error) => Some(error.unwrap()),
        _ => None,
    })
    .await;
    assert_eq!(error.code, code::UNAUTHORIZED);
    assert!(error.message.contains("wants proof of the key of agent://a"), "{}", error.message);
}

fn turn(allow_open: bool) -> Option<TurnConfig> {
    let ttl = Duration::from_secs(2);
    let config = TurnConfig::new(vec!["turn:127.0.0.1:3478".into()], "s3cret".to_owned());
    Some(TurnConfig { ttl, allow_open, ..config })
}

fn username(event: ClientEvent) -> Option<String> {
    match event {
        ClientEvent::IceServers { servers, .. } => servers[0].username.clone(),
        ClientEvent::Registered { .. } => panic!("registered before the ICE servers were known"),
        _ => None,
    }
}

#[tokio::test]
async fn an_agent_that_has_proven_itself_gets_turn_credentials_and_new_ones_in_time() {
    let authenticator = Arc::new(Toy { mode: AuthMode::Keys, ..Toy::default() });
    let config = ServerConfig { authenticator, turn: turn(false), ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    let (_client, mut events) = client(&server, Some(Arc::new(Keyholder)));
    let first = wait(&mut events, username).await;
    wait_registered(&mut events).await;
    // Names of credentials begin with their expiry; it goes up by the second.
    let expiry = |name: &str| name.split(':').next().unwrap().parse::<u64>().unwrap();
    let mut last = expiry(&first);
    for _ in 0..2 {
        let next = expiry(&wait(&mut events, username).await);
        assert!(next > last);
        last = next;
    }
}

#[tokio::test]
async fn an_open_server_gives_turn_credentials_to_strangers_only_if_told_to() {
    for allow_open in [false, true] {
        let config = ServerConfig { turn: turn(allow_open), ..ServerConfig::default() };
        let server = Server::bind(config).await.unwrap();
        let mut raw = Raw::connect(&server.url()).await;
        let registered = raw.ask(register("agent://a")).await;
        assert_eq!(registered["auth"], "open");
        assert_eq!(registered.get("iceServers").is_some(), allow_open);
    }
}
