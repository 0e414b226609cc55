//! One data channel.

use std::sync::Arc;

use bytes::BytesMut;
use ossa_interop_driver::{Events, Failure, Init, Kind, View};
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};

pub(crate) struct Channel(Arc<dyn DataChannel>);

pub(crate) fn init(init: Init) -> RTCDataChannelInit {
    RTCDataChannelInit {
        ordered: init.ordered.unwrap_or(true),
        negotiated: init.negotiated_id(),
        max_packet_life_time: init.max_packet_life_time,
        max_retransmits: init.max_retransmits,
        protocol: init.protocol,
    }
}

/// Attaches a channel to its slot and follows its events until it is closed.
pub(crate) fn attach(events: &Events<Channel>, label: &str, channel: Arc<dyn DataChannel>, incoming: bool) {
    let slot = events.attach(label, Channel(channel.clone()), incoming);
    tokio::spawn(async move {
        while let Some(event) = channel.poll().await {
            match event {
                DataChannelEvent::OnOpen => slot.opened(),
                DataChannelEvent::OnMessage(message) => {
                    let kind = if message.is_string { Kind::String } else { Kind::Binary };
                    slot.received(kind, &message.data).await;
                }
                DataChannelEvent::OnClose => break,
                _ => {}
            }
        }
        slot.closed();
    });
}

impl ossa_interop_driver::Channel for Channel {
    async fn view(&self) -> Result<View, Failure> {
        Ok(View {
            label: self.0.label().await?,
            protocol: self.0.protocol().await?,
            ordered: self.0.ordered().await?,
            max_retransmits: self.0.max_retransmits().await?,
            max_packet_life_time: self.0.max_packet_life_time().await?,
            negotiated: self.0.negotiated().await?,
            id: None, // the crate shows a handle of its own, not the SCTP stream's
        })
    }

    /// Waits by itself while the buffer that the connection was made with is full.
    async fn send(&self, kind: Kind, data: &[u8]) -> Result<(), Failure> {
        match kind {
            Kind::String => Ok(self.0.send_text(std::str::from_utf8(data)?).await?),
            Kind::Binary => Ok(self.0.send(BytesMut::from(data)).await?),
        }
    }

    async fn close(&self) -> Result<(), Failure> {
        Ok(self.0.close().await?)
    }
}
