//! Messages, opening and closing: what happens between channels and the association.

use std::time::Instant;

use bytes::Bytes;
use ossa_sctp::{Association, Message, Reliability, ResetError, SendError, SendOptions};
use tracing::debug;

use super::channel::{Channel, Reset};
use super::registry::{CLOSE_PATIENCE, Channels};
use super::types::{ChannelId, MessageKind};
use crate::dcep::{self, ppid};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::states::ChannelState;

/// DCEP messages are ordered and reliable whatever the channel is (RFC 8832 section 6).
const DCEP_OPTIONS: SendOptions = SendOptions { unordered: false, reliability: Reliability::Reliable };

impl Channels {
    /// `RTCDataChannel.send()`.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: MessageKind,
        data: Bytes,
        sctp: Option<&mut Association>,
    ) -> Result<(), Error> {
        let channel = self.by_id.get_mut(&id).filter(|c| c.state == ChannelState::Open);
        let (Some(channel), Some(sctp)) = (channel, sctp) else {
            return Err(Error::new(ErrorKind::InvalidState, "the data channel is not open"));
        };
        let len = data.len();
        if self.max_send_size != 0 && len as u64 > self.max_send_size {
            let limit = self.max_send_size;
            return Err(Error::new(
                ErrorKind::Type,
                format!("the message has {len} bytes, and the peer takes at most {limit}"),
            ));
        }
        // A message larger than the whole limit still goes if nothing else waits.
        let full = self.buffered.saturating_add(len) > self.send_buffer_limit;
        if self.send_buffer_limit != 0 && self.buffered > 0 && full {
            return Err(buffer_full(self.buffered, self.send_buffer_limit));
        }
        // Open channels have a stream.
        let Some(stream) = channel.stream else { return Ok(()) };
        let (ppid, payload) = match (kind, len) {
            // SCTP cannot carry an empty message: one zero byte and a PPID of its own stand for it.
            (MessageKind::Text, 0) => (ppid::STRING_EMPTY, Bytes::from_static(&[0])),
            (MessageKind::Binary, 0) => (ppid::BINARY_EMPTY, Bytes::from_static(&[0])),
            (MessageKind::Text, _) => (ppid::STRING, data),
            (MessageKind::Binary, _) => (ppid::BINARY, data),
        };
        sctp.send(now, stream, ppid, payload, channel.options()).map_err(send_error)?;
        channel.message_queued(len);
        if len == 0 {
            channel.overhead_queued(1);
        }
        self.buffered += len;
        Ok(())
    }

    /// The association is up: announces a channel (unless both sides know it) and opens it.
    pub(super) fn open(&mut self, now: Instant, id: ChannelId, sctp: &mut Association) {
        let streams = self.streams.unwrap_or(0);
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        let Some(stream) = channel.stream else { return };
        if stream >= streams {
            self.give_up(id, &format!("stream {stream} does not exist: the peer allows {streams}"));
            return;
        }
        sctp.set_stream_priority(stream, channel.priority.value());
        if !channel.negotiated {
            let message = channel.open_message();
            let len = message.len();
            if let Err(error) = sctp.send(now, stream, ppid::DCEP, message, DCEP_OPTIONS) {
                self.give_up(id, &format!("the channel could not be announced: {error}"));
                return;
            }
            channel.overhead_queued(len);
        }
        self.set_open(id, stream);
        self.replay(now, stream, sctp);
    }

    fn set_open(&mut self, id: ChannelId, stream_id: u16) {
        if let Some(channel) = self.by_id.get_mut(&id) {
            channel.state = ChannelState::Open;
            self.opened += 1;
            self.events.push_back(Event::ChannelOpen { id, stream_id });
        }
    }

    /// A message has come out of the association.
    pub(crate) fn handle_message(&mut self, now: Instant, message: Message, sctp: &mut Association) {
        let id = self.by_stream.get(&message.stream).copied();
        if message.ppid == ppid::DCEP {
            self.handle_dcep(now, id, message, sctp);
            return;
        }
        let Some(channel) = id.and_then(|id| self.by_id.get_mut(&id)) else {
            self.keep_early(message);
            return;
        };
        if channel.incoming == Reset::Done {
            self.keep_early(message);
            return;
        }
        // Whoever sends on the stream knows the channel.
        channel.confirmed = true;
        if channel.state != ChannelState::Open {
            return;
        }
        let limit = self.max_receive_size;
        if let Some((kind, data)) = channel.incoming_message(message.ppid, message.payload, limit) {
            self.events.push_back(Event::Message { id: channel.id, kind, data });
        }
    }

    fn handle_dcep(&mut self, now: Instant, id: Option<ChannelId>, message: Message, sctp: &mut Association) {
        let channel = id.and_then(|id| self.by_id.get_mut(&id));
        match (dcep::parse(&message.payload), channel) {
            (Ok(dcep::Message::Ack), Some(channel)) => channel.confirmed = true,
            (Ok(dcep::Message::Ack), None) => {}
            // The peer reuses the id before it has seen that we are done with it.
            (Ok(dcep::Message::Open(_)), Some(channel)) if channel.incoming == Reset::Done => {
                self.keep_early(message);
            }
            (Ok(dcep::Message::Open(_)), Some(channel)) => {
                debug!(stream = message.stream, "the stream of a DATA_CHANNEL_OPEN is in use");
                channel.confirmed = true;
            }
            (Ok(dcep::Message::Open(open)), None) => self.announce(now, message.stream, open, sctp),
            (Err(error), _) => debug!(stream = message.stream, error, "bad DCEP message"),
        }
    }

    fn announce(&mut self, now: Instant, stream: u16, open: dcep::Open, sctp: &mut Association) {
        if self.streams.is_none_or(|streams| stream >= streams) {
            debug!(stream, "DATA_CHANNEL_OPEN on a stream that we cannot answer on");
            return;
        }
        let id = self.new_id();
        let mut channel = Channel::remote(id, stream, open);
        sctp.set_stream_priority(stream, channel.priority.value());
        match sctp.send(now, stream, ppid::DCEP, Bytes::from_static(dcep::ack()), DCEP_OPTIONS) {
            Ok(()) => channel.overhead_queued(dcep::ack().len()),
            Err(error) => {
                debug!(stream, %error, "DATA_CHANNEL_ACK not sent");
                return;
            }
        }
        let info = channel.info();
        self.by_stream.insert(stream, id);
        self.by_id.insert(id, channel);
        self.events.push_back(Event::ChannelAnnounced { id, info });
        self.set_open(id, stream);
        self.replay(now, stream, sctp);
    }

    /// `RTCDataChannel.close()`.
    pub(crate) fn close(&mut self, now: Instant, id: ChannelId, sctp: Option<&mut Association>) {
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        match (channel.state, sctp) {
            (ChannelState::Open, Some(sctp)) => {
                channel.state = ChannelState::Closing;
                self.closing.push_back((now + CLOSE_PATIENCE, id));
                self.reset(now, id, sctp);
            }
            (ChannelState::Closing | ChannelState::Closed, _) => {}
            (ChannelState::Connecting | ChannelState::Open, _) => {
                channel.reported = true;
                self.events.push_back(Event::ChannelClosed { id, error: None });
                self.forget(id);
            }
        }
    }

    /// Starts the reset of our direction.
    fn reset(&mut self, now: Instant, id: ChannelId, sctp: &mut Association) {
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        let Some(stream) = channel.stream.filter(|_| channel.outgoing == Reset::Open) else { return };
        match sctp.reset_stream(stream) {
            Ok(()) | Err(ResetError::InProgress { .. }) => channel.outgoing = Reset::Requested,
            Err(error) => {
                debug!(stream, %error, "stream cannot be reset");
                channel.outgoing = Reset::Done;
                channel.incoming = Reset::Done;
                self.settle(now, id, sctp);
            }
        }
    }

    /// Our direction of a stream is reset (or never will be).
    pub(crate) fn outgoing_reset(&mut self, now: Instant, stream: u16, sctp: &mut Association) {
        let Some(&id) = self.by_stream.get(&stream) else { return };
        if let Some(channel) = self.by_id.get_mut(&id).filter(|c| c.outgoing == Reset::Requested) {
            channel.outgoing = Reset::Done;
            self.settle(now, id, sctp);
        }
    }

    /// The peer has reset its direction of these streams; none named means all.
    pub(crate) fn incoming_reset(&mut self, now: Instant, streams: &[u16], sctp: &mut Association) {
        let all: Vec<u16>;
        let streams = if streams.is_empty() {
            all = self.by_stream.keys().copied().collect();
            &all
        } else {
            streams
        };
        for &stream in streams {
            let Some(&id) = self.by_stream.get(&stream) else {
                drop(self.early.take(stream));
                continue;
            };
            let Some(channel) = self.by_id.get_mut(&id) else { continue };
            channel.incoming = Reset::Done;
            if channel.state == ChannelState::Open {
                channel.state = ChannelState::Closing;
                self.events.push_back(Event::ChannelClosing { id });
                self.closing.push_back((now + CLOSE_PATIENCE, id));
            }
            self.reset(now, id, sctp);
            self.settle(now, id, sctp);
        }
    }

    /// Frees the channel if both directions are done.
    fn settle(&mut self, now: Instant, id: ChannelId, sctp: &mut Association) {
        let Some(channel) = self.by_id.get(&id).filter(|c| c.finished()) else { return };
        let stream = channel.stream;
        self.report_closed(id);
        self.forget(id);
        self.closing.retain(|(_, waiting)| *waiting != id);
        if let Some(stream) = stream {
            self.replay(now, stream, sctp);
        }
    }

    fn report_closed(&mut self, id: ChannelId) {
        let Some(channel) = self.by_id.get_mut(&id).filter(|c| !c.reported) else { return };
        channel.reported = true;
        channel.state = ChannelState::Closed;
        self.closed += 1;
        self.events.push_back(Event::ChannelClosed { id, error: None });
    }

    /// The application has waited long enough for the peer to close its direction. Our data must be out, though.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.closing.front() {
            if at > now {
                return;
            }
            self.closing.pop_front();
            match self.by_id.get(&id).map(|c| c.outgoing) {
                Some(Reset::Done) => self.report_closed(id),
                Some(_) => self.closing.push_back((now + CLOSE_PATIENCE, id)),
                None => {}
            }
        }
    }

    /// Bytes have left the association's send queue.
    pub(crate) fn released(&mut self, stream: u16, bytes: usize) {
        let Some(channel) = self.by_stream.get(&stream).and_then(|id| self.by_id.get_mut(id)) else { return };
        let own = channel.released(bytes);
        if own > 0 {
            self.buffered -= own.min(self.buffered);
            self.events.push_back(Event::Released { id: channel.id, bytes: own });
        }
    }
}

fn buffer_full(buffered: usize, limit: usize) -> Error {
    Error::new(
        ErrorKind::Operation,
        format!("the send buffer is full: {buffered} of {limit} bytes; wait for bufferedAmount to go down"),
    )
}

fn send_error(error: SendError) -> Error {
    match error {
        SendError::TooLarge { .. } => Error::new(ErrorKind::Type, error.to_string()),
        SendError::BufferFull { buffered, limit } => buffer_full(buffered, limit),
        SendError::NotConnected { .. } | SendError::Resetting { .. } | SendError::NoSuchStream { .. } => {
            Error::new(ErrorKind::InvalidState, error.to_string())
        }
        SendError::Empty => Error::new(ErrorKind::Operation, error.to_string()),
    }
}
