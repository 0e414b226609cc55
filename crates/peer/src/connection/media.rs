//! Audio and video over the transport: one [`MediaSession`] for all sections, as soon as both descriptions and the keys of the
//! handshake are there (RFC 5764).

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_media::{
    EncodedFrame, HeardSource, Limits, MediaError, MediaSession, OutboundStats, ReceiverConfig, ReceiverId,
    RtpPacket, SendPosition, SenderConfig, SenderId, SessionConfig, SessionStats, SrtpKeys,
};

use super::Connection;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::ice::Path;
use crate::jsep::{SectionParameters, TransceiverId};

/// Largest datagram, in bytes of UDP payload: what libwebrtc sends, and what every path of IPv6 takes, with the headers of a
/// TURN server around it.
const MAX_PACKET: usize = 1200;
/// Smallest: every path of IPv4 takes twice as much, and headers are a small part of it still.
const MIN_PACKET: usize = 256;

/// What a connection knows of its media.
pub(super) struct Media {
    cname: String,
    /// The wall clock, as time since the Unix epoch, when the connection was made.
    wall_clock: Duration,
    made: Instant,
    session: Option<Box<MediaSession>>,
    /// Transceivers that the session knows.
    known: HashSet<TransceiverId>,
    /// Transceivers whose packets are handed out as they come.
    raw: HashSet<TransceiverId>,
    /// How long frames are to wait at least, where that was asked for; also before anything was negotiated.
    targets: HashMap<TransceiverId, Duration>,
    /// It was told that there are no keys.
    told: bool,
}

impl Media {
    pub(super) fn new(cname: String, wall_clock: Duration, made: Instant) -> Self {
        let (known, raw) = (HashSet::new(), HashSet::new());
        Self { cname, wall_clock, made, session: None, known, raw, targets: HashMap::new(), told: false }
    }

    pub(super) fn session(&mut self) -> Option<&mut MediaSession> {
        self.session.as_deref_mut()
    }

    /// The transport is gone, and its keys.
    pub(super) fn forget_transport(&mut self) {
        self.session = None;
        self.known.clear();
        self.told = false;
    }

    fn start(
        &mut self,
        now: Instant,
        keys: SrtpKeys,
        seed: [u8; 32],
        max_packet: usize,
    ) -> Result<(), MediaError> {
        let config = SessionConfig {
            keys,
            cname: self.cname.clone(),
            seed,
            max_packet,
            wall_clock: self.wall_clock + now.saturating_duration_since(self.made),
            limits: Limits::default(),
        };
        self.session = Some(Box::new(MediaSession::new(now, config)?));
        Ok(())
    }

    /// Tells the session what was negotiated. Returns what it has refused.
    fn apply(&mut self, now: Instant, sections: &[SectionParameters]) -> Vec<(TransceiverId, MediaError)> {
        let Some(session) = &mut self.session else { return Vec::new() };
        let there: HashSet<TransceiverId> = sections.iter().map(|section| section.transceiver).collect();
        for gone in self.known.difference(&there) {
            // One that was refused is not there.
            let _ = session.remove_sender(SenderId(gone.0));
            let _ = session.remove_receiver(ReceiverId(gone.0));
        }
        // Who asks before anything was negotiated has asked.
        self.raw.retain(|id| there.contains(id) || !self.known.contains(id));
        self.targets.retain(|id, _| there.contains(id) || !self.known.contains(id));
        self.known = there;
        let raw = &self.raw;
        let mut refused = Vec::new();
        for section in sections {
            let id = section.transceiver;
            let results = [
                session.set_receiver(now, ReceiverId(id.0), receiver(section, raw.contains(&id))),
                session.set_sender(now, SenderId(id.0), sender(section)),
            ];
            refused.extend(results.into_iter().filter_map(|result| Some((id, result.err()?))));
            if let Some(target) = self.targets.get(&id) {
                // One that was refused is not there.
                let _ = session.set_jitter_target(now, ReceiverId(id.0), Some(*target));
            }
        }
        refused
    }
}

fn receiver(section: &SectionParameters, raw: bool) -> ReceiverConfig {
    let receive = &section.receive;
    ReceiverConfig {
        kind: section.kind,
        mid: section.mid.clone(),
        rids: receive.rids.clone(),
        ssrcs: receive.ssrcs.clone(),
        payloads: receive.payloads.clone(),
        extensions: receive.extensions.clone(),
        active: receive.active,
        raw,
    }
}

fn sender(section: &SectionParameters) -> SenderConfig {
    let send = &section.send;
    SenderConfig {
        kind: section.kind,
        mid: section.mid.clone(),
        encodings: send.encodings.clone(),
        payloads: send.payloads.clone(),
        extensions: send.extensions.clone(),
        active: send.active,
    }
}

