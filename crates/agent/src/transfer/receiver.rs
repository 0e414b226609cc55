//! The receiving side.

use std::time::{Duration, Instant};

use super::failure::Failure;
use super::wire::{Control, FileOffer, MAX_CHUNK, WINDOWS, is_sha256, parse, write};
use crate::error::{AgentError, code};
use crate::verdict::Patience;

/// How long the channel may be open without an offer: the sender writes it at once.
const OFFER_TIMEOUT: Duration = Duration::from_secs(30);

/// What the receiver has to do next.
#[derive(Debug)]
pub enum ReceiverEvent {
    /// Nothing.
    None,
    /// Ask the application, then [`FileReceiver::prepare`] and [`FileReceiver::accept`], or [`FileReceiver::abort`].
    Offer(FileOffer),
    /// Bytes follow, from this offset: 0 means that what was there is not the beginning of this file.
    Start {
        /// Where to write.
        offset: u64,
    },
    /// No more bytes follow; when all are written, call [`FileReceiver::complete`].
    Finish,
    /// It is over.
    Failed(Failure),
}

/// The outcome of [`FileReceiver::complete`].
#[derive(Debug)]
pub enum Verdict {
    /// The file is what was sent: put it in its place, then send this.
    Complete(String),
    /// It is not.
    Damaged(Failure),
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting(Patience),
    /// It is the application's turn, which needs no time to be read.
    Offered {
        deadline: Instant,
    },
    Preparing,
    Accepted {
        offset: u64,
    },
    Receiving,
    Finished {
        sha256: String,
    },
    Ended,
}

impl State {
    /// For people on either side.
    fn in_words(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "before a file is offered",
            Self::Offered { .. } => "before the file is accepted",
            Self::Preparing => "before this side is prepared for the file",
            Self::Accepted { .. } => "before the file begins",
            Self::Receiving => "in the middle of the file",
            Self::Finished { .. } => "after the file",
            Self::Ended => "after the end of the transfer",
        }
    }
}

/// The receiving side of one transfer on one channel.
#[derive(Debug)]
pub struct FileReceiver {
    state: State,
    window: u64,
    answer_timeout: Duration,
    offer: Option<FileOffer>,
    /// Bytes of the file, from its beginning.
    received: u64,
    written: u64,
    limit: u64,
}

impl FileReceiver {
    /// `window`: bytes that may be on their way or wait to be written, brought into [`WINDOWS`]. `answer_timeout`: how
    /// long the application may take to answer an offer; less if the sender waits less.
    pub fn new(window: u64, answer_timeout: Duration, now: Instant) -> Self {
        Self {
            state: State::Waiting(Patience::new(OFFER_TIMEOUT, now)),
            window: window.clamp(*WINDOWS.start(), *WINDOWS.end()),
            answer_timeout,
            offer: None,
            received: 0,
            written: 0,
            limit: 0,
        }
    }

    /// The offer, once it has come.
    pub fn offer(&self) -> Option<&FileOffer> {
        self.offer.as_ref()
    }

    /// Takes one text message.
    pub fn receive(&mut self, text: &str, now: Instant) -> ReceiverEvent {
        if self.state == State::Ended {
            return ReceiverEvent::None;
        }
        let result = parse(text).map_err(Failure::told).and_then(|control| self.handle(control, now));
        result.unwrap_or_else(|failure| self.failed(failure))
    }

    fn handle(&mut self, control: Control, now: Instant) -> Result<ReceiverEvent, Failure> {
        match (control, &self.state) {
            (Control::Abort(reason), _) => Err(Failure { error: reason.into(), tell: None }),
            (Control::Offer(offer), State::Waiting(_)) => {
                offer.check().map_err(Failure::told)?;
                let patience = Duration::from_millis(offer.timeout).min(self.answer_timeout);
                self.state = State::Offered { deadline: now + patience };
                self.offer = Some(offer.clone());
                Ok(ReceiverEvent::Offer(offer))
            }
            (Control::Start { offset }, &State::Accepted { offset: proposed }) => {
                if offset != 0 && offset != proposed {
                    let text = format!("a start at {offset}; {proposed} or 0 was possible");
                    return Err(Failure::violation(text));
                }
                (self.received, self.written, self.limit) = (offset, offset, offset + self.window);
                self.state = State::Receiving;
                Ok(ReceiverEvent::Start { offset })
            }
            (Control::Finish { size, sha256 }, State::Receiving) => {
                let offered = self.offer.as_ref().and_then(|offer| offer.size);
                if size != self.received
                    || offered.is_some_and(|offered| offered != size)
                    || !is_sha256(&sha256)
                {
                    let offered =
                        offered.map_or(String::new(), |offered| format!(", {offered} were offered"));
                    return Err(Failure::violation(format!(
                        "the sender finishes after {size} bytes; {} came{offered}",
                        self.received
                    )));
                }
                self.state = State::Finished { sha256 };
                Ok(ReceiverEvent::Finish)
            }
            (control, state) => {
                let text = format!("\"{}\" does not belong here, {}", control.name(), state.in_words());
                Err(Failure::violation(text))
            }
        }
    }

