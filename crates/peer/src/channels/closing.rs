//! Closing (RFC 8831 section 6.7): each side resets its direction of the stream; when both are reset, the id is free.

use std::time::Instant;

use ossa_sctp::{Association, ResetError};
use tracing::{debug, warn};

use super::channel::Reset;
use super::early::Early;
use super::registry::{CLOSE_PATIENCE, Channels, Refused};
use super::resets::Owner;
use super::types::ChannelId;
use crate::event::Event;
use crate::rtc_error::{ErrorDetail, RtcError};
use crate::states::ChannelState;

impl Channels {
    /// `RTCDataChannel.close()`.
    pub(crate) fn close(&mut self, now: Instant, id: ChannelId, sctp: Option<&mut Association>) {
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        match (channel.state, sctp) {
            (ChannelState::Open, Some(sctp)) => {
                channel.state = ChannelState::Closing;
                self.closing.push_back((now + CLOSE_PATIENCE, id));
                if !self.linger(now, id) {
                    self.reset(now, id, sctp);
                }
            }
            (ChannelState::Closing | ChannelState::Closed, _) => {}
            (ChannelState::Connecting | ChannelState::Open, _) => {
                channel.reported = true;
                self.events.push_back(Event::ChannelClosed { id, error: None });
                self.forget(id);
            }
        }
    }

    /// Closes an open channel because of what the peer did. The application hears it at once; the id waits for both
    /// directions as always.
    pub(super) fn fail(&mut self, now: Instant, id: ChannelId, why: &str, sctp: &mut Association) {
        if self.by_id.get(&id).is_none_or(|c| c.state != ChannelState::Open) {
            return;
        }
        debug!(channel = %id, why, "data channel failed");
        self.report(id, Some(RtcError::new(ErrorDetail::DataChannelFailure, why)));
        self.reset(now, id, sctp);
    }

    /// Takes nothing more of the life that a stream without a channel has now, and closes it.
    pub(super) fn refuse(&mut self, stream: u16, why: String, sctp: &mut Association) {
        debug!(stream, why, "stream refused");
        self.early.take(stream);
        match self.request_reset(stream, None, sctp) {
            Ok(()) => {}
            // There is no other way to tell the peer that what it sent is lost.
            Err(ResetError::NotSupported) => sctp.abort(&why),
            Err(error) => warn!(stream, %error, why, "refused stream cannot be reset"),
        }
        self.refused.insert(stream, Refused { why, told: false, over: false });
    }

    /// Whether what comes on a stream belongs to a life that is refused.
    pub(super) fn is_refused(&mut self, stream: u16) -> bool {
        match self.refused.get(&stream) {
            Some(refused) if !refused.over => true,
            Some(_) => {
                self.refused.remove(&stream);
                false
            }
            None => false,
        }
    }

    /// Starts the reset of our direction, unless it has begun.
    pub(super) fn reset(&mut self, now: Instant, id: ChannelId, sctp: &mut Association) {
        self.end_lingering(id);
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        let Some(stream) = channel.stream.filter(|_| channel.outgoing == Reset::Open) else { return };
        channel.outgoing = Reset::Requested;
        if let Err(error) = self.request_reset(stream, Some(id), sctp) {
            self.reset_impossible(now, id, error, sctp);
        }
    }

    fn request_reset(&mut self, stream: u16, owner: Owner, sctp: &mut Association) -> Result<(), ResetError> {
        if !self.resets.add(stream, owner) {
            return Ok(());
        }
        sctp.reset_stream(stream).inspect_err(|_| {
            self.resets.finish(stream);
        })
    }

    fn reset_impossible(&mut self, now: Instant, id: ChannelId, error: ResetError, sctp: &mut Association) {
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        debug!(channel = %id, %error, "stream cannot be reset");
        channel.outgoing = Reset::Done;
        channel.incoming = Reset::Done;
        self.settle(now, id, sctp);
    }

    /// Our direction of a stream is reset (or never will be): the turn of the next in line.
    pub(crate) fn outgoing_reset(&mut self, now: Instant, stream: u16, sctp: &mut Association) {
        let done = self.resets.finish(stream);
        self.resets.on_performed(now, stream);
        while let Some(next) = self.resets.under_way(stream) {
            let Err(error) = sctp.reset_stream(stream) else { break };
            self.resets.finish(stream);
            if let Some(id) = next {
                self.reset_impossible(now, id, error, sctp);
            }
        }
        self.stream_freed(stream);
        // Its channel may be forgotten.
        let channel = done.flatten().and_then(|id| self.by_id.get_mut(&id));
        if let Some(channel) = channel {
            channel.outgoing = Reset::Done;
            let id = channel.id;
            self.settle(now, id, sctp);
        }
    }

