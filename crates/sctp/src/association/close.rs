//! Ends of an association: SHUTDOWN (RFC 9260 section 9.2) and ABORT (section 9.1).

use std::time::Instant;

use bytes::Bytes;

use super::Association;
use super::control::ControlChunk;
use crate::chunk::{TAG_REFLECTED, cause, kind};
use crate::event::CloseReason;
use crate::packet::{CHUNK_HEADER, CommonHeader, PacketBuilder};
use crate::state::State;
use crate::time::Time;

/// Repetitions of SHUTDOWN or SHUTDOWN ACK before the peer counts as gone. Unlike data, nothing is lost then.
const MAX_ATTEMPTS: u32 = 8;

/// A shutdown under way.
#[derive(Debug, Default)]
pub(super) struct Shutdown {
    /// SHUTDOWN or SHUTDOWN ACK is to be sent.
    pub(super) due: bool,
    /// When it is repeated (T2).
    pub(super) timer: Option<Time>,
    attempts: u32,
}

impl Association {
    /// Closes gracefully: queued data is delivered first, then [`Event::Closed`](crate::Event::Closed) follows.
    pub fn shutdown(&mut self, now: Instant) {
        self.at(now);
        match self.state {
            State::Closed | State::CookieWait | State::CookieEchoed => self.end(CloseReason::Shutdown),
            State::Established => {
                self.state = State::ShutdownPending;
                self.advance_shutdown();
            }
            _ => {}
        }
    }

    /// Closes at once; the next packet tells the peer.
    pub fn abort(&mut self, reason: &str) {
        if self.ended {
            return;
        }
        if self.peer.is_some() {
            let text = truncated(reason, 256);
            self.control.replace_all(ControlChunk::with_cause(
                kind::ABORT,
                cause::USER_ABORT,
                text.as_bytes(),
            ));
        }
        self.end(CloseReason::LocalAbort { message: reason.to_owned() });
    }

    /// Aborts because of what the peer did.
    pub(super) fn violation(&mut self, code: u16, message: String) {
        let text = truncated(&message, 256);
        let info = if code == cause::PROTOCOL_VIOLATION { text.as_bytes() } else { &[] };
        self.control.replace_all(ControlChunk::with_cause(kind::ABORT, code, info));
        self.end(CloseReason::ProtocolViolation { cause: code, message });
    }

    /// Everything is over; what is in the control queue still goes out.
    pub(super) fn end(&mut self, reason: CloseReason) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.state = State::Closed;
        self.closing = Some(reason);
        self.handshake = super::Handshake::default();
        self.heartbeat = super::Heartbeat::default();
        self.shutdown = Shutdown::default();
        self.sender.close();
    }

    /// Takes the next step when nothing is queued or in flight any more.
    pub(super) fn advance_shutdown(&mut self) {
        let next = match self.state {
            State::ShutdownPending => State::ShutdownSent,
            State::ShutdownReceived => State::ShutdownAckSent,
            _ => return,
        };
        if self.sender.is_idle() {
            self.state = next;
            self.shutdown = Shutdown { due: true, ..Shutdown::default() };
        }
    }

    /// Adds SHUTDOWN or SHUTDOWN ACK if it is due.
    pub(super) fn write_shutdown(&mut self, now: Time, packet: &mut PacketBuilder<'_>) {
        if !self.shutdown.due || packet.room() < CHUNK_HEADER + 4 {
            return;
        }
        match self.state {
            State::ShutdownSent => {
                let cumulative = self.receiver.cumulative();
                packet.chunk(kind::SHUTDOWN, 0, |out| out.extend_from_slice(&cumulative.to_be_bytes()));
            }
            State::ShutdownAckSent => packet.chunk(kind::SHUTDOWN_ACK, 0, |_| {}),
            _ => return,
        }
        self.shutdown.due = false;
        self.shutdown.timer = Some(now.after(self.sender.rtt.backed_off(self.shutdown.attempts)));
    }

    pub(super) fn on_shutdown_timeout(&mut self) {
        self.shutdown.timer = None;
        self.shutdown.attempts += 1;
        if self.shutdown.attempts > MAX_ATTEMPTS {
            self.end(CloseReason::Shutdown);
        } else {
            self.shutdown.due = true;
        }
    }

    /// Takes a SHUTDOWN; its cumulative TSN has been taken as an acknowledgement.
    pub(super) fn on_shutdown(&mut self) {
        match self.state {
            State::Established | State::ShutdownPending => self.state = State::ShutdownReceived,
            // Both sides at once.
            State::ShutdownSent => {
                self.state = State::ShutdownAckSent;
                self.shutdown = Shutdown { due: true, ..Shutdown::default() };
            }
            State::ShutdownAckSent => self.shutdown.due = true,
            _ => {}
        }
        self.advance_shutdown();
    }

    pub(super) fn on_shutdown_ack(&mut self, header: &CommonHeader) {
        match self.state {
            State::ShutdownSent | State::ShutdownAckSent => {
                self.control.replace_all(ControlChunk::new(kind::SHUTDOWN_COMPLETE, Bytes::new()));
                self.end(CloseReason::Shutdown);
            }
            // Out of the blue, as when our SHUTDOWN COMPLETE was lost (RFC 9260 section 8.4, rule 5).
            State::Closed | State::CookieWait | State::CookieEchoed => {
                let mut complete = ControlChunk::new(kind::SHUTDOWN_COMPLETE, Bytes::new());
                complete.flags = TAG_REFLECTED;
                complete.tag = Some(header.tag);
                self.control.push(complete);
            }
            _ => {}
        }
    }

    pub(super) fn on_shutdown_complete(&mut self) {
        if self.state == State::ShutdownAckSent {
            self.end(CloseReason::Shutdown);
        }
    }

    pub(super) fn on_abort(&mut self, value: &[u8]) {
        if self.ended || self.state == State::Closed {
            return;
        }
        self.control = super::Control::default();
        if self.state == State::ShutdownAckSent {
            // All data was delivered both ways; only the peer's SHUTDOWN COMPLETE was lost.
            self.end(CloseReason::Shutdown);
            return;
        }
        let (cause, message) = cause::describe(value);
        self.end(CloseReason::PeerAbort { cause, message });
    }
}

/// The first `limit` bytes of a text, cut between characters.
fn truncated(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}
