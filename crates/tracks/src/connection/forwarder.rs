//! Sends what another connection receives, packet by packet: neither decoded nor encoded, and without JavaScript.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use ossa_codec::track::Watch;
use ossa_media::payload::{Start, inspect};
use ossa_media::{Codec, Kind, Payload, ReceivedFrame, RtpPacket};
use ossa_peer::{ErrorKind, TransceiverId};

use super::Common;
use super::audio_sender::AudioSender;
use super::episode::Episode;
use crate::encoded::{
    EncodedAttachment, EncodedSink, EncodedSource, EncodedTrack, Layer, Pictures, Rewriter, SILENT,
};
use crate::threads::{Effort, Strand, Work, lock};

/// Packets that wait to be sent on: a large key frame of video. The oldest are dropped, and the other side asks for what it misses.
const MOST_WAITING: usize = 1024;

/// Key frames are asked for at most so often.
const ASK_PAUSE: Duration = Duration::from_millis(300);

/// Forwards a track to one sender.
pub(super) struct Forwarder {
    common: Arc<Common>,
    id: TransceiverId,
    /// What else is sent: tones, in place of what is forwarded.
    audio: Arc<AudioSender>,
    source: EncodedSource,
    /// The track of samples that was given to the sender: it may be silenced or stopped.
    gate: Option<Watch>,
    /// Those of the sender, whatever is forwarded.
    pictures: Arc<Mutex<Pictures>>,
    input: Mutex<Input>,
    state: Mutex<State>,
    strand: Strand,
}

/// Keeps a forwarder going.
pub(super) struct Forwarding {
    forwarder: Arc<Forwarder>,
    attachment: EncodedAttachment,
    /// Its own, where a track of samples stands for it.
    _track: Option<EncodedTrack>,
    leaving: Leaving,
}

/// What keeps the layer coming that goes on until another one has begun.
type Leaving = Arc<Mutex<Option<EncodedAttachment>>>;

/// The sender that something is forwarded to.
pub(super) struct Destination {
    pub(super) common: Arc<Common>,
    pub(super) id: TransceiverId,
    pub(super) audio: Arc<AudioSender>,
    /// Those of the sender, whatever is forwarded.
    pub(super) pictures: Arc<Mutex<Pictures>>,
}

#[derive(Default)]
struct Input {
    packets: VecDeque<Arc<RtpPacket>>,
    /// The last one: two tracks may give it one after the other.
    last: Weak<RtpPacket>,
    /// Dropped since packets were last taken, as they were too many.
    dropped: u64,
}

#[derive(Default)]
struct State {
    /// Of what was negotiated here, when it was last looked at.
    version: Option<u64>,
    /// What can be sent.
    payloads: Vec<Payload>,
    /// Payload types of the origin, as they go out; `None` for what the other side does not take.
    outgoing: HashMap<u8, Option<(Payload, u8)>>,
    rewriter: Option<Rewriter>,
    /// The layer of simulcast that is to be sent; `None`: whichever comes.
    layer: Option<Arc<Layer>>,
    /// It is to take over from another one.
    leaving: Option<Weak<Mutex<Option<EncodedAttachment>>>>,
    last: Option<Instant>,
    asked: Option<Instant>,
    /// Why something is left out, to be told.
    fault: Option<String>,
    /// Something is left out that would have gone out on another path, or with another machine.
    left_out: Episode,
    /// Empty but while there is work: rooms for what came in and for what goes out, made once and not for each packet.
    taken: VecDeque<Arc<RtpPacket>>,
    out: Vec<RtpPacket>,
}

impl Forwarder {
    /// Forwards an encoded track.
    pub(super) fn start(to: Destination, track: &EncodedTrack) -> Forwarding {
        let forwarder = Self::new(to, track.source(), None);
        lock(&forwarder.state).layer = track.layer().cloned();
        let attachment = track.attach(forwarder.clone());
        Forwarding { forwarder, attachment, _track: None, leaving: Leaving::default() }
    }

    /// Forwards what a track of samples is decoded from, as long as that is live and not silenced.
    pub(super) fn start_gated(to: Destination, source: &EncodedSource, gate: Watch) -> Forwarding {
        let track = source.track();
        let forwarder = Self::new(to, source.clone(), Some(gate));
        let attachment = track.attach(forwarder.clone());
        Forwarding { forwarder, attachment, _track: Some(track), leaving: Leaving::default() }
    }

