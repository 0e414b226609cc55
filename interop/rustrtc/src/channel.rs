//! One data channel.

use std::sync::Arc;

use ossa_interop_driver::{Events, Failure, Init, Kind, View};
use rustrtc::transports::datachannel::{DataChannel, DataChannelConfig};
use rustrtc::{DataChannelEvent, PeerConnection};

pub(crate) struct Channel {
    connection: PeerConnection,
    channel: Arc<DataChannel>,
}

pub(crate) fn config(init: Init) -> DataChannelConfig {
    DataChannelConfig {
        ordered: init.ordered.unwrap_or(true),
        negotiated: init.negotiated_id(),
        max_packet_life_time: init.max_packet_life_time,
        max_retransmits: init.max_retransmits,
        protocol: init.protocol,
        ..DataChannelConfig::default()
    }
}

/// Attaches a channel to its slot and follows its events until it is closed.
pub(crate) fn attach(
    events: &Events<Channel>,
    connection: &PeerConnection,
    channel: Arc<DataChannel>,
    incoming: bool,
) {
    let own = Channel { connection: connection.clone(), channel: channel.clone() };
    let slot = events.attach(&channel.label, own, incoming);
    tokio::spawn(async move {
        while let Some(event) = channel.recv().await {
            match event {
                DataChannelEvent::Open => slot.opened(),
                // The crate does not tell whether a message was text: here all are bytes, as in the benchmarks.
                DataChannelEvent::Message(data) => slot.received(Kind::Binary, &data).await,
                DataChannelEvent::Close => break,
                DataChannelEvent::BufferedAmountLow(_) => {}
            }
        }
        slot.closed();
    });
}

impl ossa_interop_driver::Channel for Channel {
    async fn view(&self) -> Result<View, Failure> {
        let channel = &self.channel;
        Ok(View {
            label: channel.label.clone(),
            protocol: channel.protocol.clone(),
            ordered: channel.ordered,
            max_retransmits: channel.max_retransmits,
            max_packet_life_time: channel.max_packet_life_time,
            negotiated: channel.negotiated,
            id: Some(channel.id),
        })
    }

    /// Waits by itself while the buffer that the connection was made with is full.
    async fn send(&self, kind: Kind, data: &[u8]) -> Result<(), Failure> {
        match kind {
            Kind::String => {
                Ok(self.connection.send_text(self.channel.id, std::str::from_utf8(data)?).await?)
            }
            Kind::Binary => Ok(self.connection.send_data(self.channel.id, data).await?),
        }
    }

    async fn close(&self) -> Result<(), Failure> {
        Err("rustrtc has no call that closes one channel of a connection".into())
    }
}
