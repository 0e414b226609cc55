//! The decoders of audio behind one face.

use std::time::Duration;

use ossa_codec::g711::{self, Law};
use ossa_codec::opus::{self, packet_duration};
use ossa_codec::pcm::{Channels, Format};
use ossa_media::{Codec, Payload};

use super::concealer::Concealer;

pub(super) enum Decoder {
    Opus(Box<opus::Decoder>),
    G711(Law, Box<Concealer>),
}

impl Decoder {
    /// For a payload type and its first packet. `None`: nothing here decodes it.
    pub(super) fn new(payload: &Payload, packet: &[u8]) -> Option<Self> {
        let law = match payload.codec {
            Codec::Pcmu => Law::Mu,
            Codec::Pcma => Law::A,
            Codec::Opus => {
                let channels = if is_stereo(packet) { Channels::Stereo } else { Channels::Mono };
                let format = Format::new(opus::CLOCK_RATE, channels).ok()?;
                return Some(Self::Opus(Box::new(opus::Decoder::new(format).ok()?)));
            }
            _ => return None,
        };
        let format = Format::new(g711::SAMPLE_RATE, Channels::Mono).ok()?;
        Some(Self::G711(law, Box::new(Concealer::new(format))))
    }

    /// What comes out.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Opus(opus) => opus.format(),
            Self::G711(..) => Format::new(g711::SAMPLE_RATE, Channels::Mono).expect("a rate of ours"),
        }
    }

    /// Whether it gives all that is in a packet: the first one that is stereo needs another decoder.
    pub(super) fn does_justice_to(&self, packet: &[u8]) -> bool {
        match self {
            Self::Opus(opus) => opus.format().channels() == Channels::Stereo || !is_stereo(packet),
            Self::G711(..) => true,
        }
    }

    /// How long the audio of a packet is; `None` if it is no packet of this codec.
    pub(super) fn duration(&self, packet: &[u8]) -> Option<Duration> {
        match self {
            Self::Opus(_) => packet_duration(packet).ok(),
            Self::G711(..) => (!packet.is_empty()).then(|| self.format().duration_of(packet.len())),
        }
    }

    /// Appends the audio of a packet. False if it is none.
    pub(super) fn decode(&mut self, packet: &[u8], out: &mut Vec<f32>) -> bool {
        match self {
            Self::Opus(opus) => opus.decode(packet, out).is_ok(),
            Self::G711(law, concealer) => {
                let from = out.len();
                law.decode(packet, out);
                concealer.heard(&mut out[from..]);
                !packet.is_empty()
            }
        }
    }

    /// Appends so much that was made up.
    pub(super) fn conceal(&mut self, time: Duration, out: &mut Vec<f32>) {
        match self {
            Self::Opus(opus) => {
                // It refuses nothing but packets.
                let _ = opus.conceal(Some(time), out);
            }
            Self::G711(_, concealer) => {
                let format = Format::new(g711::SAMPLE_RATE, Channels::Mono).expect("a rate of ours");
                concealer.conceal(format.frames_in(time), out);
            }
        }
    }

    /// Appends what `next` says of the audio before it, or what can be made up of it.
    pub(super) fn recover(&mut self, next: &[u8], time: Duration, out: &mut Vec<f32>) {
        let recovered = match self {
            Self::Opus(opus) => opus.recover(next, Some(time), out).is_ok(),
            Self::G711(..) => false,
        };
        if !recovered {
            self.conceal(time, out);
        }
    }

    /// Whether packets may carry a copy of the one before.
    pub(super) fn has_copies(&self) -> bool {
        matches!(self, Self::Opus(_))
    }
}

/// The bit that says so (RFC 6716 3.1).
fn is_stereo(packet: &[u8]) -> bool {
    packet.first().is_some_and(|toc| toc & 4 != 0)
}
