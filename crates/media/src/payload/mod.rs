//! Payload formats: how the encoded frames of a codec travel in RTP packets, there and back.
//!
//! Knows what stands in a payload; sequence numbers, timestamps and the marker are the business of `rtp`, and which packets
//! make a frame that of `jitter`. Each codec has a file. What comes from the network is only ever read: a payload that
//! breaks the rules is [`Malformed`], never a panic, and a frame takes no more than three times the bytes that came for it.

mod av1;
mod bits;
mod error;
mod h264;
mod info;
mod numbers;
mod parameter_sets;
mod split;
mod vp8;
mod vp9;
mod whole;

#[cfg(test)]
mod foreign_tests;
#[cfg(test)]
mod property_tests;

use bytes::Bytes;

pub use error::{Malformed, PacketizeError};
pub use info::{Layer, PayloadInfo, Start};
pub use numbers::{PictureNumbers, picture_numbers, shift_picture_numbers};

use crate::types::Codec;

/// Splits the frames of one stream into the payloads of RTP packets.
#[derive(Debug)]
pub struct Packetizer(Format);

#[derive(Debug)]
enum Format {
    Whole(Codec),
    Vp8(vp8::Packetizer),
    Vp9(vp9::Packetizer),
    H264(h264::Packetizer),
    Av1,
}

impl Packetizer {
    /// For one stream of `codec` with the parameters of its `a=fmtp` (H.264 goes by `packetization-mode`). `seed`: any number,
    /// from which the first picture identifier is made. `None` for [`Codec::Other`], which is sent as packets only.
    pub fn new(codec: Codec, fmtp: &str, seed: u16) -> Option<Self> {
        Some(Self(match codec {
            Codec::Opus | Codec::Pcmu | Codec::Pcma | Codec::TelephoneEvent | Codec::ComfortNoise => {
                Format::Whole(codec)
            }
            Codec::Vp8 => Format::Vp8(vp8::Packetizer::new(seed)),
            Codec::Vp9 => Format::Vp9(vp9::Packetizer::new(seed)),
            Codec::H264 => Format::H264(h264::Packetizer::new(fmtp)),
            Codec::Av1 => Format::Av1,
            Codec::Other => return None,
        }))
    }

    /// Appends the payloads that carry `frame` to `out`, none of them larger than `max_payload` bytes. The packet of the last
    /// one gets the marker if it is video.
    ///
    /// # Errors
    /// The frame is empty, breaks the rules of its codec, or does not fit; `out` is as it was.
    pub fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<(), PacketizeError> {
        if frame.is_empty() {
            return Err(PacketizeError::Empty);
        }
        match &mut self.0 {
            Format::Whole(codec) => whole::packetize(*codec, frame, max_payload, out),
            Format::Vp8(packetizer) => packetizer.packetize(frame, max_payload, out),
            Format::Vp9(packetizer) => packetizer.packetize(frame, max_payload, out),
            Format::H264(packetizer) => packetizer.packetize(frame, max_payload, out),
            Format::Av1 => av1::packetize(frame, max_payload, out),
        }
    }
}

/// Makes the frames of one stream from the payloads of its packets.
#[derive(Debug)]
pub struct Depacketizer {
    codec: Codec,
    /// H.264: for key frames that come without them.
    parameter_sets: parameter_sets::ParameterSets,
}

impl Depacketizer {
    /// For one stream of `codec` with the parameters of its `a=fmtp` (H.264 takes `sprop-parameter-sets` from there). `None` for
    /// [`Codec::Other`], which comes as packets only.
    pub fn new(codec: Codec, fmtp: &str) -> Option<Self> {
        let parameter_sets = match codec {
            Codec::Other => return None,
            Codec::H264 => parameter_sets::ParameterSets::from_fmtp(fmtp),
            _ => parameter_sets::ParameterSets::default(),
        };
        Some(Self { codec, parameter_sets })
    }

    /// What this is for.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// What one payload says of the frame that it belongs to.
    ///
    /// # Errors
    /// It breaks the rules of the payload format, or is empty.
    pub fn inspect(&self, payload: &[u8]) -> Result<PayloadInfo, Malformed> {
        inspect(self.codec, payload)
    }

    /// The frame that these payloads carry: all of one frame, in order.
    ///
    /// # Errors
    /// One of them breaks the rules of the payload format, or they are not all of a frame.
    pub fn assemble<'a>(
        &mut self,
        payloads: impl Iterator<Item = &'a Bytes> + Clone,
    ) -> Result<Bytes, Malformed> {
        match self.codec {
            Codec::Vp8 => vp8::assemble(payloads),
            Codec::Vp9 => vp9::assemble(payloads),
            Codec::H264 => h264::assemble(payloads, &mut self.parameter_sets),
            Codec::Av1 => av1::assemble(payloads),
            _ => whole::assemble(payloads),
        }
    }
}

/// What one payload says of the frame that it belongs to; also for packets that are forwarded as they came. A codec that is
/// not known says nothing: each payload may be the start of a frame.
///
/// # Errors
/// It breaks the rules of the payload format, or is empty.
pub fn inspect(codec: Codec, payload: &[u8]) -> Result<PayloadInfo, Malformed> {
    if payload.is_empty() {
        return Err(Malformed("the payload is empty"));
    }
    match codec {
        Codec::Vp8 => vp8::inspect(payload),
        Codec::Vp9 => vp9::inspect(payload),
        Codec::H264 => h264::inspect(payload),
        Codec::Av1 => av1::inspect(payload),
        Codec::Other => Ok(PayloadInfo::default()),
        Codec::Opus | Codec::Pcmu | Codec::Pcma | Codec::TelephoneEvent | Codec::ComfortNoise => {
            Ok(PayloadInfo { start: Start::Yes, key_frame: true, layer: None })
        }
    }
}