impl Connection {
    /// Sends one frame of video or one packet of audio. `encoding` is an index into what
    /// [`Self::media_parameters`] says of the transceiver.
    ///
    /// # Errors
    /// `InvalidStateError` if nothing can be sent there now; `QuotaExceededError` if too much waits to be sent; `TypeError` for a
    /// payload type or an encoding that was not negotiated, and for a frame that its codec does not have.
    pub fn send_frame(
        &mut self,
        now: Instant,
        id: TransceiverId,
        encoding: usize,
        frame: EncodedFrame,
    ) -> Result<(), Error> {
        self.media_session()?.send_frame(now, SenderId(id.0), encoding, frame).map_err(refusal)
    }

    /// Sends a packet as it is, but for its SSRC, sequence number and header extensions.
    ///
    /// # Errors
    /// As [`Self::send_frame`]; `RangeError` for a packet that is larger than the path carries.
    pub fn send_packet(
        &mut self,
        now: Instant,
        id: TransceiverId,
        encoding: usize,
        packet: RtpPacket,
    ) -> Result<(), Error> {
        self.media_session()?.send_packet(now, SenderId(id.0), encoding, packet).map_err(refusal)
    }

    /// Asks the peer for a key frame of one of the streams that are received, or of all of a transceiver (PLI or FIR).
    ///
    /// # Errors
    /// `InvalidStateError` if nothing is received there.
    pub fn request_key_frame(
        &mut self,
        now: Instant,
        id: TransceiverId,
        ssrc: Option<u32>,
    ) -> Result<(), Error> {
        self.media_session()?.request_key_frame(now, ReceiverId(id.0), ssrc).map_err(refusal)
    }

    /// Whether packets of a transceiver are handed out as they come, beside frames.
    ///
    /// # Errors
    /// `NotSupportedError` for a connection without audio and video.
    pub fn set_raw(&mut self, now: Instant, id: TransceiverId, raw: bool) -> Result<(), Error> {
        let media = self.media.as_mut().ok_or_else(without_media)?;
        if raw {
            media.raw.insert(id)
        } else {
            media.raw.remove(&id)
        };
        self.update_media(now);
        Ok(())
    }

    /// Where a sent stream stands; `None` where nothing can be sent.
    pub fn send_position(&self, id: TransceiverId, encoding: usize) -> Option<SendPosition> {
        self.media.as_ref()?.session.as_ref()?.send_position(SenderId(id.0), encoding)
    }

    /// How long frames of a transceiver are to wait at least, so that they come steadily (`RTCRtpReceiver.jitterBufferTarget`); `None`
    /// leaves it to the path. Also before anything was negotiated.
    ///
    /// # Errors
    /// `NotSupportedError` for a connection without audio and video.
    pub fn set_jitter_target(
        &mut self,
        now: Instant,
        id: TransceiverId,
        target: Option<Duration>,
    ) -> Result<(), Error> {
        let media = self.media.as_mut().ok_or_else(without_media)?;
        match target {
            Some(target) => media.targets.insert(id, target),
            None => media.targets.remove(&id),
        };
        if let Some(session) = media.session() {
            // One that is not negotiated is told when it is.
            let _ = session.set_jitter_target(now, ReceiverId(id.0), target);
        }
        Ok(())
    }

    /// Who was heard of a transceiver in the last ten seconds, the latest first.
    pub fn heard_sources(&self, now: Instant, id: TransceiverId) -> Vec<HeardSource> {
        let session = self.media.as_ref().and_then(|media| media.session.as_ref());
        session.map(|session| session.sources(now, ReceiverId(id.0))).unwrap_or_default()
    }

    /// Counters of all streams; `None` without audio and video. What is sent is there from the negotiation on.
    pub fn media_stats(&self) -> Option<SessionStats> {
        let media = self.media.as_ref()?;
        if let Some(session) = &media.session {
            return Some(session.stats());
        }
        let sections = self.session.media_parameters();
        let unsent = sections.iter().filter(|section| section.send.active).flat_map(|section| {
            let (sender, kind) = (SenderId(section.transceiver.0), section.kind);
            let encodings = section.send.encodings.iter().enumerate();
            encodings.map(move |(at, encoding)| OutboundStats::unsent(sender, kind, at, encoding, true))
        });
        Some(SessionStats { outbound: unsent.collect(), ..SessionStats::default() })
    }

    /// What media may take of the path, in bit/s.
    pub(super) fn available_outgoing_bitrate(&self) -> Option<u64> {
        self.media.as_ref()?.session.as_ref()?.available_outgoing_bitrate()
    }

