//! All data channels of a connection, and the mapping between them and SCTP streams.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use ossa_sctp::Association;

use super::channel::Channel;
use super::early::EarlyMessages;
use super::resets::Resets;
use super::types::{ChannelId, ChannelInfo, DataChannelInit};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::jsep::DtlsRole;
use crate::rtc_error::{ErrorDetail, RtcError};
use crate::states::ChannelState;

/// Stream 65535 does not exist (RFC 8832 section 6).
pub(super) const MAX_STREAM: u16 = 65_534;
/// How long the application waits for `closed` when the peer does not close its direction. The stream id stays
/// reserved beyond that.
pub(super) const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// Longest label and protocol, in bytes: their length fields have 16 bits.
const MAX_TEXT: usize = 65_535;
/// Channels that may exist at once: there are no more streams. Closed ones do not count.
const MAX_CHANNELS: usize = 65_535;

/// A life of a stream whose messages are not taken, until the peer resets it.
pub(super) struct Refused {
    /// For a channel with this id that the application makes too late.
    pub(super) why: String,
    /// The application knows.
    pub(super) told: bool,
    /// The peer has reset the stream. Kept to tell the application, unless a new life begins before.
    pub(super) over: bool,
}

pub(crate) struct Channels {
    /// Boxed, as the map makes room for eleven at once, and most connections have one.
    pub(super) by_id: BTreeMap<ChannelId, Box<Channel>>,
    pub(super) by_stream: HashMap<u16, ChannelId>,
    next_id: u32,
    pub(super) role: Option<DtlsRole>,
    /// No id below this one is free.
    cursor: u32,
    /// Streams in each direction, once the association is up.
    pub(super) streams: Option<u16>,
    pub(super) early: EarlyMessages,
    pub(super) resets: Resets,
    /// At most one per stream.
    pub(super) refused: HashMap<u16, Refused>,
    /// Channels whose closing the peer may never finish, oldest first.
    pub(super) closing: VecDeque<(Instant, ChannelId)>,
    /// Channels that are closed here and whose reset waits, by its time.
    pub(super) lingering: BTreeSet<(Instant, ChannelId)>,
    /// Whether the peer needs time to listen to a channel; one of ours keeps for its program what comes before.
    pub(super) grants_grace: bool,
    pub(super) events: VecDeque<Event>,
    /// Bytes of the application that a channel may have queued.
    pub(super) send_buffer_limit: usize,
    /// Largest message to send; 0 is no limit.
    pub(super) max_send_size: u64,
    pub(super) max_receive_size: usize,
    pub(crate) opened: u32,
    pub(crate) closed: u32,
}

impl Channels {
    /// Gives back room for events that have been told.
    pub(crate) fn shrink(&mut self) {
        self.events.shrink_to_fit();
    }

