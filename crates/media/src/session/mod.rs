//! All RTP of one transport: which stream belongs to which receiver, what is sent and sent again, what both sides report.
//!
//! [`MediaSession`] is the face; `receive`, `feedback`, `send`, `reports` and `silence` are its parts: what comes in of RTP and of RTCP, what goes
//! out of both, and whether anything comes. Below them, each without knowledge of the others: `demux` (whose is a packet), `inbound` and `outbound` (one
//! stream), `sources` (who was heard), `repair` (sent packets that can be sent again), `numbers` (none is used twice), `rate` (how much may be sent), `target` (what encoders are told of it), `deadlines`, `timer` and `clock`. What a payload means is the
//! business of `payload`, how packets become frames that of `jitter`, what a path carries that of `bandwidth`.

mod check;
mod clock;
mod deadlines;
mod demux;
mod feedback;
mod inbound;
mod numbers;
mod outbound;
mod pacing;
mod rate;
mod receive;
mod reception;
mod repair;
mod reports;
mod send;
mod sender;
mod silence;
mod sources;
mod target;
mod timer;

#[cfg(test)]
mod tests;

pub use self::outbound::SendPosition;
pub use self::sources::HeardSource;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use self::clock::WallClock;
use self::deadlines::Deadlines;
use self::demux::Demux;
use self::inbound::InboundStream;
use self::numbers::Retired;
use self::rate::Rate;
use self::repair::Budget;
use self::reports::Ask;
use self::send::Waiting;
use self::sender::Sender;
use self::silence::Activity;
use self::target::Targets;
use self::timer::ReportTimer;
use crate::bandwidth::{ArrivalRecorder, Pacer};
use crate::config::{Limits, ReceiverConfig, SessionConfig};
use crate::error::MediaError;
use crate::event::MediaEvent;
use crate::srtp::{Inbound, Outbound};
use crate::stats::{DropCounts, SessionStats};
use crate::types::{ReceiverId, SenderId, SrtpProfile};

/// All RTP of one transport: of one BUNDLE group, or of one section without BUNDLE.
///
/// After any call that takes `now`, poll until nothing is left: [`poll_event`](Self::poll_event),
/// [`poll_transmit`](Self::poll_transmit), then [`poll_timeout`](Self::poll_timeout), and call
/// [`handle_timeout`](Self::handle_timeout) when that time has come.
pub struct MediaSession {
    clock: WallClock,
    rng: ChaCha12Rng,
    profile: SrtpProfile,
    max_packet: usize,
    cname: String,
    limits: Limits,
    /// The SSRC that reports and feedback come from.
    own_ssrc: u32,

    srtp_in: Inbound,
    demux: Demux,
    streams: HashMap<u32, InboundStream>,
    deadlines: Deadlines,
    arrivals: ArrivalRecorder,
    arrivals_of: u32,
    activity: BTreeMap<ReceiverId, Activity>,
    /// How long frames of a receiver are to wait at least, where that was asked for.
    targets: BTreeMap<ReceiverId, Duration>,
    next_silence_check: Option<Instant>,
    last_eviction: Option<Instant>,

    srtp_out: Outbound,
    senders: BTreeMap<SenderId, Sender>,
    /// Whose the SSRCs are that are sent, those of retransmissions included.
    outgoing: HashMap<u32, (SenderId, usize)>,
    queue: Pacer<Waiting>,
    /// Where the other side gives transport-wide feedback. Without, packets leave as they come.
    rate: Option<Rate>,
    to_encoders: Targets,
    /// When packets that are handed in were last let leave at that rate.
    followed: Option<Instant>,
    budget: Budget,
    transport_number: u16,
    retired: Retired,

    timer: ReportTimer,
    asks: VecDeque<Ask>,
    ended: Vec<u32>,
    /// Encrypted, to leave before anything else; emptied before more is written.
    reports: VecDeque<Bytes>,

    events: VecDeque<MediaEvent>,
    dropped: DropCounts,
    round_trip: Option<Duration>,
    remote_limit: Option<u64>,
}

