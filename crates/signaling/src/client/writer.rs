//! Writes beside everything else, and never for longer than allowed.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::timeout;

use super::end::End;
use super::transport::{Job, Sender};

type Write = Pin<Box<dyn Future<Output = (Sender, Result<(), End>)> + Send>>;

/// The sending half of a connection. One write is under way at most, and others wait where they are bounded; meanwhile
/// the connection goes on being read, or two ends that both write would wait for each other.
pub(super) struct Writer {
    idle: Option<Sender>,
    busy: Option<Write>,
    limit: Duration,
}

impl Writer {
    pub(super) fn new(sender: Sender, limit: Duration) -> Self {
        Self { idle: Some(sender), busy: None, limit }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.idle.is_some()
    }

    /// Starts a write. Only while idle.
    pub(super) fn start(&mut self, job: Job) {
        let Some(mut sender) = self.idle.take() else { return };
        let limit = self.limit;
        self.busy = Some(Box::pin(async move {
            let late = || End::lost(format!("the server takes nothing for {} s", limit.as_secs_f64()));
            let result = timeout(limit, sender.perform(job)).await.unwrap_or_else(|_| Err(late()));
            (sender, result)
        }));
    }

    /// Writes, after what is being written.
    pub(super) async fn write(&mut self, job: Job) -> Result<(), End> {
        while !self.is_idle() {
            self.done().await?;
        }
        self.start(job);
        self.done().await
    }

    /// The outcome of the write under way; pending while idle. Cancel safe.
    pub(super) async fn done(&mut self) -> Result<(), End> {
        let Some(busy) = &mut self.busy else { return std::future::pending().await };
        let (sender, result) = busy.await;
        self.busy = None;
        self.idle = Some(sender);
        result
    }
}