    fn new(to: Destination, source: EncodedSource, gate: Option<Watch>) -> Arc<Self> {
        let Destination { common, id, audio, pictures } = to;
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            common,
            id,
            audio,
            source,
            gate,
            pictures,
            input: Mutex::default(),
            state: Mutex::default(),
            strand: Strand::new(Effort::Pass, this.clone()),
        })
    }

    /// What was negotiated may have changed.
    fn negotiate(&self, state: &mut State) {
        let version = self.common.version();
        if state.version == Some(version) {
            return;
        }
        state.version = Some(version);
        state.outgoing.clear();
        let send = self.common.parameters(self.id).map(|parameters| parameters.send);
        let send =
            send.filter(|send| send.active && send.encodings.first().is_some_and(|encoding| encoding.active));
        state.payloads = send.map(|send| send.payloads).unwrap_or_default();
    }

    /// The packet as it goes out, if it does. `left` takes what is not needed any more.
    fn convert(
        &self,
        state: &mut State,
        now: Instant,
        packet: &RtpPacket,
        left: &mut Option<Weak<Mutex<Option<EncodedAttachment>>>>,
    ) -> Option<RtpPacket> {
        let outgoing = state.outgoing.entry(packet.payload).or_insert_with(|| {
            let format = self.source.origin()?.format(packet.payload)?;
            let Some(taken) = counterpart(&format, &state.payloads) else {
                state.fault = lacking(self.source.kind(), &format, &state.payloads);
                return None;
            };
            Some((format, taken.number))
        });
        let (format, number) = outgoing.as_ref()?;
        let rewriter = state.rewriter.as_mut()?;
        let seam = !rewriter.goes_on(packet.ssrc);
        let wanted = state.layer.as_ref().is_none_or(|layer| layer.is(packet.ssrc));
        if seam {
            let silent = state.last.is_none_or(|last| now.saturating_duration_since(last) >= SILENT);
            let gives_way = silent || state.leaving.is_some() || !rewriter.is_running();
            if !wanted || !gives_way {
                // Another layer of the same picture, which nobody needs beside this one.
                return None;
            }
            if self.source.kind() == Kind::Video && !begins(format, packet) {
                let early = state.asked.is_some_and(|at| now.saturating_duration_since(at) < ASK_PAUSE);
                if !early {
                    state.asked = Some(now);
                    if let Some(origin) = self.source.origin() {
                        origin.request_key_frame(state.layer.as_deref());
                    }
                }
                return None;
            }
        }
        if wanted {
            *left = state.leaving.take().or(left.take());
        }
        let stream = (packet.ssrc, format.clock_rate);
        let (sequence, timestamp) = rewriter.rewrite(now, stream, (packet.sequence, packet.timestamp))?;
        state.last = Some(now);
        let data = match self.source.kind() {
            Kind::Audio => packet.data.clone(),
            Kind::Video => lock(&self.pictures).rewrite(format.codec, seam, &packet.data),
        };
        let &RtpPacket { marker, ssrc, .. } = packet;
        let (csrcs, extensions) = (packet.csrcs.clone(), packet.extensions.clone());
        Some(RtpPacket { payload: *number, marker, sequence, timestamp, ssrc, csrcs, extensions, data })
    }

    fn send(&self, packets: &mut Vec<RtpPacket>) -> Sent {
        let mut outcome = Sent::default();
        let Some(peer) = self.common.peer.upgrade() else { return outcome };
        // Of a panic the sink of the connection knows already.
        let _ = peer.with(|connection, now| {
            // Each by itself: one that is too late or too large is no reason to keep back the others.
            for packet in packets.drain(..) {
                match connection.send_packet(now, self.id, 0, packet) {
                    Ok(()) => outcome.any = true,
                    Err(error) => {
                        outcome.refused += 1;
                        if error.kind == ErrorKind::Range {
                            outcome.too_large = Some(error.message);
                        }
                    }
                }
            }
        });
        outcome
    }

    /// Something is left out that the other side would have taken. Told once, for as long as it goes on.
    fn leave_out(&self, now: Instant, why: &str) {
        if lock(&self.state).left_out.begins(now) {
            let kind = name(self.source.kind());
            (self.common.fault)(self.id, format!("{kind} that is sent on is left out: {why}"));
        }
    }
}

/// What became of packets.
#[derive(Default)]
struct Sent {
    any: bool,
    refused: u64,
    /// Why one of them was refused, if it was that.
    too_large: Option<String>,
}

impl Forwarding {
    /// Sends another layer of the same source, once that has begun: until then the one of before goes on. False: it is not of the same.
    pub(super) fn change(&mut self, track: &EncodedTrack) -> bool {
        if !self.forwarder.source.is(&track.source()) || self.forwarder.gate.is_some() || !track.is_live() {
            return false;
        }
        // Whoever has switched waits until there is something to let go of.
        let mut leaving = lock(&self.leaving);
        let stays = {
            let mut state = lock(&self.forwarder.state);
            let current = state.rewriter.as_ref().and_then(Rewriter::current);
            let carries = |ssrc| track.layer().is_none_or(|layer| layer.is(ssrc));
            let stays = current.is_some_and(carries);
            state.layer = track.layer().cloned();
            state.leaving = (!stays).then(|| Arc::downgrade(&self.leaving));
            state.asked = None;
            stays
        };
        let attachment = track.attach(self.forwarder.clone());
        *leaving = Some(std::mem::replace(&mut self.attachment, attachment)).filter(|_| !stays);
        true
    }
}

