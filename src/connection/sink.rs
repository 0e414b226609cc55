//! Takes what happens to one peer, on any thread, into the queue of its JavaScript thread.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use ossa_agent::{Lifted, LongString, lift};
use ossa_net::{Peer, Sink};
use ossa_peer::{ChannelId, Event, MessageKind, TrackChange, TransceiverId};
use ossa_tracks::Tracks;

use super::event;
use super::inbox::{Kind, LongText};
use super::mailbox::Mailbox;
use super::media_event;
use super::meter::Meters;
use crate::base::lock::lock;

/// Above this many bytes waiting for JavaScript, messages stay in SCTP and the peer has to stop: enough to keep
/// JavaScript busy for milliseconds at any rate, and little enough for thousands of peers.
const HIGH: usize = 4 << 20;

/// Messages flow again below this.
const LOW: usize = HIGH / 2;

/// From this size on messages are searched for long strings. Below it parsing them costs less than their objects.
const LIFT: usize = 64 * 1024;

/// The sink of one peer.
pub(crate) struct PeerSink {
    mailbox: Arc<Mailbox>,
    id: u32,
    /// Cost of the entries in the queue.
    queued: AtomicUsize,
    /// `ready` has said no.
    paused: AtomicBool,
    meters: Mutex<Meters>,
    /// Channels whose large messages JavaScript takes without their long strings; as many as have been opened at most.
    lifting: Mutex<HashSet<u32>>,
    /// What is sent and received of audio and video, once JavaScript has asked for any of it.
    tracks: OnceLock<Tracks>,
}

impl PeerSink {
    pub(crate) fn new(mailbox: Arc<Mailbox>, id: u32) -> Self {
        PeerSink {
            mailbox,
            id,
            queued: AtomicUsize::new(0),
            paused: AtomicBool::new(false),
            meters: Mutex::default(),
            lifting: Mutex::default(),
            tracks: OnceLock::new(),
        }
    }

    /// The tracks of the peer, whose sink this is.
    pub(crate) fn tracks(self: &Arc<Self>, peer: &Peer) -> &Tracks {
        self.tracks.get_or_init(|| {
            let sink = Arc::downgrade(self);
            Tracks::new(
                peer,
                Box::new(move |transceiver, message| {
                    if let Some(sink) = sink.upgrade() {
                        sink.push_event(media_event::fault(Some(transceiver), &message).to_string());
                        sink.mailbox.signal();
                    }
                }),
            )
        })
    }

    /// The tracks of the peer, if there are any.
    pub(crate) fn known_tracks(&self) -> Option<&Tracks> {
        self.tracks.get()
    }

    /// A transceiver is stopped, and so is what it sends and receives.
    pub(crate) fn stopped(&self, transceiver: TransceiverId) {
        if let Some(tracks) = self.tracks.get() {
            tracks.stop(transceiver);
        }
    }

    /// The peer is closed: its tracks are over.
    pub(crate) fn close(&self) {
        if let Some(tracks) = self.tracks.get() {
            tracks.close();
        }
    }

    /// Audio and video never go through JavaScript's queue. What nobody has asked for is dropped.
    fn media(&self, event: Event) {
        let Some(tracks) = self.tracks.get() else { return };
        match event {
            Event::Media(event) => tracks.handle(*event),
            Event::MediaChanged => tracks.changed(),
            Event::Track(TrackChange::Stopped { transceiver }) => tracks.stop(transceiver),
            _ => {}
        }
    }

    /// Entries have gone to JavaScript. True if the peer has to be resumed.
    #[must_use]
    pub(crate) fn drained(&self, cost: usize) -> bool {
        let left = self.queued.fetch_sub(cost, Ordering::SeqCst) - cost;
        left < LOW && self.paused.swap(false, Ordering::SeqCst)
    }

    /// JavaScript has made a channel.
    pub(crate) fn channel_created(&self, channel: ChannelId) {
        lock(&self.meters).add(channel.0);
    }

    /// From now on large messages of this channel come without their long strings, see [`lift`].
    pub(crate) fn lift_strings(&self, channel: ChannelId) {
        lock(&self.lifting).insert(channel.0);
    }

