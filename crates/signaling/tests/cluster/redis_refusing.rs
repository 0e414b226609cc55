//! Redis that is lost, as operators see it: killed, hanging, full, read-only.

use std::sync::Arc;

use ossa_signaling::{ClusterConfig, EventSink, Server, ServerConfig, ServerEvent, ServerEvents};

use crate::common::{Raw, offer};
use crate::http::get;
use crate::redis::{Redis, back, cluster, free_port, hasty, lost, node, node_with};
use crate::{delivered, pair};

async fn watched(cluster: ClusterConfig) -> (Server, ServerEvents) {
    let (sink, events) = EventSink::new();
    let config =
        ServerConfig { cluster: Some(cluster), events: Some(Arc::new(sink)), ..ServerConfig::default() };
    (node_with(config).await, events)
}

/// The next event about the cluster: `None` that it is connected, otherwise why it is not.
async fn news(events: &mut ServerEvents) -> Option<String> {
    loop {
        match events.recv().await.unwrap() {
            ServerEvent::ClusterConnected => return None,
            ServerEvent::ClusterLost { reason } => return Some(reason),
            _ => {}
        }
    }
}

/// What load balancers and Prometheus see: whether the server is ready, and how often Redis was lost.
async fn seen(server: &Server, ready: bool, losses: u64) {
    let answer = get(server, "/ready").await;
    let expected = if ready { (200, "ready\n") } else { (503, "cluster lost\n") };
    assert_eq!((answer.status, answer.body.as_str()), expected);
    let metrics = get(server, "/metrics").await.body;
    let (ready, losses) =
        (format!("cluster_connected {}", u8::from(ready)), format!("cluster_losses_total {losses}"));
    for line in [ready, losses] {
        assert!(metrics.contains(&format!("\nossa_signaling_{line}\n")), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn the_loss_of_redis_and_its_return_are_seen_everywhere() {
    let mut redis = Redis::start();
    let (server, mut events) = watched(cluster(&redis)).await;
    assert_eq!(news(&mut events).await, None);
    seen(&server, true, 0).await;
    for losses in 1..3 {
        redis.kill();
        let reason = news(&mut events).await.expect("lost");
        assert!(reason.starts_with("unix://"), "{reason}");
        assert_eq!(lost(&server).await, reason);
        seen(&server, false, losses).await;
        redis.restart();
        assert_eq!(news(&mut events).await, None);
        seen(&server, true, losses).await;
    }
}

#[tokio::test]
async fn a_server_that_has_not_reached_redis_yet_is_not_ready() {
    let redis = Redis::start();
    redis.signal("-STOP");
    let config = ServerConfig { cluster: Some(cluster(&redis)), ..ServerConfig::default() };
    let server = Server::bind(config).await.unwrap();
    assert_eq!(get(&server, "/ready").await.body, "cluster not reached yet\n");
    redis.signal("-CONT");
    crate::redis::connected(&server).await;
    seen(&server, true, 0).await;
}

#[tokio::test]
async fn redis_that_hangs_is_noticed_by_a_server_that_has_nothing_to_say() {
    let redis = Redis::start();
    let (server, mut events) = watched(hasty(&redis)).await;
    assert_eq!(news(&mut events).await, None);
    redis.signal("-STOP");
    let reason = news(&mut events).await.expect("lost");
    assert!(reason.contains("it does not answer"), "{reason}");
    seen(&server, false, 1).await;
    redis.signal("-CONT");
    assert_eq!(news(&mut events).await, None);
}

/// Whatever makes Redis refuse writes: two servers that notice it say why, serve their own agents, and are one again when
/// it is over.
async fn refuses(redis: &Redis, refuse: &[&str], reason: &str, relent: &[&str]) {
    let (one, two) = tokio::join!(node(hasty(redis)), node(hasty(redis)));
    let (mut a, mut b) = pair(&one, &two).await;
    assert_eq!(redis.ask(refuse), "OK");
    for server in [&one, &two] {
        let why = lost(server).await;
        assert!(why.contains(reason), "{why}");
        seen(server, false, 1).await;
    }
    let mut c = Raw::registered(&one, "agent://c").await;
    delivered(&mut a, "agent://a", &mut c, "agent://c").await;
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
    assert_eq!(redis.ask(relent), "OK");
    tokio::join!(back(&one), back(&two));
    delivered(&mut a, "agent://a", &mut b, "agent://b").await;
    delivered(&mut b, "agent://b", &mut c, "agent://c").await;
}

#[tokio::test]
async fn redis_that_is_full_is_as_good_as_lost_until_it_has_room_again() {
    let redis = Redis::start();
    let relent = ["config", "set", "maxmemory", "0"];
    let refuse = ["config", "set", "maxmemory", "1"];
    Box::pin(refuses(&redis, &refuse, "it is full: raise its maxmemory", &relent)).await;
}

#[tokio::test]
async fn redis_that_has_become_a_replica_is_as_good_as_lost_until_it_is_a_primary_again() {
    let redis = Redis::start();
    let nobody = free_port().to_string();
    let relent = ["replicaof", "no", "one"];
    let refuse = ["replicaof", "127.0.0.1", &nobody];
    Box::pin(refuses(&redis, &refuse, "it is a read-only replica", &relent)).await;
}
