//! Several servers with one real Redis server, as their agents see them.

#[path = "../common/mod.rs"]
mod common;
mod first_use;
#[path = "../common/http.rs"]
mod http;
mod limits;
mod messages;
mod names;
mod paused;
#[path = "../common/redis.rs"]
mod redis;
mod redis_login;
mod redis_lost;
mod redis_refusing;
mod rooms;
mod servers;

use common::{Raw, offer};
use ossa_signaling::{ClusterConfig, Server};
use redis::{Redis, cluster, node};
use serde_json::{Value, json};

pub(crate) fn register(agent: &str) -> Value {
    json!({ "type": "register", "agentId": agent })
}

pub(crate) fn resume(agent: &str, token: &Value) -> Value {
    json!({ "type": "register", "agentId": agent, "resume": token })
}

pub(crate) fn join(agent: &str, room: &str) -> Value {
    json!({ "type": "join", "agentId": agent, "room": room })
}

pub(crate) fn leave(agent: &str, room: &str) -> Value {
    json!({ "type": "leave", "agentId": agent, "room": room })
}

/// An answer, of which an agent may send as many as it likes.
pub(crate) fn numbered(from: &str, to: &str, number: usize) -> Value {
    json!({ "type": "answer", "from": from, "to": to, "sessionId": number.to_string(), "sdp": "v=0" })
}

pub(crate) async fn two(redis: &Redis) -> (Server, Server) {
    two_of(&cluster(redis)).await
}

pub(crate) async fn two_of(cluster: &ClusterConfig) -> (Server, Server) {
    tokio::join!(node(cluster.clone()), node(cluster.clone()))
}

pub(crate) async fn pair(one: &Server, two: &Server) -> (Raw, Raw) {
    (Raw::registered(one, "agent://a").await, Raw::registered(two, "agent://b").await)
}

pub(crate) async fn delivered(sender: &mut Raw, from: &str, recipient: &mut Raw, to: &str) {
    sender.send(offer(from, to)).await;
    assert_eq!(recipient.next().await, offer(from, to));
}
