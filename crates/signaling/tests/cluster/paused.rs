//! Servers that stand still, come again and again, or are of another release.

use ossa_signaling::{Server, ServerConfig, close_code};
use serde_json::{Value, json};

use crate::common::{Raw, offer};
use crate::http::get;
use crate::redis::{Redis, Victim, cluster, hasty, lost, node};
use crate::{delivered, join, pair, register, resume, two};

#[tokio::test]
async fn a_server_that_stood_still_gives_up_who_has_moved_and_is_there_again_for_the_others() {
    let redis = Redis::start();
    let one = node(hasty(&redis)).await;
    let victim = Victim::start(hasty(&redis));
    let mut w = Raw::registered(&one, "agent://w").await;
    w.ask(join("agent://w", "r")).await;
    let mut old = Raw::connect(&victim.server.url()).await;
    let token = old.ask(register("agent://a")).await["resume"].clone();
    let mut b = Raw::registered(&victim.server, "agent://b").await;
    for (raw, agent) in [(&mut old, "agent://a"), (&mut b, "agent://b")] {
        raw.send(join(agent, "r")).await;
        assert_eq!(w.next().await["joined"], json!([agent]));
    }
    let pause = victim.pause().await;
    let mut new = Raw::connect(&one.url()).await;
    assert_eq!(new.ask(resume("agent://a", &token)).await["type"], "registered");
    // Its lease has ended with nobody but the other agent on it.
    assert_eq!(w.next().await["lost"], json!(["agent://b"]));
    assert_eq!(w.ask(offer("agent://w", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
    drop(pause);
    until(&mut w, |frame| frame["joined"] == json!(["agent://b"])).await;
    until(&mut old, |frame| frame["error"]["code"] == "UNAUTHORIZED").await;
    assert_eq!(old.closed().await, Some(close_code::REPLACED));
    for (to, agent) in [(&mut b, "agent://b"), (&mut new, "agent://a")] {
        w.send(offer("agent://w", agent)).await;
        until(to, |frame| frame["type"] == "offer").await;
    }
    assert_eq!((one.stats().agents, victim.server.stats().agents), (2, 1));
    while redis.ask(&["hlen", "test:room:r"]) != "3" {}
    victim.kill();
}

/// Reads on to what is meant; on a machine that is busy a server may be late for its lease, and its agents go and come.
async fn until(raw: &mut Raw, meant: impl Fn(&Value) -> bool) {
    while !meant(&raw.next().await) {}
}

#[tokio::test]
async fn servers_that_crash_again_and_again_leave_nothing_in_redis() {
    let redis = Redis::start();
    let one = node(hasty(&redis)).await;
    let mut w = Raw::registered(&one, "agent://w").await;
    w.ask(join("agent://w", "r")).await;
    let keys = || {
        let mut keys: Vec<_> = redis.ask(&["keys", "*"]).lines().map(str::to_owned).collect();
        keys.sort();
        keys
    };
    let before = keys();
    for round in 0..3 {
        let victim = Victim::start(hasty(&redis));
        let agent = format!("agent://{round}");
        let mut raw = Raw::registered(&victim.server, &agent).await;
        raw.ask(join(&agent, "r")).await;
        assert_eq!(w.next().await["joined"], json!([agent]));
        victim.kill();
        assert_eq!(w.next().await["lost"], json!([agent]));
    }
    assert_eq!(keys(), before);
    assert_eq!(redis.ask(&["scard", "test:nodes"]), "1");
}

#[tokio::test]
async fn a_server_of_another_version_stays_out_and_says_why() {
    let redis = Redis::start();
    let one = node(cluster(&redis)).await;
    assert_eq!(redis.ask(&["set", "test:version", "of tomorrow"]), "OK");
    let config = ServerConfig { cluster: Some(cluster(&redis)), ..ServerConfig::default() };
    let other = Server::bind(config).await.unwrap();
    let reason = lost(&other).await;
    assert!(reason.contains("\"of tomorrow\"") && reason.contains("stop the others first"), "{reason}");
    // Nobody is left who could be confused.
    one.close().await;
    node(cluster(&redis)).await;
}

#[tokio::test]
async fn what_a_later_release_says_is_skipped_and_counted() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let (mut a, mut b) = pair(&one, &two).await;
    for node in redis.ask(&["smembers", "test:nodes"]).lines() {
        assert_eq!(redis.ask(&["publish", &format!("test:to:{node}"), "?\nnews"]), "1");
    }
    delivered(&mut a, "agent://a", &mut b, "agent://b").await;
    assert_eq!(two.cluster().unwrap().unknown, 1);
    let metrics = get(&two, "/metrics").await.body;
    assert!(metrics.contains("\nossa_signaling_cluster_unknown_total 1\n"), "{metrics}");
}
