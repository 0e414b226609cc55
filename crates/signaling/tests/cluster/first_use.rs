//! Names that belong to the first key that proves itself under them: one memory for all servers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ossa_signaling::{
    AgentUri, Attempt, AuthMode, Authenticator, ClusterConfig, Denied, Evidence, FirstUsePolicy, Identity,
    KnownName, Server, ServerConfig, Verdict, close_code,
};
use serde_json::{Value, json};

use crate::common::{Raw, offer};
use crate::redis::{Redis, Victim, back, cluster, hasty, lost, node_with};
use crate::{delivered, join, register};

/// Believes everybody to hold the key that it names as its proof, and remembers the first.
#[derive(Debug)]
struct Toy {
    names: Mutex<HashMap<AgentUri, (String, u64)>>,
    retention: Duration,
    capacity: usize,
}

impl Default for Toy {
    fn default() -> Self {
        Self { names: Mutex::default(), retention: Duration::from_secs(3600), capacity: 100 }
    }
}

impl Authenticator for Toy {
    fn mode(&self) -> AuthMode {
        AuthMode::Tofu
    }

    fn verify<'a>(&'a self, attempt: Attempt<'a>) -> Verdict<'a> {
        let Evidence::Proof { proof: key, .. } = attempt.evidence else { panic!() };
        let found = self.names.lock().unwrap().get(attempt.agent).cloned();
        let verdict = match found {
            Some((owner, _)) if owner != key => Err(Denied::not_accepted("key-mismatch")),
            found => {
                let since = found.as_ref().map_or(attempt.unix_ms, |(_, since)| *since);
                let Self { retention, capacity, .. } = *self;
                let policy = FirstUsePolicy { known: found.is_some(), since, retention, capacity };
                Ok(Identity { owner: Some(key.to_owned()), first_use: Some(policy) })
            }
        };
        Box::pin(std::future::ready(verdict))
    }

    fn registered(&self, agent: &AgentUri, identity: &Identity, _: Instant) {
        let name = (identity.owner.clone().unwrap(), identity.first_use.unwrap().since);
        self.names.lock().unwrap().insert(agent.clone(), name);
    }

    fn known_names(&self, _: Instant) -> Vec<KnownName> {
        let names = self.names.lock().unwrap();
        let retention = self.retention;
        let name = |(agent, (owner, since)): (&AgentUri, &(String, u64))| KnownName {
            agent: agent.clone(),
            owner: owner.clone(),
            since: *since,
            left: retention,
            retention,
        };
        names.iter().map(name).collect()
    }

    fn corrected(&self, name: &KnownName, _: Instant) {
        let KnownName { agent, owner, since, .. } = name.clone();
        self.names.lock().unwrap().insert(agent, (owner, since));
    }
}

fn config(toy: Toy, cluster: ClusterConfig) -> ServerConfig {
    ServerConfig { authenticator: Arc::new(toy), cluster: Some(cluster), ..ServerConfig::default() }
}

async fn toy(cluster: ClusterConfig) -> Server {
    node_with(config(Toy::default(), cluster)).await
}

async fn toys(redis: &Redis) -> (Server, Server) {
    tokio::join!(toy(cluster(redis)), toy(cluster(redis)))
}

/// The connection, and the answer to the proof.
async fn prove(server: &Server, agent: &str, key: &str) -> (Raw, Value) {
    let mut raw = Raw::connect(&server.url()).await;
    assert_eq!(raw.ask(register(agent)).await["type"], "challenge");
    let answer = raw.ask(json!({ "type": "prove", "agentId": agent, "proof": key })).await;
    (raw, answer)
}

async fn proven(server: &Server, agent: &str, key: &str) -> Raw {
    let (raw, answer) = prove(server, agent, key).await;
    assert_eq!(answer["type"], "registered", "{answer}");
    raw
}

async fn refusal(server: &Server, agent: &str, key: &str) -> Value {
    let (_, answer) = prove(server, agent, key).await;
    assert_eq!(answer["type"], "error", "{answer}");
    answer["error"].clone()
}

async fn goes(mut raw: Raw, agent: &str) {
    assert_eq!(raw.ask(json!({ "type": "unregister", "agentId": agent })).await["type"], "unregistered");
}

