//! Rooms with members on several servers.

use ossa_signaling::ServerConfig;
use serde_json::json;

use crate::common::Raw;
use crate::redis::{Redis, cluster, node_with};
use crate::{join, leave, pair, register, resume, two};

#[tokio::test]
async fn rooms_reach_over_all_servers() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let (mut a, mut b) = pair(&one, &two).await;
    assert_eq!(a.ask(join("agent://a", "r")).await["members"], json!(["agent://a"]));
    assert_eq!(b.ask(join("agent://b", "r")).await["members"], json!(["agent://a", "agent://b"]));
    let notice = json!({ "type": "members", "agentId": "agent://a", "room": "r", "joined": ["agent://b"] });
    assert_eq!(a.next().await, notice);
    assert_eq!(b.ask(leave("agent://b", "r")).await["type"], "left");
    assert_eq!(a.next().await["left"], json!(["agent://b"]));
    assert_eq!((one.stats().rooms, two.stats().rooms), (1, 0));
    b.ask(join("agent://b", "r")).await;
    assert_eq!(a.next().await["joined"], json!(["agent://b"]));
    drop(b);
    assert_eq!(a.next().await["lost"], json!(["agent://b"]));
    let mut c = Raw::registered(&two, "agent://c").await;
    c.ask(join("agent://c", "r")).await;
    assert_eq!(a.next().await["joined"], json!(["agent://c"]));
    c.ask(json!({ "type": "unregister", "agentId": "agent://c" })).await;
    assert_eq!(a.next().await["left"], json!(["agent://c"]));
    assert_eq!(a.ask(leave("agent://a", "r")).await["type"], "left");
    assert_eq!(redis.ask(&["--scan", "--pattern", "test:room:*"]), "");
    assert_eq!(redis.ask(&["--scan", "--pattern", "test:place:*"]), "");
}

#[tokio::test]
async fn limits_of_rooms_hold_over_all_servers() {
    let redis = Redis::start();
    let limited = || ServerConfig {
        max_rooms: 2,
        max_room_members: 2,
        cluster: Some(cluster(&redis)),
        ..ServerConfig::default()
    };
    let (one, two) = tokio::join!(node_with(limited()), node_with(limited()));
    let (mut a, mut b) = pair(&one, &two).await;
    let mut c = Raw::registered(&two, "agent://c").await;
    for room in ["r", "s"] {
        assert_eq!(a.ask(join("agent://a", room)).await["type"], "joined");
    }
    let many = a.ask(join("agent://a", "t")).await;
    assert_eq!((&many["error"]["code"], &many["room"]), (&json!("RATE_LIMIT_EXCEEDED"), &json!("t")));
    assert_eq!(b.ask(join("agent://b", "r")).await["type"], "joined");
    let full = c.ask(join("agent://c", "r")).await;
    assert_eq!((&full["error"]["code"], &full["room"]), (&json!("RATE_LIMIT_EXCEEDED"), &json!("r")));
    b.ask(leave("agent://b", "r")).await;
    assert_eq!(c.ask(join("agent://c", "r")).await["members"], json!(["agent://a", "agent://c"]));
}

#[tokio::test]
async fn everybody_sees_the_changes_of_a_room_in_the_same_order() {
    const EACH: usize = 20;
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let (mut a, mut b) = pair(&one, &two).await;
    a.ask(join("agent://a", "r")).await;
    b.ask(join("agent://b", "r")).await;
    a.next().await;
    let visitors = (0..4).map(|index| {
        let url = if index % 2 == 0 { one.url() } else { two.url() };
        let name = format!("agent://visitor{index}");
        tokio::spawn(async move {
            let mut raw = Raw::connect(&url).await;
            raw.ask(register(&name)).await;
            for _ in 0..EACH {
                raw.send(join(&name, "r")).await;
                raw.send(leave(&name, "r")).await;
                while raw.next().await["type"] != "left" {}
            }
        })
    });
    let visitors: Vec<_> = visitors.collect();
    let history = async |raw: &mut Raw| {
        let mut seen = Vec::new();
        while seen.len() < 4 * EACH * 2 {
            let notice = raw.next().await;
            seen.push((notice["joined"].clone(), notice["left"].clone()));
        }
        seen
    };
    let (at_one, at_two) = tokio::join!(history(&mut a), history(&mut b));
    assert_eq!(at_one, at_two);
    for visitor in visitors {
        visitor.await.unwrap();
    }
}

#[tokio::test]
async fn an_agent_that_resumes_elsewhere_has_never_been_away() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let mut a = Raw::registered(&one, "agent://a").await;
    a.ask(join("agent://a", "r")).await;
    let mut b = Raw::connect(&one.url()).await;
    let token = b.ask(register("agent://b")).await["resume"].clone();
    b.ask(join("agent://b", "r")).await;
    a.next().await;
    let mut again = Raw::connect(&two.url()).await;
    again.ask(resume("agent://b", &token)).await;
    let mut c = Raw::registered(&two, "agent://c").await;
    c.ask(join("agent://c", "r")).await;
    // The first that `a` hears of is the newcomer, and so does who has moved.
    assert_eq!(a.next().await["joined"], json!(["agent://c"]));
    assert_eq!(again.next().await["joined"], json!(["agent://c"]));
    let members = json!(["agent://a", "agent://b", "agent://c"]);
    assert_eq!(again.ask(join("agent://b", "r")).await["members"], members);
}