    /// The peer has reset its direction of these streams; none named means all.
    pub(crate) fn incoming_reset(&mut self, now: Instant, streams: &[u16], sctp: &mut Association) {
        let mut all: Vec<u16> = Vec::new();
        if streams.is_empty() {
            all.extend(self.by_stream.keys());
            all.extend(self.early.streams());
            all.extend(self.refused.keys());
            all.sort_unstable();
            all.dedup();
        }
        for &stream in streams.iter().chain(&all) {
            self.stream_reset(now, stream, sctp);
        }
    }

    /// The peer has reset its direction of a stream, or had when what waits was kept.
    pub(super) fn stream_reset(&mut self, now: Instant, stream: u16, sctp: &mut Association) {
        if let Some(refused) = self.refused.get_mut(&stream).filter(|refused| !refused.over) {
            refused.over = true;
            if refused.told {
                self.refused.remove(&stream);
            }
            self.stream_freed(stream);
            return;
        }
        let Some(&id) = self.by_stream.get(&stream) else {
            self.unknown_reset(now, stream, sctp);
            return;
        };
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        if channel.incoming == Reset::Done {
            // It is the end of a life that came after that of the channel.
            if self.make_way(id) {
                self.unknown_reset(now, stream, sctp);
            } else {
                self.keep_early(stream, Early::Reset, sctp);
            }
            return;
        }
        channel.incoming = Reset::Done;
        if channel.state == ChannelState::Open {
            channel.state = ChannelState::Closing;
            self.events.push_back(Event::ChannelClosing { id });
            self.closing.push_back((now + CLOSE_PATIENCE, id));
        }
        self.reset(now, id, sctp);
        self.settle(now, id, sctp);
    }

    /// The peer has closed a channel that was never made here. With messages in it, it waits to be made; without any the
    /// reset is answered, so that the peer can use the id again.
    fn unknown_reset(&mut self, now: Instant, stream: u16, sctp: &mut Association) {
        if self.early.has(stream) {
            self.keep_early(stream, Early::Reset, sctp);
        } else if !self.resets.is_echo(now, stream)
            && self.resets.answer(stream)
            && let Err(error) = self.request_reset(stream, None, sctp)
        {
            debug!(stream, %error, "reset cannot be answered");
        }
    }

    /// Lets go of a channel whose stream the peer uses again already: it has performed our reset then, only its answer has
    /// not come. False: our side of the channel is not through, so the peer was too quick and has to wait.
    pub(super) fn make_way(&mut self, id: ChannelId) -> bool {
        let is_through = self.by_id.get(&id).is_some_and(|channel| {
            let reset = channel.stream.and_then(|stream| self.resets.under_way(stream));
            channel.is_all_sent() && reset == Some(Some(id))
        });
        if is_through {
            self.remove(id);
        }
        is_through
    }

    /// Frees the channel if both directions are done.
    fn settle(&mut self, now: Instant, id: ChannelId, sctp: &mut Association) {
        let Some(channel) = self.by_id.get(&id).filter(|c| c.finished()) else { return };
        let stream = channel.stream;
        self.remove(id);
        if let Some(stream) = stream {
            self.replay(now, stream, sctp);
        }
    }

    fn remove(&mut self, id: ChannelId) {
        self.end_lingering(id);
        self.report(id, None);
        self.forget(id);
        self.closing.retain(|(_, waiting)| *waiting != id);
    }

    fn report(&mut self, id: ChannelId, error: Option<RtcError>) {
        let Some(channel) = self.by_id.get_mut(&id).filter(|c| !c.reported) else { return };
        channel.reported = true;
        channel.state = ChannelState::Closed;
        self.closed += 1;
        self.events.push_back(Event::ChannelClosed { id, error });
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant, sctp: Option<&mut Association>) {
        if let Some(sctp) = sctp {
            self.reset_lingering(now, sctp);
        }
        self.report_overdue(now);
    }

    /// The application has waited long enough for the peer to close its direction. Our data must be out, though.
    fn report_overdue(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.closing.front() {
            if at > now {
                return;
            }
            self.closing.pop_front();
            match self.by_id.get(&id).map(|c| c.outgoing) {
                Some(Reset::Done) => self.report(id, None),
                Some(_) => self.closing.push_back((now + CLOSE_PATIENCE, id)),
                None => {}
            }
        }
    }
}
