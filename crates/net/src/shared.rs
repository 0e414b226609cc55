//! What a peer's handles, its driver and its gathering tasks share.
//!
//! # Nothing is left lying in the outbox
//! [`Shared::send_batch`] puts messages into the outbox, then *tries* to lock the core. Whoever holds the core looks into the
//! outbox after unlocking ([`Shared::flush_outbox`]). Suppose the attempt failed because thread H held the core. If H's look
//! (which locks the outbox) came after our push, H saw our messages. If it came before, then H's unlock of the core
//! happened before our push through the outbox's lock, so our attempt can't have seen *that* hold of the core any more: it
//! saw a later one, for which the same holds. Each hold ends, so some holder sees the messages. A holder that leaves a large
//! outbox to the driver wakes it, and the driver drains the outbox whenever it runs.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use ossa_peer::Connection;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::config::PeerConfig;
use crate::core::Core;
use crate::runtime::Runtime;
use crate::sink::{OutMessage, Sink};

/// Up to this many bytes are encrypted and sent by the thread that calls `send_batch`: that saves a thread hop (tens of
/// microseconds) and costs some ten microseconds of work. More is left to the shard, so that JavaScript can go on.
const INLINE_BYTES: usize = 64 * 1024;

#[derive(Default)]
struct Outbox {
    messages: Vec<OutMessage>,
    bytes: usize,
}

pub(crate) struct Shared {
    core: Mutex<Core>,
    outbox: Mutex<Outbox>,
    /// The driver's task, once it has run and until it ends.
    waker: Mutex<Option<Waker>>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) runtime: Arc<Runtime>,
    /// Spawns onto the peer's shard.
    pub(crate) executor: Handle,
}

impl Shared {
    pub(crate) fn new(
        connection: Connection,
        config: PeerConfig,
        sink: Arc<dyn Sink>,
        runtime: Arc<Runtime>,
        executor: Handle,
    ) -> Self {
        Self {
            core: Mutex::new(Core::new(connection, config)),
            outbox: Mutex::default(),
            waker: Mutex::default(),
            sink,
            runtime,
            executor,
        }
    }

    /// Locks the core, runs `f`, carries out the consequences.
    pub(crate) fn run<R>(&self, f: impl FnOnce(&mut Core, Instant) -> R) -> R {
        let mut core = self.core.lock();
        let now = Instant::now();
        // In the order of the calls: closing a channel must not overtake what was sent on it before.
        self.drain_outbox(&mut core, now);
        let result = f(&mut core, now);
        let needs_driver = core.pump(&*self.sink, now).needs_driver;
        drop(core);
        if needs_driver {
            self.wake_driver();
        }
        self.flush_outbox();
        result
    }

    /// Locks the core for the driver, which does its own pumping. The caller unlocks and then calls
    /// [`Self::flush_outbox`].
    pub(crate) fn lock(&self) -> parking_lot::MutexGuard<'_, Core> {
        self.core.lock()
    }

    pub(crate) fn send_batch(&self, batch: impl IntoIterator<Item = OutMessage>) {
        {
            let mut outbox = self.outbox.lock();
            for message in batch {
                outbox.bytes += message.data.len();
                outbox.messages.push(message);
            }
        }
        self.flush_outbox();
    }

    /// Sends what is in the outbox, unless another thread holds the core and will do it.
    pub(crate) fn flush_outbox(&self) {
        loop {
            let bytes = {
                let outbox = self.outbox.lock();
                if outbox.messages.is_empty() {
                    return;
                }
                outbox.bytes
            };
            if bytes > INLINE_BYTES && self.wake_driver() {
                return;
            }
            let Some(mut core) = self.core.try_lock() else { return };
            let now = Instant::now();
            self.drain_outbox(&mut core, now);
            let needs_driver = core.pump(&*self.sink, now).needs_driver;
            drop(core);
            if needs_driver {
                self.wake_driver();
            }
        }
    }

    /// Hands the outbox to the connection.
    pub(crate) fn drain_outbox(&self, core: &mut Core, now: Instant) {
        let messages = {
            let mut outbox = self.outbox.lock();
            outbox.bytes = 0;
            std::mem::take(&mut outbox.messages)
        };
        for OutMessage { channel, kind, data } in messages {
            let bytes = data.len();
            if let Err(error) = core.connection.send(now, channel, kind, data) {
                self.sink.send_failed(channel, bytes, error);
            }
        }
    }

    pub(crate) fn close(&self) {
        self.run(|core, now| core.close(now));
        self.wake_driver();
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.core.lock().is_finished()
    }

    /// False if there is no driver: it has not run yet, or has ended.
    pub(crate) fn wake_driver(&self) -> bool {
        let waker = self.waker.lock();
        if let Some(waker) = &*waker {
            waker.wake_by_ref();
        }
        waker.is_some()
    }

    /// From now on [`Self::wake_driver`] wakes this task; `None` when there is none any more.
    pub(crate) fn set_waker(&self, waker: Option<&Waker>) {
        let mut current = self.waker.lock();
        match (&*current, waker) {
            (Some(current), Some(waker)) if current.will_wake(waker) => {}
            _ => *current = waker.cloned(),
        }
    }
}
