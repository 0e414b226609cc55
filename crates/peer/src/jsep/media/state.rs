//! The transceivers of a session, and what applications do to them.

use std::collections::HashSet;

use ossa_media::Kind;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::capabilities::{CodecCapability, MediaConfig};
use super::numbers::Numbers;
use super::transceiver::{
    EncodingInit, Round, SentEncoding, State, Transceiver, TransceiverId, TransceiverInit,
};
use crate::error::{Error, ErrorKind};
use crate::random::Randomness;
use crate::sdp::{Direction, MAX_SECTIONS};

/// Most encodings of one source. Browsers send three, and no encoder makes more than a few at once.
pub(super) const MAX_ENCODINGS: usize = 16;

/// All that a session knows of audio and video.
#[derive(Clone, Debug)]
pub(in crate::jsep) struct Media {
    pub(super) config: MediaConfig,
    randomness: Randomness,
    next_id: u32,
    /// The stream of tracks of a peer that has not heard of streams (RFC 9429, section 5.10).
    pub(super) default_stream: String,
    /// Those that are not stopped, in the order in which they were made.
    pub(super) transceivers: Vec<State>,
    pub(in crate::jsep) numbers: Numbers,
    /// What a rollback restores, while a round is under way.
    pub(super) saved: Option<Vec<(TransceiverId, Round)>>,
}

impl Media {
    pub(in crate::jsep) fn new(config: MediaConfig) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(config.seed);
        let mut media = Self {
            randomness: Randomness::after(&mut rng),
            config,
            next_id: 0,
            default_stream: String::new(),
            transceivers: Vec::new(),
            numbers: Numbers::default(),
            saved: None,
        };
        media.default_stream = media.uuid();
        media
    }

    /// All that are not stopped, in the order in which they were made.
    pub(in crate::jsep) fn transceivers(&self) -> impl Iterator<Item = Transceiver> {
        self.transceivers.iter().map(State::public)
    }

    /// Id of the track that a transceiver receives.
    pub(in crate::jsep) fn receiver_track(&self, id: TransceiverId) -> Option<&str> {
        let state = self.transceivers.iter().find(|state| state.id == id)?;
        Some(&state.receiver_track)
    }

    pub(super) fn cname(&self) -> &str {
        &self.config.cname
    }

    /// `addTransceiver()`.
    pub(in crate::jsep) fn add(&mut self, kind: Kind, init: TransceiverInit) -> Result<TransceiverId, Error> {
        let there = |state: &&State| !state.stopping || state.round.index.is_some();
        if self.transceivers.iter().filter(there).count() >= MAX_SECTIONS {
            let message = format!("a connection has at most {MAX_SECTIONS} transceivers");
            return Err(Error::new(ErrorKind::Operation, message));
        }
        if self.config.capabilities.codecs(kind).is_empty() {
            let message = format!("there is no codec for {} here", section_kind(kind));
            return Err(Error::new(ErrorKind::Operation, message));
        }
        check_streams(&init.streams)?;
        init.track.iter().try_for_each(|track| check_token("a track id", track))?;
        let encodings = check_encodings(kind, init.encodings)?;
        let id = TransceiverId(self.next_id);
        self.next_id += 1;
        let random = self.uuid();
        // A track that is sent again has another name where the section that it was sent in before still says the first.
        let named = |track: &String| self.transceivers.iter().all(|state| state.sender_track != *track);
        let state = State {
            id,
            kind,
            direction: init.direction,
            stopping: false,
            by_track: init.by_track,
            track_added: false,
            sender_track: init.track.filter(named).unwrap_or(random),
            sender_streams: init.streams,
            encodings: encodings.into_iter().map(|init| self.encoding(init)).collect(),
            replaced: None,
            receiver_track: self.uuid(),
            preferences: Vec::new(),
            round: Round::default(),
        };
        self.transceivers.push(state);
        Ok(id)
    }

    /// `RTCRtpTransceiver.direction`; a stopped one is not there any more.
    pub(in crate::jsep) fn set_direction(
        &mut self,
        id: TransceiverId,
        direction: Direction,
    ) -> Result<(), Error> {
        let state = self.get_mut(id)?;
        if state.stopping {
            return Err(gone(id));
        }
        state.direction = direction;
        Ok(())
    }

    /// Which track is sent, in which streams: `addTrack()` on a transceiver that is there, and `RTCRtpSender.setStreams()`.
    pub(in crate::jsep) fn set_sender(
        &mut self,
        id: TransceiverId,
        streams: Vec<String>,
        by_track: bool,
    ) -> Result<(), Error> {
        check_streams(&streams)?;
        let state = self.get_mut(id)?;
        state.sender_streams = streams;
        state.track_added |= by_track;
        Ok(())
    }

    /// The part of `RTCRtpSender.setParameters()` that takes effect without a negotiation.
    pub(in crate::jsep) fn set_encodings(
        &mut self,
        id: TransceiverId,
        encodings: &[EncodingInit],
    ) -> Result<(), Error> {
        let state = self.get_mut(id)?;
        let rids = |list: &[EncodingInit]| list.iter().map(|init| init.rid.clone()).collect::<Vec<_>>();
        let known: Vec<EncodingInit> = state.encodings.iter().map(|encoding| encoding.init.clone()).collect();
        if rids(&known) != rids(encodings) {
            let message =
                "encodings can't be added, removed, renamed or reordered after the transceiver was made";
            return Err(Error::new(ErrorKind::InvalidModification, message));
        }
        for (known, new) in state.encodings.iter_mut().zip(encodings) {
            known.init = new.clone();
        }
        Ok(())
    }

    /// `setCodecPreferences()`; an empty list is that of the capabilities. Of a codec only its identity counts and whether it is to
    /// have retransmissions.
    pub(in crate::jsep) fn set_preferences(
        &mut self,
        id: TransceiverId,
        preferences: Vec<CodecCapability>,
    ) -> Result<(), Error> {
        let kind = self.get_mut(id)?.kind;
        let known = self.config.capabilities.codecs(kind);
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for preference in preferences {
            let Some(codec) = known.iter().find(|codec| codec.identity() == preference.identity()) else {
                let message = format!(
                    "there is no codec {}/{}/{} with the parameters {:?} here",
                    preference.name, preference.clock_rate, preference.channels, preference.parameters
                );
                return Err(Error::new(ErrorKind::InvalidModification, message));
            };
            if seen.insert(codec.identity()) {
                found.push(CodecCapability { rtx: codec.rtx && preference.rtx, ..codec.clone() });
            }
        }
        if !found.is_empty() && found.iter().all(|codec| codec.identity().is_helper()) {
            let message = "the preferences have no codec that media could be sent with";
            return Err(Error::new(ErrorKind::InvalidModification, message));
        }
        self.get_mut(id)?.preferences = found;
        Ok(())
    }

    /// `RTCRtpTransceiver.stop()`. One that has no section, and is not in the offer that was created last either, is gone at once, others
    /// when the peer has agreed.
    pub(in crate::jsep) fn stop(
        &mut self,
        id: TransceiverId,
        offered: &[(usize, TransceiverId)],
    ) -> Result<(), Error> {
        self.get_mut(id)?.stopping = true;
        let offered = |state: &State| offered.iter().any(|(_, id)| *id == state.id);
        self.transceivers.retain(|state| !state.is_over() || offered(state));
        Ok(())
    }

    pub(super) fn get_mut(&mut self, id: TransceiverId) -> Result<&mut State, Error> {
        self.transceivers.iter_mut().find(|state| state.id == id).ok_or_else(|| gone(id))
    }

    /// The codecs to offer and to answer with, the preferred ones first.
    pub(super) fn codecs<'a>(&'a self, state: &'a State) -> &'a [CodecCapability] {
        match state.preferences.is_empty() {
            true => self.config.capabilities.codecs(state.kind),
            false => &state.preferences,
        }
    }

    fn encoding(&mut self, init: EncodingInit) -> SentEncoding {
        SentEncoding { init, ssrc: self.ssrc(), rtx_ssrc: self.ssrc() }
    }

    pub(super) fn ssrc(&mut self) -> u32 {
        loop {
            let ssrc = self.randomness.next_u32();
            let mut used = self.transceivers.iter().flat_map(|state| &state.encodings);
            // 0 is what some take for none.
            if ssrc != 0 && !used.any(|encoding| encoding.ssrc == ssrc || encoding.rtx_ssrc == ssrc) {
                return ssrc;
            }
        }
    }

    /// A random UUID (RFC 9562, section 5.4).
    fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.randomness.fill_bytes(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// First word of the `m=` line.
pub(super) const fn section_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}

