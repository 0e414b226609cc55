//! Statistics of audio and video as JSON: plain objects with the names of the W3C specification.

use std::time::{Duration, Instant};

use ossa_codec::pcm::Loudness;
use ossa_media::{Codec, InboundStats, Kind, OutboundStats, Payload, SessionStats};
use ossa_peer::{Connection, SectionParameters, Transceiver, TransceiverId};
use ossa_tracks::{AudioReceived, Tracks};
use serde_json::{Map, Value, json};

use super::media_event::kind;

/// The id of the transport in all reports: there is one.
const TRANSPORT_ID: &str = "T01";

/// What there is to tell of the media of a connection.
pub(super) struct MediaReport {
    /// When it was taken, and what the clock on the wall said, in Unix milliseconds.
    taken: (Instant, f64),
    streams: SessionStats,
    sections: Vec<SectionParameters>,
    transceivers: Vec<Transceiver>,
}

impl MediaReport {
    /// `None` for a connection without media. Given with it locked.
    pub(super) fn take(connection: &Connection, taken: (Instant, f64)) -> Option<Self> {
        let streams = connection.media_stats()?;
        let (sections, transceivers) = (connection.media_parameters(), connection.transceivers());
        Some(Self { taken, streams, sections, transceivers })
    }

    /// Its entries. Members without a value are left out.
    pub(super) fn entries(&self, tracks: Option<&Tracks>) -> Vec<Value> {
        let mut entries = Entries { timestamp: self.taken.1, values: Vec::new() };
        for section in &self.sections {
            let Some(transceiver) = self.transceivers.iter().find(|one| one.id == section.transceiver) else {
                continue;
            };
            let id = section.transceiver;
            let sent = Sent::of(tracks, id);
            let received = tracks.and_then(|tracks| tracks.audio_received(id));
            if let Some(loudness) = &sent.loudness {
                entries.add(source_id(section), "media-source", media_source(transceiver, loudness));
            }
            // What was only received so far is not sent.
            let sends = |stream: &&OutboundStats| section.send.active || stream.packets_sent > 0;
            let outbound = self.streams.outbound.iter().filter(|stream| stream.sender.0 == id.0);
            for stream in outbound.filter(sends) {
                self.outbound(section, stream, &sent, &mut entries);
            }
            if let Some(received) = &received {
                entries.add(playout_id(section), "media-playout", playout(received));
            }
            for stream in self.streams.inbound.iter().filter(|stream| stream.receiver.0 == id.0) {
                self.inbound((section, transceiver), stream, received.as_ref(), &mut entries);
            }
        }
        entries.values
    }

    fn outbound(
        &self,
        section: &SectionParameters,
        stream: &OutboundStats,
        sent: &Sent,
        entries: &mut Entries,
    ) {
        let video = stream.kind == Kind::Video;
        let id = format!("O{}", stream.ssrc);
        let remote_id = format!("RI{}", stream.ssrc);
        // Before the first packet that which it will have.
        let mut payloads = section.send.payloads.iter();
        let payload = match stream.payload {
            Some(number) => payloads.find(|payload| payload.number == number),
            None => payloads.next(),
        };
        let codec = payload.map(|payload| entries.codec("CO", section, payload));
        let is_opus = |number| {
            let mut payloads = section.send.payloads.iter();
            payloads.any(|payload| payload.number == number && payload.codec == Codec::Opus)
        };
        let members = json!({
            "mid": section.mid,
            "rid": stream.rid,
            "encodingIndex": video.then_some(stream.encoding),
            "active": stream.active,
            "rtxSsrc": stream.rtx_ssrc,
            "mediaSourceId": sent.loudness.map(|_| source_id(section)),
            "remoteId": stream.remote.as_ref().map(|_| &remote_id),
            "packetsSent": stream.packets_sent,
            "bytesSent": stream.bytes_sent,
            "headerBytesSent": stream.header_bytes_sent,
            "retransmittedPacketsSent": stream.retransmitted_packets_sent,
            "retransmittedBytesSent": stream.retransmitted_bytes_sent,
            "totalPacketSendDelay": seconds(stream.total_packet_send_delay),
            // These two are not in the standard.
            "packetsDiscardedOnSend": sent.discarded.filter(|_| stream.encoding == 0),
            "encoderComplexity": sent.complexity.filter(|_| stream.payload.is_some_and(is_opus)),
            "nackCount": stream.nack_count,
            "framesSent": video.then_some(stream.frames_sent),
            "keyFramesEncoded": video.then_some(stream.key_frames_sent),
            "pliCount": video.then_some(stream.pli_count),
            "firCount": video.then_some(stream.fir_count),
        });
        entries.stream(id.clone(), "outbound-rtp", (stream.ssrc, stream.kind, codec.as_deref()), members);
        let Some(remote) = &stream.remote else { return };
        let members = json!({
            "localId": id,
            "timestamp": self.at(remote.arrival),
            "packetsLost": remote.packets_lost,
            "fractionLost": remote.fraction_lost,
            "jitter": seconds(remote.jitter),
            "roundTripTime": remote.round_trip_time.map(seconds),
            "totalRoundTripTime": seconds(remote.total_round_trip_time),
            "roundTripTimeMeasurements": remote.round_trip_time_measurements,
        });
        entries.stream(
            remote_id,
            "remote-inbound-rtp",
            (stream.ssrc, stream.kind, codec.as_deref()),
            members,
        );
    }