/// What a format of one connection is in another.
pub(super) fn counterpart<'a>(format: &Payload, payloads: &'a [Payload]) -> Option<&'a Payload> {
    let same = |payload: &&Payload| {
        payload.codec == format.codec
            && payload.clock_rate == format.clock_rate
            && ["packetization-mode", "profile-id", "profile"]
                .iter()
                .all(|name| parameter(&payload.fmtp, name) == parameter(&format.fmtp, name))
    };
    payloads.iter().find(same)
}

/// What to tell if the other side lacks a codec; nothing of what comes beside audio.
fn lacking(kind: Kind, format: &Payload, payloads: &[Payload]) -> Option<String> {
    if matches!(format.codec, Codec::TelephoneEvent | Codec::ComfortNoise) {
        return None;
    }
    let kind = name(kind);
    let named = |payload: &Payload| {
        let fmtp = if payload.fmtp.is_empty() { String::new() } else { format!(" ({})", payload.fmtp) };
        format!("{kind}/{}{fmtp}", payload.codec.name())
    };
    let taken = payloads.iter().map(named).collect::<Vec<_>>().join(", ");
    Some(format!("a track of {} is left out: the other side takes {taken}", named(format)))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}

fn parameter<'a>(fmtp: &'a str, name: &str) -> &'a str {
    let pairs = fmtp.split(';').filter_map(|pair| pair.split_once('='));
    let mut value =
        pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    // Each of these is 0 where it is not said (RFC 6184 8.1, RFC 9628 7.1).
    value.next_back().unwrap_or("0")
}

/// Whether a decoder can begin with this packet.
fn begins(format: &Payload, packet: &RtpPacket) -> bool {
    inspect(format.codec, &packet.data).is_ok_and(|info| info.key_frame && info.start != Start::No)
}

impl EncodedSink for Forwarder {
    fn takes_packets(&self) -> bool {
        true
    }

    fn packet(&self, packet: &Arc<RtpPacket>) {
        let mut input = lock(&self.input);
        if std::ptr::eq(input.last.as_ptr(), Arc::as_ptr(packet)) {
            return;
        }
        input.last = Arc::downgrade(packet);
        if input.packets.len() == MOST_WAITING {
            input.packets.pop_front();
            input.dropped += 1;
        }
        input.packets.push_back(packet.clone());
        drop(input);
        self.strand.wake();
    }

    fn frame(&self, _: u32, _: &Arc<ReceivedFrame>) {}

    fn end(&self) {}
}

impl Work for Forwarder {
    fn work(&self) {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let dropped = {
            let mut input = lock(&self.input);
            std::mem::swap(&mut input.packets, &mut state.taken);
            std::mem::take(&mut input.dropped)
        };
        self.negotiate(state);
        if self.audio.plays_tones() {
            // Afterwards it goes on behind them.
            state.rewriter = None;
            state.taken.clear();
            return;
        }
        let heard = self.gate.as_ref().is_none_or(Watch::is_heard);
        if !heard || state.payloads.is_empty() {
            state.rewriter.iter_mut().for_each(Rewriter::interrupt);
            state.taken.clear();
            return;
        }
        if state.rewriter.is_none() {
            let peer = self.common.peer.upgrade();
            let position = peer.and_then(|peer| {
                peer.with(|connection, _| connection.send_position(self.id, 0)).ok().flatten()
            });
            state.rewriter = Some(Rewriter::new(position));
        }
        let now = Instant::now();
        let mut left = None;
        let mut taken = std::mem::take(&mut state.taken);
        let mut out = std::mem::take(&mut state.out);
        let convert = |packet: Arc<RtpPacket>| self.convert(state, now, &packet, &mut left);
        out.extend(taken.drain(..).filter_map(convert));
        state.taken = taken;
        let fault = state.fault.take();
        drop(guard);
        if let Some(fault) = fault {
            (self.common.fault)(self.id, fault);
        }
        // What the other layer still gives is of no use; it is let go of with nothing else locked.
        drop(left.and_then(|left| left.upgrade()).and_then(|left| lock(&left).take()));
        if dropped > 0 {
            self.leave_out(now, "this machine does not keep up with all that is to be sent on and encoded");
        }
        let mut refused = dropped;
        if !out.is_empty() {
            let sent = self.send(&mut out);
            refused += sent.refused;
            if let Some(why) = sent.too_large {
                self.leave_out(now, &why);
            } else if !sent.any {
                // The connection has other numbers than we thought, or was not there yet: begin where it stands.
                lock(&self.state).rewriter = None;
            }
            lock(&self.state).out = out;
        }
        self.audio.discard(refused);
    }

    fn crashed(&self) {
        lock(&self.input).packets.clear();
    }
}
