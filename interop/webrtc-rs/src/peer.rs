//! One peer connection.

use std::sync::Arc;

use ossa_interop_driver::{CandidateInit, Events, Failure, Init};
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceCandidateInit, RTCIceGatheringState, RTCPeerConnectionIceEvent, RTCSessionDescription,
};

use crate::channel::{self, Channel};

/// Bytes handed to a channel that SCTP has not released before `send` waits: the middle between the benchmark's other stacks.
const SEND_BUFFER: usize = 1024 * 1024;

struct Handler(Events<Channel>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let Ok(init) = event.candidate.to_json() else { return };
        self.0.candidate(&CandidateInit {
            candidate: init.candidate,
            sdp_mid: None, // the crate says '', which names no section: the driver fills it in
            sdp_m_line_index: init.sdp_mline_index,
            username_fragment: init.username_fragment,
        });
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.0.gathered();
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let events = self.0.clone();
        // The crate waits for this handler, and the label comes from the crate.
        tokio::spawn(async move {
            if let Ok(label) = channel.label().await {
                channel::attach(&events, &label, channel, true);
            }
        });
    }
}

pub(crate) struct Peer {
    connection: Box<dyn PeerConnection>,
    events: Events<Channel>,
}

impl Peer {
    pub(crate) async fn open(events: Events<Channel>) -> Result<Self, Failure> {
        let builder = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_handler(Arc::new(Handler(events.clone())))
            .with_udp_addrs(vec!["0.0.0.0:0".to_owned()])
            .with_data_channel_send_buffer_limit(SEND_BUFFER);
        let connection = Box::pin(builder.build()).await?; // a future of 20 kB
        Ok(Self { connection: Box::new(connection), events })
    }

    async fn local_sdp(&self) -> Result<String, Failure> {
        Ok(self.connection.local_description().await.ok_or("no local description")?.sdp)
    }
}

impl ossa_interop_driver::Peer for Peer {
    type Channel = Channel;

    async fn create_offer(&self, ice_restart: bool) -> Result<String, Failure> {
        // The crate keeps the type of `create_offer`'s options to itself.
        if ice_restart {
            self.connection.restart_ice().await?;
        }
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer).await?;
        self.local_sdp().await
    }

    async fn accept_offer(&self, sdp: String) -> Result<String, Failure> {
        self.connection.set_remote_description(RTCSessionDescription::offer(sdp)?).await?;
        let answer = self.connection.create_answer(None).await?;
        self.connection.set_local_description(answer).await?;
        self.local_sdp().await
    }

    async fn accept_answer(&self, sdp: String) -> Result<(), Failure> {
        Ok(self.connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?)
    }

    async fn add_candidate(&self, init: CandidateInit) -> Result<(), Failure> {
        let init = RTCIceCandidateInit {
            candidate: init.candidate,
            sdp_mid: init.sdp_mid,
            sdp_mline_index: init.sdp_m_line_index,
            username_fragment: init.username_fragment,
            url: None,
        };
        Ok(self.connection.add_ice_candidate(init).await?)
    }

    async fn create_channel(&self, label: &str, init: Init) -> Result<(), Failure> {
        let channel = self.connection.create_data_channel(label, Some(channel::init(init))).await?;
        channel::attach(&self.events, label, channel, false);
        Ok(())
    }

    async fn close(&self) -> Result<(), Failure> {
        Ok(self.connection.close().await?)
    }
}
