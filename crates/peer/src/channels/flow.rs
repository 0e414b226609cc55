//! Messages: what goes from channels to the association and back.

use std::time::Instant;

use bytes::Bytes;
use ossa_sctp::{Association, Message, SendError};

use super::channel::Reset;
use super::early::{Early, MAX_BYTES};
use super::registry::Channels;
use super::types::{ChannelId, MessageKind};
use crate::dcep::ppid;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::states::ChannelState;

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
        let full = channel.buffered.saturating_add(len) > self.send_buffer_limit;
        if self.send_buffer_limit != 0 && channel.buffered > 0 && full {
            return Err(buffer_full(channel.buffered, self.send_buffer_limit));
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
        Ok(())
    }

    /// A message has come out of the association.
    pub(crate) fn handle_message(&mut self, now: Instant, message: Message, sctp: &mut Association) {
        let stream = message.stream;
        if self.is_refused(stream) {
            return;
        }
        self.resets.on_use(stream);
        let mut id = self.by_stream.get(&stream).copied();
        if let Some(old) = id.filter(|id| self.by_id.get(id).is_some_and(|c| c.incoming == Reset::Done)) {
            if !self.make_way(old) {
                self.keep_early(stream, Early::Message(message), sctp);
                return;
            }
            id = None;
        }
        if message.ppid == ppid::DCEP {
            self.handle_dcep(now, id, message, sctp);
            return;
        }
        let Some(channel) = id.and_then(|id| self.by_id.get_mut(&id)) else {
            self.keep_early(stream, Early::Message(message), sctp);
            return;
        };
        // Whoever sends on the stream knows the channel.
        let id = channel.id;
        self.confirm(now, id);
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        if channel.state != ChannelState::Open {
            return;
        }
        let limit = self.max_receive_size;
        match channel.incoming_message(message.ppid, message.payload, limit) {
            Ok(Some((kind, data))) => self.events.push_back(Event::Message { id: channel.id, kind, data }),
            Ok(None) => {}
            Err(why) => {
                self.fail(now, id, &why, sctp);
            }
        }
    }

    /// What waited for a channel, or for the end of the last one, is looked at again.
    pub(super) fn replay(&mut self, now: Instant, stream: u16, sctp: &mut Association) {
        for early in self.early.take(stream) {
            match early {
                Early::Message(message) => self.handle_message(now, message, sctp),
                Early::Reset => self.stream_reset(now, stream, sctp),
            }
        }
    }

    /// Lets something wait: nobody has announced its stream, or the previous channel on it is not gone yet.
    pub(super) fn keep_early(&mut self, stream: u16, early: Early, sctp: &mut Association) {
        if let Some((stream, messages)) = self.early.keep(stream, early) {
            let why = format!(
                "{messages} messages came on stream {stream} before it had a channel here, and no more than {MAX_BYTES} \
                 bytes are kept; make a channel with an agreed id before the peer sends on it"
            );
            self.refuse(stream, why, sctp);
        }
    }

    /// Bytes have left the association's send queue.
    pub(crate) fn released(&mut self, stream: u16, bytes: usize) {
        let Some(channel) = self.by_stream.get(&stream).and_then(|id| self.by_id.get_mut(id)) else { return };
        let own = channel.released(bytes);
        if own > 0 {
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
        SendError::NotConnected { .. } | SendError::NoSuchStream { .. } => {
            Error::new(ErrorKind::InvalidState, error.to_string())
        }
        SendError::Empty => Error::new(ErrorKind::Operation, error.to_string()),
    }
}
