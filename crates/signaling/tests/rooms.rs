//! Rooms of the server as a WebSocket client sees them, and how the client stays in them.

mod common;

use common::{Raw, client, server, uri, wait, wait_registered};
use ossa_signaling::{ClientEvent, RoomEvent, RoomName, Server, ServerConfig};
use serde_json::{Value, json};

fn join(agent: &str, room: &str) -> Value {
    json!({ "type": "join", "agentId": agent, "room": room })
}

fn leave(agent: &str, room: &str) -> Value {
    json!({ "type": "leave", "agentId": agent, "room": room })
}

fn name(text: &str) -> RoomName {
    text.parse().unwrap()
}

async fn limited(max_rooms: usize, max_room_members: usize) -> Server {
    Server::bind(ServerConfig { max_rooms, max_room_members, ..ServerConfig::default() }).await.unwrap()
}

#[tokio::test]
async fn whoever_comes_learns_who_is_there_and_the_others_learn_who_came_and_went() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let mut b = Raw::registered(&server, "agent://b").await;
    let alone = a.ask(join("agent://a", "r")).await;
    assert_eq!(
        alone,
        json!({ "type": "joined", "agentId": "agent://a", "room": "r", "members": ["agent://a"] })
    );
    let both = b.ask(join("agent://b", "r")).await;
    assert_eq!(both["members"], json!(["agent://a", "agent://b"]));
    let notice = json!({ "type": "members", "agentId": "agent://a", "room": "r", "joined": ["agent://b"] });
    assert_eq!(a.next().await, notice);
    // Once more is no change: only the answer comes.
    assert_eq!(b.ask(join("agent://b", "r")).await, both);
    assert_eq!(server.stats().rooms, 1);
    assert_eq!(b.ask(leave("agent://b", "r")).await["type"], "left");
    let notice = json!({ "type": "members", "agentId": "agent://a", "room": "r", "left": ["agent://b"] });
    assert_eq!(a.next().await, notice);
    assert_eq!(a.ask(leave("agent://a", "r")).await["type"], "left");
    assert_eq!(a.ask(leave("agent://a", "never")).await["type"], "left");
    assert_eq!(server.stats().rooms, 0);
}

#[tokio::test]
async fn a_lost_connection_is_told_apart_from_leaving() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    let mut b = Raw::registered(&server, "agent://b").await;
    let mut c = Raw::registered(&server, "agent://c").await;
    a.ask(join("agent://a", "r")).await;
    for (raw, agent) in [(&mut b, "agent://b"), (&mut c, "agent://c")] {
        raw.ask(join(agent, "r")).await;
        assert_eq!(a.next().await["joined"], json!([agent]));
    }
    drop(b);
    assert_eq!(a.next().await["lost"], json!(["agent://b"]));
    assert_eq!(c.next().await["lost"], json!(["agent://b"]));
    assert_eq!(c.ask(json!({ "type": "unregister", "agentId": "agent://c" })).await["type"], "unregistered");
    assert_eq!(a.next().await["left"], json!(["agent://c"]));
}

#[tokio::test]
async fn nobody_is_put_into_a_room_or_out_of_it_by_somebody_else() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    a.ask(join("agent://a", "r")).await;
    let mut mallory = Raw::registered(&server, "agent://mallory").await;
    for frame in [join("agent://a", "x"), leave("agent://a", "r"), join("agent://b", "r")] {
        let refusal = mallory.ask(frame).await;
        assert_eq!(refusal["error"]["code"], "UNAUTHORIZED");
        assert!(refusal["room"].is_string());
    }
    // What `a` hears next is the answer to its own question: it was told of nobody, and is in nothing but "r".
    assert_eq!(a.ask(join("agent://a", "r")).await["members"], json!(["agent://a"]));
    assert_eq!(server.stats().rooms, 1);
}

