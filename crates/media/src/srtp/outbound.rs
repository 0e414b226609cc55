//! What goes out.

use super::cipher::{Cipher, RTCP_HEADER};
use crate::error::MediaError;
use crate::types::SrtpProfile;

/// Seals what goes out. Its caller gives each packet of a stream an index of its own, and never one twice: with AES-GCM two
/// packets with one index give the authentication key away.
pub struct Outbound {
    cipher: Cipher,
    /// One for all streams: it then differs for each of them as well.
    rtcp_index: u32,
}

impl Outbound {
    /// Seals with this side's keys.
    pub fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, MediaError> {
        Ok(Self { cipher: Cipher::new(profile, key, salt)?, rtcp_index: 0 })
    }

    /// Bytes that sealing adds to an RTP packet.
    pub fn overhead(profile: SrtpProfile) -> usize {
        match profile {
            SrtpProfile::Aes128CmSha1_80 => 10,
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => 16,
        }
    }

    /// Bytes that sealing adds to an RTCP packet: the index as well.
    pub fn rtcp_overhead(profile: SrtpProfile) -> usize {
        Self::overhead(profile) + 4
    }

    /// Seals an RTP packet whose payload begins at `header`. `index`: rollover counter and sequence number, 48 bits.
    pub fn seal_rtp(&self, packet: &mut Vec<u8>, header: usize, ssrc: u32, index: u64) {
        self.seal_rtp_at(packet, 0, header, ssrc, index);
    }

    /// The same for a packet that begins at `start` of `out` and is the last there; `header` counts from its begin.
    pub fn seal_rtp_at(&self, out: &mut Vec<u8>, start: usize, header: usize, ssrc: u32, index: u64) {
        self.cipher.seal_rtp(out, start, header, ssrc, index);
    }

    /// Seals an RTCP packet. False, and nothing done, if it is no packet or 2^31 have been sent with these keys (RFC 3711 9.2).
    pub fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> bool {
        let ssrc = packet.get(4..RTCP_HEADER).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        let (Some(ssrc), true) = (ssrc, self.rtcp_index < 1 << 31) else { return false };
        self.cipher.seal_rtcp(packet, ssrc, self.rtcp_index);
        self.rtcp_index += 1;
        true
    }
}
