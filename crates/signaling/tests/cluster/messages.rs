//! Messages between agents of different servers.

use std::time::Duration;

use ossa_signaling::ClusterConfig;
use serde_json::json;

use crate::common::{Raw, offer, server};
use crate::redis::{Redis, cluster, node};
use crate::{numbered, pair, register, two};

#[tokio::test]
async fn messages_reach_agents_on_other_servers_unchanged_and_in_order() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let (mut a, mut b) = pair(&one, &two).await;
    let mut message = offer("agent://a", "agent://b");
    message["auth"] = json!({ "token": "t\n\u{2028}", "unknown": [1.5] });
    a.send(message.clone()).await;
    assert_eq!(b.next().await, message);
    for number in 0..500 {
        a.send(numbered("agent://a", "agent://b", number)).await;
    }
    for number in 0..500 {
        assert_eq!(b.next().await["sessionId"], number.to_string());
    }
    assert_eq!(two.stats().relayed, 501);
    assert_eq!(two.cluster().unwrap().received, 501);
    assert_eq!(one.stats().undeliverable, 0);
}

#[tokio::test]
async fn nobody_can_tell_an_agent_on_no_server_from_one_that_is_unknown_here() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let mut a = Raw::registered(&one, "agent://a").await;
    let answer = a.ask(offer("agent://a", "agent://b")).await;
    let mut b = Raw::registered(&two, "agent://b").await;
    b.ask(json!({ "type": "unregister", "agentId": "agent://b" })).await;
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await, answer);
    let alone = server().await;
    let mut c = Raw::registered(&alone, "agent://a").await;
    assert_eq!(c.ask(offer("agent://a", "agent://b")).await, answer);
    // An error that nobody can be given is not answered: the next answer is to the next question.
    a.send(json!({ "type": "error", "from": "agent://a", "to": "agent://b", "error": { "code": "X", "message": "" } }))
        .await;
    assert_eq!(a.ask(numbered("agent://a", "agent://b", 2)).await["sessionId"], "2");
}

#[tokio::test]
async fn what_waits_for_redis_is_bounded_and_the_senders_are_told() {
    let redis = Redis::start();
    let small = || ClusterConfig { max_queue_bytes: 4000, ..cluster(&redis) };
    let (one, two) = tokio::join!(node(small()), node(small()));
    let (mut a, mut b) = pair(&one, &two).await;
    redis.signal("-STOP");
    for number in 0..100 {
        a.send(numbered("agent://a", "agent://b", number)).await;
    }
    // Those that found no room are answered while Redis hangs.
    let first = a.next().await;
    assert_eq!(first["error"]["code"], "AGENT_UNREACHABLE");
    let waiting: usize = first["sessionId"].as_str().unwrap().parse().unwrap();
    assert!((2..20).contains(&waiting), "{waiting}");
    let mut late = Raw::connect(&one.url()).await;
    assert_eq!(late.ask(register("agent://c")).await["error"]["code"], "RATE_LIMIT_EXCEEDED");
    redis.signal("-CONT");
    for number in 0..waiting {
        assert_eq!(b.next().await["sessionId"], number.to_string());
    }
}

#[tokio::test]
async fn clusters_with_different_prefixes_do_not_see_each_other() {
    let redis = Redis::start();
    let one = node(cluster(&redis)).await;
    let mut other = ClusterConfig::new(&redis.url(), "other:").unwrap();
    other.timeout = Duration::from_secs(20);
    let two = node(other).await;
    let mut a = Raw::registered(&one, "agent://a").await;
    let _b = Raw::registered(&two, "agent://b").await;
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
}
