//! Opening: DCEP (RFC 8832), and channels that both sides know from elsewhere.

use std::time::Instant;

use bytes::Bytes;
use ossa_sctp::{Association, Message, Reliability, SendOptions};
use tracing::debug;

use super::channel::Channel;
use super::linger::ACK_PATIENCE;
use super::registry::Channels;
use super::types::ChannelId;
use crate::dcep::{self, ppid};
use crate::event::Event;
use crate::jsep::DtlsRole;
use crate::states::ChannelState;

/// DCEP messages are ordered and reliable whatever the channel is (RFC 8832 section 6).
const DCEP_OPTIONS: SendOptions = SendOptions { unordered: false, reliability: Reliability::Reliable };

impl Channels {
    /// The association is up: announces a channel (unless both sides know it) and opens it.
    pub(super) fn open(&mut self, now: Instant, id: ChannelId, sctp: &mut Association) {
        let streams = self.streams.unwrap_or(0);
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        let Some(stream) = channel.stream else { return };
        self.resets.on_use(stream);
        if stream >= streams {
            self.give_up(id, &format!("stream {stream} does not exist: the peer allows {streams}"));
            return;
        }
        if let Some(refused) = self.refused.get_mut(&stream) {
            let why = refused.why.clone();
            refused.told = true;
            if refused.over {
                self.refused.remove(&stream);
            }
            self.give_up(id, &why);
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
            channel.lingers_until = self.grants_grace.then(|| now + ACK_PATIENCE);
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

    /// A DCEP message. What does not meet the conditions of RFC 8832 section 6 closes the channel, or the stream if it has
    /// none, and gets no ACK.
    pub(super) fn handle_dcep(
        &mut self,
        now: Instant,
        id: Option<ChannelId>,
        message: Message,
        sctp: &mut Association,
    ) {
        let stream = message.stream;
        match (dcep::parse(&message.payload), id) {
            (Ok(dcep::Message::Ack), Some(id)) => {
                self.confirm(now, id);
            }
            (Ok(dcep::Message::Ack), None) => debug!(stream, "DATA_CHANNEL_ACK without a channel"),
            (Ok(dcep::Message::Open(open)), Some(id)) => {
                let why = format!(
                    "the peer announced a channel ({:?}) on stream {stream}, which this one has",
                    open.label
                );
                self.fail(now, id, &why, sctp);
            }
            (Ok(dcep::Message::Open(open)), None) => match self.check_open(stream) {
                Ok(()) => self.announce(now, stream, open, sctp),
                Err(why) => self.refuse(stream, why, sctp),
            },
            (Err(error), Some(id)) => {
                self.fail(now, id, &format!("bad DCEP message on stream {stream}: {error}"), sctp);
            }
            (Err(error), None) => {
                self.refuse(stream, format!("bad DCEP message on stream {stream}: {error}"), sctp);
            }
        }
    }

    /// Whether the peer may announce a channel on a stream that is free.
    fn check_open(&self, stream: u16) -> Result<(), String> {
        // The client takes even ids, the server odd ones.
        let theirs = match self.role {
            Some(DtlsRole::Client) => 1,
            Some(DtlsRole::Server) | None => 0,
        };
        if stream % 2 != theirs {
            return Err(format!(
                "the peer announced a channel on stream {stream}, an id for this side to give"
            ));
        }
        match self.streams {
            Some(streams) if stream < streams => Ok(()),
            streams => Err(format!(
                "the peer announced a channel on stream {stream}, but allows only {} to be answered on",
                streams.unwrap_or(0)
            )),
        }
    }

    fn announce(&mut self, now: Instant, stream: u16, open: dcep::Open, sctp: &mut Association) {
        // What came in lives of the stream that are over was for a channel that was never made.
        self.early.drop_ended(stream);
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
        self.by_id.insert(id, Box::new(channel));
        self.events.push_back(Event::ChannelAnnounced { id, info });
        self.set_open(id, stream);
        self.replay(now, stream, sctp);
    }
}
