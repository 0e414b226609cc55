//! One data channel: its state and its received messages, or a running measurement.

use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::Failure;
use crate::message::{Kind, Order, Summary};
use crate::stack::Channel;

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

/// The place of a channel, by its label. It is there before the channel, so that tests can wait for one that the other side makes.
pub struct Slot<C> {
    channel: OnceLock<(C, bool)>,
    phase: watch::Sender<Phase>,
    inbox: mpsc::UnboundedSender<Summary>,
    received: tokio::sync::Mutex<mpsc::UnboundedReceiver<Summary>>,
    pongs: mpsc::UnboundedSender<()>,
    pub(crate) returned: tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>,
    pub(crate) mode: Mutex<Mode>,
    pub(crate) tally: Mutex<Tally>,
}

impl<C> Default for Slot<C> {
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

impl<C> Slot<C> {
    /// Takes over a channel that exists now. A second one of the same label is left out: the tests use unique ones.
    pub(crate) fn attach(&self, channel: C, incoming: bool) {
        if self.channel.set((channel, incoming)).is_ok() {
            self.advance(Phase::Connecting);
        }
    }

    /// The channel can send.
    pub fn opened(&self) {
        self.advance(Phase::Open);
    }

    /// The channel is closed, by either side or with its connection.
    pub fn closed(&self) {
        self.advance(Phase::Closed);
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
    pub(crate) fn get(&self) -> Result<&C, Failure> {
        Ok(&self.channel.get().ok_or("the channel does not exist yet")?.0)
    }
}

impl<C: Channel> Slot<C> {
    /// A message has come. While the measurement of round trips runs it is sent back before this returns, one at a time: the stack has
    /// room for it, and need not be driven meanwhile.
    pub async fn received(&self, kind: Kind, data: &[u8]) {
        let mode = *self.mode.lock().expect("no code panics while it holds the mode");
        match mode {
            Mode::Report => {
                let _ = self.inbox.send(Summary::of(kind, data)); // the receiver lives as long as `self`
            }
            Mode::Count => {
                let mut tally = self.tally.lock().expect("no code panics while it holds the tally");
                tally.messages += 1;
                tally.bytes += data.len();
                let now = Instant::now();
                tally.span = Some((tally.span.map_or(now, |(first, _)| first), now));
            }
            Mode::Echo => {
                if let Ok(channel) = self.get() {
                    let _ = channel.send(kind, data).await; // a channel that closes meanwhile ends the measurement by itself
                }
            }
            Mode::Ping => {
                let _ = self.pongs.send(());
            }
        }
    }

    pub(crate) async fn wait_open(&self) -> Result<Value, Failure> {
        self.reach(Phase::Open).await?;
        let (channel, incoming) = self.channel.get().ok_or("the channel does not exist")?;
        let mut view = serde_json::to_value(channel.view().await?)?;
        view["incoming"] = json!(incoming);
        Ok(view)
    }

    pub(crate) async fn send(&self, orders: &[Order]) -> Result<Value, Failure> {
        let channel = self.get()?;
        let mut sent = Vec::with_capacity(orders.len());
        for order in orders {
            let (kind, data) = order.compose();
            sent.push(Summary::of(kind, &data));
            channel.send(kind, &data).await?;
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
