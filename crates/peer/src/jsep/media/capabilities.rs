//! What the owner of a session can send and receive.

use std::sync::{Arc, OnceLock};

use ossa_media::{Extension, Kind};

/// Settings for audio and video.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// The codecs and header extensions that there are. Shared: a process with thousands of connections has one list of them.
    pub capabilities: Arc<MediaCapabilities>,
    /// Canonical name of this endpoint, for `a=ssrc` (RFC 7022).
    pub cname: String,
    /// SSRCs and ids of tracks come from it: it must be unpredictable outside of tests.
    pub seed: u64,
}

/// The codecs and header extensions that there are, the preferred ones first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaCapabilities {
    /// Codecs for audio.
    pub audio: Vec<CodecCapability>,
    /// Codecs for video.
    pub video: Vec<CodecCapability>,
    /// Header extensions; each is used for the kinds of media that it means something for.
    pub extensions: Vec<Extension>,
}

/// A codec (`RTCRtpCodec`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecCapability {
    /// Name as in `a=rtpmap`; case does not matter.
    pub name: String,
    /// In Hz.
    pub clock_rate: u32,
    /// Channels of audio; 1 for video.
    pub channels: u8,
    /// Value of `a=fmtp`, empty for none.
    pub parameters: String,
    /// Values of `a=rtcp-fb`, such as `nack pli`.
    pub feedback: Vec<String>,
    /// The payload type to use if it is free; without one the next that is.
    pub payload: Option<u8>,
    /// Whether lost packets are sent again in a stream of their own (RFC 4588).
    pub rtx: bool,
}

impl CodecCapability {
    /// Audio, without feedback.
    pub fn audio(name: &str, clock_rate: u32, channels: u8, payload: u8, parameters: &str) -> Self {
        Self {
            name: name.to_owned(),
            clock_rate,
            channels,
            parameters: parameters.to_owned(),
            feedback: Vec::new(),
            payload: Some(payload),
            rtx: false,
        }
    }

    /// Video, with all feedback that we know and with retransmission.
    pub fn video(name: &str, payload: u8, parameters: &str) -> Self {
        let feedback = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"];
        Self {
            feedback: feedback.map(str::to_owned).to_vec(),
            rtx: true,
            ..Self::audio(name, 90_000, 1, payload, parameters)
        }
    }
}

impl Default for MediaCapabilities {
    /// What every browser has. The numbers are those of libwebrtc, which some servers expect.
    fn default() -> Self {
        let opus = CodecCapability {
            feedback: vec!["transport-cc".to_owned()],
            ..CodecCapability::audio("opus", 48_000, 2, 111, "minptime=10;useinbandfec=1")
        };
        let h264 = |payload, mode| {
            let parameters =
                format!("level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id=42e01f");
            CodecCapability::video("H264", payload, &parameters)
        };
        Self {
            audio: vec![
                opus,
                CodecCapability::audio("PCMU", 8_000, 1, 0, ""),
                CodecCapability::audio("PCMA", 8_000, 1, 8, ""),
                // Tones have the clock of the codec that they stand in for (RFC 4733 2.1); without parameters they are 0 to 15 (2.4.1).
                CodecCapability::audio("telephone-event", 48_000, 1, 110, ""),
                CodecCapability::audio("telephone-event", 8_000, 1, 101, ""),
            ],
            video: vec![
                CodecCapability::video("VP8", 96, ""),
                CodecCapability::video("VP9", 98, "profile-id=0"),
                h264(108, 1),
                h264(125, 0),
                CodecCapability::video("AV1", 45, "level-idx=5;profile=0;tier=0"),
            ],
            extensions: Extension::ALL.to_vec(),
        }
    }
}

impl MediaCapabilities {
    /// The [default](Self::default), once for the whole process.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<MediaCapabilities>> = OnceLock::new();
        SHARED.get_or_init(Arc::default).clone()
    }

    /// The codecs of a kind.
    pub fn codecs(&self, kind: Kind) -> &[CodecCapability] {
        match kind {
            Kind::Audio => &self.audio,
            Kind::Video => &self.video,
        }
    }

    /// The header extensions that mean something for a kind.
    pub fn extensions(&self, kind: Kind) -> impl Iterator<Item = Extension> {
        self.extensions.iter().copied().filter(move |extension| match extension {
            Extension::Mid | Extension::AbsSendTime | Extension::TransportCc => true,
            Extension::AudioLevel => kind == Kind::Audio,
            Extension::Rid
            | Extension::RepairedRid
            | Extension::VideoOrientation
            | Extension::PlayoutDelay => kind == Kind::Video,
        })
    }
}
