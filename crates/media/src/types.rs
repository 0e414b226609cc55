//! Small types that all rooms of this crate share.

/// What a stream carries: decides about NACK, key frames and how a jitter buffer plays out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Sound: played out at a steady pace.
    Audio,
    /// Pictures: frames of many packets, which depend on each other.
    Video,
}

/// How packets are encrypted (RFC 5764 4.1.2, RFC 7714 14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SrtpProfile {
    /// AES in counter mode with a tag of 80 bits, which every WebRTC endpoint has.
    Aes128CmSha1_80,
    /// AES-GCM with keys of 128 bits.
    AeadAes128Gcm,
    /// AES-GCM with keys of 256 bits.
    AeadAes256Gcm,
}

impl SrtpProfile {
    /// Its name in the registry of DTLS-SRTP protection profiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128CmSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        }
    }

    /// Bytes of a master key.
    pub fn key_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of a master salt.
    pub fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }
}

/// The master keys of both directions, as the DTLS exporter `EXTRACTOR-dtls_srtp` gives them (RFC 5764 4.2), already
/// told apart by the role in the handshake.
#[derive(Clone, PartialEq, Eq)]
pub struct SrtpKeys {
    /// How packets are encrypted.
    pub profile: SrtpProfile,
    /// Encrypts what this side sends; [`SrtpProfile::key_len`] bytes.
    pub local_key: Vec<u8>,
    /// Goes with `local_key`; [`SrtpProfile::salt_len`] bytes.
    pub local_salt: Vec<u8>,
    /// Decrypts what the other side sends.
    pub remote_key: Vec<u8>,
    /// Goes with `remote_key`.
    pub remote_salt: Vec<u8>,
}

impl SrtpKeys {
    /// Cuts what the exporter gave into keys and salts: client key, server key, client salt, server salt.
    ///
    /// `client` says whether this side was the DTLS client. `None` if `exported` is too short for the profile.
    pub fn from_exporter(profile: SrtpProfile, exported: &[u8], client: bool) -> Option<Self> {
        let (key, salt) = (profile.key_len(), profile.salt_len());
        let exported = exported.get(..2 * (key + salt))?;
        let (keys, salts) = exported.split_at(2 * key);
        let (client_key, server_key) = keys.split_at(key);
        let (client_salt, server_salt) = salts.split_at(salt);
        let [(local_key, local_salt), (remote_key, remote_salt)] = if client {
            [(client_key, client_salt), (server_key, server_salt)]
        } else {
            [(server_key, server_salt), (client_key, client_salt)]
        };
        Some(Self {
            profile,
            local_key: local_key.to_vec(),
            local_salt: local_salt.to_vec(),
            remote_key: remote_key.to_vec(),
            remote_salt: remote_salt.to_vec(),
        })
    }
}

// Keys never stand in a log.
impl std::fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SrtpKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// A payload format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 7587.
    Opus,
    /// G.711 µ-law, RFC 3551 4.5.14.
    Pcmu,
    /// G.711 A-law, RFC 3551 4.5.14.
    Pcma,
    /// RFC 7741.
    Vp8,
    /// RFC 9628.
    Vp9,
    /// RFC 6184.
    H264,
    /// The AV1 RTP payload format of the Alliance for Open Media.
    Av1,
    /// Tones of a telephone's keys, RFC 4733.
    TelephoneEvent,
    /// Comfort noise, RFC 3389.
    ComfortNoise,
    /// Anything else: only as packets, see [`RtpPacket`](crate::RtpPacket).
    Other,
}

impl Codec {
    /// Its name in `a=rtpmap`, as it is usually written; `unknown` for [`Self::Other`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::H264 => "H264",
            Self::Av1 => "AV1",
            Self::TelephoneEvent => "telephone-event",
            Self::ComfortNoise => "CN",
            Self::Other => "unknown",
        }
    }
}

/// A header extension (RFC 8285) that this crate reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 9143 15).
    Mid,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852).
    Rid,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852).
    RepairedRid,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`.
    AbsSendTime,
    /// `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`.
    TransportCc,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464).
    AudioLevel,
    /// `urn:3gpp:video-orientation` (3GPP TS 26.114 7.4.5).
    VideoOrientation,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/playout-delay`.
    PlayoutDelay,
}

impl Extension {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Mid,
        Self::Rid,
        Self::RepairedRid,
        Self::AbsSendTime,
        Self::TransportCc,
        Self::AudioLevel,
        Self::VideoOrientation,
        Self::PlayoutDelay,
    ];

    /// The URI that stands for it in `a=extmap` (RFC 8285 5).
    pub fn uri(self) -> &'static str {
        match self {
            Self::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Self::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Self::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Self::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Self::TransportCc => "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            Self::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Self::VideoOrientation => "urn:3gpp:video-orientation",
            Self::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
        }
    }

    /// The extension that a URI of `a=extmap` stands for.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.uri() == uri)
    }
}

/// What its owner calls a receiver: the W3C's `RTCRtpReceiver`, one section of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReceiverId(pub u32);

/// What its owner calls a sender: the W3C's `RTCRtpSender`, one section of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderId(pub u32);
