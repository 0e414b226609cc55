//! One connection of a stack: its channels by label, and its candidates in order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::Failure;
use crate::slot::Slot;
use crate::stack::{Init, Peer, Stack};

/// `RTCIceCandidateInit` as W3C writes it in JSON.
#[derive(Deserialize, Serialize, Clone, Default)]
#[serde(default, rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of RTCIceCandidateInit")]
pub struct CandidateInit {
    pub candidate: String,
    pub sdp_mid: Option<String>,
    #[serde(rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u16>,
    pub username_fragment: Option<String>,
}

/// Channels by label; an entry may be waited for before its channel exists.
struct Channels<C>(Mutex<HashMap<String, Arc<Slot<C>>>>);

impl<C> Channels<C> {
    fn get(&self, label: &str) -> Arc<Slot<C>> {
        let mut channels = self.0.lock().expect("no code panics while it holds the map");
        channels.entry(label.to_owned()).or_default().clone()
    }
}

/// Where a connection tells what happens to it.
pub struct Events<C> {
    candidates: mpsc::UnboundedSender<Value>,
    channels: Arc<Channels<C>>,
}

impl<C> Clone for Events<C> {
    fn clone(&self) -> Self {
        Self { candidates: self.candidates.clone(), channels: self.channels.clone() }
    }
}

impl<C> Events<C> {
    /// A candidate was gathered. Without `sdp_mid` it gets that of the local description.
    pub fn candidate(&self, init: &CandidateInit) {
        let _ = self.candidates.send(json!({ "candidate": init })); // nobody listens once the peer is closed
    }

    /// All candidates were gathered.
    pub fn gathered(&self) {
        let _ = self.candidates.send(json!({ "candidate": null }));
    }

    /// Attaches a channel to the slot of its label; `incoming` if the other side has made it. The stack tells the slot what happens.
    pub fn attach(&self, label: &str, channel: C, incoming: bool) -> Arc<Slot<C>> {
        let slot = self.channels.get(label);
        slot.attach(channel, incoming);
        slot
    }
}

pub(crate) struct Connection<P: Peer> {
    peer: P,
    channels: Arc<Channels<P::Channel>>,
    candidates: tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>,
    end: mpsc::UnboundedSender<Value>,
    /// `a=mid` of the last local description.
    mid: watch::Sender<Option<String>>,
}

impl<P: Peer> Connection<P> {
    pub(crate) async fn open<S: Stack<Peer = P>>(stack: &S) -> Result<Self, Failure> {
        let (end, candidates) = mpsc::unbounded_channel();
        let channels = Arc::new(Channels(Mutex::default()));
        let events = Events { candidates: end.clone(), channels: channels.clone() };
        Ok(Self {
            peer: stack.open(events).await?,
            channels,
            candidates: tokio::sync::Mutex::new(candidates),
            end,
            mid: watch::Sender::new(None),
        })
    }

    pub(crate) fn slot(&self, label: &str) -> Arc<Slot<P::Channel>> {
        self.channels.get(label)
    }

    fn describe(&self, kind: &str, sdp: String) -> Value {
        let mid = sdp.lines().find_map(|line| line.strip_prefix("a=mid:"));
        self.mid.send_replace(mid.map(str::to_owned));
        json!({ "type": kind, "sdp": sdp })
    }

    pub(crate) async fn create_offer(&self, ice_restart: bool) -> Result<Value, Failure> {
        Ok(self.describe("offer", self.peer.create_offer(ice_restart).await?))
    }

    pub(crate) async fn accept_offer(&self, sdp: String) -> Result<Value, Failure> {
        Ok(self.describe("answer", self.peer.accept_offer(sdp).await?))
    }

    pub(crate) async fn accept_answer(&self, sdp: String) -> Result<Value, Failure> {
        self.peer.accept_answer(sdp).await?;
        Ok(json!({}))
    }

    pub(crate) async fn add_candidate(&self, init: Option<CandidateInit>) -> Result<Value, Failure> {
        // None of these stacks asks for the end of candidates.
        if let Some(init) = init {
            self.peer.add_candidate(init).await?;
        }
        Ok(json!({}))
    }

    pub(crate) async fn next_candidate(&self) -> Result<Value, Failure> {
        let next = self.candidates.lock().await.recv().await;
        let mut next = next.unwrap_or_else(|| json!({ "closed": true }));
        if let Some(sdp_mid) = next.pointer_mut("/candidate/sdpMid").filter(|mid| mid.is_null()) {
            // A candidate may be there before the call that makes the description has returned.
            let mut mid = self.mid.subscribe();
            *sdp_mid = json!(*mid.wait_for(Option::is_some).await?);
        }
        Ok(next)
    }

    pub(crate) async fn create_channel(&self, label: &str, init: Init) -> Result<Value, Failure> {
        self.peer.create_channel(label, init).await?;
        Ok(json!({}))
    }

    pub(crate) async fn close(&self) -> Result<(), Failure> {
        let _ = self.end.send(json!({ "closed": true }));
        self.peer.close().await
    }
}
