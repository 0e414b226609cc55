//! What one sender of audio sends: what a track gives, encoded, or tones in place of it.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use ossa_codec::pcm::Block;
use ossa_codec::track::{Paced, Sink};
use ossa_media::{Codec, EncodedFrame, Payload};
use ossa_peer::{Error, ErrorKind, TransceiverId};

use super::Common;
use super::episode::Episode;
use crate::audio::complexity::Complexity;
use crate::audio::sending::{Encoding, later};
use crate::audio::tones::{Tone, Tones};
use crate::threads::{Effort, Strand, Work, lock, play};

/// What waits to be encoded. Who is further behind never catches up, and what is late is worth nothing.
const MOST_WAITING: Duration = Duration::from_millis(500);

/// How often reports are looked at, and the encoder is told.
const ADAPT: Duration = Duration::from_secs(1);

/// Of all encoders of this process, as they share its processors.
static COMPLEXITY: Mutex<Complexity> = Mutex::new(Complexity::new());

/// What each packet costs beside its payload: headers of IP, UDP and RTP, extensions and the tag.
const OVERHEAD_BITS: u64 = 8 * 84;

/// Encodes what a track gives, on a worker's thread.
pub(super) struct AudioSender {
    common: Arc<Common>,
    id: TransceiverId,
    input: Mutex<Input>,
    sending: Mutex<Sending>,
    tones: Mutex<Playing>,
    /// Tones are sent, and nothing else.
    playing: AtomicBool,
    /// Packets that were not sent.
    discarded: AtomicU64,
    /// It was told that the connection does not take any, since it last did.
    told: AtomicBool,
    strand: Strand,
    this: Weak<Self>,
}

#[derive(Default)]
struct Playing {
    tones: Tones,
    /// The clock wakes us.
    ticking: bool,
}

#[derive(Default)]
struct Input {
    blocks: VecDeque<(Instant, Block)>,
    waiting: Duration,
    /// Dropped since the last time that blocks were taken.
    dropped: Duration,
}

#[derive(Default)]
struct Sending {
    /// Of what was negotiated, when it was last looked at.
    version: Option<u64>,
    encoding: Option<Encoding>,
    /// What tones are sent with, if the other side takes any.
    events: Option<Payload>,
    /// Upper limit of the application.
    max_bitrate: Option<u64>,
    adapted: Option<Instant>,
    late: Episode,
}

/// How much work goes into a packet of Opus now, 0 to 10.
pub(super) fn complexity() -> u8 {
    lock(&COMPLEXITY).current()
}