#[tokio::test]
async fn rooms_per_agent_members_per_room_and_names_are_limited() {
    let server = limited(2, 2).await;
    let mut raws = Vec::new();
    for agent in ["agent://a", "agent://b", "agent://c"] {
        raws.push(Raw::registered(&server, agent).await);
    }
    assert_eq!(raws[0].ask(join("agent://a", "r")).await["type"], "joined");
    assert_eq!(raws[0].ask(join("agent://a", "s")).await["type"], "joined");
    let third = raws[0].ask(join("agent://a", "t")).await;
    assert_eq!((&third["error"]["code"], &third["room"]), (&json!("RATE_LIMIT_EXCEEDED"), &json!("t")));
    assert_eq!(raws[1].ask(join("agent://b", "r")).await["type"], "joined");
    let full = raws[2].ask(join("agent://c", "r")).await;
    assert_eq!((&full["error"]["code"], &full["room"]), (&json!("RATE_LIMIT_EXCEEDED"), &json!("r")));
    // A place that becomes free can be taken.
    raws[1].ask(leave("agent://b", "r")).await;
    assert_eq!(raws[2].ask(join("agent://c", "r")).await["members"], json!(["agent://a", "agent://c"]));
    for bad in [json!(""), json!("x".repeat(129)), json!("a\nb"), json!(7), Value::Null] {
        let frame = json!({ "type": "join", "agentId": "agent://c", "room": bad });
        assert_eq!(raws[2].ask(frame).await["error"]["code"], "INVALID_MESSAGE");
    }
    assert_eq!(server.stats().rooms, 2);
}

#[tokio::test]
async fn a_simple_client_is_registered_by_joining() {
    let server = server().await;
    let mut naive = Raw::connect(&server.url()).await;
    assert_eq!(naive.ask(join("agent://naive", "r")).await["members"], json!(["agent://naive"]));
}

#[tokio::test]
async fn an_agent_that_resumes_its_registration_has_never_been_away() {
    let server = server().await;
    let mut a = Raw::registered(&server, "agent://a").await;
    a.ask(join("agent://a", "r")).await;
    let mut b = Raw::connect(&server.url()).await;
    let registered = b.ask(json!({ "type": "register", "agentId": "agent://b" })).await;
    assert_eq!(registered["features"], json!(["rooms"]));
    b.ask(join("agent://b", "r")).await;
    a.next().await;
    let mut again = Raw::connect(&server.url()).await;
    let resume = json!({ "type": "register", "agentId": "agent://b", "resume": registered["resume"] });
    assert_eq!(again.ask(resume).await["type"], "registered");
    assert_eq!(b.next().await["error"]["code"], "UNAUTHORIZED");
    let members = again.ask(join("agent://b", "r")).await["members"].clone();
    assert_eq!(members, json!(["agent://a", "agent://b"]));
    // `a` was told nothing meanwhile: the next thing it hears is its own answer.
    assert_eq!(a.ask(leave("agent://a", "r")).await["type"], "left");
}

fn room(event: ClientEvent) -> Option<RoomEvent> {
    match event {
        ClientEvent::Room(event) => Some(event),
        _ => None,
    }
}

#[tokio::test]
async fn a_client_is_put_back_into_its_rooms_after_a_loss() {
    let first = server().await;
    let address = first.local_addr();
    let (a, mut events) = client(&first.url(), "agent://a");
    // Before the registration, too.
    a.join(name("r")).unwrap();
    a.join(name("s")).unwrap();
    a.leave(name("s")).unwrap();
    let entered = |event| {
        matches!(event, ClientEvent::Room(RoomEvent::Entered { room, .. }) if room == name("r")).then_some(())
    };
    wait(&mut events, entered).await;
    wait(&mut events, |event| (room(event) == Some(RoomEvent::Left(name("s")))).then_some(())).await;
    first.close().await;
    let second = Server::bind(ServerConfig { listen: address, ..ServerConfig::default() }).await.unwrap();
    wait_registered(&mut events).await;
    wait(&mut events, entered).await;
    assert_eq!(second.stats().rooms, 1, "not into the one that it had left");
    let mut b = Raw::registered(&second, "agent://b").await;
    b.ask(join("agent://b", "r")).await;
    let changed =
        RoomEvent::Changed { room: name("r"), joined: vec![uri("agent://b")], left: vec![], lost: vec![] };
    assert_eq!(wait(&mut events, room).await, changed);
}

#[tokio::test]
async fn a_room_that_is_full_is_refused_and_not_asked_for_again() {
    let server = limited(16, 1).await;
    let mut b = Raw::registered(&server, "agent://b").await;
    b.ask(join("agent://b", "r")).await;
    let (a, mut events) = client(&server.url(), "agent://a");
    a.join(name("r")).unwrap();
    let RoomEvent::Refused { error, again: false, .. } = wait(&mut events, room).await else { panic!() };
    assert_eq!(error.code, "RATE_LIMIT_EXCEEDED");
    a.join(name("other")).unwrap();
    assert!(matches!(wait(&mut events, room).await, RoomEvent::Entered { .. }));
}