    fn inbound(
        &self,
        (section, transceiver): (&SectionParameters, &Transceiver),
        stream: &InboundStats,
        received: Option<&AudioReceived>,
        entries: &mut Entries,
    ) {
        let video = stream.kind == Kind::Video;
        let id = format!("I{}", stream.ssrc);
        let remote_id = format!("RO{}", stream.ssrc);
        let payload = section.receive.payloads.iter().find(|payload| payload.number == stream.payload);
        let codec = payload.map(|payload| entries.codec("CI", section, payload));
        // Of audio, what waits and comes out is counted in samples.
        let unit = if video { 1 } else { samples_per_frame(stream, received, payload) };
        let members = json!({
            "mid": section.mid,
            "rid": stream.rid.as_ref().map(|rid| String::from_utf8_lossy(rid)),
            "trackIdentifier": transceiver.receiver_track,
            "rtxSsrc": stream.rtx_ssrc,
            "remoteId": stream.remote.as_ref().map(|_| &remote_id),
            "playoutId": received.map(|_| playout_id(section)),
            "packetsReceived": stream.packets_received,
            "bytesReceived": stream.bytes_received,
            "headerBytesReceived": stream.header_bytes_received,
            "packetsLost": stream.packets_lost,
            "packetsDiscarded": stream.packets_discarded,
            "jitter": seconds(stream.jitter),
            "lastPacketReceivedTimestamp": stream.last_packet_received.map(|at| self.at(at)),
            "retransmittedPacketsReceived": stream.retransmitted_packets_received,
            "retransmittedBytesReceived": stream.retransmitted_bytes_received,
            "nackCount": stream.nack_count,
            "jitterBufferDelay": seconds(stream.jitter_buffer_delay) * unit as f64,
            "jitterBufferTargetDelay": seconds(stream.jitter_buffer_target_delay) * unit as f64,
            "jitterBufferEmittedCount": stream.jitter_buffer_emitted_count * unit,
            "framesReceived": video.then_some(stream.frames_received),
            "framesDropped": video.then_some(stream.frames_dropped),
            "pliCount": video.then_some(stream.pli_count),
            "firCount": video.then_some(stream.fir_count),
        });
        entries.stream(id.clone(), "inbound-rtp", (stream.ssrc, stream.kind, codec.as_deref()), members);
        if let Some(received) = received {
            entries.extend_last(heard(received));
        }
        let Some(remote) = &stream.remote else { return };
        let members = json!({
            "localId": id,
            "timestamp": self.at(remote.arrival),
            "packetsSent": remote.packets_sent,
            "bytesSent": remote.bytes_sent,
            "reportsSent": remote.reports_sent,
            "remoteTimestamp": seconds(remote.remote_timestamp) * 1000.0,
        });
        entries.stream(
            remote_id,
            "remote-outbound-rtp",
            (stream.ssrc, stream.kind, codec.as_deref()),
            members,
        );
    }

    /// A point of time in Unix milliseconds.
    fn at(&self, time: Instant) -> f64 {
        self.taken.1 - self.taken.0.saturating_duration_since(time).as_secs_f64() * 1000.0
    }
}

/// What is known of a sender by who gives it something.
#[derive(Default)]
struct Sent {
    loudness: Option<Loudness>,
    discarded: Option<u64>,
    complexity: Option<u8>,
}

