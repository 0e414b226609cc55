//! One peer connection.

use ossa_interop_driver::{CandidateInit, Events, Failure, Init, host_addresses};
use rustrtc::{
    IceCandidate, PeerConnection, PeerConnectionEvent, PeerConnectionState, RtcConfiguration, SdpType,
    SessionDescription,
};

use crate::channel::{self, Channel};

/// Bytes in flight and queued before `send` waits, instead of the crate's 256 KiB: as much as the benchmark's other stacks keep. Windows
/// stay at the crate's defaults (128 KiB to receive, 256 KiB in flight), with which its authors measure as well.
const SEND_BUFFER: usize = 1024 * 1024;

pub(crate) struct Peer {
    connection: PeerConnection,
    events: Events<Channel>,
}

impl Peer {
    pub(crate) fn open(events: Events<Channel>) -> Result<Self, Failure> {
        let connection = PeerConnection::new(RtcConfiguration {
            sctp_max_buffered_amount: SEND_BUFFER,
            ice_include_loopback_candidates: host_addresses()?.iter().all(|address| address.is_loopback()),
            ..RtcConfiguration::default()
        });
        tokio::spawn(follow(connection.clone(), events.clone()));
        Ok(Self { connection, events })
    }

    /// Sets a local description and waits until it has all candidates: the crate's own way, and with host candidates only it takes no time.
    async fn describe(&self, description: SessionDescription) -> Result<String, Failure> {
        self.connection.set_local_description(description)?;
        self.connection.wait_for_gathering_complete().await;
        self.events.gathered();
        Ok(self.connection.local_description().ok_or("no local description")?.to_sdp_string())
    }
}

/// Attaches the channels of the other side, until the connection is closed: it holds the connection, which would never end by itself.
async fn follow(connection: PeerConnection, events: Events<Channel>) {
    let mut state = connection.subscribe_peer_state();
    loop {
        tokio::select! {
            _ = state.wait_for(|state| *state == PeerConnectionState::Closed) => return,
            event = connection.recv() => match event {
                Some(PeerConnectionEvent::DataChannel(channel)) => channel::attach(&events, &connection, channel, true),
                Some(PeerConnectionEvent::Track(_)) => {}
                None => return,
            },
        }
    }
}

impl ossa_interop_driver::Peer for Peer {
    type Channel = Channel;

    async fn create_offer(&self, ice_restart: bool) -> Result<String, Failure> {
        if ice_restart {
            self.connection.restart_ice().await?;
        }
        self.describe(self.connection.create_offer().await?).await
    }

    async fn accept_offer(&self, sdp: String) -> Result<String, Failure> {
        let offer = SessionDescription::parse(SdpType::Offer, &sdp)?;
        self.connection.set_remote_description(offer).await?;
        self.describe(self.connection.create_answer().await?).await
    }

    async fn accept_answer(&self, sdp: String) -> Result<(), Failure> {
        let answer = SessionDescription::parse(SdpType::Answer, &sdp)?;
        Ok(self.connection.set_remote_description(answer).await?)
    }

    async fn add_candidate(&self, init: CandidateInit) -> Result<(), Failure> {
        // What it cannot read, such as a name of multicast DNS, is none that it could use.
        let candidate = IceCandidate::from_sdp(&init.candidate)?;
        Ok(self.connection.add_ice_candidate(candidate)?)
    }

    async fn create_channel(&self, label: &str, init: Init) -> Result<(), Failure> {
        let channel = self.connection.create_data_channel(label, Some(channel::config(init)))?;
        channel::attach(&self.events, &self.connection, channel, false);
        Ok(())
    }

    async fn close(&self) -> Result<(), Failure> {
        self.connection.close();
        Ok(())
    }
}
