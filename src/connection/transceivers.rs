//! Audio and video of a peer connection: what JavaScript does to transceivers.

use napi_derive::napi;
use ossa_media::Kind;
use ossa_peer::{
    CodecCapability, Direction, EncodingInit, MediaCapabilities, TransceiverId, TransceiverInit,
};

use super::media_event;
use super::peer::Peer;
use crate::base::error::{Result, from_peer, type_error};
use crate::base::values::{choice, handle, integer, milliseconds};

/// More encodings than a browser sends, and few enough for everybody.
const MAX_ENCODINGS: usize = 16;

/// Far above every real rate, and exact as a number of JavaScript.
const MAX_BITRATE: u64 = 1 << 48;

/// Argument of `addTransceiver`.
#[napi(object)]
pub struct TransceiverOptions {
    /// Which way it wants to send.
    #[napi(ts_type = "'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'")]
    pub direction: String,
    /// Ids of the streams that the sent track belongs to.
    pub streams: Vec<String>,
    /// Id of the sent track; a random one if there is none.
    pub track: Option<String>,
    /// Of what is sent; none stands for one without restrictions.
    pub encodings: Vec<EncodingOptions>,
    /// It is made by `addTrack()`: the next offer of the peer may take it for one of its sections.
    pub by_track: bool,
}

/// A transceiver that was made.
#[napi(object, object_from_js = false)]
pub struct AddedTransceiver {
    /// Its number.
    pub id: u32,
    /// Id of the track that it receives.
    pub receiver_track: String,
}

/// One encoding of what is sent (`RTCRtpEncodingParameters`).
#[napi(object)]
pub struct EncodingOptions {
    /// Its name, where there are several.
    pub rid: Option<String>,
    /// Whether it is sent.
    pub active: bool,
    /// Upper limit in bit/s.
    pub max_bitrate: Option<f64>,
    /// The codec to send with, if it was negotiated.
    pub codec: Option<CodecOptions>,
}

/// A codec (`RTCRtpCodec`).
#[napi(object)]
pub struct CodecOptions {
    /// `audio/opus`.
    pub mime_type: String,
    /// In Hz.
    pub clock_rate: f64,
    /// Channels of audio. Default 1.
    pub channels: Option<f64>,
    /// Value of `a=fmtp`.
    pub sdp_fmtp_line: Option<String>,
    /// Whether lost packets are sent again in a stream of their own (RFC 4588), if the peer wants that too.
    pub rtx: bool,
}

#[napi]
impl Peer {
    /// The codecs and header extensions that there are for a kind (`RTCRtpCapabilities`).
    #[napi(catch_unwind)]
    pub fn media_capabilities(#[napi(ts_arg_type = "'audio' | 'video'")] kind: String) -> Result<String> {
        Ok(media_event::capabilities(&MediaCapabilities::default(), media_kind(&kind)?))
    }

    /// `addTransceiver()`, and `addTrack()`.
    #[napi(catch_unwind)]
    pub fn add_transceiver(
        &self,
        #[napi(ts_arg_type = "'audio' | 'video'")] kind: String,
        options: TransceiverOptions,
    ) -> Result<AddedTransceiver> {
        let (kind, init) = (media_kind(&kind)?, options.into_init()?);
        let added = self.open()?.with(|connection, _| {
            let id = connection.add_transceiver(kind, init)?;
            let receiver_track = connection.receiver_track(id).unwrap_or_default().to_owned();
            Ok(AddedTransceiver { id: id.0, receiver_track })
        });
        added.flatten().map_err(from_peer)
    }

    /// `RTCRtpTransceiver.direction`.
    #[napi(catch_unwind)]
    pub fn set_direction(
        &self,
        transceiver: f64,
        #[napi(ts_arg_type = "'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'")] direction: String,
    ) -> Result<()> {
        let (id, direction) = (number(transceiver)?, self::direction(&direction)?);
        let set = self.open()?.with(|connection, now| connection.set_direction(now, id, direction));
        set.flatten().map_err(from_peer)
    }

    /// `RTCRtpSender.setStreams()`; with `byTrack`, `addTrack()` on a transceiver that is there.
    #[napi(catch_unwind)]
    pub fn set_sender_streams(&self, transceiver: f64, streams: Vec<String>, by_track: bool) -> Result<()> {
        let id = number(transceiver)?;
        let set = self.open()?.with(|connection, _| connection.set_sender_streams(id, streams, by_track));
        set.flatten().map_err(from_peer)
    }

    /// Which encodings are sent, and how large: as many as there are, under the same names.
    #[napi(catch_unwind)]
    pub fn set_encodings(&self, transceiver: f64, encodings: Vec<EncodingOptions>) -> Result<()> {
        let (id, encodings) = (number(transceiver)?, encoding_inits(encodings)?);
        let set = self.open()?.with(|connection, now| connection.set_encodings(now, id, &encodings));
        set.flatten().map_err(from_peer)
    }

