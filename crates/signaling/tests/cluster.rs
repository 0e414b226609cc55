//! Several servers with one real Redis server, as their agents see them.

mod common;
#[path = "common/redis.rs"]
mod redis;

use common::{Raw, offer};
use ossa_signaling::{ClusterConfig, Server, ServerConfig, close_code};
use redis::{Redis, Victim, back, cluster, connected, hasty, lost, node, node_with};
use serde_json::{Value, json};
use std::time::Duration;

fn register(agent: &str) -> Value {
    json!({ "type": "register", "agentId": agent })
}

fn resume(agent: &str, token: &Value) -> Value {
    json!({ "type": "register", "agentId": agent, "resume": token })
}

fn join(agent: &str, room: &str) -> Value {
    json!({ "type": "join", "agentId": agent, "room": room })
}

fn leave(agent: &str, room: &str) -> Value {
    json!({ "type": "leave", "agentId": agent, "room": room })
}

/// An answer, of which an agent may send as many as it likes.
fn numbered(from: &str, to: &str, number: usize) -> Value {
    json!({ "type": "answer", "from": from, "to": to, "sessionId": number.to_string(), "sdp": "v=0" })
}

async fn two(redis: &Redis) -> (Server, Server) {
    tokio::join!(node(cluster(redis)), node(cluster(redis)))
}

async fn pair(one: &Server, two: &Server) -> (Raw, Raw) {
    (Raw::registered(one, "agent://a").await, Raw::registered(two, "agent://b").await)
}

async fn delivered(sender: &mut Raw, from: &str, recipient: &mut Raw, to: &str) {
    sender.send(offer(from, to)).await;
    assert_eq!(recipient.next().await, offer(from, to));
}

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
    let alone = common::server().await;
    let mut c = Raw::registered(&alone, "agent://a").await;
    assert_eq!(c.ask(offer("agent://a", "agent://b")).await, answer);
    // An error that nobody can be given is not answered: the next answer is to the next question.
    a.send(json!({ "type": "error", "from": "agent://a", "to": "agent://b", "error": { "code": "X", "message": "" } }))
        .await;
    assert_eq!(a.ask(numbered("agent://a", "agent://b", 2)).await["sessionId"], "2");
}

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

#[tokio::test]
async fn a_password_is_used_and_a_wrong_one_is_reported_without_being_told() {
    let redis = Redis::with(&["--requirepass", "correct-horse"]);
    let with = |password: &str| {
        let url = format!("{}?pass={password}", redis.url());
        ClusterConfig { timeout: Duration::from_secs(20), ..ClusterConfig::new(&url, "test:").unwrap() }
    };
    let (one, two) = tokio::join!(node(with("correct-horse")), node(with("correct-horse")));
    let (mut a, mut b) = pair(&one, &two).await;
    a.send(offer("agent://a", "agent://b")).await;
    assert_eq!(b.next().await["type"], "offer");
    let locked_out = ServerConfig { cluster: Some(with("battery-staple")), ..ServerConfig::default() };
    assert!(!format!("{locked_out:?}").contains("battery"));
    let locked_out = Server::bind(locked_out).await.unwrap();
    let reason = lost(&locked_out).await;
    assert!(reason.to_lowercase().contains("password") && !reason.contains("battery"), "{reason}");
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
