//! Redis that is gone, hangs, or comes back empty.

use ossa_signaling::{Server, ServerConfig, close_code};
use serde_json::json;

use crate::common::{Raw, offer};
use crate::redis::{Redis, Victim, back, connected, hasty, lost, node};
use crate::{delivered, join, leave, numbered, pair, register, resume};

#[tokio::test]
async fn without_redis_each_server_goes_on_for_its_own_agents_and_all_is_back_with_it() {
    let mut redis = Redis::start();
    let (one, two) = tokio::join!(node(hasty(&redis)), node(hasty(&redis)));
    let (mut a, mut b) = pair(&one, &two).await;
    a.ask(join("agent://a", "r")).await;
    b.ask(join("agent://b", "r")).await;
    a.next().await;
    redis.kill();
    tokio::join!(lost(&one), lost(&two));
    assert_eq!(one.cluster().unwrap().losses, 1);
    assert_eq!(a.ask(offer("agent://a", "agent://b")).await["error"]["code"], "AGENT_UNREACHABLE");
    // A newcomer is served, in rooms as well.
    let mut c = Raw::registered(&one, "agent://c").await;
    c.ask(join("agent://c", "r")).await;
    assert_eq!(a.next().await["joined"], json!(["agent://c"]));
    a.send(offer("agent://a", "agent://c")).await;
    assert_eq!(c.next().await["type"], "offer");

    redis.restart();
    tokio::join!(connected(&one), connected(&two));
    // Nobody was lost meanwhile: of the others only the newcomer is news.
    assert_eq!(b.next().await["joined"], json!(["agent://c"]));
    delivered(&mut a, "agent://a", &mut b, "agent://b").await;
    delivered(&mut b, "agent://b", &mut c, "agent://c").await;
    c.ask(leave("agent://c", "r")).await;
    assert_eq!(a.next().await["left"], json!(["agent://c"]));
    assert_eq!(b.next().await["left"], json!(["agent://c"]));
}

#[tokio::test]
async fn who_is_lost_together_with_redis_is_missed_after_the_lease() {
    let mut redis = Redis::start();
    let one = node(hasty(&redis)).await;
    let victim = Victim::start(hasty(&redis));
    let (mut a, mut b) = pair(&one, &victim.server).await;
    a.ask(join("agent://a", "r")).await;
    b.ask(join("agent://b", "r")).await;
    a.next().await;
    redis.kill();
    victim.kill();
    redis.restart();
    assert_eq!(a.next().await["lost"], json!(["agent://b"]));
}

#[tokio::test]
async fn a_redis_server_that_hangs_holds_nobody_up() {
    let redis = Redis::start();
    let (one, two) = tokio::join!(node(hasty(&redis)), node(hasty(&redis)));
    let (mut a, mut b) = pair(&one, &two).await;
    redis.signal("-STOP");
    // Under way when the loss is noticed: each is answered all the same.
    for number in 0..10 {
        a.send(numbered("agent://a", "agent://b", number)).await;
    }
    let mut newcomer = Raw::connect(&one.url()).await;
    newcomer.send(register("agent://c")).await;
    newcomer.send(join("agent://c", "r")).await;
    for number in 0..10 {
        let answer = a.next().await;
        assert_eq!(answer["error"]["code"], "AGENT_UNREACHABLE");
        assert_eq!(answer["sessionId"], number.to_string());
    }
    assert_eq!(newcomer.next().await["type"], "registered");
    assert_eq!(newcomer.next().await["type"], "joined");
    tokio::join!(lost(&one), lost(&two));
    redis.signal("-CONT");
    tokio::join!(connected(&one), connected(&two));
    // What Redis had still read of the ten comes late or not at all.
    a.send(numbered("agent://a", "agent://b", 99)).await;
    while b.next().await["sessionId"] != "99" {}
    b.send(offer("agent://b", "agent://c")).await;
    assert_eq!(newcomer.next().await["type"], "offer");
}

#[tokio::test]
async fn an_emptied_redis_is_filled_again() {
    let redis = Redis::start();
    let (one, two) = tokio::join!(node(hasty(&redis)), node(hasty(&redis)));
    let (mut a, mut b) = pair(&one, &two).await;
    redis.ask(&["flushall"]);
    tokio::join!(back(&one), back(&two));
    delivered(&mut a, "agent://a", &mut b, "agent://b").await;
    delivered(&mut b, "agent://b", &mut a, "agent://a").await;
}

#[tokio::test]
async fn a_name_that_two_took_while_redis_was_lost_has_one_owner_again() {
    let mut redis = Redis::start();
    let (one, two) = tokio::join!(node(hasty(&redis)), node(hasty(&redis)));
    redis.kill();
    tokio::join!(lost(&one), lost(&two));
    let mut rivals = [Raw::registered(&one, "agent://x").await, Raw::registered(&two, "agent://x").await];
    let mut b = Raw::registered(&two, "agent://b").await;
    redis.restart();
    let [first, second] = &mut rivals;
    // Both are alive: who is published first keeps the name, the other one is told.
    let (loser, kept) = tokio::select! {
        frame = first.next() => (frame, second),
        frame = second.next() => (frame, first),
    };
    assert_eq!(loser["error"]["code"], "UNAUTHORIZED");
    tokio::join!(connected(&one), connected(&two));
    delivered(&mut b, "agent://b", kept, "agent://x").await;
    assert_eq!(one.stats().agents + two.stats().agents, 2);
}

#[tokio::test]
async fn an_agent_that_moves_while_redis_is_lost_keeps_its_name_and_rooms() {
    let mut redis = Redis::start();
    let (one, two) = tokio::join!(node(hasty(&redis)), node(hasty(&redis)));
    let mut watcher = Raw::registered(&two, "agent://w").await;
    watcher.ask(join("agent://w", "r")).await;
    let mut old = Raw::connect(&one.url()).await;
    let token = old.ask(register("agent://a")).await["resume"].clone();
    old.ask(join("agent://a", "r")).await;
    watcher.next().await;
    redis.kill();
    tokio::join!(lost(&one), lost(&two));
    // Its old connection is still open on the other server, which cannot know.
    let mut new = Raw::connect(&two.url()).await;
    assert_eq!(new.ask(resume("agent://a", &token)).await["resume"], token);
    let members = json!(["agent://a", "agent://w"]);
    assert_eq!(new.ask(join("agent://a", "r")).await["members"], members);
    redis.restart();
    assert_eq!(old.next().await["error"]["code"], "UNAUTHORIZED");
    assert_eq!(old.closed().await, Some(close_code::REPLACED));
    tokio::join!(connected(&one), connected(&two));
    watcher.send(offer("agent://w", "agent://a")).await;
    assert_eq!(new.next().await["type"], "offer");
    // It was there all the time.
    assert_eq!(watcher.ask(join("agent://w", "r")).await["members"], members);
}

#[tokio::test]
async fn a_server_starts_without_redis_and_joins_when_it_comes() {
    let mut redis = Redis::start();
    redis.kill();
    let server =
        Server::bind(ServerConfig { cluster: Some(hasty(&redis)), ..ServerConfig::default() }).await.unwrap();
    let mut a = Raw::registered(&server, "agent://a").await;
    assert!(lost(&server).await.starts_with("unix://"));
    redis.restart();
    let (other, ()) = tokio::join!(node(hasty(&redis)), connected(&server));
    let mut b = Raw::registered(&other, "agent://b").await;
    delivered(&mut b, "agent://b", &mut a, "agent://a").await;
}
