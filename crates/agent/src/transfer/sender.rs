//! The sending side.

use std::time::{Duration, Instant};

use super::failure::Failure;
use super::wire::{Control, FileOffer, MAX_CONTROL, MAX_SIZE, WINDOWS, is_sha256, parse, write};
use crate::error::{AgentError, code};
use crate::verdict::Patience;

/// What the sender has to do next.
#[derive(Debug)]
pub enum SenderEvent {
    /// Nothing.
    None,
    /// The application of the other side agrees and gets ready; there is no deadline any more.
    Preparing,
    /// Call [`FileSender::start`], after a look at what is there already: the first `offset` bytes of the file should
    /// have this SHA-256.
    Accepted {
        /// 0 for the whole file.
        offset: u64,
        /// Absent for offset 0.
        sha256: Option<String>,
    },
    /// More may be sent, see [`FileSender::allowance`].
    Credit {
        /// Bytes of the file that the other side has written, those before the start included.
        written: u64,
    },
    /// The file has arrived and is in its place.
    Done,
    /// It is over.
    Failed(Failure),
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Offered(Patience),
    Preparing,
    Accepted { offset: u64 },
    Sending,
    Finished { sha256: String },
    Ended,
}

impl State {
    /// For people on either side.
    fn in_words(&self) -> &'static str {
        match self {
            Self::Offered(_) => "before the file is accepted",
            Self::Preparing => "while the other side prepares for the file",
            Self::Accepted { .. } => "before the file begins",
            Self::Sending => "in the middle of the file",
            Self::Finished { .. } => "after the file",
            Self::Ended => "after the end of the transfer",
        }
    }
}

/// The sending side of one transfer on one channel.
#[derive(Debug)]
pub struct FileSender {
    state: State,
    size: Option<u64>,
    resumable: bool,
    timeout: Duration,
    /// Bytes of the file, from its beginning.
    sent: u64,
    written: u64,
    limit: u64,
    window: u64,
}

impl FileSender {
    /// Begins; the text is the offer to be sent.
    ///
    /// # Errors
    /// `INVALID_MESSAGE` and `MESSAGE_TOO_LARGE` for an offer that the other side would refuse.
    pub fn new(offer: FileOffer, now: Instant) -> Result<(Self, String), AgentError> {
        offer.check()?;
        let timeout = Duration::from_millis(offer.timeout);
        let mut sender = Self {
            state: State::Ended,
            size: offer.size,
            resumable: offer.resumable,
            timeout,
            sent: 0,
            written: 0,
            limit: 0,
            window: 0,
        };
        sender.state = State::Offered(Patience::new(timeout, now));
        let text = write(&Control::Offer(offer));
        if text.len() > MAX_CONTROL {
            let text = format!("the offer has {} bytes with its metadata, at most {MAX_CONTROL}", text.len());
            return Err(AgentError::new(code::MESSAGE_TOO_LARGE, text));
        }
        Ok((sender, text))
    }

    /// Takes one text message.
    pub fn receive(&mut self, text: &str) -> SenderEvent {
        if self.state == State::Ended {
            return SenderEvent::None;
        }
        let result = parse(text).map_err(Failure::told).and_then(|control| self.handle(control));
        result.unwrap_or_else(|failure| {
            self.state = State::Ended;
            SenderEvent::Failed(failure)
        })
    }

    fn handle(&mut self, control: Control) -> Result<SenderEvent, Failure> {
        match (control, &self.state) {
            (Control::Abort(reason), _) => Err(Failure { error: reason.into(), tell: None }),
            (Control::Preparing, State::Offered(_)) => {
                self.state = State::Preparing;
                Ok(SenderEvent::Preparing)
            }
            (Control::Accept { offset, sha256, window }, State::Offered(_) | State::Preparing) => {
                self.accepted(offset, sha256, window)
            }
            (Control::Credit { written, limit }, State::Sending | State::Finished { .. }) => {
                if written < self.written || written > self.sent || limit < self.limit || limit > MAX_SIZE {
                    return Err(Failure::violation(format!(
                        "a credit of {limit} with {written} bytes written, after {} and {}; {} were sent",
                        self.limit, self.written, self.sent
                    )));
                }
                (self.written, self.limit) = (written, limit);
                Ok(SenderEvent::Credit { written })
            }
            (Control::Done { size, sha256 }, State::Finished { sha256: ours }) => {
                if size != self.sent || sha256 != *ours {
                    return Err(Failure::violation("the other side is done with another file than this one"));
                }
                self.state = State::Ended;
                Ok(SenderEvent::Done)
            }
            (control, state) => {
                let text = format!("\"{}\" does not belong here, {}", control.name(), state.in_words());
                Err(Failure::violation(text))
            }
        }
    }

