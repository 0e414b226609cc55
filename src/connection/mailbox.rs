//! The queue of one JavaScript thread together with its wake-up call.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::inbox::Inbox;
use super::wake::Wake;
use crate::base::lock::lock;

thread_local! {
    /// Set while this thread works on connections itself and looks at the queue afterwards: whether a wake-up was asked for meanwhile.
    static DEFERRED: Cell<Option<bool>> = const { Cell::new(None) };
}

/// What the peers of one JavaScript thread have for it.
#[derive(Default)]
pub(crate) struct Mailbox {
    inbox: Mutex<Inbox>,
    /// JavaScript was told to drain, and will do so until nothing is left.
    signalled: AtomicBool,
    /// Absent before the first peer, after the last one, and once the thread has ended.
    wake: Mutex<Option<Wake>>,
}

impl Mailbox {
    /// The queue that is being filled.
    pub(crate) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        lock(&self.inbox)
    }

    /// Asks JavaScript to drain, unless it was asked already.
    pub(crate) fn signal(&self) {
        if self.signalled.swap(true, Ordering::SeqCst) {
            return;
        }
        // On the JavaScript thread itself, inside of `flush` or of its event loop: JavaScript is told afterwards, which saves the
        // system calls of a wake-up.
        if DEFERRED.get().is_some() {
            DEFERRED.set(Some(true));
            return;
        }
        self.call();
    }

    /// Runs `f` with wake-ups put off. True if JavaScript has to drain.
    pub(crate) fn defer(f: impl FnOnce()) -> bool {
        /// Also when `f` panics.
        struct Reset;
        impl Drop for Reset {
            fn drop(&mut self) {
                DEFERRED.set(None);
            }
        }
        DEFERRED.set(Some(false));
        let _reset = Reset;
        f();
        DEFERRED.get() == Some(true)
    }

    /// Swaps the filled queue for the drained one.
    pub(crate) fn take(&self, drained: &mut Inbox) {
        std::mem::swap(&mut *self.inbox(), drained);
    }

    /// JavaScript has taken what it was to drain. False if there is more by now; otherwise the next [`Self::signal`] wakes it again.
    ///
    /// Nothing is overlooked: an entry is either in the queue now, or comes after the flag was cleared under the lock.
    pub(crate) fn rest(&self) -> bool {
        let inbox = self.inbox();
        let empty = inbox.is_empty();
        if empty {
            self.signalled.store(false, Ordering::SeqCst);
        }
        empty
    }

    /// Whether there is a handle to wake the thread with.
    pub(crate) fn is_open(&self) -> bool {
        lock(&self.wake).is_some()
    }

    /// From now on [`Self::signal`] calls `wake`.
    pub(crate) fn open(&self, wake: Wake) {
        *lock(&self.wake) = Some(wake);
        // A call of the handle before this one may have been dropped with it.
        if self.signalled.load(Ordering::SeqCst) {
            self.call();
        }
    }

    /// Takes the handle away: no thread uses it afterwards. What is in the queue has no reader any more.
    pub(crate) fn close(&self) -> Option<Wake> {
        let wake = lock(&self.wake).take();
        *self.inbox() = Inbox::default();
        wake
    }

    /// Whether the handle keeps the process alive.
    pub(crate) fn set_ref(&self, alive: bool) {
        if let Some(wake) = &*lock(&self.wake) {
            wake.set_ref(alive);
        }
    }

    /// Wakes the thread.
    pub(crate) fn call(&self) {
        if let Some(wake) = &*lock(&self.wake) {
            wake.call();
        }
    }
}