    /// `setCodecPreferences()`.
    #[napi(catch_unwind)]
    pub fn set_codec_preferences(&self, transceiver: f64, codecs: Vec<CodecOptions>) -> Result<()> {
        let id = number(transceiver)?;
        let codecs = codecs.into_iter().map(CodecOptions::into_capability).collect::<Result<_>>()?;
        let set = self.open()?.with(|connection, _| connection.set_codec_preferences(id, codecs));
        set.flatten().map_err(from_peer)
    }

    /// `RTCRtpTransceiver.stop()`.
    #[napi(catch_unwind)]
    pub fn stop_transceiver(&self, transceiver: f64) -> Result<()> {
        let id = number(transceiver)?;
        let stopped = self.open()?.with(|connection, now| connection.stop_transceiver(now, id));
        stopped.flatten().map_err(from_peer)?;
        self.sink().stopped(id);
        Ok(())
    }

    /// `RTCRtcpParameters.cname` of what is sent.
    #[napi(catch_unwind)]
    pub fn cname(&self) -> Result<String> {
        self.open()?.with(|connection, _| connection.cname().to_owned()).map_err(from_peer)
    }

    /// What was negotiated for each section.
    #[napi(catch_unwind)]
    pub fn media_parameters(&self) -> Result<String> {
        let sections = self.open()?.with(|connection, _| connection.media_parameters());
        sections.map(|sections| media_event::parameters(&sections)).map_err(from_peer)
    }

    /// `RTCRtpReceiver.jitterBufferTarget`, in milliseconds up to 4,000.
    #[napi(catch_unwind)]
    pub fn set_jitter_target(&self, transceiver: f64, target: Option<f64>) -> Result<()> {
        let id = number(transceiver)?;
        let target = target.map(|target| milliseconds("jitterBufferTarget", target)).transpose()?;
        let set = self.open()?.with(|connection, now| connection.set_jitter_target(now, id, target));
        set.flatten().map_err(from_peer)
    }

    /// Who was heard in the last ten seconds, the latest first.
    #[napi(catch_unwind)]
    pub fn heard_sources(&self, transceiver: f64) -> Result<String> {
        let id = number(transceiver)?;
        let heard = self.open()?.with(|connection, now| {
            let heard = connection.heard_sources(now, id);
            heard
                .into_iter()
                .map(|source| (source, now.saturating_duration_since(source.at)))
                .collect::<Vec<_>>()
        });
        heard.map(|heard| media_event::heard(&heard)).map_err(from_peer)
    }

    /// Asks the peer for a key frame of one of the streams that are received, or of all of a transceiver.
    #[napi(catch_unwind)]
    pub fn request_key_frame(&self, transceiver: f64, ssrc: Option<f64>) -> Result<()> {
        let id = number(transceiver)?;
        let ssrc = ssrc.map(|ssrc| handle("ssrc", ssrc)).transpose()?;
        let asked = self.open()?.with(|connection, now| connection.request_key_frame(now, id, ssrc));
        asked.flatten().map_err(from_peer)
    }
}

impl TransceiverOptions {
    fn into_init(self) -> Result<TransceiverInit> {
        Ok(TransceiverInit {
            direction: direction(&self.direction)?,
            streams: self.streams,
            track: self.track,
            encodings: encoding_inits(self.encodings)?,
            by_track: self.by_track,
        })
    }
}

impl CodecOptions {
    fn into_capability(self) -> Result<CodecCapability> {
        let (_, name) = self.mime_type.split_once('/').ok_or_else(|| {
            type_error(format!("mimeType '{}' has no slash, as in 'audio/opus'", self.mime_type))
        })?;
        Ok(CodecCapability {
            name: name.to_owned(),
            clock_rate: handle("clockRate", self.clock_rate)?,
            channels: integer("channels", self.channels.unwrap_or(1.0), 1, 255)? as u8,
            parameters: self.sdp_fmtp_line.unwrap_or_default(),
            feedback: Vec::new(),
            payload: None,
            rtx: self.rtx,
        })
    }
}

fn encoding_inits(encodings: Vec<EncodingOptions>) -> Result<Vec<EncodingInit>> {
    if encodings.len() > MAX_ENCODINGS {
        return Err(type_error(format!(
            "{} encodings are too many: at most {MAX_ENCODINGS} are sent",
            encodings.len()
        )));
    }
    let one = |options: EncodingOptions| {
        let limit = |bitrate| integer("maxBitrate", bitrate, 0, MAX_BITRATE);
        Ok(EncodingInit {
            rid: options.rid,
            active: options.active,
            max_bitrate: options.max_bitrate.map(limit).transpose()?,
            codec: options.codec.map(CodecOptions::into_capability).transpose()?,
        })
    };
    encodings.into_iter().map(one).collect()
}

fn number(transceiver: f64) -> Result<TransceiverId> {
    handle("transceiver", transceiver).map(TransceiverId)
}

fn media_kind(kind: &str) -> Result<Kind> {
    choice("kind", kind, &[("audio", Kind::Audio), ("video", Kind::Video)])
}

fn direction(name: &str) -> Result<Direction> {
    let known = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    choice("direction", name, &known.map(|direction| (direction.as_str(), direction)))
}
