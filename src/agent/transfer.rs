//! File transfers as `ts/agent/files` sees them: events are JSON, because each is rare next to the bytes it is about.

use std::time::{Duration, Instant};

use napi::Result;
use napi_derive::napi;
use ossa_agent::AgentError;
use ossa_agent::transfer::{self, Failure, Journal, ReceiverEvent, SenderEvent, Verdict};
use serde_json::{Value, json};

use crate::base::agent_error::{coded, from_agent};

/// A name that is safe in any folder of any system, made from one that came from elsewhere.
#[cfg_attr(test, allow(dead_code, reason = "JavaScript calls it, and test builds register nothing there"))]
#[napi]
pub(crate) fn safe_file_name(name: String) -> String {
    transfer::safe_file_name(&name)
}

/// The sending side of a transfer.
#[napi]
pub struct FileSender {
    sender: transfer::FileSender,
    offer: String,
}

#[napi]
impl FileSender {
    /// `offer` is the JSON of the offer without its `version`.
    #[napi(constructor)]
    pub fn new(offer: String) -> Result<Self> {
        let wrong = |error: serde_json::Error| coded(ossa_agent::code::INVALID_MESSAGE, error);
        let mut offer: Value = serde_json::from_str(&offer).map_err(wrong)?;
        if let Some(members) = offer.as_object_mut() {
            members.insert("version".into(), 1.into());
        }
        let offer = serde_json::from_value(offer).map_err(wrong)?;
        let (sender, offer) =
            transfer::FileSender::new(offer, Instant::now()).map_err(|error| from_agent(&error))?;
        Ok(Self { sender, offer })
    }

    /// The text that begins the conversation.
    #[napi(getter)]
    pub fn offer(&self) -> String {
        self.offer.clone()
    }

    /// Takes a text message; returns an event `{kind: none|preparing|accepted|credit|done|failed, ...}` as JSON.
    #[napi]
    pub fn receive(&mut self, text: String) -> String {
        let event = match self.sender.receive(&text) {
            SenderEvent::None => json!({"kind": "none"}),
            SenderEvent::Preparing => json!({"kind": "preparing"}),
            SenderEvent::Accepted { offset, sha256 } => {
                json!({"kind": "accepted", "offset": offset, "sha256": sha256})
            }
            SenderEvent::Credit { written } => json!({"kind": "credit", "written": written}),
            SenderEvent::Done => json!({"kind": "done"}),
            SenderEvent::Failed(failure) => failed(&failure),
        };
        event.to_string()
    }

    /// The text that begins the file, at the offset that was proposed or at 0.
    #[napi]
    pub fn start(&mut self, verified: bool) -> Result<String> {
        self.sender.start(verified).map(|(_, text)| text).map_err(|error| from_agent(&error))
    }

    /// Bytes that may be sent now.
    #[napi]
    pub fn allowance(&self) -> f64 {
        self.sender.allowance() as f64
    }

    /// So many bytes have been sent.
    #[napi]
    pub fn sent(&mut self, bytes: f64) -> Result<()> {
        self.sender.sent(bytes as u64).map_err(|error| from_agent(&error))
    }

    /// The text that ends the file.
    #[napi]
    pub fn finish(&mut self, sha256: String) -> Result<String> {
        self.sender.finish(sha256).map_err(|error| from_agent(&error))
    }

    /// The text that tells the other side, if it has to be told.
    #[napi]
    pub fn abort(&mut self, code: String, message: String, retryable: bool) -> Option<String> {
        self.sender.abort(AgentError { retryable, ..AgentError::new(&code, message) })
    }

    /// Milliseconds until `expire` is due; `null` if nothing is waited for.
    #[napi]
    pub fn next_timeout(&self) -> Option<f64> {
        self.sender.poll_timeout().map(milliseconds_until)
    }

    /// The failure, as the event `failed`, if the time is up.
    #[napi]
    pub fn expire(&mut self) -> Option<String> {
        self.sender.handle_timeout(Instant::now()).map(|failure| failed(&failure).to_string())
    }
}

/// The receiving side of a transfer.
#[napi]
pub struct FileReceiver {
    receiver: transfer::FileReceiver,
}

