//! One data channel.

use std::sync::{Arc, OnceLock};

use ossa_interop_driver::{Failure, Init, Kind, View};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};

use crate::engine::{Engine, MAX_MESSAGE};

pub(crate) struct Channel {
    engine: Arc<Engine>,
    /// There since the offer or the answer.
    id: Arc<OnceLock<ChannelId>>,
}

pub(crate) fn config(label: &str, init: Init) -> ChannelConfig {
    let reliability = match (init.max_packet_life_time, init.max_retransmits) {
        (Some(lifetime), _) => Reliability::MaxPacketLifetime { lifetime },
        (None, Some(retransmits)) => Reliability::MaxRetransmits { retransmits },
        (None, None) => Reliability::Reliable,
    };
    ChannelConfig {
        label: label.to_owned(),
        ordered: init.ordered.unwrap_or(true),
        reliability,
        negotiated: init.negotiated_id(),
        protocol: init.protocol,
    }
}

impl Channel {
    /// One that the other side has made.
    pub(crate) fn incoming(engine: &Arc<Engine>, id: ChannelId) -> Self {
        Self::own(engine, &Arc::new(OnceLock::from(id)))
    }

    /// One of this side, whose id comes with the negotiation.
    pub(crate) fn own(engine: &Arc<Engine>, id: &Arc<OnceLock<ChannelId>>) -> Self {
        Self { engine: engine.clone(), id: id.clone() }
    }

    fn id(&self) -> Result<ChannelId, Failure> {
        Ok(*self.id.get().ok_or("the channel is not negotiated yet")?)
    }
}

impl ossa_interop_driver::Channel for Channel {
    async fn view(&self) -> Result<View, Failure> {
        let id = self.id()?;
        self.engine.change(|core| {
            let stream = core.rtc.direct_api().sctp_stream_id_by_channel_id(id);
            let channel = core.rtc.channel(id).ok_or("the channel is closed")?;
            let config = channel.config().ok_or("the channel has no configuration")?;
            let (max_packet_life_time, max_retransmits) = match config.reliability {
                Reliability::Reliable => (None, None),
                Reliability::MaxPacketLifetime { lifetime } => (Some(lifetime), None),
                Reliability::MaxRetransmits { retransmits } => (None, Some(retransmits)),
            };
            Ok(View {
                label: config.label.clone(),
                protocol: config.protocol.clone(),
                ordered: config.ordered,
                max_retransmits,
                max_packet_life_time,
                negotiated: config.negotiated.is_some(),
                id: stream,
            })
        })
    }

    async fn send(&self, kind: Kind, data: &[u8]) -> Result<(), Failure> {
        if data.len() > MAX_MESSAGE {
            return Err(format!("{} bytes: no more than {MAX_MESSAGE} have room", data.len()).into());
        }
        let id = self.id()?;
        loop {
            let room = self.engine.room();
            if self.engine.write(id, kind, data)? {
                return Ok(());
            }
            room.await;
        }
    }

    async fn close(&self) -> Result<(), Failure> {
        let id = self.id()?;
        self.engine.change(|core| {
            core.rtc.direct_api().close_data_channel(id);
            Ok(())
        })
    }
}
