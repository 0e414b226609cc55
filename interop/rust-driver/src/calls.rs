//! The calls: one line in, one line out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::Failure;
use crate::connection::{CandidateInit, Connection};
use crate::message::Order;
use crate::meter;
use crate::stack::{Init, Stack};

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
    init: Option<Init>,
    sdp: String,
    ice_restart: bool,
    candidate: Option<CandidateInit>,
    messages: Vec<Order>,
    count: usize,
    size: usize,
    ms: u64,
}

/// A stack and its connections by name.
struct Served<S: Stack> {
    stack: S,
    peers: Mutex<HashMap<String, Arc<Connection<S::Peer>>>>,
}

impl<S: Stack> Served<S> {
    fn get(&self, name: &str) -> Result<Arc<Connection<S::Peer>>, Failure> {
        let peers = self.peers.lock().expect("no code panics while it holds the map");
        Ok(peers.get(name).ok_or_else(|| format!("no peer connection {name}"))?.clone())
    }

    fn put(&self, name: String, peer: Connection<S::Peer>) {
        self.peers.lock().expect("no code panics while it holds the map").insert(name, Arc::new(peer));
    }

    fn take(&self, name: &str) -> Option<Arc<Connection<S::Peer>>> {
        self.peers.lock().expect("no code panics while it holds the map").remove(name)
    }

    async fn answer(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let params: Params =
            if params.is_null() { Params::default() } else { serde_json::from_value(params)? };
        match method {
            "about" => {
                let (name, version) = self.stack.about();
                return Ok(json!({ "name": name, "version": version }));
            }
            "usage" => return meter::usage(),
            "collect" => return Ok(json!({})), // no garbage here
            "open" => {
                self.put(params.pc, Connection::open(&self.stack).await?);
                return Ok(json!({}));
            }
            "closePeer" => {
                if let Some(peer) = self.take(&params.pc) {
                    peer.close().await?;
                }
                return Ok(json!({}));
            }
            _ => {}
        }
        let peer = self.get(&params.pc)?;
        match method {
            "createOffer" => return peer.create_offer(params.ice_restart).await,
            "acceptOffer" => return peer.accept_offer(params.sdp).await,
            "acceptAnswer" => return peer.accept_answer(params.sdp).await,
            "addCandidate" => return peer.add_candidate(params.candidate).await,
            "nextCandidate" => return peer.next_candidate().await,
            "createChannel" => {
                return peer.create_channel(&params.label, params.init.unwrap_or_default()).await;
            }
            _ => {}
        }
        let slot = peer.slot(&params.label);
        match method {
            "waitOpen" => slot.wait_open().await,
            "send" => slot.send(&params.messages).await,
            "receive" => slot.receive(params.count).await,
            "closeChannel" => slot.close().await,
            "waitClosed" => slot.wait_closed().await,
            "flood" => meter::flood(&*slot, params.size, params.ms).await,
            "count" => meter::count(&*slot),
            "counted" => meter::counted(&*slot),
            "echo" => meter::echo(&*slot),
            "ping" => meter::ping(&*slot, params.size, params.ms).await,
            other => Err(format!("unknown method {other}").into()),
        }
    }
}

/// Answers calls until stdin ends. To be run on tokio.
pub async fn serve<S: Stack>(stack: S) -> Result<(), Failure> {
    let served = Arc::new(Served { stack, peers: Mutex::default() });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let call: Call = serde_json::from_str(&line)?;
        let served = served.clone();
        tokio::spawn(async move {
            let reply = match served.answer(&call.method, call.params).await {
                Ok(result) => json!({ "id": call.id, "result": result }),
                Err(error) => json!({ "id": call.id, "error": error.to_string() }),
            };
            // One println per reply keeps the line whole whatever task it comes from.
            println!("{reply}");
        });
    }
    Ok(())
}