    /// JavaScript sends a message. False: its channel is gone, and the bytes count as forgotten.
    #[must_use]
    pub(crate) fn message_queued(&self, channel: ChannelId, bytes: usize) -> bool {
        let known = lock(&self.meters).queue(channel.0, bytes);
        if !known {
            self.count(channel.0, Kind::Forgotten, bytes as u64);
            self.mailbox.signal();
        }
        known
    }

    /// `bufferedAmountLowThreshold`.
    pub(crate) fn set_low_threshold(&self, channel: ChannelId, bytes: u64) {
        let report = lock(&self.meters).set_low(channel.0, bytes);
        if let Some(bytes) = report {
            self.count(channel.0, Kind::Released, bytes);
            self.mailbox.signal();
        }
    }

    fn count(&self, channel: u32, kind: Kind, bytes: u64) {
        let mut inbox = self.mailbox.inbox();
        let cost = inbox.count(self.id, channel, kind, bytes);
        // Inside of the lock, so that it is counted before it can be drained.
        self.queued.fetch_add(cost, Ordering::SeqCst);
    }

    fn release(&self, channel: ChannelId, bytes: usize) {
        let report = lock(&self.meters).release(channel.0, bytes);
        if let Some(bytes) = report {
            self.count(channel.0, Kind::Released, bytes);
        }
    }

    fn message(&self, channel: ChannelId, kind: MessageKind, data: Bytes) {
        let text = kind == MessageKind::Text;
        if text
            && data.len() >= LIFT
            && lock(&self.lifting).contains(&channel.0)
            && let Some(lifted) = lift(&data)
        {
            return self.lifted(channel, &data, lifted);
        }
        let mut inbox = self.mailbox.inbox();
        let cost = inbox.message(self.id, channel.0, text, data);
        self.queued.fetch_add(cost, Ordering::SeqCst);
    }

    fn lifted(&self, channel: ChannelId, data: &Bytes, Lifted { skeleton, strings }: Lifted) {
        let convert = |string| match string {
            LongString::Slice(range) => LongText::Latin1(data.slice(range)),
            LongString::Ascii(bytes) => LongText::Latin1(bytes.into()),
            LongString::Utf16(units) => LongText::Utf16(units),
        };
        let strings = strings.into_iter().map(convert).collect();
        let mut inbox = self.mailbox.inbox();
        let cost = inbox.lifted(self.id, channel.0, data.len(), skeleton, strings);
        self.queued.fetch_add(cost, Ordering::SeqCst);
    }

    fn control(&self, event: &Event) {
        let Some(json) = event::encode(event) else { return };
        match event {
            Event::ChannelAnnounced { id, .. } => lock(&self.meters).add(id.0),
            Event::ChannelClosed { id, .. } => {
                lock(&self.lifting).remove(&id.0);
                let rest = lock(&self.meters).remove(id.0);
                self.count(id.0, Kind::Forgotten, rest);
            }
            _ => {}
        }
        self.push_event(json);
    }

    fn push_event(&self, json: String) {
        let mut inbox = self.mailbox.inbox();
        let cost = inbox.event(self.id, json);
        self.queued.fetch_add(cost, Ordering::SeqCst);
    }
}

impl Sink for PeerSink {
    fn event(&self, event: Event) {
        match event {
            Event::Message { id, kind, data } => self.message(id, kind, data),
            Event::Released { id, bytes } => self.release(id, bytes),
            event => {
                self.control(&event);
                self.media(event);
            }
        }
    }

    fn flush(&self) {
        if self.queued.load(Ordering::SeqCst) > 0 {
            self.mailbox.signal();
        }
    }

    fn ready(&self) -> bool {
        if self.queued.load(Ordering::SeqCst) < HIGH {
            return true;
        }
        // The flag first, then the second look: whoever drains in between either sees the flag or is seen here.
        self.paused.store(true, Ordering::SeqCst);
        if self.queued.load(Ordering::SeqCst) < LOW {
            self.paused.store(false, Ordering::SeqCst);
            return true;
        }
        false
    }

    fn send_failed(&self, channel: ChannelId, bytes: usize, error: ossa_peer::Error) {
        // A channel that is gone drops what it is given, as W3C has it, and its meter has settled the account. On an
        // open one nothing may get lost in silence.
        if lock(&self.meters).fail(channel.0, bytes) {
            self.count(channel.0, Kind::Forgotten, bytes as u64);
            self.push_event(event::send_failed(channel, bytes, &error));
            self.mailbox.signal();
        }
    }
}
