//! The encoders of audio behind one face.

use std::time::Duration;

use bytes::Bytes;
use ossa_codec::g711::{self, Law};
use ossa_codec::opus::{self, EncoderConfig};
use ossa_codec::pcm::{Channels, Format};
use ossa_media::{Codec, Payload};

/// The rates that Opus encodes as they are.
const OPUS_RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

/// libopus takes no less.
const LEAST_BITRATE: u64 = 6_000;
const MOST_BITRATE: u64 = 510_000;

pub(super) enum Encoder {
    Opus(Box<OpusEncoder>),
    G711(Law),
}

pub(super) struct OpusEncoder {
    encoder: opus::Encoder,
    /// What is spent if nothing limits it: what the other side asks for, else what libopus would choose. A path that carries more is no
    /// reason to spend more.
    wanted: u64,
}

impl Encoder {
    /// For a payload type that was negotiated, and audio that comes in this shape. `None`: nothing here encodes it.
    pub(super) fn new(payload: &Payload, source: Format) -> Option<Self> {
        match payload.codec {
            Codec::Pcmu => Some(Self::G711(Law::Mu)),
            Codec::Pcma => Some(Self::G711(Law::A)),
            Codec::Opus => {
                let config = EncoderConfig::from_fmtp(&payload.fmtp);
                // Mono for who asks for it, and for what is mono.
                let stereo =
                    config.format.channels() == Channels::Stereo && source.channels() == Channels::Stereo;
                let channels = if stereo { Channels::Stereo } else { Channels::Mono };
                let rate = if OPUS_RATES.contains(&source.rate()) { source.rate() } else { opus::CLOCK_RATE };
                let format = Format::new(rate, channels).ok()?;
                let encoder = opus::Encoder::new(EncoderConfig { format, ..config }).ok()?;
                let wanted = config.bitrate.map_or(usual_bitrate(format), u64::from);
                Some(Self::Opus(Box::new(OpusEncoder { encoder, wanted })))
            }
            _ => None,
        }
    }

    /// What is taken.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Opus(opus) => opus.encoder.format(),
            Self::G711(_) => Format::new(g711::SAMPLE_RATE, Channels::Mono).expect("a rate of ours"),
        }
    }

    /// At most so many bits a second, and so many of 100 packets that do not arrive. G.711 has nothing to choose.
    pub(super) fn adapt(&mut self, most: Option<u64>, loss: u8) {
        let Self::Opus(opus) = self else { return };
        let bitrate = most.map_or(opus.wanted, |most| most.min(opus.wanted));
        // Values in their ranges are taken.
        let _ = opus.encoder.set_bitrate(Some(bitrate.clamp(LEAST_BITRATE, MOST_BITRATE) as u32));
        let _ = opus.encoder.set_expected_loss(loss.min(100));
    }

    /// So much work is put into a packet, 0 to 10. G.711 has nothing to choose.
    pub(super) fn set_complexity(&mut self, complexity: u8) {
        if let Self::Opus(opus) = self {
            // Values in their range are taken.
            let _ = opus.encoder.set_complexity(complexity.min(10));
        }
    }

    /// The payload of a packet; `None` for silence that is not sent (DTX).
    pub(super) fn encode(&mut self, samples: &[f32]) -> Option<Bytes> {
        match self {
            Self::Opus(opus) => {
                let encoded = opus.encoder.encode(samples).ok()?;
                (!encoded.silent).then_some(encoded.payload)
            }
            Self::G711(law) => {
                let mut octets = Vec::with_capacity(samples.len());
                law.encode(samples, &mut octets);
                Some(octets.into())
            }
        }
    }
}

/// What libopus chooses for frames of 20 ms.
fn usual_bitrate(format: Format) -> u64 {
    3_000 + u64::from(format.rate()) * format.channels().count() as u64
}

/// How long a packet is to be: what the other side asks for, as far as the codec has it; 20 ms if it asks for nothing
/// (RFC 7587 6.1, RFC 3551 4.2).
pub(super) fn packet_time(asked: Option<Duration>) -> Duration {
    const STEPS: [u64; 4] = [10, 20, 40, 60];
    let asked = asked.map_or(20, |asked| asked.as_millis() as u64);
    // The longest that is not longer than was asked for.
    let step = STEPS.into_iter().rfind(|step| *step <= asked).unwrap_or(STEPS[0]);
    Duration::from_millis(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of_a_second(fmtp: &str, most: Option<u64>) -> usize {
        let opus = Payload::plain(111, Codec::Opus, 48_000);
        let payload = Payload { channels: 2, fmtp: fmtp.into(), ..opus };
        let mut encoder = Encoder::new(&payload, Format::FULL).expect("Opus is encoded here");
        encoder.adapt(most, 0);
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        let length =
            encoder.format().frames_in(Duration::from_millis(20)) * encoder.format().channels().count();
        (0..50)
            .map(|_| {
                let samples: Vec<f32> = (0..length).map(|_| noise()).collect();
                encoder.encode(&samples).map_or(0, |packet| {
                    assert!(packet.len() <= 1_100, "{} bytes do not fit into a datagram", packet.len());
                    packet.len()
                })
            })
            .sum()
    }

    #[test]
    fn a_wide_path_is_no_reason_to_send_more_and_a_narrow_one_is_to_send_less() {
        let usual = bytes_of_a_second("", None);
        assert!((3_000..12_000).contains(&usual), "{usual}");
        assert_eq!(bytes_of_a_second("", Some(20_000_000)), usual);
        assert!(bytes_of_a_second("", Some(16_000)) < usual / 2);
    }

    #[test]
    fn the_highest_rate_that_can_be_asked_for_is_sent_in_packets_that_fit() {
        assert!(bytes_of_a_second("maxaveragebitrate=510000", Some(20_000_000)) > 40_000);
    }
}
