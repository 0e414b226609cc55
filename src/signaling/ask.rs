//! Questions to JavaScript whose answers take their time: they come back by a call with the number of the question.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status};
use tokio::sync::oneshot;

use crate::base::lock::lock;

/// Questions that may wait for an answer; more get none. A server asks once per registration, so this is a few seconds'
/// worth of registrations.
const MAX_PENDING: usize = 4096;

/// Number of a question, and what it is about as JSON.
type Question = FnArgs<(u32, String)>;

/// Does not keep the process alive: what is asked for does, a server or a client.
type Callback = ThreadsafeFunction<Question, (), Question, Status, false, true>;

#[derive(Default)]
struct Pending {
    last: u32,
    questions: HashMap<u32, oneshot::Sender<String>>,
}

/// Asks one JavaScript function.
pub(super) struct Asker {
    callback: Callback,
    pending: Arc<Mutex<Pending>>,
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asker")
    }
}

/// Forgets a question when nobody waits for its answer any more.
struct Asked {
    id: u32,
    pending: Arc<Mutex<Pending>>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        lock(&self.pending).questions.remove(&self.id);
    }
}

impl Asker {
    pub(super) fn new(ask: &Function<'_, Question, ()>) -> Result<Self> {
        let callback = ask.build_threadsafe_function().weak::<true>().build()?;
        Ok(Self { callback, pending: Arc::default() })
    }

    /// The answer as JSON; none if there are too many questions or JavaScript has ended.
    pub(super) async fn ask(&self, question: String) -> Option<String> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut pending = lock(&self.pending);
            if pending.questions.len() >= MAX_PENDING {
                return None;
            }
            pending.last = pending.last.wrapping_add(1);
            let id = pending.last;
            pending.questions.insert(id, answer);
            id
        };
        let _asked = Asked { id, pending: self.pending.clone() };
        let status = self.callback.call((id, question).into(), ThreadsafeFunctionCallMode::NonBlocking);
        if status != Status::Ok {
            return None;
        }
        answered.await.ok()
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn answer(&self, id: u32, answer: String) {
        if let Some(waiting) = lock(&self.pending).questions.remove(&id) {
            // Nobody waits any more: it came too late.
            let _ = waiting.send(answer);
        }
    }
}
