//! One data channel: its state and its received messages, or a running measurement.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};

use crate::Failure;
use crate::message::{Kind, Order, Summary};

/// `RTCDataChannelInit` as W3C writes it in JSON.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Init {
    ordered: Option<bool>,
    max_packet_life_time: Option<u16>,
    max_retransmits: Option<u16>,
    protocol: String,
    negotiated: bool,
    id: u16,
}

impl From<Init> for RTCDataChannelInit {
    fn from(init: Init) -> Self {
        Self {
            ordered: init.ordered.unwrap_or(true),
            max_packet_life_time: init.max_packet_life_time,
            max_retransmits: init.max_retransmits,
            protocol: init.protocol,
            negotiated: init.negotiated.then_some(init.id),
        }
    }
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Phase {
    Unknown,
    Connecting,
    Open,
    Closed,
}

/// What happens to received messages.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Summed up one by one for `receive`.
    Report,
    /// Only counted.
    Count,
    /// Sent back.
    Echo,
    /// Announced to `ping`.
    Ping,
}

/// What `Mode::Count` has seen.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// When the first and the last message came.
    pub(crate) span: Option<(Instant, Instant)>,
}

pub(crate) struct Channel {
    channel: OnceLock<(Arc<dyn DataChannel>, bool)>,
    phase: watch::Sender<Phase>,
    inbox: mpsc::UnboundedSender<Summary>,
    received: tokio::sync::Mutex<mpsc::UnboundedReceiver<Summary>>,
    pongs: mpsc::UnboundedSender<()>,
    pub(crate) returned: tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>,
    pub(crate) mode: Mutex<Mode>,
    pub(crate) tally: Mutex<Tally>,
}

impl Default for Channel {
    fn default() -> Self {
        let (inbox, received) = mpsc::unbounded_channel();
        let (pongs, returned) = mpsc::unbounded_channel();
        Self {
            channel: OnceLock::new(),
            phase: watch::Sender::new(Phase::Unknown),
            inbox,
            received: tokio::sync::Mutex::new(received),
            pongs,
            returned: tokio::sync::Mutex::new(returned),
            mode: Mutex::new(Mode::Report),
            tally: Mutex::new(Tally::default()),
        }
    }
}

impl Channel {
    /// Takes over a channel that exists now and follows its events until it is closed.
    pub(crate) fn attach(self: &Arc<Self>, channel: Arc<dyn DataChannel>, incoming: bool) {
        if self.channel.set((channel.clone(), incoming)).is_err() {
            return; // a second channel of the same label: the tests use unique ones
        }
        self.advance(Phase::Connecting);
        let this = self.clone();
        tokio::spawn(async move {
            while let Some(event) = channel.poll().await {
                match event {
                    DataChannelEvent::OnOpen => this.advance(Phase::Open),
                    DataChannelEvent::OnMessage(message) => {
                        this.on_message(&*channel, message.is_string, message.data).await;
                    }
                    DataChannelEvent::OnClose => break,
                    _ => {}
                }
            }
            this.advance(Phase::Closed);
        });
    }

    async fn on_message(&self, channel: &dyn DataChannel, is_string: bool, data: BytesMut) {
        let mode = *self.mode.lock().expect("no code panics while it holds the mode");
        match mode {
            Mode::Report => {
                let kind = if is_string { Kind::String } else { Kind::Binary };
                let _ = self.inbox.send(Summary::of(kind, &data)); // the receiver lives as long as `self`
            }
            Mode::Count => {
                let mut tally = self.tally.lock().expect("no code panics while it holds the tally");
                tally.messages += 1;
                tally.bytes += data.len();
                let now = Instant::now();
                tally.span = Some((tally.span.map_or(now, |(first, _)| first), now));
            }
            Mode::Echo => {
                let _ = channel.send(data).await; // a channel that closes meanwhile ends the measurement by itself
            }
            Mode::Ping => {
                let _ = self.pongs.send(());
            }
        }
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let forward = *phase < to;
            if forward {
                *phase = to;
            }
            forward
        });
    }

    async fn reach(&self, wanted: Phase) -> Result<(), Failure> {
        self.phase.subscribe().wait_for(|phase| *phase >= wanted).await?;
        Ok(())
    }

    /// The channel itself, once it exists.
    pub(crate) fn get(&self) -> Result<&Arc<dyn DataChannel>, Failure> {
        Ok(&self.channel.get().ok_or("the channel does not exist yet")?.0)
    }

    pub(crate) async fn wait_open(&self) -> Result<Value, Failure> {
        self.reach(Phase::Open).await?;
        let (channel, incoming) = self.channel.get().ok_or("the channel does not exist")?;
        // No "id": the crate shows a handle of its own, not the SCTP stream's.
        Ok(json!({
            "incoming": incoming,
            "label": channel.label().await?,
            "protocol": channel.protocol().await?,
            "ordered": channel.ordered().await?,
            "maxRetransmits": channel.max_retransmits().await?,
            "maxPacketLifeTime": channel.max_packet_life_time().await?,
            "negotiated": channel.negotiated().await?,
        }))
    }

    pub(crate) async fn send(&self, orders: &[Order]) -> Result<Value, Failure> {
        let channel = self.get()?;
        let mut sent = Vec::with_capacity(orders.len());
        for order in orders {
            let (kind, data) = order.compose();
            sent.push(Summary::of(kind, &data));
            match kind {
                Kind::String => channel.send_text(&String::from_utf8(data)?).await?,
                Kind::Binary => channel.send(BytesMut::from(&data[..])).await?,
            }
        }
        Ok(serde_json::to_value(sent)?)
    }

    pub(crate) async fn receive(&self, count: usize) -> Result<Value, Failure> {
        let mut inbox = self.received.lock().await;
        let mut received = Vec::with_capacity(count);
        while received.len() < count {
            received.push(inbox.recv().await.ok_or("the channel is gone")?);
        }
        Ok(serde_json::to_value(received)?)
    }

    pub(crate) async fn close(&self) -> Result<Value, Failure> {
        self.get()?.close().await?;
        Ok(json!({}))
    }

    pub(crate) async fn wait_closed(&self) -> Result<Value, Failure> {
        self.reach(Phase::Closed).await?;
        Ok(json!({}))
    }
}