fn gone(id: TransceiverId) -> Error {
    let message = format!("transceiver {} is stopped, or was never there", id.0);
    Error::new(ErrorKind::InvalidState, message)
}

fn check_streams(streams: &[String]) -> Result<(), Error> {
    streams.iter().try_for_each(|stream| check_token("a stream id", stream))
}

/// RFC 8830, section 2.
fn check_token(what: &str, text: &str) -> Result<(), Error> {
    if (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let message = format!("{what} has 1 to 64 printable ASCII characters and no spaces, not {text:?}");
    Err(Error::new(ErrorKind::Type, message))
}

/// W3C WebRTC, section 5.1, addTransceiver.
fn check_encodings(kind: Kind, mut encodings: Vec<EncodingInit>) -> Result<Vec<EncodingInit>, Error> {
    let refuse = |message: String| Err(Error::new(ErrorKind::Type, message));
    let allowed = |rid: &str| {
        let letters = rid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (1..=255).contains(&rid.len()) && letters
    };
    if encodings.len() > MAX_ENCODINGS {
        return refuse(format!("a sender has at most {MAX_ENCODINGS} encodings, not {}", encodings.len()));
    }
    let several = encodings.len() > 1;
    let mut seen = HashSet::new();
    for encoding in &encodings {
        match &encoding.rid {
            Some(rid) if !allowed(rid) => {
                return refuse(format!("a rid has 1 to 255 letters and digits, not {rid:?}"));
            }
            Some(rid) if !seen.insert(rid.clone()) => {
                return refuse(format!("two encodings have the rid {rid:?}"));
            }
            None if several => return refuse("of several encodings each needs a rid".to_owned()),
            _ => {}
        }
    }
    if kind == Kind::Audio {
        encodings.truncate(1);
    }
    if encodings.is_empty() {
        encodings.push(EncodingInit::default());
    }
    Ok(encodings)
}
