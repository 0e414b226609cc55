//! G.711 as RTP carries it (RFC 3551 4.5.14): one octet a sample, 8,000 samples a second, one channel.

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};

use crate::pcm::{from_s16, to_s16};

/// Samples a second of both laws.
pub const SAMPLE_RATE: u32 = 8_000;

/// One of the two laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// PCMA, payload type 8.
    A,
    /// PCMU, payload type 0.
    Mu,
}

impl Law {
    /// Appends an octet for each sample.
    pub fn encode(self, samples: &[f32], octets: &mut Vec<u8>) {
        let encode = match self {
            Law::A => encode_alaw,
            Law::Mu => encode_ulaw,
        };
        octets.extend(samples.iter().map(|sample| encode(to_s16(*sample))));
    }

    /// Appends a sample for each octet; there is no octet that means nothing.
    pub fn decode(self, octets: &[u8], samples: &mut Vec<f32>) {
        let decode = match self {
            Law::A => decode_alaw,
            Law::Mu => decode_ulaw,
        };
        samples.extend(octets.iter().map(|octet| from_s16(decode(*octet))));
    }
}
