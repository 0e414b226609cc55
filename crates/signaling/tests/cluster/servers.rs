//! Servers that end, with and without a word.

use serde_json::json;

use crate::common::{Raw, offer};
use crate::redis::{Redis, Victim, hasty, node};
use crate::{join, register, resume, two};

#[tokio::test]
async fn agents_of_a_server_that_closes_have_never_been_away_if_they_come_back_in_time() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let mut a = Raw::registered(&one, "agent://a").await;
    a.ask(join("agent://a", "r")).await;
    let mut b = Raw::connect(&two.url()).await;
    let token = b.ask(register("agent://b")).await["resume"].clone();
    b.ask(join("agent://b", "r")).await;
    a.next().await;
    tokio::join!(two.close(), b.closed());
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
    let mut again = Raw::connect(&one.url()).await;
    assert_eq!(again.ask(resume("agent://b", &token)).await["resume"], token);
    again.send(offer("agent://b", "agent://a")).await;
    assert_eq!(a.next().await["type"], "offer", "and no notice before it");
}

#[tokio::test]
async fn agents_of_a_killed_server_come_back_at_once_and_the_others_are_gone_after_the_lease() {
    let redis = Redis::start();
    let one = node(hasty(&redis)).await;
    let victim = Victim::start(hasty(&redis));
    let mut a = Raw::registered(&one, "agent://a").await;
    a.ask(join("agent://a", "r")).await;
    let mut tokens = Vec::new();
    let mut raws = Vec::new();
    for agent in ["agent://b", "agent://c", "agent://d"] {
        let mut raw = Raw::connect(&victim.server.url()).await;
        tokens.push(raw.ask(register(agent)).await["resume"].clone());
        raw.ask(join(agent, "r")).await;
        assert_eq!(a.next().await["joined"], json!([agent]));
        raws.push(raw);
    }
    victim.kill();
    for mut raw in raws {
        raw.closed().await;
    }
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
    let mut b = Raw::connect(&one.url()).await;
    assert_eq!(b.ask(resume("agent://b", &tokens[0])).await["resume"], tokens[0]);
    // Without the token: its old server cannot answer for it.
    let mut c = Raw::connect(&one.url()).await;
    assert_eq!(c.ask(register("agent://c")).await["type"], "registered");
    assert_eq!(a.next().await["lost"], json!(["agent://c"]));
    assert_eq!(b.next().await["lost"], json!(["agent://c"]));
    assert_eq!(a.next().await["lost"], json!(["agent://d"]));
    assert_eq!(b.next().await["lost"], json!(["agent://d"]));
    assert_eq!(redis.ask(&["exists", "test:agent:agent://d"]), "0");
    assert_eq!(redis.ask(&["scard", "test:nodes"]), "1");
    b.send(offer("agent://b", "agent://a")).await;
    assert_eq!(a.next().await["type"], "offer");
}