impl AudioSender {
    pub(super) fn new(common: Arc<Common>, id: TransceiverId) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            common,
            id,
            input: Mutex::default(),
            sending: Mutex::default(),
            tones: Mutex::default(),
            playing: false.into(),
            discarded: 0.into(),
            told: false.into(),
            strand: Strand::new(Effort::Encode, this.clone()),
            this: this.clone(),
        })
    }

    /// Sends a tone when those before it are over, and nothing else meanwhile.
    pub(super) fn play_tone(&self, tone: Tone) -> Result<(), ToneError> {
        let mut playing = lock(&self.tones);
        if !playing.tones.add(tone) {
            return Err(ToneError::TooMany);
        }
        self.playing.store(true, Ordering::Release);
        if !playing.ticking {
            let this = self.this.upgrade().ok_or(ToneError::Closed)?;
            play(this)?;
            playing.ticking = true;
        }
        Ok(())
    }

    /// Whether tones are sent, and nothing else.
    pub(super) fn plays_tones(&self) -> bool {
        self.playing.load(Ordering::Acquire)
    }

    /// What was negotiated has changed.
    fn negotiate(&self, sending: &mut Sending, now: Instant) {
        let parameters = self.common.parameters(self.id);
        let send = parameters.map(|parameters| parameters.send).filter(|send| send.active);
        let encoding =
            send.as_ref().and_then(|send| send.encodings.first()).filter(|encoding| encoding.active);
        sending.max_bitrate = encoding.and_then(|encoding| encoding.max_bitrate);
        sending.adapted = None;
        let payloads = send.as_ref().filter(|_| encoding.is_some()).map(|send| &send.payloads[..]);
        let payload = payloads.and_then(preferred);
        sending.events =
            payloads.zip(payload).and_then(|(all, audio)| events(all, audio.clock_rate)).cloned();
        let Some(payload) = payload else {
            sending.encoding = None;
            return;
        };
        let asked = send.as_ref().and_then(|send| send.packet_time);
        if sending.encoding.as_ref().is_some_and(|encoding| encoding.fits(payload, asked)) {
            return;
        }
        let position = self.position(now, payload.clock_rate);
        sending.encoding = Some(Encoding::new(payload.clone(), asked, (position, now)));
    }

    /// The timestamp to go on with: where the stream stands, or anything at its begin (RFC 3550 5.1).
    fn position(&self, now: Instant, clock_rate: u32) -> u32 {
        match self.last() {
            Some(last) => later(last, now, clock_rate),
            None => RandomState::new().build_hasher().finish() as u32,
        }
    }

    /// The last timestamp that was sent, and when.
    fn last(&self) -> Option<(u32, Instant)> {
        let peer = self.common.peer.upgrade()?;
        peer.with(|connection, _| connection.send_position(self.id, 0)).ok().flatten()?.last
    }

    /// Appends what is due of tones. True: nothing else is to be sent.
    fn tones(&self, sending: &Sending, now: Instant, frames: &mut Vec<EncodedFrame>) -> bool {
        if !self.plays_tones() {
            return false;
        }
        let mut playing = lock(&self.tones);
        match (&sending.encoding, &sending.events) {
            (Some(encoding), Some(events)) => {
                // Behind the last packet of audio, whoever has made that.
                let (clock_rate, packet) = encoding.clock();
                let timestamp = || match self.last() {
                    Some(last) => later(last, now, clock_rate).wrapping_add(packet),
                    None => encoding.timestamp(now),
                };
                playing.tones.advance(now, (events.number, clock_rate), timestamp, frames);
            }
            // It was negotiated that nothing is sent any more.
            _ => playing.tones.clear(),
        }
        self.playing.store(!playing.tones.is_idle(), Ordering::Release);
        true
    }

    /// Follows what the path and the application allow.
    fn adapt(&self, sending: &mut Sending, now: Instant) {
        let early = sending.adapted.is_some_and(|at| now.saturating_duration_since(at) < ADAPT);
        let Some(encoding) = sending.encoding.as_mut().filter(|_| !early) else { return };
        sending.adapted = Some(now);
        let peer = self.common.peer.upgrade();
        let position =
            peer.and_then(|peer| peer.with(|connection, _| connection.send_position(self.id, 0)).ok());
        let lost = position.flatten().and_then(|position| position.fraction_lost).unwrap_or(0.0);
        let target = self.common.target.load(Ordering::Relaxed);
        let path = (target > 0).then(|| target.saturating_sub(encoding.packets_per_second() * OVERHEAD_BITS));
        let most = sending.max_bitrate.into_iter().chain(path).min();
        encoding.adapt(most, (lost * 100.0).ceil() as u8);
    }

    fn send(&self, frames: Vec<EncodedFrame>) {
        let Some(peer) = self.common.peer.upgrade() else { return };
        let mut left = frames.len() as u64;
        let sent = peer.with(|connection, now| {
            for frame in frames {
                // A connection that is not there yet, a direction that has just changed, a full queue: audio does not wait for any of them.
                connection.send_frame(now, self.id, 0, frame)?;
                left -= 1;
            }
            Ok::<_, Error>(())
        });
        self.discarded.fetch_add(left, Ordering::Relaxed);
        match sent {
            Ok(Ok(())) => self.told.store(false, Ordering::Relaxed),
            // That both sides have not come so far, or do not want it, is no fault.
            Ok(Err(error)) if error.kind != ErrorKind::InvalidState => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    (self.common.fault)(self.id, format!("audio is left out: {}", error.message));
                }
            }
            // Of a panic the sink of the connection knows already.
            Ok(Err(_)) | Err(_) => {}
        }
    }

    /// So many packets were not sent by who sends in its place.
    pub(super) fn discard(&self, packets: u64) {
        self.discarded.fetch_add(packets, Ordering::Relaxed);
    }

    /// Packets that were not sent.
    pub(super) fn discarded(&self) -> u64 {
        self.discarded.load(Ordering::Relaxed)
    }
}