    fn media_session(&mut self) -> Result<&mut MediaSession, Error> {
        self.intact()?;
        let media = self.media.as_mut().ok_or_else(without_media)?;
        media.session().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidState,
                "media flows when the connection is connected, and not before",
            )
        })
    }

    /// Something about what is sent and received may be new, or the keys are.
    pub(super) fn update_media(&mut self, now: Instant) {
        let sections = self.session.media_parameters();
        let max_packet = self.max_media_packet();
        let Some(media) = &mut self.media else { return };
        if !(sections.is_empty() && media.known.is_empty()) {
            self.events.push_back(Event::MediaChanged);
        }
        if media.session.is_none() && !sections.is_empty() && self.dtls.is_connected() {
            let mut seed = [0; 32];
            self.randomness.fill_bytes(&mut seed);
            let error = match self.dtls.srtp_keys() {
                Some(keys) => {
                    media.start(now, keys.clone(), seed, max_packet).err().map(|error| error.to_string())
                }
                None => Some("the peer's DTLS knows no SRTP profile of ours (use_srtp, RFC 5764)".to_owned()),
            };
            if let Some(message) = error.filter(|_| !std::mem::replace(&mut media.told, true)) {
                self.events.push_back(Event::MediaFault { transceiver: None, message });
            }
        }
        for (id, error) in media.apply(now, &sections) {
            let fault = Event::MediaFault { transceiver: Some(id), message: error.to_string() };
            self.events.push_back(fault);
        }
    }

    /// The path carries more or less than was thought.
    pub(super) fn media_path_changed(&mut self) {
        let max_packet = self.max_media_packet();
        if let Some(session) = self.media.as_mut().and_then(|media| media.session()) {
            session.set_max_packet(max_packet).expect("it is as large as a session needs");
            self.events.push_back(Event::MediaChanged);
        }
    }

    /// Where a path is known to carry little, from the settings or since SCTP has found out, packets are smaller.
    fn max_media_packet(&self) -> usize {
        let carried = self.sctp.as_ref().map(|sctp| sctp.metrics().mtu);
        let narrow = carried.filter(|mtu| *mtu < self.config.sctp.initial_mtu);
        let most = MAX_PACKET.min(self.config.dtls.mtu).min(narrow.unwrap_or(MAX_PACKET));
        most.max(MIN_PACKET)
    }

    /// How many bytes of payload fit into a packet of a sender, beside everything that can stand in its header; `None` where nothing can be sent.
    pub fn max_payload(&self, id: TransceiverId, encoding: usize) -> Option<usize> {
        self.media.as_ref()?.session.as_ref()?.max_payload(SenderId(id.0), encoding)
    }

    /// SRTP or SRTCP has come. False if the sender is not known to be the peer.
    pub(super) fn handle_media(&mut self, now: Instant, path: Path, data: &[u8]) -> bool {
        if !self.ice.pairs.datagram_received(now, path, data.len()) {
            return false;
        }
        self.counters.packets_received += 1;
        self.counters.bytes_received += data.len() as u64;
        match self.media.as_mut().and_then(|media| media.session()) {
            Some(session) => session.handle_datagram(now, data),
            // It has overtaken the end of the handshake.
            None => self.counters.discarded += 1,
        }
        true
    }

    /// Says goodbye for all streams that are sent (RFC 3550, section 6.6).
    pub(super) fn media_farewell(&mut self, now: Instant) -> Vec<Bytes> {
        /// A goodbye for each stream of a large meeting; the peer learns it from the end of DTLS as well.
        const MAX: usize = 16;
        let Some(media) = &mut self.media else { return Vec::new() };
        let senders: Vec<SenderId> = media.known.iter().map(|id| SenderId(id.0)).collect();
        let Some(session) = media.session() else { return Vec::new() };
        // One that was refused is not there.
        senders.into_iter().for_each(|id| drop(session.remove_sender(id)));
        std::iter::from_fn(|| session.poll_transmit(now)).take(MAX).collect()
    }
}

fn without_media() -> Error {
    Error::new(ErrorKind::NotSupported, "this connection was made without audio and video")
}

fn refusal(error: MediaError) -> Error {
    let kind = match &error {
        MediaError::QueueFull { .. } => ErrorKind::QuotaExceeded,
        MediaError::UnknownSender(_) | MediaError::UnknownReceiver(_) | MediaError::Inactive(_) => {
            ErrorKind::InvalidState
        }
        MediaError::TooLarge { .. } => ErrorKind::Range,
        MediaError::UnknownEncoding { .. }
        | MediaError::UnknownPayload { .. }
        | MediaError::Frame(_)
        | MediaError::Invalid(_) => ErrorKind::Type,
        MediaError::Keys { .. } => ErrorKind::Internal,
    };
    Error::new(kind, error.to_string())
}
