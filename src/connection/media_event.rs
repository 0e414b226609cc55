//! What JavaScript is told of audio and video, as JSON: the types of `ts/native/media.ts`.

use std::time::Duration;

use bytes::Bytes;
use ossa_media::{Encoding, Extension, HeardSource, Kind, MediaEvent, Payload, ReceiverId};
use ossa_peer::{CodecCapability, MediaCapabilities, SectionParameters, Transceiver, TransceiverId};
use serde_json::{Map, Value, json};

/// The JSON of what a media session tells. Frames and packets travel another way.
pub(super) fn encode(event: &MediaEvent) -> Value {
    match event {
        MediaEvent::StreamStarted { receiver, ssrc, rid } => json!({
            "type": "streamStarted",
            "transceiver": receiver.0,
            "ssrc": ssrc,
            "rid": rid.as_ref().map(|rid: &Bytes| String::from_utf8_lossy(rid)),
        }),
        MediaEvent::KeyFrameRequested { sender, encoding } => {
            json!({ "type": "keyFrameRequested", "transceiver": sender.0, "encoding": encoding })
        }
        MediaEvent::TargetBitrate { bps, .. } => json!({ "type": "targetBitrate", "bps": bps }),
        MediaEvent::Unmute { receiver } => muting("unmute", *receiver, None),
        MediaEvent::Mute { receiver } => muting("mute", *receiver, None),
        MediaEvent::LayerUnmute { receiver, rid } => muting("unmute", *receiver, Some(rid)),
        MediaEvent::LayerMute { receiver, rid } => muting("mute", *receiver, Some(rid)),
        MediaEvent::Bye { receiver, ssrc, reason } => {
            json!({ "type": "bye", "transceiver": receiver.0, "ssrc": ssrc, "reason": reason })
        }
        MediaEvent::Frame { .. } | MediaEvent::Packet { .. } => Value::Null,
    }
}

fn muting(kind: &str, receiver: ReceiverId, layer: Option<&Bytes>) -> Value {
    let rid = layer.map(|rid| String::from_utf8_lossy(rid));
    json!({ "type": kind, "transceiver": receiver.0, "rid": rid })
}

/// The JSON of the event that media does not flow where both descriptions say that it does.
pub(super) fn fault(transceiver: Option<TransceiverId>, message: &str) -> Value {
    json!({ "type": "mediaFault", "transceiver": transceiver.map(|id| id.0), "message": message })
}

/// One transceiver of a snapshot.
pub(super) fn transceiver(transceiver: &Transceiver) -> Value {
    json!({
        "id": transceiver.id.0,
        "kind": kind(transceiver.kind),
        "mid": transceiver.mid,
        "direction": transceiver.direction.map(|direction| direction.as_str()),
        "currentDirection": transceiver.current_direction.map(|direction| direction.as_str()),
        "stopping": transceiver.stopping,
        "senderTrack": transceiver.sender_track,
        "senderStreams": transceiver.sender_streams,
        "encodings": transceiver.encodings,
        "receiverTrack": transceiver.receiver_track,
        "receiverStreams": transceiver.receiver_streams,
        "receives": transceiver.receives,
        "byPeer": transceiver.by_peer,
    })
}

/// The JSON of what was negotiated for all sections.
pub(super) fn parameters(sections: &[SectionParameters]) -> String {
    Value::Array(sections.iter().map(section).collect()).to_string()
}

/// The JSON of what there is for a kind (`RTCRtpCapabilities`).
pub(super) fn capabilities(capabilities: &MediaCapabilities, of: Kind) -> String {
    let extensions = capabilities.extensions(of).map(|extension| json!({ "uri": extension.uri() }));
    json!({
        "codecs": capabilities.codecs(of).iter().map(|one| capability(one, of)).collect::<Vec<_>>(),
        "headerExtensions": extensions.collect::<Vec<_>>(),
    })
    .to_string()
}

/// The JSON of who was heard, each with how long ago that was.
pub(super) fn heard(sources: &[(HeardSource, Duration)]) -> String {
    let one = |(source, ago): &(HeardSource, Duration)| {
        json!({
            "source": source.ssrc,
            "contributing": source.contributing,
            "ago": ago.as_secs_f64() * 1000.0,
            "rtpTimestamp": source.timestamp,
            // RFC 6464: 127 is silence.
            "audioLevel": source.level.map(|level| if level >= 127 { 0.0 } else { 10_f64.powf(-f64::from(level) / 20.0) }),
        })
    };
    Value::Array(sources.iter().map(one).collect()).to_string()
}

fn capability(codec: &CodecCapability, of: Kind) -> Value {
    let mut members = Map::new();
    members.insert("mimeType".into(), format!("{}/{}", kind(of), codec.name).into());
    members.insert("clockRate".into(), codec.clock_rate.into());
    if of == Kind::Audio {
        members.insert("channels".into(), codec.channels.into());
    }
    if !codec.parameters.is_empty() {
        members.insert("sdpFmtpLine".into(), codec.parameters.as_str().into());
    }
    members.insert("rtx".into(), codec.rtx.into());
    Value::Object(members)
}

fn section(section: &SectionParameters) -> Value {
    let (send, receive) = (&section.send, &section.receive);
    json!({
        "transceiver": section.transceiver.0,
        "kind": kind(section.kind),
        "mid": section.mid,
        "send": {
            "encodings": send.encodings.iter().map(encoding).collect::<Vec<_>>(),
            "payloads": payloads(&send.payloads, section.kind),
            "extensions": extensions(&send.extensions),
            "active": send.active,
            "reducedSizeRtcp": send.reduced_size_rtcp,
        },
        "receive": {
            "rids": receive.rids,
            "payloads": payloads(&receive.payloads, section.kind),
            "extensions": extensions(&receive.extensions),
            "active": receive.active,
        },
    })
}

fn encoding(encoding: &Encoding) -> Value {
    json!({
        "rid": encoding.rid,
        "ssrc": encoding.ssrc,
        "rtxSsrc": encoding.rtx_ssrc,
        "maxBitrate": encoding.max_bitrate,
        "active": encoding.active,
    })
}

fn payloads(payloads: &[Payload], of: Kind) -> Vec<Value> {
    let one = |payload: &Payload| {
        json!({
            "payloadType": payload.number,
            "mimeType": format!("{}/{}", kind(of), payload.codec.name()),
            "clockRate": payload.clock_rate,
            "channels": (of == Kind::Audio).then_some(payload.channels),
            "sdpFmtpLine": (!payload.fmtp.is_empty()).then_some(&payload.fmtp),
            "rtx": payload.rtx,
        })
    };
    payloads.iter().map(one).collect()
}

fn extensions(extensions: &[(Extension, u8)]) -> Vec<Value> {
    extensions.iter().map(|(extension, id)| json!({ "uri": extension.uri(), "id": id })).collect()
}

pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}
