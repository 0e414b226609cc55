//! Data channels and the association below them.

use std::time::Instant;

use bytes::Bytes;
use ossa_sctp::{CloseReason, Event as SctpEvent, Received};

use super::Connection;
use crate::channels::{ChannelId, ChannelInfo, DataChannelInit, MessageKind};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::rtc_error::{ErrorDetail, RtcError};
use crate::states::SctpState;

impl Connection {
    /// `createDataChannel()`.
    ///
    /// # Errors
    /// `InvalidStateError` when closed; `TypeError` for impossible settings; `OperationError` if the id is in use or
    /// all are.
    pub fn create_data_channel(&mut self, now: Instant, init: DataChannelInit) -> Result<ChannelId, Error> {
        if self.closed {
            return Err(Error::new(ErrorKind::InvalidState, "the connection is closed"));
        }
        self.intact()?;
        let id = self.channels.create(now, init, self.sctp.as_deref_mut())?;
        self.session.add_data_channel();
        if self.sctp_state == SctpState::Closed && self.transport.is_some() {
            self.channels
                .give_up(id, "the SCTP association of this connection has ended; make a new connection");
        }
        Ok(id)
    }

    /// `RTCDataChannel.send()`. Nothing is queued if it fails.
    ///
    /// # Errors
    /// `InvalidStateError` if the channel is not open; `TypeError` if the message is larger than the peer accepts;
    /// `OperationError` if the send buffer is full.
    pub fn send(&mut self, now: Instant, id: ChannelId, kind: MessageKind, data: Bytes) -> Result<(), Error> {
        self.intact()?;
        self.channels.send(now, id, kind, data, self.sctp.as_deref_mut())
    }

    /// `RTCDataChannel.close()`: what was queued before is still sent. [`Event::ChannelClosed`] follows when both
    /// directions are closed.
    pub fn close_channel(&mut self, now: Instant, id: ChannelId) {
        self.channels.close(now, id, self.sctp.as_deref_mut());
    }

    /// Attributes of a channel; `None` once it is closed and forgotten.
    pub fn channel(&self, id: ChannelId) -> Option<ChannelInfo> {
        self.channels.info(id)
    }

    /// The next event. With `accept_data` false only control events come; messages stay in the SCTP association,
    /// whose receive window closes, and the peer stops sending.
    pub fn poll_event(&mut self, now: Instant, accept_data: bool) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if let Some(event) = self.channels.poll_event() {
                return Some(event);
            }
            if let Some(event) = self.media.as_mut().and_then(|media| media.session()?.poll_event()) {
                return Some(Event::Media(Box::new(event)));
            }
            if self.pump_control(now) || (accept_data && self.pump_data(now)) || self.finish(accept_data) {
                continue;
            }
            return None;
        }
    }

    /// Takes one control event out of the association. Returns whether there was one.
    pub(super) fn pump_control(&mut self, now: Instant) -> bool {
        let Some(sctp) = &mut self.sctp else { return false };
        let Some(event) = sctp.poll_event() else { return false };
        match event {
            SctpEvent::Connected { outbound_streams, inbound_streams } => {
                self.sctp_state = SctpState::Connected;
                self.report_sctp();
                if let Some(sctp) = &mut self.sctp {
                    self.channels.connected(now, outbound_streams.min(inbound_streams), sctp);
                }
            }
            SctpEvent::OutgoingResetDone { stream } | SctpEvent::OutgoingResetFailed { stream } => {
                self.channels.outgoing_reset(now, stream, sctp);
            }
            SctpEvent::Released { stream, bytes } => self.channels.released(stream, bytes),
            SctpEvent::Restarted => self.sctp_restarted(),
            SctpEvent::Closed { reason } => {
                self.end_sctp(close_error(&reason));
            }
            SctpEvent::MtuChanged { .. } => self.media_path_changed(),
            SctpEvent::Abandoned { .. } => {}
        }
        true
    }

    /// Takes one message or reset out of the association. Returns whether there was one.
    fn pump_data(&mut self, now: Instant) -> bool {
        let Some(sctp) = &mut self.sctp else { return false };
        match sctp.recv() {
            Some(Received::Message(message)) => self.channels.handle_message(now, message, sctp),
            Some(Received::StreamsReset(streams)) => self.channels.incoming_reset(now, &streams, sctp),
            None => return false,
        }
        true
    }

    /// The peer's end has lost its state, and with it the channels.
    fn sctp_restarted(&mut self) {
        let streams = self.sctp.as_ref().and_then(|s| s.peer_streams());
        let error = RtcError::new(ErrorDetail::SctpFailure, "the peer has restarted the SCTP association");
        self.channels.close_all(Some(&error));
        if let Some((outgoing, incoming)) = streams {
            self.channels.set_streams(outgoing.min(incoming));
        }
    }

    /// The association is over, or what is below it. Channels are closed as soon as the messages that came before
    /// have been taken.
    pub(super) fn end_sctp(&mut self, error: Option<RtcError>) {
        self.ending.get_or_insert(error);
    }

    /// Completes [`Self::end_sctp`]. Returns whether anything has happened.
    fn finish(&mut self, drained: bool) -> bool {
        if self.ending.is_none() {
            return false;
        }
        let unread = self.sctp.as_ref().is_some_and(|s| s.metrics().unread > 0);
        if unread && !drained {
            return false;
        }
        let Some(error) = self.ending.take() else { return false };
        self.channels.close_all(error.as_ref());
        self.sctp = None;
        if self.transport.is_some() && self.sctp_state != SctpState::Closed {
            self.sctp_state = SctpState::Closed;
            self.report_sctp();
        }
        true
    }
}

/// Why the channels are closed, if not by a shutdown in good order. A peer that closes its whole connection aborts the
/// association ("user-initiated", cause 12): its channels were not closed one by one, and W3C reports that as an error.
fn close_error(reason: &CloseReason) -> Option<RtcError> {
    let cause = match reason {
        CloseReason::Shutdown => return None,
        // The application's close() does not get here: it drops the association.
        CloseReason::LocalAbort { .. } => None,
        CloseReason::PeerAbort { cause, .. } => *cause,
        CloseReason::ProtocolViolation { cause, .. } => Some(*cause),
        CloseReason::HandshakeTimeout { .. } => None,
    };
    let mut error = RtcError::new(ErrorDetail::SctpFailure, reason.to_string());
    error.sctp_cause_code = cause;
    Some(error)
}