    pub(crate) fn new(send_buffer_limit: usize, max_receive_size: usize) -> Self {
        Channels {
            by_id: BTreeMap::new(),
            by_stream: HashMap::new(),
            next_id: 0,
            role: None,
            cursor: 0,
            streams: None,
            early: EarlyMessages::default(),
            resets: Resets::default(),
            refused: HashMap::new(),
            closing: VecDeque::new(),
            lingering: BTreeSet::new(),
            grants_grace: true,
            events: VecDeque::new(),
            send_buffer_limit,
            max_send_size: 65_536,
            max_receive_size,
            opened: 0,
            closed: 0,
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.by_id.values().map(Box::as_ref)
    }

    pub(crate) fn info(&self, id: ChannelId) -> Option<ChannelInfo> {
        self.by_id.get(&id).filter(|c| !c.reported).map(|channel| channel.info())
    }

    /// How many streams there are after a restart of the association.
    pub(crate) fn set_streams(&mut self, streams: u16) {
        self.streams = Some(streams);
    }

    /// The transport is gone; a later one may have another role.
    pub(crate) fn transport_gone(&mut self) {
        self.role = None;
        self.streams = None;
    }

    pub(crate) fn set_max_send_size(&mut self, limit: u64) {
        self.max_send_size = limit;
    }

    /// See [`linger`](super::linger).
    pub(crate) fn set_grants_grace(&mut self, needed: bool) {
        self.grants_grace = needed;
    }

    /// `createDataChannel()`.
    pub(crate) fn create(
        &mut self,
        now: Instant,
        init: DataChannelInit,
        sctp: Option<&mut Association>,
    ) -> Result<ChannelId, Error> {
        self.check_init(&init)?;
        let id = self.new_id();
        let mut channel = Channel::local(id, init);
        if channel.stream.is_none() && self.role.is_some() {
            channel.stream = Some(self.allocate().ok_or_else(|| {
                Error::new(ErrorKind::Operation, "all stream ids are in use; close a data channel first")
            })?);
        }
        if let Some(stream) = channel.stream {
            self.by_stream.insert(stream, id);
        }
        self.by_id.insert(id, Box::new(channel));
        if let Some(sctp) = sctp.filter(|_| self.streams.is_some()) {
            self.open(now, id, sctp);
        }
        Ok(id)
    }

    fn check_init(&self, init: &DataChannelInit) -> Result<(), Error> {
        let type_error = |message: String| Err(Error::new(ErrorKind::Type, message));
        for (what, text) in [("label", &init.label), ("protocol", &init.protocol)] {
            if text.len() > MAX_TEXT {
                return type_error(format!(
                    "the {what} has {} bytes of UTF-8; at most {MAX_TEXT} fit",
                    text.len()
                ));
            }
        }
        if init.max_packet_life_time.is_some() && init.max_retransmits.is_some() {
            return type_error("maxPacketLifeTime and maxRetransmits exclude each other".to_owned());
        }
        if self.by_id.len() >= MAX_CHANNELS {
            return Err(Error::new(
                ErrorKind::Operation,
                format!("there are {MAX_CHANNELS} channels already"),
            ));
        }
        let Some(stream) = init.negotiated else { return Ok(()) };
        if stream > MAX_STREAM {
            return type_error(format!("a channel id is 0 to {MAX_STREAM}, not {stream}"));
        }
        if self.by_stream.contains_key(&stream) {
            return Err(Error::new(ErrorKind::Operation, format!("the channel id {stream} is in use")));
        }
        match self.streams {
            Some(streams) if stream >= streams => Err(Error::new(
                ErrorKind::Operation,
                format!("the channel id {stream} is too large: the peer allows {streams} streams"),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn new_id(&mut self) -> ChannelId {
        // Four thousand million channels would take years to open, so this does not wrap.
        self.next_id = self.next_id.wrapping_add(1);
        ChannelId(self.next_id)
    }

    /// A free stream id of our parity: even for the DTLS client, odd for the server (RFC 8832 section 6).
    fn allocate(&mut self) -> Option<u16> {
        let parity = match self.role? {
            DtlsRole::Client => 0,
            DtlsRole::Server => 1,
        };
        let end = self.streams.map_or(u32::from(MAX_STREAM) + 1, u32::from).min(u32::from(MAX_STREAM) + 1);
        let start = (self.cursor & !1) | parity;
        let free = |s: &u32| u16::try_from(*s).is_ok_and(|s| self.is_free(s));
        let found = (start..end).step_by(2).find(free)?;
        self.cursor = found;
        u16::try_from(found).ok()
    }

    pub(super) fn is_free(&self, stream: u16) -> bool {
        !self.by_stream.contains_key(&stream)
            && !self.refused.contains_key(&stream)
            && !self.early.has(stream)
            && self.resets.under_way(stream).is_none()
    }

    /// A stream may be free now.
    pub(super) fn stream_freed(&mut self, stream: u16) {
        self.cursor = self.cursor.min(u32::from(stream));
    }

    /// The DTLS role is known: channels without an id get theirs.
    pub(crate) fn set_role(&mut self, role: DtlsRole) {
        if self.role.is_some() {
            return;
        }
        self.role = Some(role);
        let waiting: Vec<ChannelId> = self.iter().filter(|c| c.stream.is_none()).map(|c| c.id).collect();
        for id in waiting {
            match self.allocate() {
                Some(stream) => {
                    self.by_stream.insert(stream, id);
                    if let Some(channel) = self.by_id.get_mut(&id) {
                        channel.stream = Some(stream);
                    }
                }
                None => self.give_up(id, "there is no free stream id"),
            }
        }
    }

    /// The association is up: channels open.
    pub(crate) fn connected(&mut self, now: Instant, streams: u16, sctp: &mut Association) {
        self.streams = Some(streams);
        let waiting: Vec<ChannelId> =
            self.iter().filter(|c| c.state == ChannelState::Connecting).map(|c| c.id).collect();
        for id in waiting {
            self.open(now, id, sctp);
        }
    }

    /// Closes a channel that cannot be opened.
    pub(crate) fn give_up(&mut self, id: ChannelId, why: &str) {
        let error = RtcError::new(ErrorDetail::DataChannelFailure, why);
        if let Some(channel) = self.by_id.get_mut(&id) {
            channel.state = ChannelState::Closed;
            channel.reported = true;
            self.events.push_back(Event::ChannelClosed { id, error: Some(error) });
        }
        self.forget(id);
    }

    /// Removes a channel and frees its stream.
    pub(super) fn forget(&mut self, id: ChannelId) {
        let Some(channel) = self.by_id.remove(&id) else { return };
        if let Some(stream) = channel.stream.filter(|s| self.by_stream.get(s) == Some(&id)) {
            self.by_stream.remove(&stream);
            self.stream_freed(stream);
        }
    }

    /// The association is gone: all channels are closed, and with the same error.
    pub(crate) fn close_all(&mut self, error: Option<&RtcError>) {
        let ids: Vec<ChannelId> = self.by_id.keys().copied().collect();
        for id in ids {
            if let Some(channel) = self.by_id.get_mut(&id).filter(|c| !c.reported) {
                if matches!(channel.state, ChannelState::Open | ChannelState::Closing) {
                    self.closed += 1;
                }
                channel.state = ChannelState::Closed;
                channel.reported = true;
                self.events.push_back(Event::ChannelClosed { id, error: error.cloned() });
            }
            self.forget(id);
        }
        self.early.clear();
        self.resets.clear();
        self.refused.clear();
        self.closing.clear();
        self.lingering.clear();
        self.streams = None;
    }

    /// Drops everything without events: the connection was closed by the application.
    pub(crate) fn close_silently(&mut self) {
        self.close_all(None);
        self.events.clear();
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let patience = self.closing.front().map(|(at, _)| *at);
        let reset = self.lingering.first().map(|(at, _)| *at);
        patience.into_iter().chain(reset).min()
    }
}