impl MediaSession {
    /// Begins at `now`.
    ///
    /// # Errors
    /// The keys do not fit their profile, the CNAME is empty or longer than 255 bytes, or a packet has fewer than 256 bytes.
    pub fn new(now: Instant, config: SessionConfig) -> Result<Self, MediaError> {
        let SessionConfig { keys, cname, seed, max_packet, wall_clock, limits } = config;
        if cname.is_empty() || cname.len() > 255 {
            return Err(MediaError::Invalid(format!(
                "a CNAME has 1 to 255 bytes, this one has {}",
                cname.len()
            )));
        }
        check_max_packet(max_packet)?;
        let profile = keys.profile;
        let mut rng = ChaCha12Rng::from_seed(seed);
        Ok(Self {
            clock: WallClock::new(now, wall_clock),
            profile,
            max_packet,
            cname,
            limits,
            own_ssrc: rng.next_u32(),
            // Reports come from SSRCs of their own, and retransmissions double the streams.
            srtp_in: Inbound::new(profile, &keys.remote_key, &keys.remote_salt, limits.streams * 2)?,
            demux: Demux::default(),
            streams: HashMap::new(),
            deadlines: Deadlines::default(),
            arrivals: ArrivalRecorder::default(),
            arrivals_of: 0,
            activity: BTreeMap::new(),
            targets: BTreeMap::new(),
            next_silence_check: None,
            last_eviction: None,
            srtp_out: Outbound::new(profile, &keys.local_key, &keys.local_salt)?,
            senders: BTreeMap::new(),
            outgoing: HashMap::new(),
            queue: Pacer::new(u64::MAX, limits.queued_bytes),
            rate: None,
            to_encoders: Targets::default(),
            followed: None,
            budget: Budget::new(),
            transport_number: 0,
            retired: Retired::default(),
            timer: ReportTimer::default(),
            asks: VecDeque::new(),
            ended: Vec::new(),
            reports: VecDeque::new(),
            events: VecDeque::new(),
            dropped: DropCounts::default(),
            round_trip: None,
            remote_limit: None,
            rng,
        })
    }

    /// Datagrams get no longer than this many bytes from now on: the path has changed. Frames that wait already stay as they are.
    ///
    /// # Errors
    /// `max_packet` is below 256.
    pub fn set_max_packet(&mut self, max_packet: usize) -> Result<(), MediaError> {
        check_max_packet(max_packet)?;
        self.max_packet = max_packet;
        Ok(())
    }

    /// Adds a receiver, or changes one: its streams go on where the new configuration still has them.
    ///
    /// # Errors
    /// The configuration contradicts itself or that of another receiver; nothing has changed then.
    pub fn set_receiver(
        &mut self,
        now: Instant,
        id: ReceiverId,
        config: ReceiverConfig,
    ) -> Result<(), MediaError> {
        let active = config.active;
        self.demux.set(id, config)?;
        let config = self.demux.receiver(id).expect("it was set just now");
        let mut gone = Vec::new();
        for stream in self.streams.values_mut().filter(|stream| stream.receiver == id) {
            if active && stream.fits(config) {
                stream.reconfigure(config);
            } else {
                gone.push(stream.ssrc);
            }
        }
        gone.into_iter().for_each(|ssrc| self.drop_stream(ssrc));
        let raw = self.demux.receiver(id).is_some_and(|config| config.raw);
        let streams = self.streams.values_mut().filter(|stream| stream.receiver == id);
        streams.for_each(|stream| stream.set_raw(raw));
        if !active {
            self.silence(id);
        }
        self.timer.start(now, &mut self.rng);
        Ok(())
    }

    /// Removes a receiver and its streams; what still comes for it is dropped and counted.
    ///
    /// # Errors
    /// There is no such receiver.
    pub fn remove_receiver(&mut self, id: ReceiverId) -> Result<(), MediaError> {
        if !self.demux.remove(id) {
            return Err(MediaError::UnknownReceiver(id));
        }
        let gone: Vec<u32> =
            self.streams.values().filter(|stream| stream.receiver == id).map(|stream| stream.ssrc).collect();
        gone.into_iter().for_each(|ssrc| self.drop_stream(ssrc));
        self.activity.remove(&id);
        self.targets.remove(&id);
        Ok(())
    }