#[tokio::test]
async fn a_name_is_its_first_keys_on_every_server_also_while_its_owner_is_away() {
    let redis = Redis::start();
    let (one, two) = toys(&redis).await;
    goes(proven(&one, "agent://a", "key").await, "agent://a").await;
    let here = refusal(&one, "agent://a", "other key").await;
    assert_eq!(here["code"], "UNAUTHORIZED");
    assert_eq!(refusal(&two, "agent://a", "other key").await, here);
    assert_eq!(two.stats().denied, 1);
    // The server has learnt it: next time it does not even ask.
    assert_eq!(refusal(&two, "agent://a", "other key").await, here);
    proven(&two, "agent://a", "key").await;
}

#[tokio::test]
async fn an_owner_that_is_there_is_not_disturbed_by_another_key_on_another_server() {
    let redis = Redis::start();
    let (one, two) = toys(&redis).await;
    let mut owner = proven(&one, "agent://a", "key").await;
    let here = refusal(&one, "agent://a", "other key").await;
    assert_eq!(refusal(&two, "agent://a", "other key").await, here);
    let mut b = proven(&two, "agent://b", "b's key").await;
    delivered(&mut b, "agent://b", &mut owner, "agent://a").await;
}

#[tokio::test]
async fn the_same_key_takes_its_name_over_on_another_server_and_the_old_connection_is_told() {
    let redis = Redis::start();
    let (one, two) = toys(&redis).await;
    let mut old = proven(&one, "agent://a", "key").await;
    let mut new = proven(&two, "agent://a", "key").await;
    let told = old.next().await;
    assert_eq!((&told["to"], &told["error"]["code"]), (&json!("agent://a"), &json!("UNAUTHORIZED")));
    assert_eq!(old.closed().await, Some(close_code::REPLACED));
    assert_eq!((one.stats().agents, two.stats().agents), (0, 1));
    let mut b = proven(&one, "agent://b", "b's key").await;
    delivered(&mut b, "agent://b", &mut new, "agent://a").await;
    delivered(&mut new, "agent://a", &mut b, "agent://b").await;
    // There and back.
    let mut again = proven(&one, "agent://a", "key").await;
    new.next().await;
    assert_eq!(new.closed().await, Some(close_code::REPLACED));
    delivered(&mut b, "agent://b", &mut again, "agent://a").await;
}

#[tokio::test]
async fn without_redis_only_names_that_the_server_knows_itself_are_registered() {
    let mut redis = Redis::start();
    let (events, mut heard) = ossa_signaling::EventSink::new();
    let two = config(Toy::default(), cluster(&redis));
    let (one, two) =
        tokio::join!(toy(cluster(&redis)), node_with(ServerConfig { events: Some(Arc::new(events)), ..two }));
    goes(proven(&one, "agent://a", "key").await, "agent://a").await;
    goes(proven(&two, "agent://b", "b's key").await, "agent://b").await;
    redis.kill();
    tokio::join!(lost(&one), lost(&two));
    // Any name that it does not know may be somebody else's.
    for (agent, key) in [("agent://a", "other key"), ("agent://a", "key"), ("agent://new", "key")] {
        assert_eq!(refusal(&two, agent, key).await["code"], "INTERNAL_ERROR");
    }
    let denied = loop {
        let (_, text, fields) = heard.recv().await.unwrap().describe();
        if text == "a registration was denied" {
            break fields["reason"].clone();
        }
    };
    assert_eq!(denied, "cluster-lost");
    assert_eq!(refusal(&two, "agent://b", "other key").await["code"], "UNAUTHORIZED");
    let _b = proven(&two, "agent://b", "b's key").await;
    redis.restart();
    tokio::join!(back(&one), back(&two));
    proven(&two, "agent://a", "key").await;
}

