//! Who has a name, when several servers are asked for it.

use std::time::Duration;

use ossa_signaling::{ServerConfig, close_code};
use serde_json::json;

use crate::common::{Raw, offer};
use crate::redis::{Redis, cluster, node_with};
use crate::{register, resume, two};

#[tokio::test]
async fn a_living_owner_keeps_its_name_on_all_servers() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let mut owner = Raw::registered(&one, "agent://a").await;
    let mut thief = Raw::connect(&two.url()).await;
    thief.send(register("agent://a")).await;
    let refusal = tokio::select! {
        refusal = thief.next() => refusal,
        // Reading is what answers the server's ping.
        frame = owner.next() => panic!("{frame}"),
    };
    assert_eq!(refusal["error"]["code"], "UNAUTHORIZED");
    let mut b = Raw::registered(&two, "agent://b").await;
    b.send(offer("agent://b", "agent://a")).await;
    assert_eq!(owner.next().await["type"], "offer");
}

#[tokio::test]
async fn a_dead_owner_loses_its_name_to_another_server() {
    let redis = Redis::start();
    let impatient = |redis| ServerConfig {
        takeover_timeout: Duration::from_millis(50),
        cluster: Some(cluster(redis)),
        ..ServerConfig::default()
    };
    let (one, two) = tokio::join!(node_with(impatient(&redis)), node_with(impatient(&redis)));
    // Never polled again, so its pings stay unanswered.
    let mut dead = Raw::registered(&one, "agent://a").await;
    let mut alive = Raw::registered(&two, "agent://a").await;
    let mut b = Raw::registered(&one, "agent://b").await;
    b.send(offer("agent://b", "agent://a")).await;
    assert_eq!(alive.next().await["type"], "offer");
    assert_eq!(dead.next().await["error"]["code"], "UNAUTHORIZED");
    assert_eq!(dead.closed().await, Some(close_code::REPLACED));
}

#[tokio::test]
async fn the_resume_token_takes_a_name_over_on_any_server_and_stays_valid() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let mut first = Raw::connect(&one.url()).await;
    let token = first.ask(register("agent://a")).await["resume"].clone();
    let mut second = Raw::connect(&two.url()).await;
    let resumed = second.ask(resume("agent://a", &token)).await;
    assert_eq!((&resumed["type"], &resumed["resume"]), (&json!("registered"), &token));
    first.next().await;
    assert_eq!(first.closed().await, Some(close_code::REPLACED));
    let mut third = Raw::connect(&one.url()).await;
    assert_eq!(third.ask(resume("agent://a", &token)).await["type"], "registered");
    second.next().await;
    assert_eq!(second.closed().await, Some(close_code::REPLACED));
    assert_eq!((one.stats().agents, two.stats().agents), (1, 0));
}

#[tokio::test]
async fn of_many_that_claim_a_name_at_once_one_has_it() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    let claims = (0..20).map(|index| {
        let url = if index % 2 == 0 { one.url() } else { two.url() };
        tokio::spawn(async move {
            let mut raw = Raw::connect(&url).await;
            let answer = raw.ask(register("agent://a")).await;
            // The winner reads on: that is what keeps it alive. It is never told anything again.
            let won = answer["type"] == "registered";
            if won {
                raw.closed().await;
            }
            won
        })
    });
    let mut claims: Vec<_> = claims.collect();
    let mut losers = 0;
    while losers < 19 {
        let (won, index, _) = futures_util::future::select_all(&mut claims).await;
        assert!(!won.unwrap());
        claims.swap_remove(index);
        losers += 1;
    }
    assert_eq!(one.stats().agents + two.stats().agents, 1);
    one.close().await;
    two.close().await;
    assert!(claims.remove(0).await.unwrap());
}

#[tokio::test]
async fn a_client_that_goes_while_its_claim_is_under_way_leaves_no_name_behind() {
    let redis = Redis::start();
    let (one, two) = two(&redis).await;
    redis.signal("-STOP");
    let mut gone = Raw::connect(&one.url()).await;
    gone.send(register("agent://a")).await;
    // The claim waits for Redis when this has been answered: frames are served in order, connections are not.
    let mut other = Raw::connect(&one.url()).await;
    assert_eq!(other.ask(json!({ "type": "nonsense" })).await["error"]["code"], "INVALID_MESSAGE");
    gone.0.close(None).await.unwrap();
    gone.closed().await;
    redis.signal("-CONT");
    let mut late = Raw::connect(&two.url()).await;
    let mut answer = late.ask(register("agent://a")).await;
    while answer["type"] != "registered" {
        assert_eq!(answer["error"]["code"], "UNAUTHORIZED", "{answer}");
        answer = late.ask(register("agent://a")).await;
    }
    assert_eq!(one.stats().agents, 0);
}
