//! How one direction encrypts, whatever the stream: the transforms of RFC 3711 (AES-CM and HMAC-SHA1) and RFC 7714 (AES-GCM).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::EncryptingKey;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::derive::{Label, apply, counter_mode, derive};
use super::error::SrtpError;
use crate::error::MediaError;
use crate::types::SrtpProfile;

/// Bytes of the tag of HMAC-SHA1 that are sent (RFC 3711 5.2).
const CM_TAG: usize = 10;
/// Bytes of the tag of AES-GCM (RFC 7714 13.1).
const GCM_TAG: usize = 16;
/// Bytes of the header of RTCP that stay in the clear.
pub(super) const RTCP_HEADER: usize = 8;
/// Set in the index of an SRTCP packet that is encrypted.
pub(super) const ENCRYPTED: u32 = 1 << 31;

/// The keys of one direction, of RTP or of RTCP.
enum Keys {
    CounterMode { key: Box<EncryptingKey>, salt: [u8; 14], mac: Box<hmac::Key> },
    Gcm { key: Box<LessSafeKey>, salt: [u8; 12] },
}

impl Keys {
    fn counter_mode(key: &[u8], salt: &[u8], labels: [Label; 3]) -> Option<Self> {
        let [encryption, authentication, salting] = labels;
        Some(Self::CounterMode {
            key: Box::new(counter_mode(&derive(key, salt, encryption, key.len())?)?),
            salt: derive(key, salt, salting, 14)?.try_into().ok()?,
            mac: Box::new(hmac::Key::new(
                hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                &derive(key, salt, authentication, 20)?,
            )),
        })
    }

    fn gcm(key: &[u8], salt: &[u8], labels: [Label; 3]) -> Option<Self> {
        let [encryption, _, salting] = labels;
        Self::gcm_session(&derive(key, salt, encryption, key.len())?, &derive(key, salt, salting, 12)?)
    }

    fn gcm_session(key: &[u8], salt: &[u8]) -> Option<Self> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        let key = Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?));
        Some(Self::Gcm { key, salt: salt.try_into().ok()? })
    }
}

/// One direction: seals what goes out or opens what comes in.
pub(super) struct Cipher {
    rtp: Keys,
    rtcp: Keys,
}

impl Cipher {
    /// Derives the session keys. Fails if `key` or `salt` have lengths that are not those of `profile`.
    pub(super) fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, MediaError> {
        let wrong = |what: &str, found: usize, expected: usize| MediaError::Keys {
            profile: profile.name(),
            detail: format!("the master {what} has {found} bytes, {expected} are needed"),
        };
        if key.len() != profile.key_len() {
            return Err(wrong("key", key.len(), profile.key_len()));
        }
        if salt.len() != profile.salt_len() {
            return Err(wrong("salt", salt.len(), profile.salt_len()));
        }
        let make = match profile {
            SrtpProfile::Aes128CmSha1_80 => Keys::counter_mode,
            SrtpProfile::AeadAes128Gcm | SrtpProfile::AeadAes256Gcm => Keys::gcm,
        };
        let rtp = make(key, salt, [Label::RtpEncryption, Label::RtpAuthentication, Label::RtpSalt]);
        let rtcp = make(key, salt, [Label::RtcpEncryption, Label::RtcpAuthentication, Label::RtcpSalt]);
        Ok(Self {
            rtp: rtp.expect("the lengths were checked"),
            rtcp: rtcp.expect("the lengths were checked"),
        })
    }

    /// With session keys, as the vectors of RFC 7714 give them.
    #[cfg(test)]
    pub(super) fn with_gcm_session(key: &[u8], salt: &[u8]) -> Self {
        let keys = || Keys::gcm_session(key, salt).expect("lengths of AES-GCM");
        Self { rtp: keys(), rtcp: keys() }
    }

    /// Encrypts an RTP packet that begins at `start` of `out`, with its payload `header` bytes later, and appends the tag. `index`: rollover
    /// counter and sequence number.
    pub(super) fn seal_rtp(&self, out: &mut Vec<u8>, start: usize, header: usize, ssrc: u32, index: u64) {
        let packet = &mut out[start..];
        match &self.rtp {
            Keys::CounterMode { key, salt, mac } => {
                apply(key, counter_iv(salt, ssrc, index), &mut packet[header..]);
                let tag = rtp_tag(mac, packet, index);
                out.extend_from_slice(&tag.as_ref()[..CM_TAG]);
            }
            Keys::Gcm { key, salt } => {
                let (header, payload) = packet.split_at_mut(header);
                let tag = key
                    .seal_in_place_separate_tag(rtp_nonce(salt, ssrc, index), Aad::from(&*header), payload)
                    .expect("no packet is as long as AES-GCM allows");
                out.extend_from_slice(tag.as_ref());
            }
        }
    }

    /// Verifies and decrypts an RTP packet, and takes its tag off. Leaves `packet` in no particular state if that fails.
    pub(super) fn open_rtp(
        &self,
        packet: &mut Vec<u8>,
        header: usize,
        ssrc: u32,
        index: u64,
    ) -> Result<(), SrtpError> {
        match &self.rtp {
            Keys::CounterMode { key, salt, mac } => {
                let end = tag_start(packet, header, CM_TAG)?;
                let (content, tag) = packet.split_at(end);
                verify(&rtp_tag(mac, content, index), tag)?;
                packet.truncate(end);
                apply(key, counter_iv(salt, ssrc, index), &mut packet[header..]);
            }
            Keys::Gcm { key, salt } => {
                let end = tag_start(packet, header, GCM_TAG)?;
                let (header, rest) = packet.split_at_mut(header);
                open(key, rtp_nonce(salt, ssrc, index), &[header], rest)?;
                packet.truncate(end);
            }
        }
        Ok(())
    }