    /// How long frames of a receiver are to wait at least, so that they come steadily; `None` leaves it to the path.
    ///
    /// # Errors
    /// There is no such receiver.
    pub fn set_jitter_target(
        &mut self,
        now: Instant,
        id: ReceiverId,
        target: Option<Duration>,
    ) -> Result<(), MediaError> {
        self.demux.receiver(id).ok_or(MediaError::UnknownReceiver(id))?;
        match target {
            Some(target) => self.targets.insert(id, target),
            None => self.targets.remove(&id),
        };
        let mut changed = Vec::new();
        for stream in self.streams.values_mut().filter(|stream| stream.receiver == id) {
            stream.jitter.set_target(target.unwrap_or_default());
            changed.push(stream.ssrc);
        }
        changed.into_iter().for_each(|ssrc| self.serve(now, ssrc));
        Ok(())
    }

    /// Asks for a key frame of one stream of a receiver, or of all of them: with PLI (RFC 4585 6.3.1) or FIR (RFC 5104 4.3.1), as
    /// was negotiated, and at most each 200 ms. Where neither was, nothing is asked.
    ///
    /// # Errors
    /// There is no such receiver.
    pub fn request_key_frame(
        &mut self,
        now: Instant,
        id: ReceiverId,
        ssrc: Option<u32>,
    ) -> Result<(), MediaError> {
        self.demux.receiver(id).ok_or(MediaError::UnknownReceiver(id))?;
        let wanted: Vec<u32> = self
            .streams
            .values_mut()
            .filter(|stream| stream.receiver == id && ssrc.is_none_or(|ssrc| ssrc == stream.ssrc))
            .map(|stream| {
                stream.want_key_frame();
                stream.ssrc
            })
            .collect();
        wanted.into_iter().for_each(|ssrc| self.serve(now, ssrc));
        Ok(())
    }

    /// Time has passed: hands out the frames that are due, and notices what has become silent.
    pub fn handle_timeout(&mut self, now: Instant) {
        // Each once: what is due at once again is so in the next call.
        for ssrc in self.deadlines.take_due(now) {
            self.serve(now, ssrc);
        }
        if let Some(rate) = &mut self.rate {
            rate.handle_timeout(now);
            self.follow_rate(now);
        }
        self.check_silence(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, and to poll then; `None` if nothing is to be done.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.deadlines.next(),
            self.timer.next(),
            self.arrivals.poll_timeout(),
            self.next_silence_check,
            self.queue.poll_timeout(),
            self.rate.as_ref().and_then(Rate::poll_timeout),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<MediaEvent> {
        self.events.pop_front()
    }

    /// The next datagram to send, SRTP or SRTCP, if one may leave now.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Bytes> {
        let mut out = Vec::new();
        self.poll_transmit_into(now, &mut out)?;
        Some(out.into())
    }

    /// The same, appended to `out`, where it is encrypted in place; returns its length.
    pub fn poll_transmit_into(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<usize> {
        if self.reports.is_empty() {
            self.write_due(now);
        }
        match self.reports.pop_front() {
            Some(report) => {
                out.extend_from_slice(&report);
                Some(report.len())
            }
            None => self.transmit(now, out),
        }
    }

    /// Counters of all streams.
    pub fn stats(&self) -> SessionStats {
        let mut inbound: Vec<_> = self.streams.values().map(InboundStream::stats).collect();
        inbound.sort_by_key(|stream| (stream.receiver, stream.ssrc));
        let outbound = self.senders.iter().flat_map(|(&id, sender)| {
            let of = (id, sender.config.kind, sender.config.active);
            sender.streams.iter().enumerate().map(move |(at, stream)| stream.stats(of, at))
        });
        SessionStats {
            inbound,
            outbound: outbound.collect(),
            dropped: self.dropped,
            available_outgoing_bitrate: self.available_outgoing_bitrate(),
            round_trip_time: self.round_trip,
        }
    }

    /// `availableOutgoingBitrate` of `RTCIceCandidatePairStats`: bit/s, `None` as long as nothing is known.
    pub fn available_outgoing_bitrate(&self) -> Option<u64> {
        self.rate.as_ref().map(Rate::target).or(self.remote_limit)
    }

    fn emit(&mut self, event: MediaEvent) {
        if self.events.len() >= self.limits.events {
            self.dropped.events += 1;
        } else {
            self.events.push_back(event);
        }
    }
}

fn check_max_packet(max_packet: usize) -> Result<(), MediaError> {
    if max_packet < 256 {
        return Err(MediaError::Invalid(format!(
            "packets of {max_packet} bytes are too small: 256 are the least"
        )));
    }
    Ok(())
}