    fn accepted(&mut self, offset: u64, sha256: Option<String>, window: u64) -> Result<SenderEvent, Failure> {
        if !WINDOWS.contains(&window) {
            let (least, most) = (WINDOWS.start(), WINDOWS.end());
            return Err(Failure::violation(format!(
                "a window of {window} bytes is not from {least} to {most}"
            )));
        }
        let possible = offset == 0 || (self.resumable && self.size.is_some_and(|size| offset <= size));
        if !possible
            || sha256.as_deref().is_some_and(|sum| !is_sha256(sum))
            || (offset > 0) != sha256.is_some()
        {
            return Err(Failure::violation(format!("this file cannot go on at byte {offset}")));
        }
        self.window = window;
        self.state = State::Accepted { offset };
        Ok(SenderEvent::Accepted { offset, sha256 })
    }

    /// The file is about to be sent: from where the other side has proposed if that is `verified`, else from its
    /// beginning. Returns the offset and what to send.
    ///
    /// # Errors
    /// `PROTOCOL_ERROR` if the other side has not accepted.
    pub fn start(&mut self, verified: bool) -> Result<(u64, String), AgentError> {
        let State::Accepted { offset } = self.state else { return Err(misuse("start")) };
        let offset = if verified { offset } else { 0 };
        (self.sent, self.written, self.limit) = (offset, offset, offset + self.window);
        self.state = State::Sending;
        Ok((offset, write(&Control::Start { offset })))
    }

    /// Bytes that may be sent now.
    pub fn allowance(&self) -> u64 {
        if self.state == State::Sending { self.limit.saturating_sub(self.sent) } else { 0 }
    }

    /// A binary message of this many bytes has been sent.
    ///
    /// # Errors
    /// `PROTOCOL_ERROR` if that was more than allowed; `CAPABILITY_FAILED` if the file has grown.
    pub fn sent(&mut self, bytes: u64) -> Result<(), AgentError> {
        if bytes == 0 || bytes > self.allowance() {
            return Err(misuse("sent"));
        }
        self.sent += bytes;
        match self.size {
            Some(size) if self.sent > size => Err(AgentError::new(
                code::CAPABILITY_FAILED,
                format!("the file has become larger than the {size} bytes that were offered"),
            )),
            _ => Ok(()),
        }
    }

    /// The whole file has been sent and has this SHA-256. Returns what to send.
    ///
    /// # Errors
    /// `CAPABILITY_FAILED` if the file has shrunk.
    pub fn finish(&mut self, sha256: String) -> Result<String, AgentError> {
        if self.state != State::Sending || !is_sha256(&sha256) {
            return Err(misuse("finish"));
        }
        if let Some(size) = self.size
            && size != self.sent
        {
            let text = format!("the file ended after {} of the {size} bytes that were offered", self.sent);
            return Err(AgentError::new(code::CAPABILITY_FAILED, text));
        }
        let text = write(&Control::Finish { size: self.sent, sha256: sha256.clone() });
        self.state = State::Finished { sha256 };
        Ok(text)
    }

    /// Gives up. Returns what to send, nothing if it is over anyhow.
    pub fn abort(&mut self, error: AgentError) -> Option<String> {
        if std::mem::replace(&mut self.state, State::Ended) == State::Ended {
            return None;
        }
        Failure::told(error).tell
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if let State::Offered(patience) = &self.state { Some(patience.poll_timeout()) } else { None }
    }

    /// Gives up if nobody has answered in time.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Failure> {
        let State::Offered(patience) = &mut self.state else { return None };
        if !patience.is_over(now) {
            return None;
        }
        self.state = State::Ended;
        let text = format!("the offer of a file was not answered within {} ms", self.timeout.as_millis());
        Some(Failure::told(AgentError { retryable: true, ..AgentError::new("TASK_TIMEOUT", text) }))
    }
}

fn misuse(what: &str) -> AgentError {
    AgentError::new(code::PROTOCOL_ERROR, format!("{what} is not possible in this state of the transfer"))
}