    /// Encrypts an RTCP packet of at least [`RTCP_HEADER`] bytes and appends index and tag. `index` has 31 bits.
    pub(super) fn seal_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) {
        let word = (index | ENCRYPTED).to_be_bytes();
        match &self.rtcp {
            Keys::CounterMode { key, salt, mac } => {
                apply(key, counter_iv(salt, ssrc, u64::from(index)), &mut packet[RTCP_HEADER..]);
                packet.extend_from_slice(&word);
                let tag = hmac::sign(mac, packet);
                packet.extend_from_slice(&tag.as_ref()[..CM_TAG]);
            }
            Keys::Gcm { key, salt } => {
                let (header, payload) = packet.split_at_mut(RTCP_HEADER);
                let mut aad = [0; RTCP_HEADER + 4];
                aad[..RTCP_HEADER].copy_from_slice(header);
                aad[RTCP_HEADER..].copy_from_slice(&word);
                let tag = key
                    .seal_in_place_separate_tag(rtcp_nonce(salt, ssrc, index), Aad::from(aad), payload)
                    .expect("no packet is as long as AES-GCM allows");
                packet.extend_from_slice(tag.as_ref());
                packet.extend_from_slice(&word);
            }
        }
    }

    /// The index word of an SRTCP packet, with [`ENCRYPTED`]; not verified yet.
    pub(super) fn rtcp_word(&self, packet: &[u8]) -> Result<u32, SrtpError> {
        // RFC 3711 3.4 has it in front of the tag, RFC 7714 9.2 behind it.
        let behind = match &self.rtcp {
            Keys::CounterMode { .. } => CM_TAG,
            Keys::Gcm { .. } => 0,
        };
        let end = packet.len().checked_sub(behind).ok_or(SrtpError::Malformed)?;
        let word = packet[..end].last_chunk::<4>().ok_or(SrtpError::Malformed)?;
        Ok(u32::from_be_bytes(*word))
    }

    /// Verifies and decrypts an RTCP packet, and takes index and tag off.
    pub(super) fn open_rtcp(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) -> Result<(), SrtpError> {
        match &self.rtcp {
            Keys::CounterMode { key, salt, mac } => {
                let end = tag_start(packet, RTCP_HEADER, CM_TAG + 4)?;
                let (content, tag) = packet.split_at(end + 4);
                verify(&hmac::sign(mac, content), tag)?;
                packet.truncate(end);
                apply(key, counter_iv(salt, ssrc, u64::from(index)), &mut packet[RTCP_HEADER..]);
            }
            Keys::Gcm { key, salt } => {
                let end = tag_start(packet, RTCP_HEADER, GCM_TAG + 4)?;
                let (header, rest) = packet.split_at_mut(RTCP_HEADER);
                let (rest, word) = rest.split_at_mut(end - RTCP_HEADER + GCM_TAG);
                open(key, rtcp_nonce(salt, ssrc, index), &[header, word], rest)?;
                packet.truncate(end);
            }
        }
        Ok(())
    }
}

/// Where the tag of `len` bytes begins, behind at least `header` bytes.
fn tag_start(packet: &[u8], header: usize, len: usize) -> Result<usize, SrtpError> {
    packet.len().checked_sub(len).filter(|&end| end >= header).ok_or(SrtpError::Malformed)
}

fn rtp_tag(mac: &hmac::Key, content: &[u8], index: u64) -> hmac::Tag {
    let mut context = hmac::Context::with_key(mac);
    context.update(content);
    context.update(&rollover(index).to_be_bytes());
    context.sign()
}

fn verify(expected: &hmac::Tag, found: &[u8]) -> Result<(), SrtpError> {
    verify_slices_are_equal(&expected.as_ref()[..CM_TAG], found).map_err(|_| SrtpError::Unauthentic)
}

/// Opens `rest`, of which the last bytes are the tag.
fn open(key: &LessSafeKey, nonce: Nonce, aad: &[&mut [u8]], rest: &mut [u8]) -> Result<(), SrtpError> {
    let opened = match aad {
        [one] => key.open_in_place(nonce, Aad::from(&**one), rest).map(|_| ()),
        parts => {
            let mut joined = [0; RTCP_HEADER + 4];
            joined[..RTCP_HEADER].copy_from_slice(parts[0]);
            joined[RTCP_HEADER..].copy_from_slice(parts[1]);
            key.open_in_place(nonce, Aad::from(joined), rest).map(|_| ())
        }
    };
    opened.map_err(|_| SrtpError::Unauthentic)
}

fn rollover(index: u64) -> u32 {
    (index >> 16) as u32
}

/// RFC 3711 4.1.1: the salt, with the SSRC and the index added where they belong; the last two bytes count blocks.
fn counter_iv(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(salt);
    xor(&mut iv[4..8], &ssrc.to_be_bytes());
    xor(&mut iv[8..14], &index.to_be_bytes()[2..]);
    iv
}

/// RFC 7714 8.1.
fn rtp_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
    Nonce::assume_unique_for_key(nonce)
}

/// RFC 7714 9.1.
fn rtcp_nonce(salt: &[u8; 12], ssrc: u32, index: u32) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], &ssrc.to_be_bytes());
    xor(&mut nonce[8..12], &index.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn xor(target: &mut [u8], with: &[u8]) {
    for (byte, with) in target.iter_mut().zip(with) {
        *byte ^= with;
    }
}