#[napi]
impl FileReceiver {
    /// `window` in bytes, `answer_timeout` in milliseconds.
    #[napi(constructor)]
    pub fn new(window: f64, answer_timeout: f64) -> Self {
        let timeout = Duration::try_from_secs_f64(answer_timeout / 1000.0).unwrap_or(Duration::MAX);
        // Beyond the clock is never.
        let timeout = timeout.min(Duration::from_secs(365 * 24 * 3600));
        Self { receiver: transfer::FileReceiver::new(window as u64, timeout, Instant::now()) }
    }

    /// Takes a text message; returns an event `{kind: none|offer|start|finish|failed, ...}` as JSON.
    #[napi]
    pub fn receive(&mut self, text: String) -> String {
        let event = match self.receiver.receive(&text, Instant::now()) {
            ReceiverEvent::None => json!({"kind": "none"}),
            ReceiverEvent::Offer(offer) => json!({"kind": "offer", "offer": offer}),
            ReceiverEvent::Start { offset } => json!({"kind": "start", "offset": offset}),
            ReceiverEvent::Finish => json!({"kind": "finish"}),
            ReceiverEvent::Failed(failure) => failed(&failure),
        };
        event.to_string()
    }

    /// So many bytes have come; returns the event `failed` if they must not.
    #[napi]
    pub fn data(&mut self, bytes: f64) -> Option<String> {
        self.receiver.data(bytes as u64).err().map(|failure| failed(&failure).to_string())
    }

    /// The text that keeps the sender waiting.
    #[napi]
    pub fn prepare(&mut self) -> Result<String> {
        self.receiver.prepare().map_err(|error| from_agent(&error))
    }

    /// The text that makes the sender begin.
    #[napi]
    pub fn accept(&mut self, offset: f64, sha256: Option<String>) -> Result<String> {
        self.receiver.accept(offset as u64, sha256).map_err(|error| from_agent(&error))
    }

    /// The file is written up to this byte; a text to be sent now and then.
    #[napi]
    pub fn written(&mut self, total: f64) -> Option<String> {
        self.receiver.written(total as u64)
    }

    /// All is written: the event `complete` with the text to be sent once the file is in its place, or `failed`.
    #[napi]
    pub fn complete(&mut self, sha256: String) -> Result<String> {
        match self.receiver.complete(&sha256).map_err(|error| from_agent(&error))? {
            Verdict::Complete(text) => Ok(json!({"kind": "complete", "text": text}).to_string()),
            Verdict::Damaged(failure) => Ok(failed(&failure).to_string()),
        }
    }

    /// The text that tells the other side, if it has to be told.
    #[napi]
    pub fn abort(&mut self, code: String, message: String, retryable: bool) -> Option<String> {
        self.receiver.abort(AgentError { retryable, ..AgentError::new(&code, message) })
    }

    /// Nothing more will be said.
    #[napi]
    pub fn end(&mut self) {
        self.receiver.end();
    }

    /// Milliseconds until `expire` is due; `null` if nothing is waited for.
    #[napi]
    pub fn next_timeout(&self) -> Option<f64> {
        self.receiver.poll_timeout().map(milliseconds_until)
    }

    /// The failure, as the event `failed`, if the time is up.
    #[napi]
    pub fn expire(&mut self) -> Option<String> {
        self.receiver.handle_timeout(Instant::now()).map(|failure| failed(&failure).to_string())
    }

    /// What to keep beside a part of this file from this agent; `null` if it could not be resumed.
    #[napi]
    pub fn journal(&self, from: String) -> Option<String> {
        Some(Journal::of(self.receiver.offer()?, &from)?.to_text())
    }

    /// Whether a journal is about this file from this agent.
    #[napi]
    pub fn resumes(&self, journal: String, from: String) -> bool {
        let ours = self.receiver.offer().and_then(|offer| Journal::of(offer, &from));
        ours.is_some() && ours == Journal::parse(&journal)
    }
}

fn failed(failure: &Failure) -> Value {
    json!({"kind": "failed", "error": failure.error, "tell": failure.tell})
}

fn milliseconds_until(deadline: Instant) -> f64 {
    deadline.saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0
}
