//! What a peer's handles, its driver and its gathering tasks share.
//!
//! # Nothing is left lying in the outbox
//! [`Shared::send_batch`] puts messages into the outbox, then *tries* to lock the core. Whoever holds the core looks into the
//! outbox after unlocking ([`Shared::flush_outbox`]). Suppose the attempt failed because thread H held the core. If H's look
//! (which locks the outbox) came after our push, H saw our messages. If it came before, then H's unlock of the core
//! happened before our push through the outbox's lock, so our attempt can't have seen *that* hold of the core any more: it
//! saw a later one, for which the same holds. Each hold ends, so some holder sees the messages. A holder that leaves a large
//! outbox to the driver wakes it, and the driver drains the outbox whenever it was woken so.
//!
//! # A panic ends its connection
//! Whatever works on the core does so through [`Shared::run`] or [`Shared::hold`], and whatever works for the peer beside it through
//! [`Shared::watch`]. A panic there ends the connection, tells the sink, and goes on to the caller: a task ends with it, a
//! call into [`Peer`](crate::Peer) returns an error.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Handle;

use crate::core::Core;
use crate::crash::{self, Crash};
use crate::foreground::{Foreground, Lender};
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
    /// The driver has more to do than to read its sockets.
    called: AtomicBool,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) runtime: Arc<Runtime>,
    /// Spawns onto the peer's shard.
    pub(crate) executor: Handle,
}

impl Shared {
    pub(crate) fn new(core: Core, sink: Arc<dyn Sink>, runtime: Arc<Runtime>, executor: Handle) -> Self {
        Self {
            core: Mutex::new(core),
            outbox: Mutex::default(),
            waker: Mutex::default(),
            called: true.into(),
            sink,
            runtime,
            executor,
        }
    }

    /// Locks the core, runs `f`, carries out the consequences.
    pub(crate) fn run<R>(&self, f: impl FnOnce(&mut Core, Instant) -> R) -> R {
        self.work(|core, now| {
            // In the order of the calls: closing a channel must not overtake what was sent on it before.
            self.drain_outbox(core, now);
            let result = f(core, now);
            (result, core.pump(&*self.sink, now).needs_driver)
        })
    }

    /// The same for the loop's thread: as long as a socket is on loan, only events follow, and all else is left to [`Self::settle`], or to
    /// whoever works on the core before that.
    pub(crate) fn take(&self, f: impl FnOnce(&mut Core, Instant)) {
        self.work(|core, now| {
            self.drain_outbox(core, now);
            f(core, now);
            if core.lending.until().is_some() {
                core.hand_over(&*self.sink, now);
                return ((), false);
            }
            ((), core.pump(&*self.sink, now).needs_driver)
        });
    }

    /// Carries out what [`Self::take`] has left to do.
    pub(crate) fn settle(&self) {
        self.work(|core, now| ((), core.is_unsettled() && core.pump(&*self.sink, now).needs_driver));
    }

    /// Locks the core and runs `f`, which says in addition whether the driver has to go on; then others get their turn.
    fn work<R>(&self, f: impl FnOnce(&mut Core, Instant) -> (R, bool)) -> R {
        let (result, needs_driver) = self.hold(|core| f(core, Instant::now()));
        if needs_driver {
            self.wake_driver();
        }
        self.flush_outbox();
        result
    }

    /// Locks the core and runs `f`, which does its own pumping. The caller calls [`Self::flush_outbox`] afterwards.
    pub(crate) fn hold<R>(&self, f: impl FnOnce(&mut Core) -> R) -> R {
        self.hold_locked(self.core.lock(), f)
    }

    fn hold_locked<R>(&self, mut core: MutexGuard<'_, Core>, f: impl FnOnce(&mut Core) -> R) -> R {
        match crash::catch(|| f(&mut core)) {
            Ok(result) => result,
            Err(crash) => {
                self.abandon(&mut core, &crash.reason);
                drop(core);
                self.wake_driver();
                crash.resume()
            }
        }
    }

    /// Runs a task of this peer. A panic in it ends the connection, and the task.
    pub(crate) async fn watch<F: Future>(self: Arc<Self>, task: F) -> F::Output {
        let mut task = pin!(task);
        poll_fn(|cx| {
            crash::catch(|| task.as_mut().poll(cx)).unwrap_or_else(|crash| self.crashed(crash).resume())
        })
        .await
    }

    /// Something that works for this peer has panicked.
    pub(crate) fn crashed(&self, crash: Crash) -> Crash {
        self.abandon(&mut self.core.lock(), &crash.reason);
        self.wake_driver();
        crash
    }

    /// Ends a connection in which something has panicked. What is left of it may panic once more.
    fn abandon(&self, core: &mut Core, reason: &str) {
        if core.is_finished() {
            return;
        }
        crash::report(reason);
        let told = crash::catch(|| core.connection.abandon(reason));
        core.finish();
        let delivered = crash::catch(|| core.pump(&*self.sink, Instant::now()));
        if told.is_err() || delivered.is_err() {
            tracing::error!("the end of a connection could not be told");
        }
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
            let Some(core) = self.core.try_lock() else { return };
            let needs_driver = self.hold_locked(core, |core| {
                let now = Instant::now();
                self.drain_outbox(core, now);
                core.pump(&*self.sink, now).needs_driver
            });
            if needs_driver {
                self.wake_driver();
            }
        }
    }

    /// Hands the outbox to the connection.
    pub(crate) fn drain_outbox(&self, core: &mut Core, now: Instant) {
        let (messages, bytes) = {
            let mut outbox = self.outbox.lock();
            (std::mem::take(&mut outbox.messages), std::mem::take(&mut outbox.bytes))
        };
        if !messages.is_empty() {
            core.lending.sending(now, bytes);
        }
        for OutMessage { channel, kind, data } in messages {
            let bytes = data.len();
            if let Err(error) = core.connection.send(now, channel, kind, data) {
                self.sink.send_failed(channel, bytes, error);
            }
        }
    }

    /// The loop of `foreground`, whose thread calls this, has time for this peer.
    pub(crate) fn attend(self: &Arc<Self>, foreground: &Arc<Foreground>) {
        let Some(core) = self.core.try_lock() else { return };
        let needs_driver = self.hold_locked(core, |core| {
            let lender = || Arc::downgrade(self) as Weak<dyn Lender>;
            core.attend(Instant::now(), foreground, lender)
        });
        if needs_driver {
            self.wake_driver();
        }
        self.flush_outbox();
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
        self.called.store(true, Ordering::Release);
        let waker = self.waker.lock();
        if let Some(waker) = &*waker {
            waker.wake_by_ref();
        }
        waker.is_some()
    }

    /// Whether somebody has woken the driver since it last asked. For the driver.
    pub(crate) fn take_call(&self) -> bool {
        self.called.swap(false, Ordering::AcqRel)
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