/// Why a tone is not sent.
#[derive(Debug, thiserror::Error)]
pub enum ToneError {
    /// Those before it are not over.
    #[error("too many tones wait to be sent: give each when the one before is over")]
    TooMany,
    /// The connection is.
    #[error("the connection is closed: no tone can be sent")]
    Closed,
    /// The system has none left.
    #[error("no thread can be had to send tones: {0}")]
    Thread(#[from] std::io::Error),
}

/// What tones are sent with: of the clock of the audio that they stand in for, if the other side has that (RFC 4733 2.1).
fn events(payloads: &[Payload], clock_rate: u32) -> Option<&Payload> {
    let all = || payloads.iter().filter(|payload| payload.codec == Codec::TelephoneEvent);
    all().find(|payload| payload.clock_rate == clock_rate).or_else(|| all().next())
}

/// The codec to send: the other side's first choice that is encoded here.
fn preferred(payloads: &[Payload]) -> Option<&Payload> {
    payloads.iter().find(|payload| matches!(payload.codec, Codec::Opus | Codec::Pcmu | Codec::Pcma))
}

impl Sink for AudioSender {
    fn take(&self, block: &Block) {
        let mut input = lock(&self.input);
        input.blocks.push_back((Instant::now(), block.clone()));
        input.waiting += block.duration();
        while input.waiting > MOST_WAITING && input.blocks.len() > 1 {
            let Some((_, oldest)) = input.blocks.pop_front() else { break };
            input.waiting = input.waiting.saturating_sub(oldest.duration());
            input.dropped += oldest.duration();
        }
        drop(input);
        self.strand.wake();
    }

    fn end(&self) {}
}

impl Work for AudioSender {
    fn work(&self) {
        let input = std::mem::take(&mut *lock(&self.input));
        let mut sending = lock(&self.sending);
        let now = Instant::now();
        let version = self.common.version();
        if sending.version != Some(version) {
            sending.version = Some(version);
            self.negotiate(&mut sending, now);
        }
        self.adapt(&mut sending, now);
        let mut frames = Vec::new();
        let tones = self.tones(&sending, now, &mut frames);
        let Some(encoding) = &mut sending.encoding else { return };
        if let Some((arrived, _)) = input.blocks.front() {
            let waited = now.saturating_duration_since(*arrived);
            encoding.set_complexity(lock(&COMPLEXITY).observe(now, waited));
        }
        encoding.skip(input.dropped);
        let late = input.dropped.as_millis() as u64 * encoding.packets_per_second() / 1_000;
        self.discard(late);
        for (at, block) in &input.blocks {
            if tones {
                encoding.replace(block.duration());
            } else {
                encoding.push(*at, block, &mut frames);
            }
        }
        let told = late > 0 && sending.late.begins(now);
        drop(sending);
        if told {
            let why = "this machine does not keep up with all that is to be encoded: hold fewer calls in it";
            (self.common.fault)(self.id, format!("audio is left out: {why}"));
        }
        if !frames.is_empty() {
            self.send(frames);
        }
    }

    fn crashed(&self) {
        *lock(&self.input) = Input::default();
        lock(&self.tones).tones.clear();
    }
}

impl Paced for AudioSender {
    fn tick(&self, _: Instant) -> bool {
        let mut playing = lock(&self.tones);
        playing.ticking = !playing.tones.is_idle();
        self.strand.wake();
        playing.ticking
    }
}