#[tokio::test]
async fn an_emptied_redis_is_told_whose_the_names_are_and_new_ones_wait_until_all_have_told_it() {
    let mut redis = Redis::start();
    let (one, two) = toys(&redis).await;
    goes(proven(&one, "agent://a", "key").await, "agent://a").await;
    let mut b = proven(&two, "agent://b", "b's key").await;
    redis.kill();
    redis.restart();
    tokio::join!(back(&one), back(&two));
    assert_eq!(refusal(&two, "agent://a", "other key").await["code"], "UNAUTHORIZED");
    assert_eq!(refusal(&two, "agent://new", "key").await["code"], "INTERNAL_ERROR");
    let mut a = proven(&two, "agent://a", "key").await;
    delivered(&mut b, "agent://b", &mut a, "agent://a").await;
    // When they have had the time to, everybody is welcome.
    assert_eq!(redis.ask(&["del", "test:settling"]), "1");
    proven(&two, "agent://new", "key").await;
}

#[tokio::test]
async fn of_two_first_keys_the_earlier_has_the_name_and_the_other_is_told() {
    let mut redis = Redis::start();
    let one = toy(cluster(&redis)).await;
    goes(proven(&one, "agent://a", "key").await, "agent://a").await;
    redis.kill();
    lost(&one).await;
    // A Redis server that knows nothing, and a server that does not know that there were others.
    let empty = Redis::start();
    let two = toy(cluster(&empty)).await;
    let mut usurper = proven(&two, "agent://a", "other key").await;
    std::fs::remove_file(redis.socket()).unwrap();
    std::os::unix::fs::symlink(empty.socket(), redis.socket()).unwrap();
    back(&one).await;
    assert_eq!(usurper.next().await["error"]["code"], "UNAUTHORIZED");
    assert_eq!(usurper.closed().await, Some(close_code::REPLACED));
    assert_eq!(refusal(&two, "agent://a", "other key").await["code"], "UNAUTHORIZED");
    proven(&two, "agent://a", "key").await;
}

#[tokio::test]
async fn a_name_is_free_when_nobody_came_back_for_it_in_time() {
    let redis = Redis::start();
    let forgetful = || config(Toy { retention: Duration::ZERO, ..Toy::default() }, cluster(&redis));
    let (one, two) = tokio::join!(node_with(forgetful()), node_with(forgetful()));
    let a = proven(&one, "agent://a", "key").await;
    // Its time does not run while it is there.
    let third = node_with(forgetful()).await;
    assert_eq!(refusal(&third, "agent://a", "other key").await["code"], "UNAUTHORIZED");
    goes(a, "agent://a").await;
    proven(&two, "agent://a", "other key").await;
}

#[tokio::test]
async fn there_is_one_bound_for_the_names_of_all_servers() {
    let redis = Redis::start();
    let small = || config(Toy { capacity: 2, ..Toy::default() }, cluster(&redis));
    let (one, two) = tokio::join!(node_with(small()), node_with(small()));
    goes(proven(&one, "agent://a", "key").await, "agent://a").await;
    goes(proven(&two, "agent://b", "key").await, "agent://b").await;
    let full = refusal(&two, "agent://c", "key").await;
    assert_eq!(full["code"], "INTERNAL_ERROR");
    assert!(full["message"].as_str().unwrap().contains("no more new names"), "{full}");
    proven(&two, "agent://a", "key").await;
}

#[tokio::test]
async fn the_names_of_a_server_that_was_killed_stay_their_owners() {
    let redis = Redis::start();
    let one = toy(hasty(&redis)).await;
    let victim = Victim::start_with(config(Toy::default(), hasty(&redis)));
    let mut watcher = proven(&one, "agent://w", "w's key").await;
    watcher.ask(join("agent://w", "r")).await;
    let mut a = proven(&victim.server, "agent://a", "key").await;
    a.ask(join("agent://a", "r")).await;
    assert_eq!(watcher.next().await["joined"], json!(["agent://a"]));
    victim.kill();
    assert_eq!(refusal(&one, "agent://a", "other key").await["code"], "UNAUTHORIZED");
    assert_eq!(watcher.next().await["lost"], json!(["agent://a"]));
    assert!(redis.ask(&["zscore", "test:ends", "agent://a"]).parse::<f64>().unwrap().is_finite());
    let third = toy(hasty(&redis)).await;
    assert_eq!(refusal(&third, "agent://a", "other key").await["code"], "UNAUTHORIZED");
    let mut a = proven(&third, "agent://a", "key").await;
    a.send(offer("agent://a", "agent://w")).await;
    assert_eq!(watcher.next().await["type"], "offer");
}
