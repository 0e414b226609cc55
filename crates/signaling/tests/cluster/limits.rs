//! Limits that must hold for whoever goes from server to server.

use futures_util::SinkExt;
use ossa_signaling::{Rate, Server, ServerConfig, close_code};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Raw, offer};
use crate::redis::{Redis, cluster, node_with};
use crate::{numbered, register, resume};

async fn limited(redis: &Redis, limits: ServerConfig) -> Server {
    node_with(ServerConfig { cluster: Some(cluster(redis)), ..limits }).await
}

#[tokio::test]
async fn whoever_was_disconnected_for_a_flood_gets_no_new_allowance_on_another_server() {
    let redis = Redis::start();
    let small =
        || ServerConfig { message_rate: Rate { per_second: 0.001, burst: 5.0 }, ..ServerConfig::default() };
    let (one, two) = tokio::join!(limited(&redis, small()), limited(&redis, small()));
    let mut watcher = Raw::registered(&two, "agent://w").await;
    let mut flooder = Raw::registered(&one, "agent://a").await;
    for number in 0..200 {
        let frame = numbered("agent://a", "agent://w", number).to_string();
        if flooder.0.send(Message::text(frame)).await.is_err() {
            break;
        }
    }
    assert_eq!(flooder.closed().await, Some(close_code::RATE_LIMITED));
    // What one server tells another comes in order: the warning before this offer.
    let mut other = Raw::registered(&one, "agent://b").await;
    other.send(offer("agent://b", "agent://w")).await;
    while watcher.next().await["from"] != "agent://b" {}
    let mut elsewhere = Raw::connect(&two.url()).await;
    let refused = elsewhere.ask(register("agent://a")).await;
    assert_eq!(refused["error"]["code"], "RATE_LIMIT_EXCEEDED", "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("sending too much"), "{refused}");
}

#[tokio::test]
async fn offers_of_a_pair_are_counted_where_the_recipient_is_however_often_the_sender_moves() {
    let redis = Redis::start();
    let few = || ServerConfig { offers_per_pair: 3, ..ServerConfig::default() };
    let (one, two) = tokio::join!(limited(&redis, few()), limited(&redis, few()));
    let mut b = Raw::registered(&two, "agent://b").await;
    let mut a = Raw::connect(&one.url()).await;
    let token = a.ask(register("agent://a")).await["resume"].clone();
    let written = |from: &str| json!({ "type": "offer", "from": from, "to": "agent://B", "sdp": "v=0" });
    for _ in 0..2 {
        a.send(offer("agent://a", "agent://b")).await;
        assert_eq!(b.next().await["type"], "offer");
    }
    // However the names are written.
    a.send(written("agent://A")).await;
    assert_eq!(b.next().await["type"], "offer");
    let third = limited(&redis, few()).await;
    let mut moved = Raw::connect(&third.url()).await;
    assert_eq!(moved.ask(resume("agent://a", &token)).await["type"], "registered");
    let refused = moved.ask(offer("agent://a", "agent://b")).await;
    assert_eq!(refused["error"]["code"], "RATE_LIMIT_EXCEEDED", "{refused}");
    assert_eq!((&refused["to"], &refused["sessionId"]), (&json!("agent://a"), &json!("s1")));
    assert_eq!(moved.ask(written("agent://a")).await["error"]["code"], "RATE_LIMIT_EXCEEDED");
    // Others are not concerned, and answers neither.
    moved.send(numbered("agent://a", "agent://b", 1)).await;
    assert_eq!(b.next().await["type"], "answer");
    let mut c = Raw::registered(&third, "agent://c").await;
    c.send(offer("agent://c", "agent://b")).await;
    assert_eq!(b.next().await["from"], "agent://c");
    assert_eq!(third.stats().rate_limited, 2);
}
