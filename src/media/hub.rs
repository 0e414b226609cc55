//! How JavaScript learns that there is something for its sources and sinks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use ossa_codec::track::{BLOCK, Notify};

use crate::base::error::Result;
use crate::base::lock::lock;

/// Weak: it does not keep the process alive.
type Callback = ThreadsafeFunction<(), (), (), Status, false, true>;

/// The wake-ups of one JavaScript thread: at most one in 10 ms, whatever comes.
struct Mailbox {
    callback: Callback,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whom there is something for. As many as there are sources and sinks.
    ready: BTreeSet<u32>,
    /// JavaScript was told, or will be at the end of the next tick, and has not come yet.
    signalled: bool,
    last: Option<Instant>,
}

impl Mailbox {
    fn mark(self: &Arc<Self>, id: u32) {
        let now = Instant::now();
        let soon = {
            let mut state = lock(&self.state);
            state.ready.insert(id);
            if std::mem::replace(&mut state.signalled, true) {
                return;
            }
            // Ticks are not exact: what comes with the next one is not put off until the one after it.
            ossa_tracks::is_ticking()
                || state.last.is_some_and(|last| now.saturating_duration_since(last) < BLOCK * 9 / 10)
        };
        let later = || {
            let mailbox = self.clone();
            ossa_tracks::wake_later(Box::new(move || mailbox.wake()))
        };
        if !soon || later().is_err() {
            self.wake();
        }
    }

    fn wake(&self) {
        lock(&self.state).last = Some(Instant::now());
        // Whatever becomes of it: a thread that ends needs no telling.
        self.callback.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// Where the sources and sinks of one JavaScript thread report.
#[napi]
pub struct AudioHub {
    mailbox: Arc<Mailbox>,
}

#[napi]
impl AudioHub {
    /// `schedule` is called when `drain` has something, at most about once in 10 ms. It does not keep the process alive.
    #[napi(constructor)]
    pub fn new(schedule: Function<'_, (), ()>) -> Result<Self> {
        let callback = schedule.build_threadsafe_function().weak::<true>().build()?;
        Ok(Self { mailbox: Arc::new(Mailbox { callback, state: Mutex::default() }) })
    }

    /// The ids of those for whom there is something.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Vec<u32> {
        let mut state = lock(&self.mailbox.state);
        state.signalled = false;
        std::mem::take(&mut state.ready).into_iter().collect()
    }
}

impl AudioHub {
    pub(super) fn notify(&self, id: u32) -> Notify {
        let mailbox = self.mailbox.clone();
        Box::new(move || mailbox.mark(id))
    }
}