impl Sent {
    fn of(tracks: Option<&Tracks>, id: TransceiverId) -> Self {
        let Some(tracks) = tracks else { return Self::default() };
        let (loudness, discarded) = (tracks.loudness(id), tracks.discarded(id));
        Self { loudness, discarded, complexity: tracks.encoder_complexity(id) }
    }
}

/// The entries so far.
struct Entries {
    timestamp: f64,
    values: Vec<Value>,
}

impl Entries {
    fn add(&mut self, id: String, kind: &str, members: Value) {
        let mut object = Map::new();
        object.insert("id".into(), id.into());
        object.insert("timestamp".into(), self.timestamp.into());
        object.insert("type".into(), kind.into());
        self.values.push(Value::Object(object));
        self.extend_last(members);
    }

    fn extend_last(&mut self, members: Value) {
        if let (Some(Value::Object(object)), Value::Object(members)) = (self.values.last_mut(), members) {
            object.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
        }
    }

    /// What all entries about streams have (`RTCRtpStreamStats`), and `members`.
    fn stream(
        &mut self,
        id: String,
        entry: &str,
        (ssrc, of, codec): (u32, Kind, Option<&str>),
        members: Value,
    ) {
        let common = json!({ "ssrc": ssrc, "kind": kind(of), "transportId": TRANSPORT_ID, "codecId": codec });
        self.add(id, entry, common);
        self.extend_last(members);
    }

    /// A codec that is in use, once. Returns its id.
    fn codec(&mut self, prefix: &str, section: &SectionParameters, payload: &Payload) -> String {
        let id = format!("{prefix}{}_{}", section.transceiver.0, payload.number);
        if !self.values.iter().any(|entry| entry["id"] == id.as_str()) {
            let audio = section.kind == Kind::Audio;
            let members = json!({
                "transportId": TRANSPORT_ID,
                "payloadType": payload.number,
                "mimeType": format!("{}/{}", kind(section.kind), payload.codec.name()),
                "clockRate": payload.clock_rate,
                "channels": audio.then_some(payload.channels),
                "sdpFmtpLine": Some(&payload.fmtp).filter(|fmtp| !fmtp.is_empty()),
            });
            self.add(id.clone(), "codec", members);
        }
        id
    }
}

fn source_id(section: &SectionParameters) -> String {
    format!("S{}", section.transceiver.0)
}

fn playout_id(section: &SectionParameters) -> String {
    format!("AP{}", section.transceiver.0)
}

fn media_source(transceiver: &Transceiver, loudness: &Loudness) -> Value {
    json!({
        "trackIdentifier": transceiver.sender_track,
        "kind": "audio",
        "audioLevel": f64::from(loudness.level.peak),
        "totalAudioEnergy": loudness.energy,
        "totalSamplesDuration": loudness.duration,
    })
}

fn playout(received: &AudioReceived) -> Value {
    let played = &received.played;
    let time = |samples: u64| samples as f64 / f64::from(received.rate);
    json!({
        "kind": "audio",
        "synthesizedSamplesDuration": time(played.synthesized),
        "synthesizedSamplesEvents": played.synthesized_events,
        "totalSamplesDuration": time(played.total),
        "totalPlayoutDelay": seconds(played.waited),
        "totalSamplesCount": played.total,
    })
}

/// What is known of audio since it was decoded.
fn heard(received: &AudioReceived) -> Value {
    let (played, loudness) = (&received.played, &received.loudness);
    json!({
        "audioLevel": f64::from(loudness.level.peak),
        "totalAudioEnergy": loudness.energy,
        "totalSamplesDuration": loudness.duration,
        "totalSamplesReceived": played.total,
        "concealedSamples": played.concealed,
        "silentConcealedSamples": played.silent_concealed,
        "concealmentEvents": played.concealment_events,
        "insertedSamplesForDeceleration": played.inserted,
        "removedSamplesForAcceleration": played.removed,
    })
}

/// How many samples one packet of audio has.
fn samples_per_frame(
    stream: &InboundStats,
    received: Option<&AudioReceived>,
    payload: Option<&Payload>,
) -> u64 {
    let usual = payload.map_or(0, |payload| u64::from(payload.clock_rate) / 50);
    let decoded = received.map(|received| received.played.total.saturating_sub(received.played.concealed));
    let each = decoded.and_then(|decoded| decoded.checked_div(stream.frames_received));
    each.filter(|each| *each > 0).unwrap_or(usual)
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