    /// A binary message of this many bytes has come. An error ends the transfer.
    ///
    /// # Errors
    /// The sender has sent what it must not: without being asked, beyond its credit, or beyond the size of the file.
    pub fn data(&mut self, bytes: u64) -> Result<(), Failure> {
        if self.state == State::Ended {
            return Ok(());
        }
        let offered = self.offer.as_ref().and_then(|offer| offer.size).unwrap_or(u64::MAX);
        let total = self.received.saturating_add(bytes);
        let wrong = if self.state != State::Receiving {
            "bytes of a file at the wrong time".to_owned()
        } else if bytes == 0 || bytes > MAX_CHUNK {
            format!("a piece of {bytes} bytes; 1 to {MAX_CHUNK} are possible")
        } else if total > self.limit {
            format!("{total} bytes, of which {} were granted", self.limit)
        } else if total > offered {
            format!("more than the {offered} bytes that were offered")
        } else {
            self.received = total;
            return Ok(());
        };
        self.state = State::Ended;
        Err(Failure::violation(wrong))
    }

    /// The application takes the file. Returns what to send, so that the sender waits while a part is read.
    ///
    /// # Errors
    /// `PROTOCOL_ERROR` if there is no offer to be answered.
    pub fn prepare(&mut self) -> Result<String, AgentError> {
        if !matches!(self.state, State::Offered { .. }) {
            return Err(misuse("preparing"));
        }
        self.state = State::Preparing;
        Ok(write(&Control::Preparing))
    }

    /// Ready to write. `offset`: bytes of the file that are there, with their SHA-256. Returns what to send.
    ///
    /// # Errors
    /// `PROTOCOL_ERROR` if this is not the time, or the sender could not begin there.
    pub fn accept(&mut self, offset: u64, sha256: Option<String>) -> Result<String, AgentError> {
        let offer =
            self.offer.as_ref().filter(|_| self.state == State::Preparing).ok_or_else(|| misuse("accept"))?;
        let possible = offset == 0 || (offer.resumable && offer.size.is_some_and(|size| offset <= size));
        if !possible || (offset > 0) != sha256.is_some() {
            return Err(misuse("accept at this offset"));
        }
        self.state = State::Accepted { offset };
        Ok(write(&Control::Accept { offset, sha256, window: self.window }))
    }

    /// The file is written up to this byte. Returns what to send, if the sender has to know.
    pub fn written(&mut self, total: u64) -> Option<String> {
        if self.state != State::Receiving || total <= self.written || total > self.received {
            return None;
        }
        self.written = total;
        let limit = total + self.window;
        // Four messages a window: few enough to cost nothing, often enough that the sender never has to stop.
        if limit - self.limit < self.window / 4 {
            return None;
        }
        self.limit = limit;
        Some(write(&Control::Credit { written: total, limit }))
    }

    /// Everything is written, and this is its SHA-256.
    ///
    /// # Errors
    /// `PROTOCOL_ERROR` if the sender has not finished.
    pub fn complete(&mut self, sha256: &str) -> Result<Verdict, AgentError> {
        let State::Finished { sha256: expected } = &self.state else { return Err(misuse("complete")) };
        let verdict = if sha256 == expected {
            Verdict::Complete(write(&Control::Done { size: self.received, sha256: sha256.to_owned() }))
        } else {
            let text = format!("the SHA-256 of the file is {sha256}, not {expected} as sent");
            let error = AgentError { retryable: true, ..AgentError::new(code::CAPABILITY_FAILED, text) };
            Verdict::Damaged(Failure::told(error))
        };
        // What comes after a verdict that it is complete is still to be told: see `abort`.
        if matches!(verdict, Verdict::Damaged(_)) {
            self.state = State::Ended;
        }
        Ok(verdict)
    }

    /// Gives up, or refuses. Returns what to send, nothing if it is over anyhow.
    pub fn abort(&mut self, error: AgentError) -> Option<String> {
        if std::mem::replace(&mut self.state, State::Ended) == State::Ended {
            return None;
        }
        Failure::told(error).tell
    }

    /// Nothing more is to be said.
    pub fn end(&mut self) {
        self.state = State::Ended;
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting(patience) => Some(patience.poll_timeout()),
            State::Offered { deadline } => Some(*deadline),
            _ => None,
        }
    }

    /// Gives up if the sender or the application has been silent for too long.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Failure> {
        let (over, text) = match &mut self.state {
            State::Waiting(patience) => {
                (patience.is_over(now), "no offer has come over the file channel in time")
            }
            State::Offered { deadline } => (*deadline <= now, "nobody has accepted the file in time"),
            _ => return None,
        };
        if !over {
            return None;
        }
        self.state = State::Ended;
        Some(Failure::told(AgentError { retryable: true, ..AgentError::new("TASK_TIMEOUT", text) }))
    }

    fn failed(&mut self, failure: Failure) -> ReceiverEvent {
        self.state = State::Ended;
        ReceiverEvent::Failed(failure)
    }
}

fn misuse(what: &str) -> AgentError {
    AgentError::new(code::PROTOCOL_ERROR, format!("{what} is not possible in this state of the transfer"))
}
