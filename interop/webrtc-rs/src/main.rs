//! The Rust `webrtc` crate behind the calls of `interop/w3c-driver.cjs`: one JSON object per line, `{id, method, params}` in on stdin,
//! `{id, result}` or `{id, error}` out on stdout. It is a peer of the interoperability tests and a baseline of the benchmarks.

mod channel;
mod message;
mod meter;
mod peer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::message::Order;
use crate::peer::Peer;

/// What a call may fail with: shown to the test as text.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Deserialize)]
struct Call {
    id: u64,
    method: String,
    #[serde(default)]
    params: Value,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Params {
    pc: String,
    label: String,
    init: Option<channel::Init>,
    sdp: String,
    ice_restart: bool,
    candidate: Option<peer::CandidateInit>,
    messages: Vec<Order>,
    count: usize,
    size: usize,
    ms: u64,
}

#[derive(Default)]
struct Peers(Mutex<HashMap<String, Arc<Peer>>>);

impl Peers {
    fn get(&self, name: &str) -> Result<Arc<Peer>, Failure> {
        let peers = self.0.lock().expect("no code panics while it holds the map");
        Ok(peers.get(name).ok_or_else(|| format!("no peer connection {name}"))?.clone())
    }

    fn put(&self, name: String, peer: Peer) {
        self.0.lock().expect("no code panics while it holds the map").insert(name, Arc::new(peer));
    }

    fn take(&self, name: &str) -> Option<Arc<Peer>> {
        self.0.lock().expect("no code panics while it holds the map").remove(name)
    }
}

async fn answer(peers: &Peers, method: &str, params: Value) -> Result<Value, Failure> {
    let params: Params = if params.is_null() { Params::default() } else { serde_json::from_value(params)? };
    match method {
        "about" => return Ok(json!({ "name": "webrtc (Rust crate)", "version": "0.21.1" })),
        "usage" => return meter::usage(),
        "collect" => return Ok(json!({})), // no garbage here
        "open" => {
            peers.put(params.pc, Peer::open().await?);
            return Ok(json!({}));
        }
        "closePeer" => {
            if let Some(peer) = peers.take(&params.pc) {
                peer.close().await?;
            }
            return Ok(json!({}));
        }
        _ => {}
    }
    let peer = peers.get(&params.pc)?;
    match method {
        "createOffer" => return peer.create_offer(params.ice_restart).await,
        "acceptOffer" => return peer.accept_offer(params.sdp).await,
        "acceptAnswer" => return peer.accept_answer(params.sdp).await,
        "addCandidate" => return peer.add_candidate(params.candidate).await,
        "nextCandidate" => return peer.next_candidate().await,
        "createChannel" => return peer.create_channel(&params.label, params.init.unwrap_or_default()).await,
        _ => {}
    }
    let channel = peer.channel(&params.label);
    match method {
        "waitOpen" => channel.wait_open().await,
        "send" => channel.send(&params.messages).await,
        "receive" => channel.receive(params.count).await,
        "closeChannel" => channel.close().await,
        "waitClosed" => channel.wait_closed().await,
        "flood" => meter::flood(&channel, params.size, params.ms).await,
        "count" => meter::count(&channel),
        "counted" => meter::counted(&channel),
        "echo" => meter::echo(&channel),
        "ping" => meter::ping(&channel, params.size, params.ms).await,
        other => Err(format!("unknown method {other}").into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let peers = Arc::new(Peers::default());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let call: Call = serde_json::from_str(&line)?;
        let peers = peers.clone();
        tokio::spawn(async move {
            let reply = match answer(&peers, &call.method, call.params).await {
                Ok(result) => json!({ "id": call.id, "result": result }),
                Err(error) => json!({ "id": call.id, "error": error.to_string() }),
            };
            // One println per reply keeps the line whole whatever task it comes from.
            println!("{reply}");
        });
    }
    Ok(())
}
