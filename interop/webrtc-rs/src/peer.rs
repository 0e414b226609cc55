//! One peer connection: descriptions, candidates, channels by label.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceCandidateInit, RTCIceGatheringState, RTCPeerConnectionIceEvent, RTCSessionDescription,
};

use crate::Failure;
use crate::channel::{Channel, Init};

/// Bytes handed to a channel that SCTP has not released before `send` waits: the middle between the benchmark's other stacks.
const SEND_BUFFER: usize = 1024 * 1024;

/// `RTCIceCandidateInit` as W3C writes it in JSON.
#[derive(Deserialize, Serialize, Clone)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CandidateInit {
    candidate: String,
    sdp_mid: Option<String>,
    #[serde(rename = "sdpMLineIndex")]
    sdp_m_line_index: Option<u16>,
    username_fragment: Option<String>,
}

/// Channels by label; an entry may be waited for before its channel exists.
#[derive(Default)]
struct Channels(Mutex<HashMap<String, Arc<Channel>>>);

impl Channels {
    fn get(&self, label: &str) -> Arc<Channel> {
        let mut channels = self.0.lock().expect("no code panics while it holds the map");
        channels.entry(label.to_owned()).or_default().clone()
    }
}

struct Handler {
    candidates: mpsc::UnboundedSender<Value>,
    channels: Arc<Channels>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let Ok(init) = event.candidate.to_json() else { return };
        let init = CandidateInit {
            candidate: init.candidate,
            sdp_mid: None, // the crate says '', which names no section: `next_candidate` fills it in
            sdp_m_line_index: init.sdp_mline_index,
            username_fragment: init.username_fragment,
        };
        let _ = self.candidates.send(json!({ "candidate": init })); // nobody listens once the peer is closed
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.candidates.send(json!({ "candidate": null }));
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let channels = self.channels.clone();
        // The driver waits for this handler, and the label comes from the driver.
        tokio::spawn(async move {
            if let Ok(label) = channel.label().await {
                channels.get(&label).attach(channel, true);
            }
        });
    }
}

pub(crate) struct Peer {
    connection: Box<dyn PeerConnection>,
    candidates: tokio::sync::Mutex<mpsc::UnboundedReceiver<Value>>,
    end: mpsc::UnboundedSender<Value>,
    channels: Arc<Channels>,
}

impl Peer {
    pub(crate) async fn open() -> Result<Self, Failure> {
        let (sender, candidates) = mpsc::unbounded_channel();
        let channels = Arc::new(Channels::default());
        let handler = Arc::new(Handler { candidates: sender.clone(), channels: channels.clone() });
        let builder = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_handler(handler)
            .with_udp_addrs(vec!["0.0.0.0:0".to_owned()])
            .with_data_channel_send_buffer_limit(SEND_BUFFER);
        let connection = Box::pin(builder.build()).await?; // a future of 20 kB
        Ok(Self {
            connection: Box::new(connection),
            candidates: tokio::sync::Mutex::new(candidates),
            end: sender,
            channels,
        })
    }

    pub(crate) fn channel(&self, label: &str) -> Arc<Channel> {
        self.channels.get(label)
    }

    async fn description(&self) -> Result<Value, Failure> {
        let description = self.connection.local_description().await.ok_or("no local description")?;
        Ok(serde_json::to_value(description)?)
    }

    pub(crate) async fn create_offer(&self, ice_restart: bool) -> Result<Value, Failure> {
        // The crate keeps the type of `create_offer`'s options to itself.
        if ice_restart {
            self.connection.restart_ice().await?;
        }
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer).await?;
        self.description().await
    }

    pub(crate) async fn accept_offer(&self, sdp: String) -> Result<Value, Failure> {
        self.connection.set_remote_description(RTCSessionDescription::offer(sdp)?).await?;
        let answer = self.connection.create_answer(None).await?;
        self.connection.set_local_description(answer).await?;
        self.description().await
    }

    pub(crate) async fn accept_answer(&self, sdp: String) -> Result<Value, Failure> {
        self.connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?;
        Ok(json!({}))
    }

    pub(crate) async fn add_candidate(&self, init: Option<CandidateInit>) -> Result<Value, Failure> {
        if let Some(init) = init {
            let init = RTCIceCandidateInit {
                candidate: init.candidate,
                sdp_mid: init.sdp_mid,
                sdp_mline_index: init.sdp_m_line_index,
                username_fragment: init.username_fragment,
                url: None,
            };
            self.connection.add_ice_candidate(init).await?;
        }
        Ok(json!({}))
    }

    pub(crate) async fn next_candidate(&self) -> Result<Value, Failure> {
        let next = self.candidates.lock().await.recv().await;
        let mut next = next.unwrap_or_else(|| json!({ "closed": true }));
        if let Some(candidate) = next.get_mut("candidate").filter(|candidate| candidate.is_object()) {
            let description = self.connection.local_description().await.ok_or("no local description")?;
            candidate["sdpMid"] = description.sdp.lines().find_map(|line| line.strip_prefix("a=mid:")).into();
        }
        Ok(next)
    }

    pub(crate) async fn create_channel(&self, label: &str, init: Init) -> Result<Value, Failure> {
        let channel = self.connection.create_data_channel(label, Some(init.into())).await?;
        self.channels.get(label).attach(channel, false);
        Ok(json!({}))
    }

    pub(crate) async fn close(&self) -> Result<(), Failure> {
        let _ = self.end.send(json!({ "closed": true }));
        Ok(self.connection.close().await?)
    }
}
